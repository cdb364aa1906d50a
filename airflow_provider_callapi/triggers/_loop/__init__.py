"""Helpers of the Airflow triggers of this package.

One poll serves all triggers of a connection. Slow work of a trigger runs in threads, so that the work does
not block the triggerer's event loop.
"""
