"""The sensors that a user imports."""
