"""Read the do-not-call list of a campaign, and read the list again while the campaign dials."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from airflow_provider_callapi.api.errors import mask_phones
from airflow_provider_callapi.calls.lists.columns import phone_columns
from airflow_provider_callapi.calls.lists.empty_values import is_blank
from airflow_provider_callapi.calls.lists.json_rows import Row
from airflow_provider_callapi.calls.lists.problems import ListUnreadable
from airflow_provider_callapi.calls.phone_numbers.generous import find_numbers
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import NotANumber
from airflow_provider_callapi.databases.query import Query
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.operators._campaign.contact_list import Contacts, read_rows
from airflow_provider_callapi.operators._storage import open_path

_log = logging.getLogger(__name__)

_ROWS_SHOWN = 10
_FRESH = 60.0
"""Seconds from one read of the do-not-call list to the next."""


class DoNotCall:
    """The do-not-call list of a campaign. Call the object to get the numbers that must not be called.

    The object reads the list again while the campaign dials. Once read, a number stays on the list, even if
    it disappears from the source.

    A row is a phone number or a mapping (column → value). The numbers are in the column ``phone`` and in
    columns with similar names, such as ``mobile``. A single column may have any name.

    :param contacts: the list: a sequence of rows, the path of a file, or a query. None: only the blacklist.
    :param region: ISO 3166 code of the country of numbers without a country code.
    :param blacklist: a function that returns the numbers on the account's blacklist. None: the list does not
        include the blacklist.
    :param known: numbers that are on the list from the beginning.
    :param was_read: whether this try has read the list before a deferral. False: if the first read fails, the
        task fails.
    :param max_unreadable: how many rows without a valid phone number the campaign ignores. With more of them,
        the list cannot be used.
    :ivar stale: whether the last read of the list failed. True: the campaign must not dial.
    """

    def __init__(
        self,
        contacts: Contacts | None,
        region: str,
        *,
        blacklist: Callable[[], Iterable[str]] | None = None,
        max_unreadable: int = 0,
        known: frozenset[str] = frozenset(),
        was_read: bool = False,
    ) -> None:
        self._contacts = contacts
        self._blacklist = blacklist
        self._was_read = was_read
        self._region = region
        self._max_unreadable = max_unreadable
        self._version: Any = None
        self._read_at: float | None = None
        self._numbers = known
        self.stale = False

    def __call__(self) -> frozenset[str]:
        """Return the numbers on the list as E.164 digits. Read the list at most once a minute.

        If a read fails after an earlier read of this try, set ``stale`` to True, and return the known
        numbers. If the first read fails:

        :raises CallApiFailure: the list is invalid or missing.
        :raises CallApiTrouble: the storage or the database of the list does not answer.
        :raises CallApiError: the Data API does not send the blacklist.
        """
        now = time.monotonic()
        has_list = self._contacts is not None or self._blacklist is not None
        if not has_list or (self._read_at is not None and now < self._read_at + _FRESH):
            return self._numbers
        try:
            self._refresh()
        except Exception as error:  # each storage provider raises its own exception classes
            if not self._was_read:
                raise
            if not self.stale:
                _log.warning("The campaign places no calls until this is corrected: %s", _describe(error))
            self.stale = True
        else:
            if self.stale:
                _log.info("do_not_call: the list can be read again")
            self.stale = False
            self._was_read = True
        self._read_at = now
        return self._numbers

    def _refresh(self) -> None:
        if self._blacklist is not None:
            for number in self._blacklist():
                with suppress(NotANumber):  # the service itself refuses calls to the numbers on its blacklist
                    self._numbers |= find_numbers(number, self._region)
        if self._contacts is None:
            return
        version = _version(self._contacts)
        if version is None or version != self._version:
            self._numbers |= frozenset(self._read_numbers(self._contacts))
        self._version = version

    def _read_numbers(self, contacts: Contacts) -> Iterator[str]:
        unreadable: list[int] = []
        first_problem = ""
        for line, row in enumerate(read_rows(contacts, "do_not_call"), start=1):
            try:
                yield from _numbers_of(row, self._region)
            except NotANumber as problem:
                unreadable.append(line)
                first_problem = first_problem or f"Row {line}: {problem}"
            except ListUnreadable as error:
                raise CallApiFailure(f"do_not_call, row {line}: {error}") from None
        if len(unreadable) > self._max_unreadable:
            raise CallApiFailure(
                f"do_not_call: {len(unreadable)} entries are no phone numbers and would exclude no one: "
                f"{_rows(unreadable)}. {first_problem}. Correct these rows. If they may be ignored, set "
                "max_unreadable"
            )
        if unreadable:
            _log.warning(
                "do_not_call: %d entries are no phone numbers and exclude no one: %s",
                len(unreadable),
                _rows(unreadable),
            )


def _numbers_of(row: Row, region: str) -> Iterator[str]:
    """Yield the phone numbers in one row of the do-not-call list, as E.164 digits: ``79260000001``.

    :param row: a text, or a mapping: column → cell. A cell may contain several numbers. An empty row has
        none.
    :param region: ISO 3166 code of the country of numbers without a country code.
    :raises NotANumber: the row is not empty, and has no number or a number that cannot be read.
    :raises ListUnreadable: the row has several columns, and none is named ``phone``.
    """
    if isinstance(row, str):
        yield from find_numbers(row, region)
        return
    if is_blank(row):
        return
    cells = [row[name] for name in phone_columns(tuple(row)) if row[name] is not None]
    if not cells:
        raise NotANumber("no number")
    for cell in cells:
        yield from find_numbers(str(cell), region)


def _rows(lines: list[int]) -> str:
    shown = ", ".join(map(str, lines[:_ROWS_SHOWN]))
    return f"rows {shown} …" if len(lines) > _ROWS_SHOWN else f"rows {shown}"


def _version(contacts: Contacts) -> Any:
    """Return a value that changes if the do-not-call list changes, e.g. the checksum of a file.

    None: changes cannot be noticed, so the caller must read the list each time. The list is a query, a file
    without a checksum or a missing file.
    """
    if not isinstance(contacts, str):
        return None if isinstance(contacts, Query) else 0
    try:
        return open_path(contacts, "do_not_call").checksum()
    except OSError:
        return None  # the read that follows raises an error with the reason


def _describe(error: Exception) -> str:
    if isinstance(error, CallApiFailure | CallApiTrouble):
        return str(error)
    return f"do_not_call: {type(error).__name__}: {mask_phones(str(error))}"
