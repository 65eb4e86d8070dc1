"""Faults inside a team's own ASGI app, by a middleware that does nothing unless a token is given.

`app = DrillFaults(app)`, between what measures the app and what it measures.
"""

from alertdrill.inside.middleware import DrillFaults

__all__ = ["DrillFaults"]
