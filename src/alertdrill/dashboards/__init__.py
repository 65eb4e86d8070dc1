"""Grafana dashboards for any model behind the reference monitor: for engineers and for product managers. Pure."""
