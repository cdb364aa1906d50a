"""Alerts by phone: elect the one failed task that rings, and call one person after another until a person answers."""
