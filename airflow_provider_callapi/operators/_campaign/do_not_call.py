"""The do-not-call list of a campaign, read again while the campaign dials."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_callapi.api.errors import mask_phones
from airflow_provider_callapi.calls.campaign.people import SURPLUS
from airflow_provider_callapi.calls.campaign.phone_numbers import NotANumber, normalise
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.operators._campaign.contact_list import Contacts, read_rows, storage_path

_log = logging.getLogger(__name__)

_FRESH = 60.0
"""Seconds for which a list of numbers that must not be called is taken to be the same."""


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
