"""Watches active calls: polls, snapshots, what consecutive snapshots show of a call, and the witnesses."""
