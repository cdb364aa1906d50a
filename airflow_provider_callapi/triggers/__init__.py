"""Triggers: what a user imports or Airflow loads. Their helpers are in ``_loop/``."""
