"""The conditions that select the calls of a report.

The Data API can select calls by three fields: the direction, whether the call was missed, and the virtual
number. The employees and the tags of a call are lists, and the vendor documents no filter for a list. So this
package fetches the calls and selects by employee and by tag itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_callapi.api.data_api import equals
from airflow_provider_callapi.calls.phone_numbers.comparison import may_be_same_number
from airflow_provider_callapi.calls.reports.report_fields import read_integer, read_plain_value
from airflow_provider_callapi.calls.reports.report_pages import ReportIncomplete

_ID_IN_LIST = {"employees": "employee_id", "tags": "tag_id"}
"""Parameter, which is also a field of a call with a list → the field of the list's entries with the id."""
_NUMBER = "virtual_phone_number"


@dataclass(frozen=True)
class CallFilter:
    """The conditions for the calls that a report contains. A call must meet all of them.

    An empty attribute, or None, is no condition.

    :ivar missed: True: only inbound calls that no employee answered. False: no condition.
    :ivar direction: ``in``: only inbound calls. ``out``: only outbound calls.
    :ivar virtual_phone_numbers: only calls through one of these numbers.
    :ivar employees: only calls with one of these employees, by id.
    :ivar tags: only calls with one of these tags, by id.
    """

    missed: bool = False
    direction: str | None = None
    virtual_phone_numbers: Collection[str] = ()
    employees: frozenset[int] = frozenset()
    tags: frozenset[int] = frozenset()

    def for_service(self) -> dict[str, Any] | None:
        """Return the filter for a Data API request.

        None: the author has set no condition that the Data API can check.

        Example: ``{"field": "direction", "operator": "=", "value": "in"}``.
        """
        parts = [_any_of(field, values) for _, field, values in self._conditions()]
        return _joined(parts, "and") if parts else None

    @property
    def needed_fields(self) -> list[str]:
        """The names of the report fields that the method `selects` reads.

        A request must ask for these fields. Example: ``["employees", "direction"]``.
        """
        in_list = [name for name in _ID_IN_LIST if getattr(self, name)]
        return in_list + [field for _, field, _ in self._conditions()]

    def selects(self, raw: Mapping[str, Any]) -> bool:
        """Return whether a call in the Data API's answer meets the conditions.

        The Data API may ignore the filter of a request, so the method checks the call again.

        - A condition on the direction, the virtual number, or missed calls is also met if the call has no
          such field, or an empty virtual number.
        - A condition on the employees or the tags is not met if the call has no such field.

        :param raw: the call as the Data API sends it: field → value. The request must have asked for the
            `needed_fields`.
        :raises ReportIncomplete: a field of a condition cannot be read.
        """
        if any(field in raw and not _meets(raw, field, values) for _, field, values in self._conditions()):
            return False
        return all(
            not getattr(self, name) or not getattr(self, name).isdisjoint(_ids(raw.get(name), id_field))
            for name, id_field in _ID_IN_LIST.items()
        )

    def parameters_of(self, fields: Collection[str]) -> list[str]:
        """Return the names of the operator's parameters that set a condition for the given report fields.

        Example: ``["missed"]`` for the field ``is_lost``. If the Data API refuses the filter, the error
        message names these parameters.
        """
        return list(dict.fromkeys(name for name, field, _ in self._conditions() if field in fields))

    def _conditions(self) -> list[tuple[str, str, Collection[Any]]]:
        """Return the conditions that the Data API checks: tuples (parameter, report field, allowed values).

        Example: ``("direction", "direction", ["in"])``.
        """
        found: list[tuple[str, str, Collection[Any]]] = []
        if self.missed:
            found += [("missed", "is_lost", [True]), ("missed", "direction", ["in"])]
        elif self.direction:
            found.append(("direction", "direction", [self.direction]))
        if self.virtual_phone_numbers:
            numbers = sorted(self.virtual_phone_numbers)
            found.append(("virtual_phone_numbers", _NUMBER, numbers))
        return found


def _meets(raw: Mapping[str, Any], field: str, values: Collection[Any]) -> bool:
    # A virtual number that is missing, or masked, may be one of the values. It meets the condition.
    value = _read(raw, field)
    if field != _NUMBER:
        return value in values
    return value is None or any(may_be_same_number(value, number) for number in values)


def _read(raw: Mapping[str, Any], field: str) -> Any:
    """Return the value of a field of a reported call. For a flag, the text ``true`` becomes True.

    :raises ReportIncomplete: the value cannot be read.
    """
    try:
        return read_plain_value(field, raw[field])
    except (LookupError, TypeError, ValueError):
        raise ReportIncomplete(f"the Data API sends a call without a readable {field}") from None


def _any_of(field: str, values: Iterable[Any]) -> dict[str, Any]:
    """Return a filter of the Data API for the calls in which ``field`` has one of ``values``."""
    # Some methods of the Data API have no operator in.
    return _joined([equals(field, value) for value in values], "or")


def _joined(parts: list[dict[str, Any]], condition: str) -> dict[str, Any]:
    return parts[0] if len(parts) == 1 else {"filters": parts, "condition": condition}


def _ids(entries: Any, id_field: str) -> set[int]:
    """Return the ids in a list: ``[{"tag_id": 36}]`` with the field ``tag_id`` becomes ``{36}``.

    A single object counts as a list with one entry. An entry without a readable id is ignored.
    """
    found = set()
    for entry in entries if isinstance(entries, list) else [entries]:
        value = entry.get(id_field) if isinstance(entry, Mapping) else None
        if isinstance(value, int | str):
            try:
                found.add(read_integer(value))
            except ValueError:
                continue
    return found
