"""Recognises the control characters of damaged texts. Nothing speaks them, and databases refuse NUL."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
"""Matches a control character that is no gap in a text, such as a tab, a line end or the soft one of Word."""


def has_control_character(text: str) -> bool:
    """Return whether a text contains a control character, such as the escape character of a terminal."""
    return not text.isprintable() and _CONTROL.search(text) is not None
