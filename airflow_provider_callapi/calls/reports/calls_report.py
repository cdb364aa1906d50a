"""The report of an account's calls, loaded from the Data API as rows of plain JSON."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_callapi.api.errors import DateRefused, Rejected
from airflow_provider_callapi.api.report_rows import CallRows, LegRows
from airflow_provider_callapi.calls.reports.call_filter import CallFilter
from airflow_provider_callapi.calls.reports.report_dates import read_report_time
from airflow_provider_callapi.calls.reports.report_fields import (
    LEG_NUMBERS,
    LEGS,
    LOADED_LEG_FIELDS,
    convert_row,
    read_integer,
)
from airflow_provider_callapi.calls.reports.report_pages import (
    Raw,
    ReportIncomplete,
    ReportPages,
    ReportQuery,
)
from airflow_provider_callapi.calls.reports.report_refusals import (
    names_filter,
    refuses_a_part,
    words_named_by,
)

Row = dict[str, Any]
"""A call: the fields that were asked for, and with legs the column ``legs``. All values are plain JSON."""
_LONGEST_CALL = 86_400.0
"""The longest time in seconds after the begin of a call at which its legs are looked for."""


class ReportRefused(Exception):
    """The Data API refuses a field or a filter of a report. A retry would fail, too.

    The error message names the operator's parameter and the refused field, e.g. ``fields (tags)``. If the
    Data API does not name the field, the error message contains only the error of the Data API.
    """


@dataclass(frozen=True)
class ReportColumns:
    """The columns of a report of calls. Each row of the report describes one call.

    :ivar fields: the names of fields of ``get.calls_report``, e.g. ``("id", "start_time")``. One of them must
        be ``id``.
    :ivar legs: whether each row also contains the legs (participants) of the call.
    :ivar phone_numbers: whether the legs contain phone numbers.
    """

    fields: Sequence[str]
    legs: bool = False
    phone_numbers: bool = False

    @property
    def leg_fields(self) -> tuple[str, ...]:
        """The names of the fields of each leg. If ``phone_numbers`` is False, no field is a phone number."""
        return LOADED_LEG_FIELDS + LEG_NUMBERS if self.phone_numbers else LOADED_LEG_FIELDS


class CallsReport:
    """Loads the calls of an account that began in an interval, as rows of plain JSON.

    :param pages: the object that reads the rows from the Data API.
    :param timezone: IANA name of the account's time zone.
    :param columns: the columns of each row.
    :param selection: the conditions that each loaded call meets.
    :ivar unreadable: name of a field → number of unreadable values. The rows contain None for these values.
    """

    def __init__(
        self, pages: ReportPages, timezone: str, columns: ReportColumns, selection: CallFilter
    ) -> None:
        self.unreadable: Counter[str] = Counter()
        self._pages = pages
        self._timezone = timezone
        self._columns = columns
        self._selection = selection

    def load(self, since: int, until: int) -> Iterator[list[Row]]:
        """Yield the calls that began in an interval, each call once, in portions of up to 10 000 calls.

        The calls of one portion are in the order of their beginning.

        :param since: the beginning of the interval, epoch seconds.
        :param until: the end of the interval, epoch seconds, exclusive.
        :raises ReportRefused: the Data API refuses a field or a filter.
        :raises ReportIncomplete: not all calls could be read.
        :raises CallApiError: the Data API refuses the request, or does not answer.
        """

        def began_at(raw: Raw) -> float:
            return _began_at(raw, self._timezone, since)

        fields = [*self._columns.fields, "id", "start_time", *self._selection.needed_fields]
        if self._columns.legs:
            fields.append("finish_time")
        parameters: dict[str, Any] = {"fields": list(dict.fromkeys(fields))}
        if (condition := self._selection.for_service()) is not None:
            parameters["filter"] = condition
        query = ReportQuery(CallRows, parameters, key=_session_id, position=began_at)
        for portion in self._read(query, since, until):
            calls = sorted(
                ((began_at(raw), raw) for raw in portion if self._selection.selects(raw)),
                key=lambda call: (call[0], _session_id(call[1])),
            )
            if calls:
                yield self._rows(calls)

    def _rows(self, calls: Sequence[tuple[float, Raw]]) -> list[Row]:
        """Return one row of plain JSON for each call, with the call's legs if the columns include them.

        ``calls``: pairs (start in epoch seconds, call).
        """
        legs = self._legs_of(calls) if self._columns.legs else {}
        rows = []
        for began_at, raw in calls:
            row = self._convert(raw, self._columns.fields, began_at)
            if self._columns.legs:
                own = [self._convert(leg, self._columns.leg_fields, began_at) for leg in legs[row["id"]]]
                row[LEGS] = sorted(own, key=lambda leg: (leg["start_time"] or "", leg["id"] or 0))
            rows.append(row)
        return rows

    def _convert(self, raw: Raw, fields: Sequence[str], not_before: float) -> Row:
        return convert_row(
            raw,
            fields,
            timezone=self._timezone,
            not_before=not_before,
            on_unreadable=lambda name: self.unreadable.update([name]),
        )

    def _legs_of(self, calls: Sequence[tuple[float, Raw]]) -> Mapping[int, list[Raw]]:
        """Return the legs (participants) of some calls: call session id → legs as the Data API sends them."""
        # The vendor documents no filter for several calls. So this reads all legs of the period.
        last_end = max(_ended_at(raw, self._timezone, began_at) for began_at, raw in calls)
        wanted = {_session_id(raw) for _, raw in calls}
        legs: dict[int, list[Raw]] = defaultdict(list)
        fields = ["call_session_id", *self._columns.leg_fields]
        query = ReportQuery(LegRows, {"fields": fields}, key=lambda raw: json.dumps(raw, sort_keys=True))
        # the earliest call comes first
        for portion in self._read(query, int(calls[0][0]), int(last_end) + 1):
            for raw in portion:
                if (session_id := _session_id(raw, "call_session_id")) in wanted:
                    legs[session_id].append(raw)
        return legs

    def _read(self, query: ReportQuery, since: int, until: int) -> Iterator[list[Raw]]:
        """Yield the rows of a report in portions, as `ReportPages.read` does.

        :raises ReportRefused: the Data API refuses a field or a filter.
        """
        try:
            yield from self._pages.read(query, since, until)
        except Rejected as error:
            if not refuses_a_part(error) or isinstance(error, DateRefused):
                raise
            refused = self._refused_parameters(error, query.parameters)
            raise ReportRefused(f"{', '.join(refused)}: {error}" if refused else str(error)) from None

    def _refused_parameters(self, error: Rejected, parameters: Mapping[str, Any]) -> list[str]:
        """Return the operator's parameters that cause an error of the Data API. Empty: not known.

        ``parameters``: those of the request. Example of the result: ``["fields (tags)"]``, if the operator's
        parameter ``fields`` contains the refused field ``tags``.
        """
        words = set().union(*words_named_by(error))
        if "filter" in parameters and names_filter(error):
            selection = self._selection
            return selection.parameters_of(words) or selection.parameters_of(selection.needed_fields)
        return [f"fields ({name})" for name in parameters["fields"] if name.lower() in words]


def _session_id(raw: Raw, field: str = "id") -> int:
    try:
        return read_integer(raw[field])
    except (LookupError, TypeError, ValueError):
        raise ReportIncomplete(f"the Data API sends a row without a readable {field}") from None


def _began_at(raw: Raw, timezone: str, not_before: float) -> float:
    try:
        return read_report_time(raw["start_time"], timezone, not_before)
    except (LookupError, TypeError, ValueError):
        raise ReportIncomplete("the Data API sends a call without a readable start_time") from None


def _ended_at(raw: Raw, timezone: str, began_at: float) -> float:
    try:
        ended_at = read_report_time(raw["finish_time"], timezone, began_at)
        # Each request for a part of the period costs a point: a wrong year must not cost thousands.
        return min(ended_at, began_at + _LONGEST_CALL)
    except (LookupError, TypeError, ValueError):
        return began_at
