"""The calls to the user's own phone: placed, watched and ended."""
