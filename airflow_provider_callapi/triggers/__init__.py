"""The triggers that a user imports or Airflow loads. The helpers of the triggers are in ``_loop/``."""
