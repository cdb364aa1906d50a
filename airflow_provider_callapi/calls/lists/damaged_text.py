"""Recognises texts whose letters are lost, such as ``РђРЅРЅР°``, ``Àííà`` and ``????`` for ``Анна``.

A program damages a text if it reads the text in another encoding than the one in which the text was written.
Or it exports the codes of a web page or of a program instead of the letters, such as ``&quot;``.
"""

from __future__ import annotations

import re

_SECOND = bytes(range(0x80, 0xC0))
"""The second byte of each Russian letter in UTF-8. The first byte is 0xD0 or 0xD1."""
_CP1251 = re.escape(_SECOND.decode("cp1251", "ignore").lower()) + r"\x80-\x9f"
_CP1252 = re.escape(_SECOND.decode("cp1252", "ignore").lower()) + r"\x80-\xbf"
_ACCENT = "[ß-ÿ×¸¨]"
_DAMAGES = tuple(
    re.compile(damage, re.DOTALL)
    # A lookbehind stands behind the first character, because the search is then fast.
    for damage in (
        "\ufffd",
        r"\?(?<!\S.)\?{2,}(?![\w?])",
        rf"[рс](?<![^\x00-\x7f].)[{_CP1251}](?:[рс][{_CP1251}]){{2,}}(?![^\x00-\x7f])",  # UTF-8 as cp1251
        rf"[ðñ][{_CP1252}](?:[ðñ][{_CP1252}]){{2,}}",  # UTF-8 as cp1252
        rf"{_ACCENT}(?<![^\W\d_].){_ACCENT}{{2,}}(?![^\W\d_])",  # cp1251 as cp1252: only letters with accents
    )
)
"""Match damaged texts in lower case, because a filter of a template may change the case."""

_CODES = re.compile(
    r"&(?:quot|apos|amp|lt|gt|nbsp|laquo|raquo|[mn]dash|#[0-9]{2,6}|#x[0-9a-f]{2,5});|<br\s*/?>"
    r"|\\u0[0-9a-f]{3}",
    re.IGNORECASE,
)
"""Matches codes of HTML and of JSON. Not those of a web address, which a filter may make on purpose."""


def has_codes(text: str) -> bool:
    """Return whether a text contains codes instead of letters, such as ``&quot;`` and ``\\u0410``."""
    may_have_one = "&" in text or "\\" in text or "<" in text  # a quick answer
    return may_have_one and _CODES.search(text) is not None


def is_damaged(text: str) -> bool:
    """Return whether a text seems to be a Russian text whose letters were lost or replaced."""
    if text.isascii() and "???" not in text:  # a quick answer for most texts
        return False
    lower = text.lower()
    return any(damage.search(lower) for damage in _DAMAGES)
