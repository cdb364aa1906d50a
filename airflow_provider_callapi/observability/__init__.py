"""Metrics, log lines and trace spans about calls, for the users who run Airflow.

They contain no phone numbers and no secrets. If one of them cannot be written, the task continues.
"""
