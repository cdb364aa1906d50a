"""The kinds of the parameters of this package, such as `SECONDS` and `CONTACTS`."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow_provider_callapi.api.values.lone_surrogates import join_surrogate_pairs
from airflow_provider_callapi.api.values.object_ids import ID_RANGE, read_object_id
from airflow_provider_callapi.api.values.value_kinds import find_gap, shown_zone
from airflow_provider_callapi.api.values.value_parts import WrongValue, check_keys
from airflow_provider_callapi.calls.calling_hours.days import CallingDays
from airflow_provider_callapi.calls.calling_hours.hours import read_hours
from airflow_provider_callapi.calls.iana_zones import is_certain_zone, is_iana_zone
from airflow_provider_callapi.calls.lists.exclusions import Exclusions
from airflow_provider_callapi.databases.query import Query
from airflow_provider_callapi.databases.table_name import TableName
from airflow_provider_callapi.parameters.kind import (
    Kind,
    no_such_word,
    read_each,
    read_mapping,
    read_number,
    seconds,
)

_END_OF_TIME = 1e11
"""The end of the moments in epoch seconds. Python's own times end near this moment."""
_NO_LIMIT = timedelta(seconds=1e12)
"""A limit of this length or longer means no limit."""


def _read_limit(value: Any) -> timedelta | None:
    if isinstance(value, timedelta):
        limit = value
    else:
        number = read_number(value)
        try:
            limit = timedelta(seconds=number)
        except OverflowError:
            limit = timedelta.max if number > 0 else timedelta.min
    if limit <= timedelta(0):
        raise ValueError
    return None if limit >= _NO_LIMIT else limit


def _read_identifiers(value: Any) -> frozenset[int]:
    identifiers = read_each(value, IDENTIFIER)
    if not identifiers:
        raise ValueError
    return frozenset(identifiers)


def _read_flag(value: Any) -> bool:
    """Convert the value of a parameter to a boolean: ``"True"`` becomes True.

    :param value: a boolean, or the text ``true`` or ``false`` in upper or lower case.
    :raises ValueError: the value is any other value, e.g. 1 or ``"yes"``.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and (text := value.strip().lower()) in ("true", "false"):
        return text == "true"
    raise no_such_word(value)


def _read_text(value: Any) -> str:
    """Check that the value of a parameter is a text, and return the text. The number 1234 becomes ``"1234"``.

    :raises ValueError: the text is empty or blank, or contains a lone surrogate, which UTF-8 cannot encode.
    :raises ValueError: the value is neither a text nor a whole number. A float is refused, because Python
        writes 1.10 as ``1.1``, and the author may mean the text ``"1.10"``.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return join_surrogate_pairs(value)


def _read_name(value: Any) -> str:
    """Return a name without invisible characters, repeated blanks, and blanks at the ends."""
    composed = unicodedata.normalize("NFC", _read_text(value))
    visible = "".join(character for character in composed if unicodedata.category(character) != "Cf")
    return _read_text(" ".join(visible.split()))


def _read_contact(value: Any) -> str:
    # Data frames may contain phone numbers as floats, such as 79260000001.0.
    return _read_text(int(value) if isinstance(value, float) and value.is_integer() else value)


def _read_call(value: Any) -> Mapping[str, Any]:
    read_object_id(read_mapping(value).get("call_session_id"))
    return dict(value)


def _read_calls(value: Any) -> list[Mapping[str, Any]]:
    if not isinstance(value, list | tuple):
        raise ValueError
    return [_read_call(call) for call in value]


def _read_moment(value: Any) -> float:
    moment = read_number(value)
    if not 0 <= moment < _END_OF_TIME:
        raise ValueError
    return moment


def _read_rows(value: Any) -> Any:
    """Check the value of a parameter that gives a list of people.

    The dict of a SQL query becomes a `Query`. Rows or a file's path stay unchanged.
    """
    if isinstance(value, Mapping):
        if find_gap(value):  # the query would find other people
            raise ValueError
        return Query.of(value)
    is_path = isinstance(value, str) and value.strip() != ""
    if value is None or (isinstance(value, str | bytes | bytearray | int | float) and not is_path):
        raise ValueError
    return value  # the rows are not checked here


def _read_exclusions(value: Any) -> Exclusions:
    """Convert the value of ``do_not_call`` (whom a campaign must not call) to `Exclusions`."""
    if find_gap(value):  # the entry would exclude no one
        raise ValueError
    if not isinstance(value, Mapping) or "sql" in value or "conn_id" in value:
        return Exclusions(_read_rows(value))
    # `blacklist`: whether to exclude the numbers on the account's blacklist, too. `list` may be missing.
    check_keys(value, known=("blacklist", "list"), required=("blacklist",))
    rows = ROWS.or_none("no list").read_named("list", value.get("list"))
    return Exclusions(rows, FLAG.read_named("blacklist", value["blacklist"]))


def _read_timezone(value: Any) -> str:
    if isinstance(value, str) and is_certain_zone(value):
        return value
    name = shown_zone(value)
    if name is None:
        raise ValueError
    if is_iana_zone(value):
        raise WrongValue(f"{name} has no summer time, and may mean a zone that has it: name a city")
    raise WrongValue(f"{name} is no IANA time zone")


def _read_path_or_table(value: Any) -> str | TableName:
    """Convert where results are written to: a path stays a text, a dict becomes a `TableName`."""
    return TableName.of(value) if isinstance(value, Mapping) else _read_text(value)


IDENTIFIER = Kind(f"the id of an object of the account ({ID_RANGE})", read_object_id)
IDENTIFIERS = Kind(f"an id of an object of the account ({ID_RANGE}), or a list of ids", _read_identifiers)
SECONDS = seconds()
INTERVAL = seconds(at_least=0.1)
"""The kind of the parameter ``poll_interval``. A shorter interval would only use up the account's points."""
SECONDS_OR_ZERO = seconds(zero=True)
LIMIT = Kind("a positive number of seconds or a timedelta", _read_limit).or_none("no limit")
"""The kind of parameters that are time limits.

The kind converts the value to a timedelta. Infinity means no limit, so the kind converts infinity to None.
"""
FLAG = Kind("true or false", _read_flag)
TEXT = Kind("a text that is not empty", _read_text)
NAME = Kind("a text that is not empty", _read_name)
"""The kind of names that people type. Two names that look equal are equal, e.g. with a blank at the end."""
_CONTACT = Kind("a phone number", _read_contact)
CONTACTS = Kind("a phone number or a list of phone numbers", lambda value: read_each(value, _CONTACT))
"""The kind of one or several phone numbers. The kind converts 79260000001 to ``["79260000001"]``."""
TEXTS = Kind("a text or a list of texts", lambda value: read_each(value, TEXT))
MAPPING = Kind("a dict", read_mapping)
CALL = Kind("the dict of a call", _read_call)
CALLS = Kind("a list of dicts of calls", _read_calls)
MOMENT = Kind("a number of epoch seconds", _read_moment)
ROWS = Kind('a list of rows, the path of a file, or a query {"conn_id": …, "sql": …}', _read_rows)
EXCLUSIONS = Kind(f'{ROWS.allowed}, or {{"blacklist": true, "list": …}}', _read_exclusions)
TIMEZONE = Kind("an IANA time zone such as Europe/Moscow", _read_timezone)
CALLING_HOURS = Kind(
    'two different times in quotation marks, such as ["09:00", "21:00"]', read_hours
).or_none('all hours, like ["00:00", "24:00"]')
CALLING_DAYS = Kind(
    "names of weekdays, such as mon, or workdays, or a dict "
    '{"days": …, "also": [dates], "except": [dates]} with dates such as "2026-12-31"',
    CallingDays.of,
).or_none("every day")
_TABLE = '{"conn_id": …, "table": …, "schema": …}'
TABLE = Kind(f"a dict {_TABLE}", TableName.of)
PATH_OR_TABLE = Kind(f"the path of a file, or a dict {_TABLE}", _read_path_or_table)
