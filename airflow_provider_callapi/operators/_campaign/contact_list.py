"""Open a contact list: a Python list, an XCom, a SQL query, or a file in Airflow's object storage."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_provider_callapi.calls.lists.csv_rows import find_separator, read_csv
from airflow_provider_callapi.calls.lists.encodings import HEAD, Encoding, detect_encoding
from airflow_provider_callapi.calls.lists.json_rows import Row, read_json_lines, read_row
from airflow_provider_callapi.calls.lists.table import CheckNames, accept_names
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable
from airflow_provider_callapi.databases.query import Query
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.operators._campaign.file_types import CSV, XLSX, check_type, suffix_of
from airflow_provider_callapi.operators._storage import open_path, os_reason, version_of

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

Contacts = Sequence[Row] | str | Query
"""A contact list: a sequence of rows, the path of a file, or a query."""

_log = logging.getLogger(__name__)


def read_rows(contacts: Contacts, field: str, check_empty: CheckNames = accept_names) -> Iterator[Row]:
    """Yield the rows of a contact list.

    A row is a mapping (column → value), or a phone number as a text.

    :param field: the operator's parameter that gives the list, for error messages.
    :param check_empty: a function that is called with the column names if a table, a CSV file or a workbook
        has no rows. It may raise `ListUnreadable`.
    :raises CallApiFailure: a row, or the whole list, cannot be read.
    :raises CallApiTrouble: the list cannot be read now. A later try may succeed.
    """
    if isinstance(contacts, str):
        yield from _rows_of_file(contacts, field, check_empty)
        return
    if isinstance(contacts, Query):
        yield from contacts.rows(field, check_empty)
        return
    if isinstance(contacts, Mapping) or not isinstance(contacts, Sequence):
        raise CallApiFailure(f"{field}: a list of rows, or the path of a file is needed")
    for number, row in enumerate(contacts, start=1):
        try:
            yield read_row(row)  # an empty row becomes an empty mapping
        except ListUnreadable as error:
            raise CallApiFailure(f"{field}, row {number}: {error}") from None


def csv_form(contacts: Any) -> tuple[str, bool]:
    """Return the separator of the CSV file of results, and whether the file begins with a byte order mark.

    - ``contacts`` is a CSV file: the results have the form of this file.
    - ``contacts`` is an ``.xlsx`` file: ``;`` and True, the form that Excel reads.
    - Otherwise: ``,`` and False.
    """
    suffix = suffix_of(contacts) if isinstance(contacts, str) else ""
    if suffix == XLSX:
        return ";", True
    if suffix not in CSV:
        return ",", False
    path = open_path(contacts, "contacts")
    with _reading(contacts, "contacts"):
        encoding = _encoding_of(path)
        with path.open("r", encoding=encoding.name, newline="") as file:
            return find_separator(iter(file.readline, "")), encoding.needs_mark


def _rows_of_file(path: str, field: str, check_empty: CheckNames) -> Iterator[Row]:
    check_type(field, path)
    storage_path = open_path(path, field)
    with _reading(path, field):
        before = version_of(storage_path)
        yield from _rows_of(storage_path, suffix_of(path), field, check_empty)
        # The rows may be of two versions, so people may be missing.
        if before is not None and version_of(storage_path) not in (before, None):
            raise CallApiTrouble(
                f"{field}: {path} has changed while it was read. Replace the file in one step"
            )


def _rows_of(path: ObjectStoragePath, suffix: str, field: str, check_empty: CheckNames) -> Iterator[Row]:
    if suffix == XLSX:
        from airflow_provider_callapi.calls.lists.xlsx_rows import read_xlsx  # noqa: PLC0415 - rare

        with path.open("rb") as workbook:
            yield from read_xlsx(workbook, check_empty)
        return
    encoding = _encoding_of(path)
    if encoding.is_guess:
        _log.warning(
            '%s: %s is not UTF-8, and is read as %s; if its letters come out wrong, save it as "CSV UTF-8"',
            field,
            path,
            encoding.name,
        )
    with path.open("r", encoding=encoding.name, newline="") as file:
        lines = iter(file.readline, "")  # Airflow 3.0 cannot iterate over its files
        yield from read_csv(lines, check_empty) if suffix in CSV else read_json_lines(lines)


def _encoding_of(path: ObjectStoragePath) -> Encoding:
    with path.open("rb") as file:
        return detect_encoding(file.read(HEAD))


@contextmanager
def _reading(path: str, field: str) -> Iterator[None]:
    """Context manager: convert the errors of the code that reads a file to errors that name the file.

    :param field: the operator's parameter that gives ``path``, for error messages.
    """
    try:
        yield
    except ListUnreadable as error:
        text = str(error)
        if text.startswith("line "):
            raise CallApiFailure(f"{field}, {text} ({path})") from None
        raise CallApiFailure(f"{field}: {path}: {text}") from None
    except UnicodeError:
        raise CallApiFailure(
            f'{field}: {path} is not text in one encoding; save the file as "CSV UTF-8"'
        ) from None
    except (FileNotFoundError, PermissionError) as error:
        raise CallApiFailure(f"{field}: {path} cannot be read: {os_reason(error)}") from error
    except OSError as error:  # the storage is unavailable for a while
        raise CallApiTrouble(f"{field}: {path} cannot be read now: {os_reason(error)}") from error
