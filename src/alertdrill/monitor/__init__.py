"""The reference monitor: a process in front of a model or beside it, or a middleware inside a team's own ASGI app.

`app = Monitor(app, schema="schema.json", reference="sample.csv")` is the latter.
"""

from alertdrill.monitor.middleware import Monitor

__all__ = ["Monitor"]
