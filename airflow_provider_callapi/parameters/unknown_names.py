"""Finds the parameters that a class does not have, and the parameters that their names probably mean."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from inspect import Parameter, signature
from typing import Any

_NEAR = 0.75
"""The smallest similarity (0 to 1) at which an unknown name counts as a misspelt name of a parameter."""


def describe_unknown(owner: type, given: Mapping[str, Any]) -> str | None:
    """Return which names neither a class nor a base class of it takes, as a text for an error.

    Example: ``CallApiNotifier has no parameter virtual_phone; did you mean virtual_phone_number?``

    :param given: the keyword arguments: name → value. The text contains no value.
    :return: the text. None: the class takes all names.
    """
    known = {
        parameter.name
        for base in owner.__mro__
        if "__init__" in vars(base)
        for parameter in signature(vars(base)["__init__"]).parameters.values()
        if parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    }
    unknown = sorted(name for name in given.keys() - known if not name.startswith("_"))
    if not unknown:
        return None
    meant = [name for each in unknown for name in _similar(each, known - given.keys())]
    hint = f"; did you mean {', '.join(meant)}?" if meant else ""
    return f"{owner.__name__} has no parameter {', '.join(unknown)}{hint}"


def _similar(name: str, known: Collection[str]) -> list[str]:
    near = get_close_matches(name, sorted(known), n=1, cutoff=_NEAR)
    longer = [each for each in sorted(known) if each.startswith(name) and len(name) > 3]  # max_attempt(s)
    return near or longer[:1]
