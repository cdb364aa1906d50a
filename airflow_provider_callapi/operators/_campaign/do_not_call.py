"""The do-not-call list of a campaign. The campaign reads the list again while it dials."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

from airflow_provider_callapi.api.errors import mask_phones
from airflow_provider_callapi.calls.campaign.people import SURPLUS
from airflow_provider_callapi.calls.campaign.phone_numbers import NotANumber, normalise
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.operators._campaign.contact_list import Contacts, Row, read_rows
from airflow_provider_callapi.operators._campaign.storage import open_path

_log = logging.getLogger(__name__)

_FRESH = 60.0
"""Seconds from one read of the do-not-call list to the next."""


class DoNotCall:
    """The numbers that a campaign must not call. If the list is a file, a changed file is read again.

    A row of the list is a phone number, or a mapping with the number in the column ``phone`` or in its only
    column. Within a try, the list only grows. A number that has disappeared from the file stays excluded,
    because another process may be rewriting the file.

    :param known: numbers that were on the list before a deferral of this try. None: this try has not been
        deferred.
    :ivar unreadable: how many entries are not valid phone numbers. These entries are ignored.
    :ivar stale: whether the last attempt to read the list failed. A campaign must not dial with a stale list.
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
        """Return the numbers on the list as E.164 digits. Read the list at most once a minute.

        If a list that was read before cannot be read now, set `stale` and return the known numbers.

        :raises CallApiFailure: the first read of the try failed: the list is invalid or missing.
        :raises CallApiTrouble: the first read of the try failed: the list's storage does not answer.
        """
        now = time.monotonic()
        if self._contacts is None or (self._read_at is not None and now < self._read_at + _FRESH):
            return self._numbers
        try:
            self._refresh(self._contacts)
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

    def _refresh(self, contacts: Contacts) -> None:
        version = _version(contacts) if isinstance(contacts, str) else 0
        if version is None or version != self._version:
            self._numbers |= frozenset(self._read_numbers(contacts))
        self._version = version

    def _read_numbers(self, contacts: Contacts) -> Iterator[str]:
        self.unreadable = 0
        for line, row in enumerate(read_rows(contacts, "do_not_call"), start=1):
            try:
                yield normalise(_number_of(row, line), self._region)
            except NotANumber:
                self.unreadable += 1
        if self.unreadable:
            _log.warning("do_not_call: %d entries are no phone numbers and exclude no one", self.unreadable)


def _number_of(row: Row, line: int) -> str:
    """Return the phone number in a row of the do-not-call list, in the notation of the list.

    :raises CallApiFailure: the row has several columns, and none is named ``phone``.
    """
    if isinstance(row, str):
        return row
    columns = {name: value for name, value in row.items() if name != SURPLUS}
    if "phone" not in columns and len(columns) > 1:
        raise CallApiFailure(f"do_not_call, row {line}: name the column with the number `phone`")
    return str(columns.get("phone", next(iter(columns.values()), "")))


def _version(path: str) -> Any:
    """Return the checksum of a do-not-call file.

    None: the storage has no checksums, or the file does not exist.
    """
    try:
        return open_path(path, "do_not_call").checksum()
    except OSError:
        return None  # the read that follows raises an error with the reason


def _describe(error: Exception) -> str:
    if isinstance(error, CallApiFailure | CallApiTrouble):
        return str(error)
    return f"do_not_call: {type(error).__name__}: {mask_phones(str(error))}"
