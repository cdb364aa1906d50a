"""Alerts by phone: elect the task that rings, and call one person after another until one answers."""
