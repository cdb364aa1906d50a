"""Read the do-not-call list of a campaign, and read the list again while the campaign dials."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import suppress
from itertools import islice
from typing import Any

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.lists.excluded_numbers import ExcludedNumbers
from airflow_provider_callapi.calls.lists.phone_columns import check_empty_do_not_call
from airflow_provider_callapi.calls.phone_numbers.generous import find_numbers
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import NotANumber
from airflow_provider_callapi.calls.texts.count_texts import count_text
from airflow_provider_callapi.calls.texts.empty_values import is_blank
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable
from airflow_provider_callapi.databases.query import Query
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.operators._campaign.contact_list import Contacts, read_rows
from airflow_provider_callapi.operators._campaign.file_types import CSV, suffix_of
from airflow_provider_callapi.operators._storage import open_path, version_of

_log = logging.getLogger(__name__)

_ROWS_SHOWN = 10
_FRESH = 60.0
"""Seconds from one read of the do-not-call list to the next."""


class DoNotCall:
    """The do-not-call list of a campaign.

    The numbers come from the author's list, which the object reads again and again, and from the account's
    blacklist, which it reads once. A number that was read once stays on the do-not-call list.

    :param other_regions: the other countries to which the campaign calls, see `ExcludedNumbers`.
    :param sip_domains: the domains of the SIP numbers that the campaign dials, see `ExcludedNumbers`.
    :ivar stale: True: the last read of the author's list failed, so the campaign must not dial.
    """

    def __init__(
        self,
        contacts: Contacts | None,
        region: str,
        *,
        blacklist: Callable[[], Iterable[str]] | None = None,
        max_unreadable: int = 0,
        other_regions: Set[str] = frozenset(),
        sip_domains: Set[str] = frozenset(),
        known: frozenset[str] = frozenset(),
        was_read: bool = False,
    ) -> None:
        self._contacts = contacts
        self._other_regions = other_regions
        self._sip_domains = sip_domains
        self._blacklist = blacklist
        self._was_read = was_read  # whether this try has read the list before a deferral
        self._region = region
        self._max_unreadable = max_unreadable
        self._version: Any = None
        self._read_at: float | None = None
        self._numbers = known
        self.stale = False

    def numbers(self) -> frozenset[str]:
        """Return the numbers that must not be called, as E.164 digits. Read the list at most once a minute.

        If the first read of a try fails, raise the error. If a later read fails, set ``stale`` to True, and
        return all numbers that earlier reads have found.
        """
        now = system_clock.monotonic()
        has_list = self._contacts is not None or self._blacklist is not None
        if not has_list or (self._read_at is not None and now < self._read_at + _FRESH):
            return self._numbers
        try:
            self._refresh()
        except Exception as error:  # each storage provider raises its own exception classes
            if not self._was_read:  # no read has succeeded in this try, so numbers may be missing
                raise
            if not self.stale:
                _log.warning(
                    "The campaign places no calls until the do_not_call list can be read: %s",
                    _describe(error),
                )
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
            self._blacklist = None  # the service also refuses later numbers, and each read costs points
        if self._contacts is None:
            return
        version = _version(self._contacts)
        if version is None or version != self._version:
            self._numbers |= frozenset(self._read_numbers(self._contacts))
        self._version = version

    def _read_numbers(self, contacts: Contacts) -> Iterator[str]:
        where = f"do_not_call: {contacts}" if isinstance(contacts, str) else "do_not_call"
        excluded = ExcludedNumbers(
            self._region, other_regions=self._other_regions, sip_domains=self._sip_domains
        )
        has_blank_rows = has_entries = False
        may_end_with_blank_lines = isinstance(contacts, str) and suffix_of(contacts) in CSV
        for line, row in enumerate(read_rows(contacts, "do_not_call", check_empty_do_not_call), start=1):
            if isinstance(row, str) or not is_blank(row):
                has_entries = True
            elif row or not may_end_with_blank_lines:
                has_blank_rows = True
            try:
                yield from excluded.read(line, row)
            except ListUnreadable as error:
                raise CallApiFailure(f"{where}, row {line}: {error}") from None
        if has_blank_rows and not has_entries:
            raise CallApiFailure(
                f"{where}: all rows are empty, so the list would exclude no one. If nobody is on the "
                "list, give a list without rows"
            )
        unreadable = excluded.unreadable()
        count = len(unreadable)
        entries = count_text(count, "entry cannot be read", "entries cannot be read")
        if count > self._max_unreadable:
            rows, them = ("this row", "it") if count == 1 else ("these rows", "them")
            raise CallApiFailure(
                f"{where}: {entries}: {_reasons(unreadable)}. Correct {rows}, or set max_unreadable={count} "
                f"to ignore {them}: people whom the campaign must not call could then be called"
            )
        if unreadable:
            _log.warning(
                "%s: %s, so people could be called whom the campaign must not call: %s",
                where,
                entries,
                _reasons(unreadable),
            )


def _reasons(unreadable: Mapping[int, str]) -> str:
    """Return why rows cannot be read, as ``rows 2, 5: no number; row 3: …``. The first rows are shown."""
    rows: dict[str, list[int]] = {}
    for line, reason in islice(unreadable.items(), _ROWS_SHOWN):
        rows.setdefault(reason, []).append(line)
    shown = "; ".join(
        f"row{'' if len(lines) == 1 else 's'} {', '.join(map(str, lines))}: {reason}"
        for reason, lines in rows.items()
    )
    more = len(unreadable) - _ROWS_SHOWN
    return shown if more <= 0 else f"{shown}; and {count_text(more, 'more row')}"


def _version(contacts: Contacts) -> Any:
    """Return a value that changes if the do-not-call list changes. None: changes cannot be noticed."""
    if not isinstance(contacts, str):
        return None if isinstance(contacts, Query) else 0  # 0: a list in memory does not change
    return version_of(open_path(contacts, "do_not_call"))


def _describe(error: Exception) -> str:
    if isinstance(error, CallApiFailure | CallApiTrouble):
        return str(error)
    return f"do_not_call: {type(error).__name__}: {mask_phones(str(error))}"
