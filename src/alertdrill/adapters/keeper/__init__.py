"""The process that keeps a target which a command starts, or whose processes faults halt."""

TARGET_ENVIRONMENT = "ALERTDRILL_TARGET_ENVIRONMENT"
"""Variable of the keeper's with those of the target, as JSON."""
