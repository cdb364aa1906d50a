"""``airflow callapi verify``: measure on the user's own account and phone how the service really behaves."""
