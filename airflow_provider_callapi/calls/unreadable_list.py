"""The exception for a list of people that is damaged or ambiguous.

After this exception, no one on the list may be dialled.
"""

from __future__ import annotations


class ListUnreadable(ValueError):
    """A list of people is damaged or ambiguous, for example because two columns are named ``phone``.

    The error message states where the problem is and what to do, but repeats no value of the list.
    """
