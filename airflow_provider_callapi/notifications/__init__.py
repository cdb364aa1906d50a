"""The Airflow notifier that calls people by phone."""
