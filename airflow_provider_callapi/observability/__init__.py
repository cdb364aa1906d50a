"""Metrics, log lines and trace spans about calls, for the users who run Airflow.

They contain no phone numbers and no secrets. If a metric or a span cannot be written, the task continues, and
the failure is in the log at debug level.
"""
