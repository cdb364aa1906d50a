"""Alerts by phone: which task rings, and who is rung next."""
