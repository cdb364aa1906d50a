"""Converts a person's row for a campaign's templates, so that no spoken message has a gap.

An empty cell becomes an object that refuses to become text. Otherwise, Python would write ``None`` into the
text, for example in ``{{ contact.name ~ '!' }}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from jinja2 import UndefinedError

from airflow_provider_callapi.api.values.value_kinds import without_enum
from airflow_provider_callapi.calls.texts.empty_values import is_empty, is_placeholder
from airflow_provider_callapi.calls.texts.inserted_values import EMPTY_VALUE

EMPTY_CELL_USED = f"the template uses {EMPTY_VALUE}"
"""The error message about an empty cell whose value a template uses."""


class EmptyCell:
    """What a template gets for an empty cell of the contact list.

    A template may test the value: it is falsy, and equals None and the empty text. It must not use the value
    in another way.
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return other is None or other == "" or isinstance(other, EmptyCell)

    def __hash__(self) -> int:
        return hash(None)

    def _refuse(self, *_: Any) -> NoReturn:
        raise UndefinedError(EMPTY_CELL_USED)

    __str__ = __repr__ = __format__ = __bytes__ = _refuse
    __int__ = __float__ = __complex__ = __index__ = _refuse
    __round__ = __trunc__ = __floor__ = __ceil__ = __abs__ = __neg__ = __pos__ = __invert__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __rmod__ = _refuse
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __pow__ = __rpow__ = _refuse
    __len__ = __iter__ = __reversed__ = __contains__ = _refuse


EMPTY_CELL = EmptyCell()


class _Placeholder(EmptyCell):
    """What a template gets for a text such as ``-`` or ``unknown``, with which it may compare the value."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __eq__(self, other: object) -> bool:
        return other == self._text or super().__eq__(other)

    def __hash__(self) -> int:
        return hash(self._text)

    def _no_number(self) -> NoReturn:
        raise TypeError  # the filters `int` and `float` then take their default

    __int__ = __float__ = _no_number


class _Dict(dict[Any, Any]):
    """A dict of a row, or the row itself. The method ``get`` returns `EMPTY_CELL` in place of None."""

    __slots__ = ()

    def get(self, key: Any, default: Any = None, /) -> Any:
        value = super().get(key, default)
        return EMPTY_CELL if value is None else value


class RowForTemplates(_Dict):
    """The row of a person, whose values are as `values_for_templates` returns them."""

    __slots__ = ()


def values_for_templates(value: Any) -> Any:
    """Return a copy of a row, or of a value in a row, with an `EmptyCell` for None, NaN, ``-`` and the like.

    The readers of contact lists have already replaced empty texts by None.
    """
    value = without_enum(value)
    if isinstance(value, str):
        return _Placeholder(value) if is_placeholder(value) else value
    if isinstance(value, Mapping):
        return _Dict((key, values_for_templates(inner)) for key, inner in value.items())
    if isinstance(value, tuple):
        return tuple(map(values_for_templates, value))
    if isinstance(value, list | set | frozenset):
        return list(map(values_for_templates, value))
    return EMPTY_CELL if is_empty(value) else value
