"""Finds halves of characters (lone surrogates) in texts, which can be neither sent nor written to a file.

UTF-16 stores a character such as an emoji as two halves. A program that cuts a text between the halves leaves
one half, e.g. ``\\ud83d``. Python also reads a byte of a file name that is not UTF-8 as a half.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BOTH_WAYS = "utf-16-le"


def has_half_character(text: str) -> bool:
    """Return whether a text contains half of a character without the other half."""
    try:
        join_halves(text)
    except ValueError:
        return True
    return False


def join_halves(text: str) -> str:
    """Return a text in which each pair of consecutive halves is joined to one character.

    YAML files contain such pairs: ``"\\ud83d\\ude00"`` is one emoji.

    :raises ValueError: a half is without the other half. The error does not contain the text.
    """
    if text.isascii() or _is_utf8(text):  # a quick answer for most texts
        return text
    try:
        return text.encode(_BOTH_WAYS, "surrogatepass").decode(_BOTH_WAYS)
    except UnicodeDecodeError:
        raise ValueError("a text of whole characters is needed") from None


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def replace_halves(value: Any) -> Any:
    """Return a value in which U+FFFD replaces each half of a character without the other half.

    :param value: a text, or a mapping, list or set with texts. Any other value stays unchanged.
    """
    if isinstance(value, str):
        return value.encode(_BOTH_WAYS, "surrogatepass").decode(_BOTH_WAYS, "replace")
    if isinstance(value, Mapping):
        return {replace_halves(name): replace_halves(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [replace_halves(inner) for inner in value]
    return value
