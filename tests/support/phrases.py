"""Long lists of words and phrases, as tests write them."""

from __future__ import annotations


def phrases(text: str) -> list[str]:
    """Return the phrases of a text, which are separated by ``|`` or by the end of a line."""
    return [phrase for part in text.replace("\n", "|").split("|") if (phrase := part.strip())]
