"""The kinds of parameters. A kind checks and converts the value of a parameter.

Templates, YAML files and forms give texts. A kind therefore also reads texts: ``"60"`` becomes 60 seconds,
and ``"false"`` becomes False. A kind never guesses: a parameter that is true or false allows the texts
``true`` and ``false``, and refuses ``"yes"``.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from airflow_provider_callapi.api.lone_surrogates import join_surrogate_pairs
from airflow_provider_callapi.api.object_ids import ID_RANGE, read_object_id
from airflow_provider_callapi.api.value_kinds import find_gap
from airflow_provider_callapi.api.value_parts import InvalidPart, check_keys, invalid_part, shown_key
from airflow_provider_callapi.calls.calling_hours.days import CallingDays
from airflow_provider_callapi.calls.calling_hours.hours import read_hours
from airflow_provider_callapi.calls.iana_zones import is_certain_zone
from airflow_provider_callapi.calls.lists.exclusions import Exclusions
from airflow_provider_callapi.databases.query import Query
from airflow_provider_callapi.databases.table_name import TableName

LONGEST_SECONDS = 366 * 86_400.0
"""The longest duration in seconds. Longer durations are typing errors, and overflow Airflow's own times."""
_END_OF_TIME = 1e11
"""The end of the moments in epoch seconds. Python's own times end near this moment."""
_LARGEST_COUNT = 1_000_000
_NO_LIMIT = timedelta(seconds=1e12)
"""A limit of this length or longer means no limit."""
_LONGEST_NUMERAL = 40
"""The largest number of characters of a text that is read as a number."""


@dataclass(frozen=True)
class Kind:
    """The kind of a parameter: which values are allowed, and how a value is converted.

    :ivar allowed: the allowed values in words, for error messages.
    :ivar read: a function that converts the parameter's value. It raises an error, such as ValueError, if the
        value is not allowed.
    :ivar optional: True: the value None is allowed, and stays None. False: ``read`` decides about None.
    """

    allowed: str
    read: Callable[[Any], Any]
    optional: bool = False

    def read_named(self, name: str, value: Any) -> Any:
        """Check and convert a value that has a name. Return the converted value.

        :param name: the name of a parameter, or the key of the value in a dict.
        :raises InvalidPart: the value is not allowed. The error begins with ``name``, and does not contain
            the value.
        """
        if value is None and self.optional:
            return None
        try:
            return self.read(value)
        except InvalidPart as error:
            raise InvalidPart(f"{name}.{error}") from None
        except (ValueError, TypeError, OverflowError):
            raise invalid_part(name, self.allowed, value) from None

    def or_none(self, meaning: str) -> Kind:
        """Return a copy of this kind that also allows the value None.

        :param meaning: what None means, e.g. "no limit". Error messages contain the meaning.
        """
        return replace(self, allowed=f"{self.allowed}, or None ({meaning})", optional=True)


def seconds(*, at_least: float = 0.0, zero: bool = False, at_most: float = LONGEST_SECONDS) -> Kind:
    """Return the kind (check and conversion) of parameters that are durations.

    The kind converts a number, a text or a timedelta to seconds: ``"7.5"`` becomes 7.5.

    :param at_least: the shortest allowed duration in seconds. With the default 0, every duration above 0 is
        allowed.
    :param zero: True: the duration 0 is allowed, too, if ``at_least`` is 0.
    :param at_most: the longest allowed duration in seconds, 366 days by default.
    """

    def read(value: Any) -> float:
        duration = value.total_seconds() if isinstance(value, timedelta) else _number(value)
        if not at_least <= duration <= at_most or (duration == 0 and not zero):
            raise ValueError
        return duration

    shortest = f"at least {at_least:g}" if at_least else "from 0" if zero else "more than 0"
    return Kind(f"a number of seconds ({shortest}, at most {at_most:.0f}) or a timedelta", read)


def _read_limit(value: Any) -> timedelta | None:
    if isinstance(value, timedelta):
        limit = value
    else:
        number = _number(value)
        try:
            limit = timedelta(seconds=number)
        except OverflowError:
            limit = timedelta.max if number > 0 else timedelta.min
    if limit <= timedelta(0):
        raise ValueError
    return None if limit >= _NO_LIMIT else limit


def count(*, at_least: int = 1, at_most: int = _LARGEST_COUNT) -> Kind:
    """Return a `Kind` that allows whole numbers from ``at_least`` to ``at_most``.

    The `Kind` converts a number or a text to an int: ``"60"`` and 60.0 become 60.
    """

    def read(value: Any) -> int:
        number = _number(value)
        if not at_least <= number <= at_most or number != int(number):
            raise ValueError
        return int(number)

    return Kind(f"a whole number from {at_least} to {at_most}", read)


def read_each(value: Any, kind: Kind) -> list[Any]:
    """Check and convert one value, or each entry of a list. Return the converted values as a list.

    :param value: a value, or a list, tuple or set of values.
    :param kind: checks and converts one value.
    :raises InvalidPart: an entry is not allowed. The error names the position of the entry: ``(entry 2)``.
    :raises ValueError: the value is not allowed, and is no list.
    """
    if not isinstance(value, Collection) or isinstance(value, str | Mapping | bytes | bytearray):
        return [kind.read(value)]
    return [kind.read_named(f"(entry {number})", inner) for number, inner in enumerate(value, start=1)]


def _read_identifiers(value: Any) -> frozenset[int]:
    identifiers = read_each(value, IDENTIFIER)
    if not identifiers:
        raise ValueError
    return frozenset(identifiers)


def share(*, below_one: bool = False) -> Kind:
    """Return a `Kind` that allows numbers from 0 to 1, such as 0.2.

    :param below_one: True: the number must be less than 1. False: 1 is allowed, too.
    """

    def read(value: Any) -> float:
        number = _number(value)
        if not 0 <= number <= 1 or (below_one and number == 1):
            raise ValueError
        return number

    return Kind(f"a share from 0 to {'less than ' if below_one else ''}1, such as 0.2", read)


def choice(values: Collection[str]) -> Kind:
    """Return a `Kind` that allows only some texts, and does not change them.

    :param values: the allowed texts, e.g. ``("at_most_once", "at_least_once")`` for ``delivery``.
    """

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in values:
            raise ValueError
        return value

    return Kind(f"one of {', '.join(values)}", read)


def flag(value: Any) -> bool:
    """Convert the value of a parameter to a boolean: ``"True"`` becomes True.

    :param value: a boolean, or the text ``true`` or ``false`` in upper or lower case.
    :raises ValueError: the value is any other value, e.g. 1 or ``"yes"``.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and (text := value.strip().lower()) in ("true", "false"):
        return text == "true"
    raise ValueError


def text(value: Any) -> str:
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
    composed = unicodedata.normalize("NFC", text(value))
    visible = "".join(character for character in composed if unicodedata.category(character) != "Cf")
    return text(" ".join(visible.split()))


def _read_contact(value: Any) -> str:
    # Data frames may contain phone numbers as floats, such as 79260000001.0.
    return text(int(value) if isinstance(value, float) and value.is_integer() else value)


def _read_mapping(value: Any) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise ValueError
    return value


def mapping_of(kind: Kind) -> Kind:
    """Return a `Kind` that allows only dicts, and checks and converts each value in the dict.

    :param kind: checks and converts the values. The keys are not checked.
    """

    def read(value: Any) -> dict[Any, Any]:
        return {
            name: kind.read_named(shown_key(name, number), inner)
            for number, (name, inner) in enumerate(_read_mapping(value).items(), start=1)
        }

    return Kind(f"a dict whose values are {kind.allowed}", read)


def _read_call(value: Any) -> Mapping[str, Any]:
    read_object_id(_read_mapping(value).get("call_session_id"))
    return dict(value)


def _read_calls(value: Any) -> list[Mapping[str, Any]]:
    if not isinstance(value, list | tuple):
        raise ValueError
    return [_read_call(call) for call in value]


def _read_moment(value: Any) -> float:
    moment = _number(value)
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
    if not isinstance(value, str) or not is_certain_zone(value):
        raise ValueError
    return value


def _read_results(value: Any) -> str | TableName:
    """Convert the value of the parameter ``results``: a path stays a text, a dict becomes a `TableName`."""
    return TableName.of(value) if isinstance(value, Mapping) else text(value)


def _number(value: Any) -> float:
    """Convert an int, a float or a text to a float, e.g. ``"60"`` to 60.0.

    :raises ValueError: the value is not a number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    if isinstance(value, str) and (len(value) > _LONGEST_NUMERAL or "_" in value):
        raise ValueError
    try:
        number = float(value)
    except OverflowError:  # an int may be too large for a float
        raise ValueError from None
    if math.isnan(number):  # infinity is allowed
        raise ValueError
    return number


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
FLAG = Kind("true or false", flag)
TEXT = Kind("a text that is not empty", text)
NAME = Kind("a text that is not empty", _read_name)
"""The kind of names that people type. Two names that look equal are equal, e.g. with a blank at the end."""
_CONTACT = Kind("a phone number", _read_contact)
CONTACTS = Kind("a phone number or a list of phone numbers", lambda value: read_each(value, _CONTACT))
"""The kind of one or several phone numbers. The kind converts 79260000001 to ``["79260000001"]``."""
TEXTS = Kind("a text or a list of texts", lambda value: read_each(value, TEXT))
MAPPING = Kind("a dict", _read_mapping)
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
RESULTS = Kind(f"the path of a file, or a dict {_TABLE}", _read_results)
