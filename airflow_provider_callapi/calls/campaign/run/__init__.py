"""Runs a campaign: polls, dials, fetches reports and sets tags, as its engine decides."""
