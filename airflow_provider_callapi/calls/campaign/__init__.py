"""Campaigns: calls to everybody on a contact list, at a pace that the account's points allow.

A new process can continue a campaign whose process was killed. The package has no I/O, no clock and no
Airflow.
"""
