"""The parts of the operators that start one call."""
