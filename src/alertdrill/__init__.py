"""Fire drills for the alerts that watch machine-learning models."""

__version__ = "0.1.0"
