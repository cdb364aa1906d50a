"""The life of a call. Pure: no Airflow, no HTTP, no clock of its own."""
