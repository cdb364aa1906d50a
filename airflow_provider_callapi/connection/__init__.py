"""Read and check an Airflow connection, create API clients from it, and test it."""
