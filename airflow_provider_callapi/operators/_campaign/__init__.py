"""The parts of the campaign operator."""
