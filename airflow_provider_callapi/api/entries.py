"""Read each entry of a list in an answer by itself, so that one unreadable entry does not hide the others.

- If an optional field is unreadable, only this field counts as missing.
- If a required field, such as the id, is missing or unreadable, the whole entry is left out. The list then
  counts as incomplete.

An object that is missing in an incomplete list may exist: it may be the left-out entry.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain
from threading import Lock
from typing import Any, Protocol, Self, TypeVar

from pydantic import ValidationError

E = TypeVar("E")


class Model(Protocol):
    """The common interface of the two kinds of list entries: `pydantic` models and `ListEntry` objects."""

    @property
    def model_fields_set(self) -> set[str]: ...

    @classmethod
    def model_validate(cls, values: Any, /) -> Self: ...


M = TypeVar("M", bound=Model)

_log = logging.getLogger(__name__)
_logged: set[str] = set()
_logged_lock = Lock()
_JSON_TYPES: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "null",
}


class Entries(list[E]):
    """The readable entries of a list in an answer. The unreadable entries were left out.

    :ivar left_out_ids: the ids of those left-out entries whose id is known. In a report of calls or of legs,
        these are call session ids.
    :ivar left_out: how many further entries were left out, whose ids are not known.
    :ivar total: how many entries the whole list has. None: the service states no number.
    """

    total: int | None = None

    def __init__(
        self, entries: Iterable[E] = (), *, left_out: int = 0, left_out_ids: Sequence[int] = ()
    ) -> None:
        super().__init__(entries)
        self.left_out = left_out
        self.left_out_ids = left_out_ids

    @classmethod
    def joined(cls, parts: Collection[Entries[E]]) -> Entries[E]:
        """Return the entries of several lists as one list."""
        return cls(
            chain.from_iterable(parts),
            left_out=sum(part.left_out for part in parts),
            left_out_ids=[entry_id for part in parts for entry_id in part.left_out_ids],
        )

    @property
    def complete(self) -> bool:
        """Whether the list contains all entries: no entry was left out.

        If an object is missing in a complete list, the account has no such object. If an object is missing in
        an incomplete list, the account may have the object.
        """
        return not self.left_out and not self.left_out_ids

    @property
    def sent(self) -> int:
        """The number of entries that the service sent: those in this list, and those left out of it."""
        return len(self) + self.left_out + len(self.left_out_ids)

    def may_hide(self, entry_id: int) -> bool:
        """Return whether an entry that was left out of this list may have the id ``entry_id``.

        The result is True in two cases:

        - The id is one of `left_out_ids`.
        - At least one left-out entry has no readable id. The entry may have any id.
        """
        return self.left_out > 0 or entry_id in self.left_out_ids

    def keep(self, is_usable: Callable[[E], bool], id_of: Callable[[E], int | None]) -> Entries[E]:
        """Return a copy of this list that contains only the usable entries.

        The unusable entries count as left out.

        :param is_usable: takes an entry, and returns whether the entry is usable.
        :param id_of: takes an unusable entry, and returns the entry's id. It returns None if the entry has no
            id. The method adds the ids to ``left_out_ids``.
        """
        usable: list[E] = []
        unusable: list[int | None] = []
        for entry in self:
            if is_usable(entry):
                usable.append(entry)
            else:
                unusable.append(id_of(entry))
        ids = [entry_id for entry_id in unusable if entry_id is not None]
        return Entries(
            usable,
            left_out=self.left_out + len(unusable) - len(ids),
            left_out_ids=[*self.left_out_ids, *ids],
        )


def read_entries(
    model: type[M], data: Any, *, decisive: Collection[str] = (), id_field: str = ""
) -> Entries[M]:
    """Convert a list in an answer to `Entries` with objects of the class ``model``.

    A single object counts as a list with one entry. An unreadable entry is left out and counted.

    :param decisive: names of fields. An entry is also left out if one of these fields is unreadable.
    :param id_field: the name of the field with an entry's id, for `Entries.left_out_ids`. Empty text:
        ``left_out_ids`` stays empty.
    :raises ValueError: the data is neither a list nor a single object.
    """
    if isinstance(data, dict):
        data = [data]
    if not isinstance(data, list | tuple):
        raise ValueError(f"a list is needed, not {_json_type(data)}")
    entries: list[M] = []
    left_out, left_out_ids = 0, []
    for raw in data:
        if isinstance(raw, model):
            entries.append(raw)
            continue
        entry, unreadable = read_entry(model, raw)
        if entry is not None and unreadable.isdisjoint(decisive):
            entries.append(entry)
        elif (entry_id := getattr(entry, id_field, None)) is not None and entry_id > 0:
            left_out_ids.append(entry_id)
        else:
            left_out += 1
    return Entries(entries, left_out=left_out, left_out_ids=left_out_ids)


def read_entry(model: type[M], raw: object) -> tuple[M | None, set[str]]:
    """Convert one entry of an answer to an object of the class ``model``.

    A field with an unreadable value counts as missing.

    :param raw: the entry, as it is in the JSON answer.
    :return: a pair: the object, and the names of the unreadable fields. The object is None if the entry is no
        JSON object, or if a required field is missing or unreadable.
    """
    name = model.__name__
    if not isinstance(raw, dict):
        _log_once(f"an entry of the kind {name} is {_json_type(raw)} and not an object; it is left out")
        return None, set()
    values, left_out = raw, set[str]()
    while True:
        try:
            return model.model_validate(values), left_out
        except ValidationError as error:
            problems = error.errors(include_input=False, include_url=False, include_context=False)
        fields = {str(problem["loc"][0]) for problem in problems if problem["loc"]}
        unreadable = fields & values.keys()
        for field in sorted(unreadable):
            _log_once(f"{name}.{field}: {_json_type(values[field])} cannot be read; the field is left out")
        if not unreadable:
            _log_once(f"an entry of the kind {name} has no readable {', '.join(sorted(fields))}")
            return None, left_out
        left_out |= unreadable
        values = {field: value for field, value in values.items() if field not in unreadable}


def tells(entry: Model, field: str) -> bool:
    """Return whether the service states the value of an entry's field.

    True: the value is readable, or ``null``. False: the field is missing, or its value is unreadable.
    """
    return field in entry.model_fields_set


def read_inner(model: type[M]) -> Callable[[Any], Any]:
    """Return a pydantic validator for a field that contains a list of objects, such as the tags of a call.

    An unreadable object is left out of the list. If the field is ``null``, the value is None.
    """

    def read(value: Any) -> Any:
        return None if value is None else list(read_entries(model, value))

    return read


def _json_type(value: object) -> str:
    if value == "":
        return "an empty text"
    return _JSON_TYPES.get(type(value), "a value")


def _log_once(text: str) -> None:
    """Log a warning about an unreadable part of an answer. Each process logs the same warning once."""
    with _logged_lock:
        if text in _logged:
            return
        _logged.add(text)
    _log.warning(
        "An answer has a shape that this version of airflow-provider-callapi does not know: %s", text
    )
