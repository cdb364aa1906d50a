"""Polls and slow work in the event loop of Airflow's triggerer, for the triggers and for the notifier.

One poll serves all triggers and alerts of a connection. Slow work runs in threads, so that the work does not
block the event loop.
"""
