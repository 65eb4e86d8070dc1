"""What a controller asks of faults that are no process of its own: inside an app, or a fault proxy of its own."""
