"""The page that the monitor serves itself: what its metrics say, live, for engineers and for product managers."""
