"""What the campaign operator is made of."""
