"""Typed Python clients of the Call API and the Data API. This package does not import Airflow."""
