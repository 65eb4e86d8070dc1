"""A throw-away Prometheus that evaluates rules over recorded samples: what it is given, and what it is asked."""
