"""Texts that people hear or read: which values a template may insert, and numbers and dates as text."""
