"""Decides whom a campaign dials next, and what became of its calls. Sends no request."""
