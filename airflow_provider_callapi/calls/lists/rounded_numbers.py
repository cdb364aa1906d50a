"""Finds out whether a spreadsheet has replaced the last digits of a list's phone numbers by zeros.

Excel shows a long number in a short form, such as ``7,92612E+10``, and writes this form into a CSV file. A
program that reads the form back gets 79261200000: a valid number, but the number of a stranger.
"""

from __future__ import annotations

import re

_ROUNDED = re.compile(r"\d{5,10}00000(?:[.,]0+)?")
"""Matches the digits of a phone number without any sign, such as ``79261200000`` and ``79261200000.0``."""
_FEWEST = 2
"""If fewer different phone numbers than this end in five zeros, the zeros may be chance."""
_SHARE = 10
"""If more than one of ten rows has such a number, the list is damaged. By chance, it is one of 100,000."""


class RoundedNumbers:
    """Finds the phone numbers of a list that a spreadsheet has probably rounded: they end in five zeros."""

    def __init__(self) -> None:
        self._rows = 0
        self._lines: list[int] = []
        self._rounded: set[str] = set()

    def add(self, text: str, line: int) -> None:
        """Count a row, and record whether a spreadsheet has rounded its phone number, e.g. to 79260000000.

        :param text: the number, as the row contains it. A number with a ``+`` or with spaces is not rounded.
        :param line: the number of the row in the list.
        """
        self._rows += 1
        if "00000" in text and _ROUNDED.fullmatch(text.strip()):
            self._lines.append(line)
            self._rounded.add(text)

    def lines(self) -> list[int]:
        """Return the row numbers of the rounded phone numbers, which end in five zeros.

        The zeros may be chance if the list has only one such phone number, or if at most one of ten rows has
        such a number. The result is then empty.
        """
        is_damaged = len(self._rounded) >= _FEWEST and len(self._lines) * _SHARE > self._rows
        return self._lines if is_damaged else []
