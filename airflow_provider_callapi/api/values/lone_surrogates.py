"""Finds lone surrogates in texts. A text with a lone surrogate can be neither sent nor written to a file.

UTF-16 stores a character such as an emoji as a pair of two surrogates. A program that cuts a text inside the
pair leaves a lone surrogate, e.g. ``\\ud83d``: half of a character. Python also reads a byte of a file name
that is not UTF-8 as a lone surrogate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BOTH_WAYS = "utf-16-le"


def has_lone_surrogate(text: str) -> bool:
    """Return whether a text contains a lone surrogate."""
    try:
        join_surrogate_pairs(text)
    except ValueError:
        return True
    return False


def join_surrogate_pairs(text: str) -> str:
    """Return a text in which each pair of surrogates is joined to one character.

    YAML files contain such pairs: ``"\\ud83d\\ude00"`` is one emoji.

    :raises ValueError: the text contains a lone surrogate. The error does not contain the text.
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


def replace_lone_surrogates(value: Any) -> Any:
    """Return a value in which U+FFFD (the replacement character) replaces each lone surrogate.

    :param value: a text, or a mapping, list or set with texts. Any other value stays unchanged.
    """
    if isinstance(value, str):
        return value.encode(_BOTH_WAYS, "surrogatepass").decode(_BOTH_WAYS, "replace")
    if isinstance(value, Mapping):
        return {
            replace_lone_surrogates(name): replace_lone_surrogates(inner) for name, inner in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [replace_lone_surrogates(inner) for inner in value]
    return value
