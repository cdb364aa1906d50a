"""Checks and descriptions of single values in requests and answers."""
