"""The life of a call: pure, no Airflow, no HTTP, no clock of its own."""
