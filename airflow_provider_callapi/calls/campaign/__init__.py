"""Campaigns: calls to everybody on a list, paced and resumable. No I/O, no clock, no Airflow."""
