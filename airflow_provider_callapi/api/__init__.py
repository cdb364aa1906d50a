"""The vendor's JSON-RPC services as typed Python. Knows `requests`, not Airflow."""
