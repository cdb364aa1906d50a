"""Helpers of the triggers: the shared poll of a connection, and threads for slow work of the event loop."""
