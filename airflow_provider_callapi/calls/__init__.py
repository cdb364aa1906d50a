"""The life of a call, from the start request to the final outcome.

This package imports neither Airflow nor an HTTP library. The code that uses the package passes a clock.
"""
