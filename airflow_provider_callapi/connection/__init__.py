"""Reads, checks and tests an Airflow connection, and creates API clients from the connection."""
