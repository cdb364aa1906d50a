"""Keeps phone numbers, names and messages out of ``repr()`` and ``str()`` of requests and answers.

Tracebacks, debuggers and log lines show the ``repr()`` of objects. The ``repr()`` of this module's classes
shows a text only in fields that are known to contain no personal data. If the vendor adds a field, its texts
are hidden, too. A number is hidden if it may be a phone number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from pydantic import BaseModel

_SHOWN_TEXTS = frozenset(
    {
        "action",
        "button",
        "call_api_external_id",
        "connect_time",
        "direction",
        "external_id",
        "finish_reason",
        "finish_time",
        "first_call",
        "mnemonic",
        "source",
        "start_time",
        "state",
        "type",
    }
)
"""The fields whose texts are shown: times, the vendor's own words, and the author's id of a call."""
_LARGEST_NUMBER = 10**9
"""The largest number that is always shown.

A larger number can be a phone number, and is shown only in a field whose name ends with ``id``.
"""


class _Hidden:
    def __repr__(self) -> str:
        return "***"


_HIDDEN = _Hidden()


class Private:
    """Base class that marks a class whose ``repr()`` shows no personal data."""

    __slots__ = ()


class RichRepr:
    """Mixin that adds a ``__repr__``, which shows the fields that the class's ``__rich_repr__`` returns."""

    __slots__ = ()

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({fields})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Return (name, value) of each field that may be shown, for ``repr()`` and the package ``rich``."""
        raise NotImplementedError


class PrivateRepr(Private, BaseModel):
    """Base class of pydantic models whose ``repr()`` and ``str()`` show no personal data.

    A text appears as ``***``, except in fields such as ``state`` and ``start_time``, which contain no
    personal data. A number that may be a phone number appears as ``***``, too.
    """

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, shown(name or "", value)


def shown(name: str, value: Any) -> Any:
    """Return what ``repr()`` shows for a field: the value, or ``***`` if the value may be personal data.

    :param name: the field's name. A large number is shown only in a field whose name ends with ``id``.
    """
    if value is None or isinstance(value, bool | Enum | Private):
        return value
    if isinstance(value, int | float):
        return value if name.endswith("id") or abs(value) < _LARGEST_NUMBER else _HIDDEN
    if isinstance(value, str):
        return value if name in _SHOWN_TEXTS else _HIDDEN
    if isinstance(value, Mapping):
        return {_HIDDEN: _HIDDEN} if value else {}
    if isinstance(value, list | tuple):
        return [shown(name, inner) for inner in value]
    return _HIDDEN
