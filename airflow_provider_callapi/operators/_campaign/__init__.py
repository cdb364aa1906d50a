"""The internal parts of the campaign operator."""
