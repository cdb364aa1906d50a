"""The Airflow triggers of this package: for one call, for a campaign, and for the events of all calls.

The author of a DAG imports only `CallApiEventTrigger`.
"""
