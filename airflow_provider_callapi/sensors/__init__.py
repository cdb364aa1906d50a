"""Sensors: what a user imports."""
