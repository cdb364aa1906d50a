"""The Airflow operators that a user imports."""
