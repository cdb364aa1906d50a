"""Read a contact list: a Python list, an XCom, or a CSV or JSON Lines file in Airflow's object storage."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from airflow_provider_callapi.calls.campaign.people import SURPLUS
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.operators._campaign.storage import open_path

Row = Mapping[str, Any] | str
"""One person in a contact list: the values by column name, or only a phone number."""
Contacts = Sequence[Row] | str
"""A contact list: a sequence of rows, or the path of a file."""

_JSON_LINES = (".jsonl", ".ndjson", ".json")
_PHONE_NUMBER = re.compile(r"\+?[\d\s().-]{7,}")
_BOM = "\ufeff"


def read_rows(contacts: Contacts, field: str) -> Iterator[Row]:
    """Yield the rows of a contact list.

    The first line of a CSV file names the columns. Commas or semicolons separate the values.

    :param field: the name of the operator's parameter, for error messages.
    :raises CallApiFailure: the list cannot be read. The text names the parameter and the line.
    :raises CallApiTrouble: the storage does not answer now.
    """
    if isinstance(contacts, str):
        yield from _rows_of_file(contacts, field)
        return
    if isinstance(contacts, Mapping) or not isinstance(contacts, Sequence):
        raise CallApiFailure(f"{field}: a list of rows, or the path of a file is needed")
    for number, row in enumerate(contacts, start=1):
        yield _checked_row(row, f"{field}, row {number}")


def csv_form(contacts: Any) -> tuple[str, bool]:
    """Return the separator of a CSV contact list, and whether the file begins with a byte order mark.

    If the contact list is not a CSV file, return a comma and False.
    """
    if not isinstance(contacts, str) or PurePosixPath(contacts).suffix.lower() != ".csv":
        return ",", False
    with open_path(contacts, "contacts").open("r", encoding="utf-8", newline="") as file:
        header = file.readline()
    return _separator(header), header.startswith(_BOM)


def _rows_of_file(path: str, field: str) -> Iterator[Row]:
    suffix = PurePosixPath(path).suffix.lower()
    if suffix not in (".csv", *_JSON_LINES):
        # The text may be the list itself, with phone numbers. The message therefore does not repeat the text.
        problem = f"the path of a file is needed, .csv, {' or '.join(_JSON_LINES)}"
        if path.lstrip()[:1] in ("[", "{"):
            problem = "the list is written as text; pass the list itself, e.g. the output of a task"
        raise CallApiFailure(f"{field}: {problem}")
    storage_path = open_path(path, field)
    try:
        with storage_path.open("r", encoding="utf-8-sig", newline="") as file:
            lines = iter(file.readline, "")  # Airflow 3.0 cannot iterate over its files
            yield from _csv_rows(lines, field) if suffix == ".csv" else _json_rows(lines, field)
    except UnicodeDecodeError as error:
        raise CallApiFailure(f"{field}: {path} is not UTF-8 text; save it as CSV UTF-8: {error}") from None
    except (FileNotFoundError, PermissionError, csv.Error) as error:
        raise CallApiFailure(f"{field}: {path} cannot be read: {error}") from error
    except OSError as error:  # the storage is unavailable for a while
        raise CallApiTrouble(f"{field}: {path} cannot be read now: {error}") from error


def _separator(header: str) -> str:
    return ";" if header.count(";") > header.count(",") else ","


def _csv_rows(lines: Iterator[str], field: str) -> Iterator[Row]:
    header = next(lines, "")
    separator = _separator(header)
    names = [name.strip() for name in next(csv.reader([header], delimiter=separator), [])]
    if any(_PHONE_NUMBER.fullmatch(name) for name in names):
        raise CallApiFailure(
            f"{field}, line 1: this line must name the columns (phone,name,…), but it contains a number"
        )
    for row in csv.DictReader(lines, fieldnames=names, delimiter=separator):
        surplus = [value for value in row.pop(None, ()) if value.strip()]
        # The reader gives None for a cell that the line lacks. An empty cell is an unknown value.
        cells = {name: value if value.strip() else None for name, value in row.items() if value is not None}
        yield {**cells, SURPLUS: separator.join(surplus)} if surplus else cells


def _json_rows(lines: Iterator[str], field: str) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            raise CallApiFailure(f"{field}, line {number}: not JSON; write one JSON value per line") from None
        yield _checked_row(row, f"{field}, line {number}")


def _checked_row(row: Any, position: str) -> Row:
    if isinstance(row, int) and not isinstance(row, bool):
        return str(row)
    if not isinstance(row, Mapping | str):
        raise CallApiFailure(f"{position}: a mapping (an object) or a number is needed")
    return row
