"""Contact lists: a list, an XCom, or a file of CSV or JSON Lines wherever Airflow can read one."""

from __future__ import annotations

import csv
import json
import logging
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from airflow_provider_callapi.api.errors import mask_phones
from airflow_provider_callapi.calls.campaign.people import SURPLUS
from airflow_provider_callapi.calls.campaign.phone_numbers import NotANumber, normalise
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

Row = Mapping[str, Any] | str
Contacts = Sequence[Row] | str

_log = logging.getLogger(__name__)

_JSON_LINES = (".jsonl", ".ndjson", ".json")
_A_NUMBER = re.compile(r"\+?[\d\s().-]{7,}")
_BOM = "\ufeff"
_FRESH = 60.0
"""Seconds for which a list of numbers that must not be called is taken to be the same."""


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


def _version(path: str) -> Any:
    """Something that changes with the file; None where that is not known, or there is no file."""
    try:
        return storage_path(path, "do_not_call").checksum()
    except OSError:
        return None  # reading it says why


def _told(error: Exception) -> str:
    if isinstance(error, CallApiFailure | CallApiTrouble):
        return str(error)
    return f"do_not_call: {type(error).__name__}: {mask_phones(str(error))}"


class DoNotCall:
    """The numbers that must not be called, read again where their file has changed.

    In a mapping the number is ``phone``, or its only value. Numbers only join: a file that is just being
    written anew lacks some for a moment, and who was on the list once is not called by this try.

    :param known: numbers that were on it earlier in this try, before a wait in the triggerer; None: this
        is the first time that it is read.
    :ivar unreadable: entries that are no numbers, and so keep nobody from being called.
    :ivar stale: the list cannot be read now. Who has objected since is not known: nobody is to be dialled.
    """

    def __init__(
        self, contacts: Contacts | None, region: str, *, known: frozenset[str] | None = None
    ) -> None:
        self._contacts = contacts
        self._was_read = known is not None
        self._region = region
        self._version: Any = None
        self._read_at: float | None = None
        self._numbers = known or frozenset()
        self.unreadable = 0
        self.stale = False

    def __call__(self) -> frozenset[str]:
        """The numbers, as of now or of a minute ago, E.164 digits.

        :raises CallApiFailure: the first time, as `read_rows`: later the list is `stale` instead.
        :raises CallApiTrouble: the same.
        """
        now = time.monotonic()
        if self._contacts is None or (self._read_at is not None and now < self._read_at + _FRESH):
            return self._numbers
        try:
            self._refresh(self._contacts)
        except Exception as error:  # whatever a storage's provider raises
            if not self._was_read:
                raise
            if not self.stale:
                _log.warning("Nobody is dialled until this is put right: %s", _told(error))
            self.stale = True
        else:
            if self.stale:
                _log.info("do_not_call: the list can be read again")
            self.stale = False
            self._was_read = True
        self._read_at = now
        return self._numbers

    def _refresh(self, contacts: Contacts) -> None:
        version = _version(contacts) if isinstance(contacts, str) else 0
        if version is None or version != self._version:
            self._numbers |= frozenset(self._read(contacts))
        self._version = version

    def _read(self, contacts: Contacts) -> Iterator[str]:
        self.unreadable = 0
        for line, row in enumerate(read_rows(contacts, "do_not_call"), start=1):
            if isinstance(row, dict):
                row.pop(SURPLUS, None)  # whatever it is, the number is not
            if isinstance(row, Mapping) and "phone" not in row and len(row) > 1:
                raise CallApiFailure(f"do_not_call, row {line}: which is the number? Call its column `phone`")
            number = row if isinstance(row, str) else row.get("phone", next(iter(row.values()), ""))
            try:
                yield normalise(str(number), self._region)
            except NotANumber:
                self.unreadable += 1
        if self.unreadable:
            _log.warning(
                "do_not_call: %d entries are no numbers, and keep nobody from being called", self.unreadable
            )
