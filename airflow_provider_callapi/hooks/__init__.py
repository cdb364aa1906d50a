"""The Airflow hook that sends requests to the Call API and the Data API."""
