"""Finds parameters without effect: names that a class does not have, and class attributes of a subclass."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from inspect import Parameter, signature, unwrap
from itertools import takewhile
from typing import Any

from airflow_provider_callapi.exceptions import InvalidParameter

_NEAR = 0.75
"""The smallest similarity (0 to 1) at which an unknown name counts as a misspelt name of a parameter."""


def describe_unknown(owner: type, given: Mapping[str, Any]) -> str | None:
    """Return which names neither a class nor a base class of it takes, as a text for an error.

    Example: ``CallApiNotifier has no parameter virtual_phone; did you mean virtual_phone_number?``

    :param given: the keyword arguments: name → value. The text contains no value.
    :return: the text. None: the class takes all names.
    """
    known = _parameters_of(owner.__mro__)
    unknown = sorted(name for name in given.keys() - known if not name.startswith("_"))
    if not unknown:
        return None
    meant = [name for each in unknown for name in _similar(each, known - given.keys())]
    hint = f"; did you mean {', '.join(meant)}?" if meant else ""
    return f"{owner.__name__} has no parameter {', '.join(unknown)}{hint}"


def refuse_class_attributes(owner: type) -> None:
    """Check that a subclass does not set a parameter of this package's constructors as a class attribute.

    Without this check, ``calling_hours = ("09:00", "21:00")`` in the body of a subclass would have no effect:
    the constructor sets the attribute of the same name, and the task would call at night. A subclass with a
    constructor of its own is not checked, because the constructor may use the class attribute.

    :raises InvalidParameter: the body of the class, or of a class that it inherits from, sets a parameter.
    """
    ours = [base for base in owner.__mro__ if _is_of_package(base)]
    authors = [*takewhile(lambda base: not _is_of_package(base), owner.__mro__)]
    attributes = {name: value for base in reversed(authors) for name, value in vars(base).items()}
    # Airflow may set the constructor of the base class on the subclass, as a wrapper.
    if "__init__" in attributes and not _is_of_package(unwrap(attributes["__init__"])):
        return
    if ignored := sorted(_parameters_of(ours) & attributes.keys()):
        raise InvalidParameter(
            f"{ignored[0]}: the class attribute of {owner.__name__} has no effect, because the constructor "
            "sets the parameter. Write a constructor: def __init__(self, **kwargs): "
            f"super().__init__(**{{'{ignored[0]}': …, **kwargs}})"
        )


def _is_of_package(thing: type | Callable[..., Any]) -> bool:
    return thing.__module__.partition(".")[0] == __name__.partition(".")[0]


def _parameters_of(classes: Iterable[type]) -> set[str]:
    """Return the names of the parameters of the classes' own constructors, without ``self``."""
    return {
        parameter.name
        for each in classes
        if "__init__" in vars(each)
        for parameter in signature(vars(each)["__init__"]).parameters.values()
        if parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    } - {"self"}


def _similar(name: str, known: Collection[str]) -> list[str]:
    near = get_close_matches(name, sorted(known), n=1, cutoff=_NEAR)
    longer = [each for each in sorted(known) if each.startswith(name) and len(name) > 3]  # max_attempt(s)
    return near or longer[:1]
