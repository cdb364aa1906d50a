"""What this package makes of an Airflow connection: checked settings, API clients and a connection test."""
