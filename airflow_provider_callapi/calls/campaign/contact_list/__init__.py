"""The contact list of a campaign: its people, and the start request of each person."""
