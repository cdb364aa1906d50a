"""What follows from the findings of all probes about the account and the service."""
