"""The parts of the operator that loads the report of calls."""
