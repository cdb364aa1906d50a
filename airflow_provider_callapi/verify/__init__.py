"""The command ``airflow callapi verify``: measure how the service behaves with the user's own account."""
