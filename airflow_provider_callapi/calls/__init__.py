"""The life of a call. No Airflow, no HTTP, no clock of its own."""
