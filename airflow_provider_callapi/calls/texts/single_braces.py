"""Finds names in single braces, such as ``{ contact.name }``: templates that a mistake has disabled.

Python makes ``{ contact.name }`` of ``{{ contact.name }}`` in an f-string. Jinja does not replace it, so a
person would hear the braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

PROBLEM = (
    "a name is in single braces, and no template replaces it; write {{ … }}, and in an f-string {{{{ … }}}}"
)
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_NAME = re.compile(r"\{\s*[A-Za-z_]\w*(?:\.\w+|\[[^][{}]*\])*\s*(?:(?:\||\bor\b)[^{}]*)?\}")


def has_single_braces(text: str) -> bool:
    """Return whether a text of the DAG file contains a name in single braces, outside of its templates."""
    without_templates = text.replace("{{", "").replace("{%", "").replace("{#", "")
    return "{" in without_templates and _NAME.search(_JINJA.sub("", text)) is not None


def find_single_braces(value: Any, where: str) -> Iterator[str]:
    """Yield the path, such as ``contact_message.value``, of each text that contains a name in single braces.

    :param value: a text, or a mapping or list with texts. Any other value contains no text.
    :param where: the name of the parameter that has the value.
    """
    if isinstance(value, str):
        if has_single_braces(value):
            yield where
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from find_single_braces(inner, f"{where}.{name}")
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from find_single_braces(inner, where)
