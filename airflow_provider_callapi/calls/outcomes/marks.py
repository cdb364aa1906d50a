"""Marks of a call: the operations of a scenario that the call passed, and the call's tags.

The author of a DAG writes a mark as a text, such as ``operation:Confirmed`` (with the operation's name in the
account) or ``tag:36`` (with the id of a tag). A scenario carries out a different operation after each phone
key, so an operation shows which key the contact pressed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TypeVar

from airflow_provider_callapi.api.values.object_ids import ID_RANGE, read_object_id
from airflow_provider_callapi.api.values.value_kinds import is_template_text
from airflow_provider_callapi.calls.outcomes.outcome import Outcome

T = TypeVar("T")

FORMS = "operation:<name> or tag:<id>"
"""The two forms of a mark, for error messages."""


@dataclass(frozen=True)
class Mark:
    """An operation or a tag that a call may have, e.g. ``tag:36``.

    :ivar kind: whether the mark is an operation of a scenario or a tag.
    :ivar value: the operation's name in the account, or the digits of the tag's id.
    """

    kind: Literal["operation", "tag"]
    value: str

    @classmethod
    def parse(cls, text: object) -> Mark:
        """Return the mark that a text describes: ``operation:<name>`` or ``tag:<id>``.

        Spaces around the name or the id are ignored.

        :raises ValueError: the text is not a mark.
        """
        if isinstance(text, str) and is_template_text(text):
            raise ValueError(f"{text!r:.60} is a template, and no mark is rendered; write {FORMS} itself")
        kind, _, value = text.partition(":") if isinstance(text, str) else ("", "", "")
        kind, value = kind.strip(), value.strip()
        if kind == "operation" and value:
            return cls("operation", value)
        if kind == "tag":
            with suppress(ValueError):
                return cls("tag", str(read_object_id(value)))
        raise ValueError(f"{text!r:.60} is not {FORMS} (an id is {ID_RANGE})")

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"

    def is_on(self, call: Outcome) -> bool | None:
        """Return whether a call has this mark.

        None: not known, because no report of the call has shown its operations (the scenario's steps) or its
        tags. Polls may miss a tag that is set in the last seconds of a call.
        """
        if self.kind == "tag":
            return int(self.value) in call.tags or (False if call.source == "data_api" else None)
        return None if call.operations is None else self.value in call.operations


def read_marks(values: Mapping[str, T]) -> dict[Mark, T]:
    """Parse the keys of a dict as marks. Return a new dict, mark → value, in the same order.

    :param values: the mark as a text → any value, e.g. ``{"tag:36": "agreed"}``.
    :raises ValueError: a key is not a mark, or two keys are the same mark.
    """
    marks: dict[Mark, T] = {}
    for text, value in values.items():
        mark = Mark.parse(text)
        if mark in marks:
            raise ValueError(f"{text!r} is given twice")
        marks[mark] = value
    return marks


def first_mark(marks: Iterable[Mark], call: Outcome | None) -> Mark | None:
    """Return the first mark in ``marks`` that a call certainly has. None: there is no such mark.

    A mark is a tag, or an operation of a scenario. While the operations of the call are not known, only a tag
    can be the result.

    :param call: the outcome of the call; None: there is no call, and the function returns None.
    """
    return next((mark for mark in marks if call is not None and mark.is_on(call)), None)


def may_have_mark(marks: Iterable[Mark], call: Outcome) -> bool:
    """Return whether the marks of a call are partly unknown.

    :param marks: the marks of interest. The result is True if the call may or may not have one of them.
    """
    return any(mark.is_on(call) is None for mark in marks)


def need_operations(marks: Iterable[Mark]) -> bool:
    """Return whether one of the marks is an operation.

    If True, the request for a report must ask for the operations, because the Data API sends operations only
    on request.
    """
    return any(mark.kind == "operation" for mark in marks)


def tag_ids(marks: Iterable[Mark]) -> list[int]:
    """Return the ids of those marks that are tags: the mark ``tag:36`` becomes 36."""
    return [int(mark.value) for mark in marks if mark.kind == "tag"]
