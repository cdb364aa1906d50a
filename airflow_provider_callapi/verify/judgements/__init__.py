"""Whether the assumptions of this package hold, according to the findings."""
