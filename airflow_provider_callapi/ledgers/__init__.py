"""Ledgers of campaigns: in an SQL database, or in pages of JSON in Airflow's task state."""
