"""The Jinja sandbox in which a campaign fills in the templates of its parameter ``call``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import wraps
from typing import Any

from jinja2 import StrictUndefined, Undefined, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from airflow_provider_callapi.calls.campaign.contact_list.row_values import (
    EMPTY_CELL_USED,
    EmptyCell,
    RowForTemplates,
)
from airflow_provider_callapi.calls.lists.column_names import describe_columns, value_of
from airflow_provider_callapi.calls.texts.inserted_values import UnsuitableValue, spoken_value
from airflow_provider_callapi.calls.texts.text_conditions import add_condition_checks
from airflow_provider_callapi.calls.texts.text_parts import add_checks

_TESTS_OF_EQUALITY = frozenset({"==", "eq", "equalto", "!=", "ne", "in"})
"""The tests of Jinja for which an `EmptyCell` says itself what it equals."""


class _Missing(StrictUndefined):
    """The value of an undefined name in a template. Each use raises an error that states the name."""

    @property
    def _undefined_message(self) -> str:
        if isinstance(self._undefined_obj, EmptyCell):
            return EMPTY_CELL_USED
        name, holder = self._undefined_name, self._undefined_obj
        if isinstance(holder, RowForTemplates):
            return f"the row has no column {name!r}; {describe_columns(holder)}"
        if isinstance(holder, Mapping):
            return f"the template uses {name!r} of a dict that has no such key"
        return str(super()._undefined_message)


class RowSandbox(ImmutableSandboxedEnvironment):
    """The Jinja sandbox in which a campaign fills in the templates of its parameter ``call``.

    :param finalize: checks and converts each value that a template inserts.
    :ivar is_spoken: whether a person hears the texts of the templates.
    """

    def __init__(self, finalize: Callable[[Any], Any]) -> None:
        # A missing column or an empty cell raises an error, because a spoken message must not have a gap.
        super().__init__(undefined=_Missing, finalize=_in_a_row(finalize))
        self.is_spoken = finalize is spoken_value
        add_checks(self, _in_a_row(finalize), is_spoken=self.is_spoken)
        add_condition_checks(self)
        self.tests.update(
            {name: _with_none(test) for name, test in self.tests.items() if name not in _TESTS_OF_EQUALITY}
        )

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return the value of ``obj.attribute`` in a template.

        If ``obj`` is a dict (a row) with the key ``attribute``: the key's value, else the attribute.
        """
        if isinstance(obj, Mapping):
            with suppress(KeyError):
                return value_of(obj, attribute)
        return super().getattr(obj, attribute)


def _with_none(test: Any) -> Callable[..., Any]:
    """Wrap a Jinja test, such as ``is none``.

    The wrapped test gets None in place of each `EmptyCell`, the value of an empty cell.
    """

    @wraps(test)  # also copies the mark of a test that gets the environment
    def test_with_none(*values: Any, **named: Any) -> Any:
        return test(*(None if isinstance(value, EmptyCell) else value for value in values), **named)

    return test_with_none


def _in_a_row(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Extend a check of an inserted value to the special values of a campaign's templates."""

    def check_value(value: Any) -> Any:
        if isinstance(value, str | Undefined):  # an Undefined raises an error when it is written
            return value
        if isinstance(value, EmptyCell):
            raise UndefinedError(EMPTY_CELL_USED)
        # Instead of a missing column, Jinja finds a method of the row, such as items.
        if callable(value):
            raise UndefinedError("the row has no such column")
        try:
            return check(value)
        except UnsuitableValue as problem:
            raise UndefinedError(f"the template uses {problem}") from None

    return check_value
