"""What the operators for one call are made of."""
