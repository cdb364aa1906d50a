"""Campaigns and calls as a person sees them from outside their tasks: for the command line and the page."""
