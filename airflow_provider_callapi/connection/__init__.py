"""What an Airflow connection means: its settings, the clients it opens, and a check of both."""
