"""Campaigns: calls to everybody on a contact list, at a pace that the account's points allow.

Points are the units of the API's rate limits. A new process can continue a campaign whose process was killed.
This package does not use Airflow, reads no clock, and does no I/O, with one exception: it reads its own
template of the campaign report.
"""
