"""Asks the Data API for the reports of one call, without refused fields, filters and dates.

Each refusal of the Data API is a finding, too. The reader stores the refusals in `ReportRules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_callapi.api.data_api import LEG_FIELDS, RECORDING_FIELD, REPORT_FIELDS, equals
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.verify.findings import ReportRules
from airflow_provider_callapi.verify.gateway import Answer, Gateway, Service, read_session_id
from airflow_provider_callapi.verify.local_times import QUARTER_HOUR, report_text

_CALL_FIELDS = (*REPORT_FIELDS, RECORDING_FIELD, "is_lost")
_ONGOING = "include_ongoing_calls"
_DAY = 86_400.0
_AHEAD_OF_EVERY_ZONE = 15 * 3600.0
_OFFSETS = range(-48, 57)
"""All offsets that a time zone can have, in quarter hours."""
_REFUSED_FIELD = ("unexpected_parameters", "parameter_component_disabled")


class ReportReader:
    """Asks the Data API for reports of calls that began in the last days.

    :param rules: what the Data API refuses. The reader adds each new refusal.
    """

    def __init__(self, data_api: Service, gateway: Gateway, rules: ReportRules) -> None:
        self.rules = rules
        self._data_api = data_api
        self._clock = gateway.clock
        self._clock_error = 0

    def calls(self, session_id: int, external_id: str) -> list[dict[str, Any]]:
        """Return the entries of a call in ``get.calls_report``, even if the call is still active."""
        answer = self.ask(
            "get.calls_report",
            {"call_api_external_id": external_id, "id": session_id},
            include_ongoing_calls=True,
        )
        return [row for row in answer.rows if read_session_id(row.get("id")) == session_id]

    def search(self, external_id: str) -> int | None:
        """Return the session id of the call with an ``external_id``; None: the report has no such call."""
        try:
            answer = self.ask(
                "get.calls_report", {"call_api_external_id": external_id}, include_ongoing_calls=True
            )
        except CallApiError:
            return None
        rows = [row for row in answer.rows if row.get("call_api_external_id") == external_id]
        return next(filter(None, (read_session_id(row.get("id")) for row in rows)), None)

    def default_fields(self, session_id: int, external_id: str) -> list[dict[str, Any]]:
        """Return the entries of the Data API's report of a call. Each entry has the default fields.

        The request names no fields, so the Data API sends the default fields.
        """
        keys: dict[str, int | str] = {"call_api_external_id": external_id, "id": session_id}
        answer = self.ask("get.calls_report", keys, all_fields=True)
        return [row for row in answer.rows if read_session_id(row.get("id")) == session_id]

    def legs(self, session_id: int) -> list[dict[str, Any]]:
        """Return the entries of a call in ``get.call_legs_report``."""
        answer = self.ask("get.call_legs_report", {"call_session_id": session_id})
        return [row for row in answer.rows if read_session_id(row.get("call_session_id")) == session_id]

    def ask(
        self, method: str, keys: Mapping[str, int | str], *, all_fields: bool = False, **params: Any
    ) -> Answer:
        """Send a request. If the Data API refuses an optional part, repeat the request without the part.

        :param keys: field → value. The request filters by the first of these fields that the Data API accepts
            in a filter.
        """
        while True:
            asked: dict[str, Any] = dict(params)
            name = next((name for name in keys if name not in self.rules.refused_filters), None)
            if self.rules.ongoing_refused:
                asked.pop(_ONGOING, None)
            if name is None:
                asked["sort"] = [{"field": "start_time", "order": "desc"}]
            else:
                asked["filter"] = equals(name, keys[name])
            if not all_fields:
                asked["fields"] = self._fields(method)
            answer = self.send(method, **asked)
            if not self._learn(answer, method, name):
                return answer

    def send(self, method: str, **params: Any) -> Answer:
        """Send a request for the reports of the last days."""
        if self.rules.future_date_till is None:
            self._learn_future()
        now = self._clock()
        answer = self._data_api.send(method, **self.interval(now), **params)
        if answer.error_field == "date_till" and self.rules.future_date_till is False:
            self._clock_error += 5  # the clock of this machine is ahead
            answer = self._data_api.send(method, **self.interval(now), **params)
        return answer

    def send_dates(self, date_from: str, till: float) -> Answer:
        """Ask for one report in an interval.

        :param till: the end of the interval, epoch seconds. The request contains this time in UTC.
        """
        return self._data_api.send(
            "get.calls_report", date_from=date_from, date_till=report_text(till), fields=["id"], limit=1
        )

    def interval(self, now: float) -> dict[str, str]:
        """Return the first and last date of a period that includes the last days in every time zone."""
        return {"date_from": report_text(now - 3 * _DAY), "date_till": report_text(self.latest(now))}

    def latest(self, now: float) -> float:
        """Return the latest accepted ``date_till``, as the epoch seconds that this date has in UTC."""
        if self.rules.future_date_till is not False:
            return now + _AHEAD_OF_EVERY_ZONE
        return now + (self.rules.offset or 0) * QUARTER_HOUR - self._clock_error

    def _learn_future(self) -> None:
        """Find out whether the reports accept dates in the future.

        If the Data API refuses such dates, the latest accepted date shows the account's time zone.
        """
        now = self._clock()
        refused = self._refuses_till(now + _AHEAD_OF_EVERY_ZONE)
        self.rules.future_date_till = not refused
        if not refused:
            return
        low, high = _OFFSETS[0], _OFFSETS[-1]
        while low < high:
            middle = (low + high + 1) // 2
            if self._refuses_till(self._clock() + middle * QUARTER_HOUR - 60):
                high = middle - 1
            else:
                low = middle
        self.rules.offset = low

    def _refuses_till(self, epoch_seconds: float) -> bool:
        return (
            self.send_dates(report_text(self._clock() - 3 * _DAY), epoch_seconds).error_field == "date_till"
        )

    def _fields(self, method: str) -> list[str]:
        names = LEG_FIELDS if method == "get.call_legs_report" else _CALL_FIELDS
        return [name for name in names if name not in self.rules.refused_fields]

    def _learn(self, answer: Answer, method: str, filtered_by: str | None) -> bool:
        """Store which part of a request the Data API has refused.

        Return True if a repeat without the part may succeed.
        """
        if answer.error == "filter_prohibited" and filtered_by is not None:
            self.rules.refused_filters.append(filtered_by)
            return True
        if answer.error is not None and answer.error_field == _ONGOING and not self.rules.ongoing_refused:
            self.rules.ongoing_refused = True
            return True
        if answer.error not in _REFUSED_FIELD or method != "get.calls_report":
            return False
        fields = self._fields(method)
        if answer.error_value in fields:
            self.rules.refused_fields[answer.error_value] = answer.error
            return True
        return self._try_single_fields(fields)

    def _try_single_fields(self, fields: list[str]) -> bool:
        """Ask for each field alone, because the error names no field.

        Return whether the Data API refuses a field.
        """
        refused = {
            name: answer.error
            for name in fields
            if (answer := self.send("get.calls_report", fields=[name], limit=1)).error in _REFUSED_FIELD
        }
        self.rules.refused_fields.update({name: str(error) for name, error in refused.items()})
        return bool(refused)
