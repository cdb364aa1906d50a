"""The hook for the Call API and the Data API."""
