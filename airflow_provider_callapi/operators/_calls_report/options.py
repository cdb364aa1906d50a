"""The parameters of the report operator as one object, and the checks of these parameters."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from airflow_provider_callapi.calls.phone_numbers.numbering_plan import NotANumber
from airflow_provider_callapi.calls.phone_numbers.strict import read_destination
from airflow_provider_callapi.calls.reports.report_fields import (
    CALL_NUMBERS,
    DEFAULT_FIELDS,
    DEFAULT_NUMBERS,
    LEGS,
)
from airflow_provider_callapi.databases.table_name import TableName
from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.parameters.kind import Kind, choice, read_each
from airflow_provider_callapi.parameters.kinds import (
    FLAG,
    IDENTIFIERS,
    PATH_OR_TABLE,
    SECONDS_OR_ZERO,
    TEXT,
    TEXTS,
)
from airflow_provider_callapi.parameters.schema import Schema, read_parameters
from airflow_provider_callapi.parameters.templates import is_template

_DIGITS = re.compile(r"[1-9][0-9]{4,14}")
_REGION = "RU"
"""The country of a number without a country code."""
_FIRST_YEAR = 1900
"""An earlier time is a mistake, and its report would need thousands of requests."""
FILE_SUFFIXES = (".jsonl", ".csv", ".parquet")


_ISO_TIME = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?"
    r"|\d{8}(?:T\d{6}(?:[+-]\d{4})?)?",
    re.ASCII,
)
"""Matches ISO 8601 as people, databases and Airflow's macros such as ``ts_nodash`` write it.

Python also reads other forms, in which a mistake gives another time: ``09.30`` is 0.3 seconds after 9:00.
"""


def _read_time(value: Any) -> datetime:
    if isinstance(value, datetime):
        moment = value
    else:
        text = TEXT.read(value).strip()
        if not _ISO_TIME.fullmatch(text):
            raise ValueError
        moment = datetime.fromisoformat(text)
    if moment.year < _FIRST_YEAR:
        raise ValueError
    return moment


def _read_own_numbers(value: Any) -> list[str]:
    """Convert the account's phone numbers to digits: ``8 (495) 123-45-67`` to ``74951234567``.

    :raises ValueError: the list is empty, or a text is neither a phone number nor 5 to 15 digits.
    """
    numbers = read_each(value, _OWN_NUMBER)
    if not numbers:
        raise ValueError
    return numbers


def _read_own_number(value: Any) -> str:
    text = TEXT.read(value)
    try:
        return read_destination(text, _REGION)
    except NotANumber:  # an account can have other numbers, such as short ones
        digits = re.sub(r"[\s()+-]", "", text)
        if not _DIGITS.fullmatch(digits):
            raise
        return digits


_TIME = Kind(
    f"a time such as 2026-03-02T09:00:00+03:00, or 2026-03-02 in the account's time zone, from {_FIRST_YEAR}",
    _read_time,
)
_OWN_NUMBER = Kind("a phone number of the account, in digits", _read_own_number)
_OWN_NUMBERS = Kind("a phone number of the account, or a list of such numbers, in digits", _read_own_numbers)

REPORT_OPTIONS: Schema = {
    "callapi_conn_id": TEXT,
    "to": PATH_OR_TABLE.or_none("the rows are the return value"),
    "start": _TIME.or_none("the beginning of the data interval"),
    "end": _TIME.or_none("the end of the data interval"),
    "lookback": SECONDS_OR_ZERO,
    "fields": TEXTS.or_none("the default fields"),
    "legs": FLAG,
    "phone_numbers": FLAG,
    "missed": FLAG,
    "direction": choice(("in", "out")).or_none("both directions"),
    "virtual_phone_numbers": _OWN_NUMBERS.or_none("all numbers"),
    "employees": IDENTIFIERS.or_none("all employees"),
    "tags": IDENTIFIERS.or_none("all calls"),
}
"""The parameters of the report operator."""


@dataclass(frozen=True)
class ReportOptions:
    """The checked and converted parameters of a report operator. ``lookback`` is in seconds."""

    callapi_conn_id: str
    to: str | TableName | None
    start: datetime | None
    end: datetime | None
    lookback: float
    fields: Sequence[str]
    legs: bool
    phone_numbers: bool
    missed: bool
    direction: str | None
    virtual_phone_numbers: Sequence[str] | None
    employees: frozenset[int] | None
    tags: frozenset[int] | None

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Return the checked and converted parameters of a report operator.

        :raises InvalidParameter: the value of a parameter cannot be used.
        """
        read = read_parameters(REPORT_OPTIONS, values)
        _check_together(read, unknown=())
        default = (*DEFAULT_FIELDS, *(DEFAULT_NUMBERS if read["phone_numbers"] else ()))
        read["fields"] = list(dict.fromkeys(("id", *(default if read["fields"] is None else read["fields"]))))
        return cls(**read)

    @property
    def columns(self) -> list[str]:
        """The columns of a row in their order: the fields, and ``legs`` if the option ``legs`` is set."""
        return [*self.fields, LEGS] if self.legs else [*self.fields]


def check_constants(values: Mapping[str, Any], template_fields: Collection[str]) -> None:
    """Check the parameters that contain no template, while Airflow reads the DAG file.

    :raises InvalidParameter: a parameter cannot be used.
    """
    read = read_parameters(REPORT_OPTIONS, values, not_rendered=template_fields)
    templates = [name for name in template_fields if is_template(values[name])]
    # None stands for a value that is not rendered yet. The worker checks the parameters again.
    _check_together({**read, **dict.fromkeys(templates)}, unknown=templates)


def _check_together(read: Mapping[str, Any], *, unknown: Collection[str]) -> None:
    """Check rules of several parameters, e.g. that ``phone_numbers=True`` needs ``to``.

    :param unknown: the parameters whose templates are not rendered yet.
    :raises InvalidParameter: a rule is broken.
    """
    fields, to = read["fields"], read["to"]
    if to is None and read["phone_numbers"] and "to" not in unknown:
        raise InvalidParameter(
            "phone_numbers: an XCom may contain no phone number. Write to a file or a table with `to`"
        )
    if isinstance(to, str) and not to.lower().endswith(FILE_SUFFIXES):
        raise InvalidParameter(f"to: a path that ends in {' or '.join(FILE_SUFFIXES)}, or a dict, is needed")
    if fields is not None and not fields:
        raise InvalidParameter("fields: at least one field is needed, or None (the default fields)")
    if fields and LEGS in fields:
        raise InvalidParameter("fields: legs are no field; use legs=True")
    if fields and not read["phone_numbers"] and (numbers := [one for one in fields if one in CALL_NUMBERS]):
        raise InvalidParameter(f"fields: {', '.join(numbers)}: load phone numbers with phone_numbers=True")
    if read["missed"] and read["direction"] == "out":
        raise InvalidParameter("missed, direction: a missed call is inbound; leave direction out")
