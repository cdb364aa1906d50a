"""The package with the Airflow sensor `CallApiSessionSensor`, which waits for a call."""
