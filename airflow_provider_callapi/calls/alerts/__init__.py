"""Alerts by phone: elect the one failed task that calls people, and call the people until one answers."""
