"""The Call API and the Data API as typed Python. Imports `requests`, never Airflow."""
