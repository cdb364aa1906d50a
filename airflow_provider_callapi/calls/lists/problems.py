"""The exception for a list that must not be used."""

from __future__ import annotations


class ListUnreadable(ValueError):
    """A list is damaged, or its meaning is not certain.

    The text names the line and what to do, but repeats no value of the list.
    """
