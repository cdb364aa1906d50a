"""Ask the Data API for reports of calls and legs, even if the Data API refuses a part of a request.

`ReportRequests` repeats a refused request without the refused part, and remembers the refusal. If the refusal
names no part, `ReportRequests` tries one changed request after another. If the Data API refuses all of them,
the refused part stays unknown.

================  ======================================================================================
refused part      what `ReportRequests` does
================  ======================================================================================
optional field    asks without the field
filter            asks for all reports of the period, and selects the wanted reports itself
ongoing calls     asks for finished calls only
date              asks for a period that begins earlier, or that ends now instead of tomorrow
needed field      returns an empty list that is marked as incomplete, and sends no such request again
unknown           returns an empty list that is marked as incomplete, and asks again the next time
================  ======================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any, Protocol, TypeVar

from airflow_provider_callapi.api.data_api import (
    LEG_FIELDS,
    REPORT_FIELDS,
    CallReport,
    GetCallLegsReport,
    GetCallsReport,
    LegReport,
    equals,
    is_one_of,
)
from airflow_provider_callapi.api.entries import Entries, tells
from airflow_provider_callapi.api.errors import AccessDenied, Rejected
from airflow_provider_callapi.api.list_request import LARGEST_PAGE, LAST_OFFSET
from airflow_provider_callapi.calls.external_ids import has_id
from airflow_provider_callapi.calls.reports.report_dates import report_dates
from airflow_provider_callapi.calls.reports.report_period import Period, PeriodReader, windows
from airflow_provider_callapi.calls.reports.report_refusals import (
    Omissions,
    Refusals,
    ReportRequest,
    refuses_a_part,
)

_EXTERNAL_ID = "call_api_external_id"
_DAY = 86_400.0
_MOST_VALUES = 1_000
"""How many values the filter of one request contains at most."""

Entry = TypeVar("Entry", CallReport, LegReport)


class DataApiClient(Protocol):
    """Any object that sends requests to the Data API and returns typed answers."""

    def call(self, request: Any) -> Any:
        """Send a request to the Data API, and return the typed answer.

        :raises CallApiError: the Data API refuses the request, or does not answer.
        """


@dataclass(frozen=True)
class Selection:
    """The condition that selects reports: a field of the report has one of several values.

    Example: ``Selection("id", {7, 8})`` selects the reports of two call sessions.
    """

    field: str
    values: Collection[Any]

    def as_filter(self) -> dict[str, Any]:
        """Return the condition as a filter of the Data API.

        Example: ``{"field": "id", "operator": "in", "value": [7, 8]}``.
        """
        if len(self.values) == 1:
            return equals(self.field, next(iter(self.values)))
        return is_one_of(self.field, self.values)

    def split(self) -> Iterator[Selection]:
        """Yield conditions with some of the values each, so that the Data API accepts each as a filter."""
        values = sorted(self.values)
        for first in range(0, len(values), _MOST_VALUES):
            yield Selection(self.field, frozenset(values[first : first + _MOST_VALUES]))

    def excludes(self, entry: CallReport | LegReport) -> bool:
        """Return True if a report certainly does not meet the condition.

        A report without the condition's field may meet the condition, so the result is then False. The same
        ``external_id`` in another spelling meets the condition, see `has_id`.
        """
        if not tells(entry, self.field):
            return False
        value = getattr(entry, self.field)
        if isinstance(entry, CallReport) and self.field == _EXTERNAL_ID:
            return not any(has_id(entry, wanted) for wanted in self.values)
        return value not in self.values

    def select(self, entries: Entries[Entry], session_id_field: str) -> Entries[Entry]:
        """Return the reports that certainly meet the condition.

        If a report lacks the condition's field, it is unknown whether the report meets the condition. The
        method counts such reports in the result's ``left_out``. If the condition names call sessions, the
        method removes ids of other sessions from the result's ``left_out_ids``.

        :param entries: the reports.
        :param session_id_field: the name of the field with the call session id.
        """
        ids = entries.left_out_ids
        if self.field == session_id_field:
            ids = [session_id for session_id in ids if session_id in self.values]
        candidates = Entries(
            [entry for entry in entries if not self.excludes(entry)],
            left_out=entries.left_out,
            left_out_ids=ids,
        )
        return candidates.keep(lambda entry: tells(entry, self.field), lambda entry: None)


@dataclass(frozen=True)
class _Query:
    """Describes which reports to fetch from the Data API."""

    kind: ReportRequest
    fields: Sequence[str]
    interval: tuple[float, float]  # the earliest and the latest start of the wanted calls, epoch seconds
    selection: Selection | None = None  # None: all reports of the interval
    ongoing: bool = False  # whether to ask for active calls, too

    def parameters(self, omissions: Omissions) -> dict[str, Any]:
        """Return a request's parameters, without dates and page, and without the parts in ``omissions``."""
        optional = {
            "filter": self.selection.as_filter() if self.selection else None,
            "include_ongoing_calls": self.ongoing or None,
        }
        return {
            "fields": [name for name in self.fields if omissions.allows(self.kind, name)],
            **{
                name: value
                for name, value in optional.items()
                if value is not None and omissions.allows(self.kind, name)
            },
        }


class ReportRequests:
    """Asks one Data API for reports of calls and legs.

    A request asks for a longer period than the wanted interval, see `Omissions.days_before` and
    `Omissions.days_after`. If the period is longer than the Data API allows, several requests ask for it.

    If a returned list counts as incomplete, a report that is not in the list may still exist. The list is
    incomplete in these cases:

    - A report could not be read, or the Data API did not send all reports.
    - The Data API refuses a field that this package needs, or every request.
    - The list should contain active calls, too, but the Data API refuses to report active calls.

    :param data_api: sends the requests.
    :param refusals: what this Data API has refused before. The methods add each new refusal to this object.
        None: nothing is known.
    :param timezone: IANA name of the time zone in which a request states its period. Even if the zone is
        wrong, the period contains the interval: it begins a day or more before, and ends a day after it.
    :param account_timezone: a function that returns the IANA name of the account's time zone. Some Data APIs
        refuse a period that ends in the future. For them, the period ends now, and must be stated in this
        zone. None: ``timezone`` is the account's zone.
    """

    def __init__(
        self,
        data_api: DataApiClient,
        refusals: Refusals | None,
        timezone: str,
        account_timezone: Callable[[], str] | None = None,
    ) -> None:
        self._data_api = data_api
        self._refusals = Refusals() if refusals is None else refusals
        self._timezone = timezone
        self._account_timezone = account_timezone or (lambda: timezone)

    def calls(
        self,
        since: float,
        until: float,
        *,
        selection: Selection | None = None,
        ongoing: bool = False,
        fields: Sequence[str] = REPORT_FIELDS,
    ) -> Entries[CallReport]:
        """Return the reports of the calls that began in an interval.

        The result can also contain calls that began up to 7 days before or 1 day after the interval.

        :param since: the beginning of the interval, epoch seconds.
        :param until: the end of the interval, epoch seconds.
        :param selection: the condition that the wanted reports meet. None: all reports of the interval.
        :param ongoing: True: ask for active calls, too.
        :param fields: the names of the fields to request for each report, e.g. ``finish_reason``.
        :raises CallApiError: the Data API did not answer, or refuses the whole request.
        """
        reports = self._fetch(_Query(GetCallsReport, fields, (since, until), selection, ongoing))
        # Without its external_id, a report can be the report of any call. Without active calls, a report may
        # be missing.
        if _EXTERNAL_ID in fields:
            reports.left_out += sum(not tells(report, _EXTERNAL_ID) for report in reports)
        omissions = self._refusals.known
        reports.left_out += ongoing and not omissions.allows(GetCallsReport, "include_ongoing_calls")
        return reports

    def legs(
        self, since: float, until: float, *, selection: Selection | None = None
    ) -> Entries[LegReport] | None:
        """Return the reports of the legs (participants) of all calls that began in an interval.

        The result can also contain legs of other calls, up to 7 days before or 1 day after the interval.
        If the account may not use the report of legs, the result is None, and a warning is logged.

        :param since: the beginning of the interval, epoch seconds.
        :param until: the end of the interval, epoch seconds.
        :param selection: the condition that each returned leg meets. None: no condition.
        :raises CallApiError: the Data API did not answer, or refuses every request, e.g. because of a wrong
            access key.
        """
        try:
            return self._fetch(_Query(GetCallLegsReport, LEG_FIELDS, (since, until), selection))
        except AccessDenied as error:
            self._refusals.log_once(f"no legs are used, because the Data API refuses their report: {error}")
            return None

    def _fetch(self, query: _Query) -> Entries[Any]:
        """Fetch the wanted reports. If the Data API cannot select them, select them from all reports."""
        if query.selection is None:
            accepted = self._fetch_accepted(query)
            return _incomplete() if accepted is None else accepted[0]
        found: list[Entries[Any]] = []
        for selection in query.selection.split():
            accepted = self._fetch_accepted(replace(query, selection=selection))
            if accepted is None:
                found.append(_incomplete())
                break
            entries, parameters = accepted
            if "filter" not in parameters:
                return query.selection.select(entries, query.kind.id_field)
            if any(map(selection.excludes, entries)):  # the service ignores the filter
                self._refusals.refuse(query.kind, ["filter"])
                return self._fetch(query)
            found.append(selection.select(entries, query.kind.id_field))
        return Entries.joined(found)

    def _fetch_accepted(self, query: _Query) -> tuple[Entries[Any], dict[str, Any]] | None:
        """Send a request until the Data API accepts it, each time without the refused parts.

        Return (reports, sent parameters). None: no request is accepted.
        """
        refusals = self._refusals
        omissions, guesses = refusals.known, None
        while not omissions.makes_unavailable(query.kind, query.fields):
            parameters = query.parameters(omissions)
            try:
                entries = self._fetch_period(query, parameters, omissions)
            except Rejected as error:
                if not refuses_a_part(error):
                    raise
                if refusals.learn(query.kind, parameters, error):
                    omissions, guesses = refusals.known, None
                    continue
                guesses = refusals.guesses(query.kind, parameters) if guesses is None else guesses
                if (guess := next(guesses, None)) is None:
                    refusals.log_once(f"the Data API refuses every request; no report is used: {error}")
                    return None
                omissions = guess
            else:
                refusals.confirm(query.kind, omissions)
                return entries, parameters
        return None

    def _fetch_period(self, query: _Query, parameters: dict[str, Any], omissions: Omissions) -> Entries[Any]:
        """Return each report of an interval once. A report that was not sent counts as left out."""
        since, until = query.interval
        found: dict[Any, Any] = {}
        left_out, left_out_ids = 0, set[int]()
        # Some accounts also refuse a period that began only a few hours ago.
        timezone = self._account_timezone() if omissions.ends_now else self._timezone
        # The times in the reports are whole seconds.
        period = (int(since - omissions.days_before * _DAY), int(until + omissions.days_after * _DAY))
        reader = PeriodReader(
            partial(self._fetch_page, query.kind, timezone, parameters),
            key=_key,
            page_size=LARGEST_PAGE,
            last_offset=LAST_OFFSET,
            all_or_none=False,
        )
        for part in chain.from_iterable(map(reader.read, windows(period))):
            for key, entry in part.rows:
                found[key] = _more_telling(found[key], entry) if key in found else entry
            left_out += part.left_out
            left_out_ids.update(part.left_out_ids)
        return Entries(found.values(), left_out=left_out, left_out_ids=list(left_out_ids))

    def _fetch_page(
        self, kind: ReportRequest, timezone: str, parameters: dict[str, Any], period: Period, offset: int
    ) -> Entries[Any]:
        dates = report_dates(*period, timezone)
        request = kind(**dates, **parameters, limit=LARGEST_PAGE, offset=offset or None)
        page: Entries[Any] = self._data_api.call(request)
        return page


def _incomplete() -> Entries[Any]:
    """Return the list that follows if the Data API accepts no request. It counts as incomplete."""
    return Entries(left_out=1)


def _more_telling(first: Entry, newest: Entry) -> Entry:
    """Return which of two reports of a call has the longer talk: an early report may not contain all of it.

    If the talks are equally long, the function returns the newer report.
    """
    return first if _talk_seconds(first) > _talk_seconds(newest) else newest


def _talk_seconds(report: CallReport | LegReport) -> int:
    """Return how long the talk of a reported call is, in seconds. For a leg, or if it is not known: 0."""
    return (report.talk_duration or 0) if isinstance(report, CallReport) else 0


def _key(entry: CallReport | LegReport) -> tuple[int | str | None, ...]:
    """Return a key that is equal for two copies of one report, and differs between any other two reports."""
    if isinstance(entry, CallReport):
        return (entry.id,)
    # several legs can have the same id, even in one call
    return (entry.call_session_id, entry.id, entry.model_dump_json())
