"""What the triggers share in one event loop: the poll of a connection, and threads for slow work."""
