"""An Airflow connection as checked settings, as clients of the two services, and as a connection test."""
