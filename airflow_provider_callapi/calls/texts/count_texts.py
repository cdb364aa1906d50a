"""Counts as text, with the noun in the singular or the plural: ``1 call``, ``2 calls``."""

from __future__ import annotations


def count_text(number: int, one: str, several: str = "") -> str:
    """Return a number with its noun: ``1 call``, ``2 people``.

    :param one: the noun, as it follows the number 1.
    :param several: the noun, as it follows every other number. Empty: ``one`` with an ``s``.
    """
    return f"{number} {one if number == 1 else several or f'{one}s'}"
