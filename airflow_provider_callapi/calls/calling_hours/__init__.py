"""Calling hours: on which days and at what hours people may be called, for campaigns and single calls."""
