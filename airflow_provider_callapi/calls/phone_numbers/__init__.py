"""Phone numbers as people write them: the strict reader for contacts, the generous one for exclusions."""
