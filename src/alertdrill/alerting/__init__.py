"""Alert rules for any model behind the reference monitor, as text, from one source. Pure."""
