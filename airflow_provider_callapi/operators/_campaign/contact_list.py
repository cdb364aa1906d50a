"""Contact lists: a list, an XCom, or a file of CSV or JSON Lines wherever Airflow can read one."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from airflow_provider_callapi.calls.campaign.people import SURPLUS
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

Row = Mapping[str, Any] | str
Contacts = Sequence[Row] | str

_JSON_LINES = (".jsonl", ".ndjson", ".json")
_A_NUMBER = re.compile(r"\+?[\d\s().-]{7,}")
_BOM = "\ufeff"


def storage_path(where: str, field: str) -> ObjectStoragePath:
    """A path of Airflow's object storage: ``file:///…``, ``s3://connection@bucket/…``, or a local one.

    :param field: the operator's parameter, for the error message.
    :raises CallApiFailure: there is no such storage.
    """
    from airflow.sdk import ObjectStoragePath  # noqa: PLC0415 - fsspec is heavy, and DAG files are parsed all day

    try:
        path = ObjectStoragePath(where)
        path.fs  # noqa: B018 - is made only when it is asked for
    except Exception as error:  # whatever a storage's provider raises
        raise CallApiFailure(f"{field}: {where} cannot be used: {error}") from error
    return path


def prepare_output_path(where: str, field: str) -> ObjectStoragePath:
    """A path to be written to later. Its folder is made now, where it is a local one.

    :raises CallApiFailure: nothing can be written there; names the field.
    """
    path = storage_path(where, field)
    if path.protocol in ("file", "local", ""):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CallApiFailure(f"{field}: {where} cannot be written: {error}") from error
    return path


def read_rows(contacts: Contacts, field: str) -> Iterator[Row]:
    """The rows of a contact list, one at a time.

    A CSV file has a line of names first, and commas or semicolons between the values.

    :param field: the operator's parameter, for error messages.
    :raises CallApiFailure: it cannot be read; names the field and the line.
    :raises CallApiTrouble: the storage does not answer now.
    """
    if not isinstance(contacts, str):
        if isinstance(contacts, Mapping) or not isinstance(contacts, Sequence):
            raise CallApiFailure(f"{field}: a list of rows, or the path of a file is needed")
        for number, row in enumerate(contacts, start=1):
            yield _row(row, f"{field}, row {number}")
        return
    suffix = PurePosixPath(contacts).suffix.lower()
    if suffix not in (".csv", *_JSON_LINES):  # the text may be anything, and is not repeated
        known = f"the path of a file is needed, .csv, {' or '.join(_JSON_LINES)}"
        if contacts.lstrip()[:1] in ("[", "{"):
            known = "a list written as text; pass the list itself, such as the output of a task"
        raise CallApiFailure(f"{field}: {known}")
    path = storage_path(contacts, field)
    try:
        with path.open("r", encoding="utf-8-sig", newline="") as file:
            lines = iter(file.readline, "")  # the files of Airflow 3.0 cannot be iterated over
            yield from _csv_rows(lines, field) if suffix == ".csv" else _json_rows(lines, field)
    except UnicodeDecodeError as error:
        raise CallApiFailure(
            f"{field}: {contacts} is not UTF-8 text; save it as CSV UTF-8: {error}"
        ) from None
    except (FileNotFoundError, PermissionError, csv.Error) as error:
        raise CallApiFailure(f"{field}: {contacts} cannot be read: {error}") from error
    except OSError as error:  # a storage that is away for a while
        raise CallApiTrouble(f"{field}: {contacts} cannot be read now: {error}") from error


def csv_form(contacts: Any) -> tuple[str, bool]:
    """How a contact list is written: the separator of its columns, and whether it begins with a BOM.

    What is not the path of a CSV file is taken for one with commas.
    """
    if not isinstance(contacts, str) or PurePosixPath(contacts).suffix.lower() != ".csv":
        return ",", False
    with storage_path(contacts, "contacts").open("r", encoding="utf-8", newline="") as file:
        header = file.readline()
    return _separator(header), header.startswith(_BOM)


def _separator(header: str) -> str:
    return ";" if header.count(";") > header.count(",") else ","


def _csv_rows(lines: Iterator[str], field: str) -> Iterator[Row]:
    header = next(lines, "")
    separator = _separator(header)
    names = next(csv.reader([header], delimiter=separator), [])
    if any(_A_NUMBER.fullmatch(name.strip()) for name in names):
        raise CallApiFailure(
            f"{field}, line 1: a number where the names of the columns are needed (phone,name,…)"
        )
    names = [name.strip() for name in names]
    for row in csv.DictReader(lines, fieldnames=names, delimiter=separator):
        surplus = [value for value in row.pop(None, ()) if value.strip()]
        # None is a line that ends early; an empty cell is a value that is not known, and not an empty text
        cells = {name: value if value.strip() else None for name, value in row.items() if value is not None}
        yield {**cells, SURPLUS: separator.join(surplus)} if surplus else cells


def _json_rows(lines: Iterator[str], field: str) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            raise CallApiFailure(f"{field}, line {number}: not JSON; JSON Lines has one row a line") from None
        yield _row(row, f"{field}, line {number}")


def _row(row: Any, where: str) -> Row:
    if isinstance(row, int) and not isinstance(row, bool):
        return str(row)
    if not isinstance(row, Mapping | str):
        raise CallApiFailure(f"{where}: a mapping (an object) or a number is needed")
    return row
