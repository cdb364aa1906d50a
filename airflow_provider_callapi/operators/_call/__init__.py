"""The internal parts of the operators that start or control one call."""
