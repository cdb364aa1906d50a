"""Campaigns: calls to everybody on a contact list, at a pace that the account's points allow.

Points are the units of the API's rate limits. A new process can continue a campaign whose process was killed.
This package does no I/O, reads no clock and does not use Airflow.
"""
