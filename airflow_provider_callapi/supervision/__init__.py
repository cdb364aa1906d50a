"""Reads campaigns and tasks for people who supervise calls, on the command line and on the page *Calls*."""
