"""Alerts by phone: elect the one failed task that rings, and call people until a person answers."""
