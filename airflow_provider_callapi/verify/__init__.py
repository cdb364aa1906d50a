"""``airflow callapi verify``: measures how the service really behaves for the user's own account."""
