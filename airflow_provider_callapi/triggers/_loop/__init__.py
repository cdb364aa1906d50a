"""Helpers of the triggers in one event loop: the shared poll of a connection, and threads for slow work."""
