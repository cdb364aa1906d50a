"""What the notifier is made of."""
