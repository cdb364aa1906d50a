"""The life of a call. This package imports neither Airflow nor an HTTP library, and reads no clock itself:
the users of the package pass a clock.
"""
