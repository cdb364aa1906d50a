"""The command ``airflow callapi verify``, which measures how the service behaves for the user's account."""
