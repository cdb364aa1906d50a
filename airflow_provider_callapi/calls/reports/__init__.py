"""Fetches the Data API's reports of calls: requests, periods, pages, and what the Data API refuses."""
