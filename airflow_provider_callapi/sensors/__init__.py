"""The Airflow sensor that a user imports."""
