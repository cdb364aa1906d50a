"""Finds parameters without effect: names that a class does not have, and class attributes of a subclass."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from inspect import Parameter
from itertools import takewhile
from typing import Any

from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.parameters.own_classes import (
    is_of_package,
    parameters_of,
    parameters_of_package,
)

_NEAR = 0.75
"""The smallest similarity (0 to 1) at which an unknown name counts as a misspelt name of a parameter."""


def describe_unknown(owner: type, given: Mapping[str, Any]) -> str | None:
    """Return which names neither a class nor a base class of it takes, as a text for an error.

    Example: ``CallApiNotifier has no parameter virtual_phone; did you mean virtual_phone_number?``

    :param given: the keyword arguments: name → value. The text contains no value.
    :return: the text. None: the class takes all names.
    """
    known = parameters_of(owner.__mro__).keys()
    unknown = sorted(name for name in given.keys() - known if not name.startswith("_"))
    if not unknown:
        return None
    meant = [name for each in unknown for name in _similar(each, known - given.keys())]
    hint = f"; did you mean {', '.join(meant)}?" if meant else _describe_missing(owner, given)
    return f"{owner.__name__} has no parameter {', '.join(unknown)}{hint}"


def _describe_missing(owner: type, given: Collection[str]) -> str:
    """Return which names the constructors need and do not get, as the end of an error text."""
    ours = parameters_of_package(owner)
    missing = [
        name
        for name, parameter in ours.items()
        if parameter.default is Parameter.empty and name not in given and name != "self"
    ]
    return f"; it needs {', '.join(sorted(missing))}" if missing else ""


def refuse_ignored_attributes(thing: object, given: Collection[str]) -> None:
    """Check that no class attribute of an author's subclass is a parameter that the constructor has ignored.

    Example: ``calling_hours = ("09:00", "21:00")`` in the body of a subclass, without a constructor that uses
    it. The constructor of the base class sets the attribute to its default, and the task would call at night.

    :param thing: an operator or a notifier, after its constructors.
    :param given: the names of the arguments of its constructor.
    :raises InvalidParameter: such an attribute has a value, and the parameter has its default.
    """
    authors = [*takewhile(lambda base: not is_of_package(base), type(thing).__mro__)]
    attributes = {name: value for base in reversed(authors) for name, value in vars(base).items()}
    names = attributes.keys() - set(given)
    if not names:
        return
    for name, parameter in parameters_of_package(type(thing)).items():
        if name in names and not hasattr(attributes[name], "__get__"):  # a property has an effect
            value = vars(thing).get(name, parameter.default)
            if value is parameter.default and value != attributes[name]:
                raise InvalidParameter(
                    f"{name}: the class attribute of {type(thing).__name__} has no effect, because the "
                    "constructor sets the parameter. Write a constructor: def __init__(self, **kwargs): "
                    f"super().__init__(**{{'{name}': …, **kwargs}})"
                )


def _similar(name: str, known: Collection[str]) -> list[str]:
    near = get_close_matches(name, sorted(known), n=1, cutoff=_NEAR)
    if near or len(name) <= 3:
        return near
    longer = [each for each in sorted(known) if each.startswith(name)]  # max_attempt(s)
    return (longer or [each for each in sorted(known) if each.endswith(f"_{name}")])[:1]  # (contact_)message
