"""Ask the Data API for the reports of one call. Repeat a refused request without its refused part.

The `ReportReader` stores each refused field, filter or parameter as a finding of ``airflow callapi verify``,
in a `ReportRules` object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_callapi.api.data_api import LEG_FIELDS, RECORDING_FIELD, REPORT_FIELDS, equals
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.verify.findings import ReportRules
from airflow_provider_callapi.verify.gateway import Answer, Service, read_session_id
from airflow_provider_callapi.verify.local_times import QUARTER_HOUR, report_text

_CALL_FIELDS = (*REPORT_FIELDS, RECORDING_FIELD, "is_lost")
_ONGOING = "include_ongoing_calls"
_DAY = 86_400.0
_AHEAD_OF_EVERY_ZONE = 15 * 3600.0
"""Seconds. A local time that is so much later than UTC is in the future in every time zone."""
_OFFSETS = range(-48, 57)
"""All offsets that a time zone can have, in quarter hours."""
_FIELD_REFUSALS = ("unexpected_parameters", "parameter_component_disabled")
"""The mnemonics with which the Data API refuses a field."""


class ReportReader:
    """Asks the Data API for reports of calls that began in about the last three days.

    :param data_api: sends the requests to the Data API.
    :param clock: a function that returns the time in epoch seconds.
    :param rules: which fields, filters and dates the Data API refuses. The reader adds each new refusal to
        this object, and leaves out refused parts in later requests.
    """

    def __init__(self, data_api: Service, clock: Callable[[], float], rules: ReportRules) -> None:
        self.rules = rules
        self._data_api = data_api
        self._clock = clock
        self._clock_error = 0

    def calls(self, session_id: int, external_id: str) -> list[dict[str, Any]]:
        """Return the entries of one call in ``get.calls_report``, even if the call is still active.

        :return: a list of JSON objects, usually one. Empty: the report does not contain the call (yet), or
            the Data API has refused the request.
        :raises CallApiError: a request got no answer, or the Data API refuses the login.
        """
        answer = self.ask(
            "get.calls_report",
            {"call_api_external_id": external_id, "id": session_id},
            include_ongoing_calls=True,
        )
        return [row for row in answer.rows if read_session_id(row.get("id")) == session_id]

    def search(self, external_id: str) -> int | None:
        """Search the report of calls for a call by its ``external_id``.

        :return: the session id of the call. None: the report does not contain the call, or the Data API has
            refused or not answered the request.
        """
        try:
            answer = self.ask(
                "get.calls_report", {"call_api_external_id": external_id}, include_ongoing_calls=True
            )
        except CallApiError:
            return None
        rows = [row for row in answer.rows if row.get("call_api_external_id") == external_id]
        return next(filter(None, (read_session_id(row.get("id")) for row in rows)), None)

    def default_fields(self, session_id: int, external_id: str) -> list[dict[str, Any]]:
        """Return the entries of one finished call in ``get.calls_report``, with the service's default fields.

        The request names no fields, so the Data API chooses them.

        :return: a list of JSON objects, usually one. Empty: the report does not contain the call yet, or the
            Data API has refused the request.
        :raises CallApiError: the request got no answer, or the Data API refuses the login.
        """
        keys: dict[str, int | str] = {"call_api_external_id": external_id, "id": session_id}
        answer = self.ask("get.calls_report", keys, all_fields=True)
        return [row for row in answer.rows if read_session_id(row.get("id")) == session_id]

    def legs(self, session_id: int) -> list[dict[str, Any]]:
        """Return the entries of one call in ``get.call_legs_report``.

        :return: one JSON object for each leg. Empty: the report does not contain legs of the call, or the
            Data API has refused the request.
        :raises CallApiError: the request got no answer, or the Data API refuses the login.
        """
        answer = self.ask("get.call_legs_report", {"call_session_id": session_id})
        return [row for row in answer.rows if read_session_id(row.get("call_session_id")) == session_id]

    def ask(
        self, method: str, keys: Mapping[str, int | str], *, all_fields: bool = False, **params: Any
    ) -> Answer:
        """Ask for a report. If the Data API refuses a part of the request, repeat it without this part.

        A part is a field of ``get.calls_report``, a filter, or ``include_ongoing_calls``. Later requests
        leave out refused parts, too.

        :param method: ``get.calls_report`` or ``get.call_legs_report``.
        :param keys: possible filters, the best first: field → value, e.g. ``{"id": 206597836}``. The request
            contains the first filter that the Data API has not refused. Without a filter, the request asks
            for the newest entries first.
        :param all_fields: False: the request names the fields that the package needs. True: it names none, so
            that the Data API sends its own choice.
        :param params: further parameters of the request.
        :return: the answer. After a refusal for another reason, the answer contains the error.
        :raises CallApiError: a request got no answer, or the Data API refuses the login.
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
        """Ask for a report of about the last three days (see `interval`).

        If the Data API refuses the end of this period as a date in the future, the method repeats the request
        once, with an end 5 seconds earlier.

        :param method: ``get.calls_report`` or ``get.call_legs_report``.
        :param params: the parameters of the request, without ``date_from`` and ``date_till``.
        :return: the answer. If the Data API refuses the request, the answer contains the error.
        :raises CallApiError: a request got no answer, or the Data API refuses the login.
        """
        if self.rules.future_date_till is None:
            self._learn_future()
        now = self._clock()
        answer = self._data_api.send(method, **self.interval(now), **params)
        if answer.error_field == "date_till" and self.rules.future_date_till is False:
            self._clock_error += 5  # this machine's clock is ahead
            answer = self._data_api.send(method, **self.interval(now), **params)
        return answer

    def send_dates(self, date_from: str, till: float) -> Answer:
        """Ask for one entry of ``get.calls_report``, to see whether the Data API accepts the dates.

        :param date_from: the beginning of the period as text, e.g. ``2016-10-19 12:26:48``.
        :param till: the end of the period, epoch seconds. The request contains it as UTC text.
        :return: the answer. If a date is refused, `Answer.error_field` names its parameter.
        :raises CallApiError: the request got no answer, or the Data API refuses the login.
        """
        return self._data_api.send(
            "get.calls_report", date_from=date_from, date_till=report_text(till), fields=["id"], limit=1
        )

    def interval(self, now: float) -> dict[str, str]:
        """Return the beginning and the end of the period of a request.

        The Data API reads the dates as local times of the account, whose time zone is perhaps not known. The
        period is longer than three days, so that it includes the last two days in every time zone.

        :param now: the present time, epoch seconds.
        :return: for example ``{"date_from": "2016-10-16 12:26:48", "date_till": "2016-10-20 03:26:48"}``.
        """
        return {"date_from": report_text(now - 3 * _DAY), "date_till": report_text(self.latest(now))}

    def latest(self, now: float) -> float:
        """Return the end of a period that includes all calls until now, for a request's ``date_till``.

        - If the Data API refuses dates in the future: the present local time of the account. It is some
          seconds earlier if this machine's clock is ahead of the service's clock.
        - Otherwise: a time that is in the future in every time zone.

        :param now: the present time, epoch seconds.
        :return: a number, from which `report_text` makes the text of ``date_till``.
        """
        if self.rules.future_date_till is not False:
            return now + _AHEAD_OF_EVERY_ZONE
        return now + (self.rules.offset or 0) * QUARTER_HOUR - self._clock_error

    def _learn_future(self) -> None:
        """Find out and store whether a report's period may end in the future."""
        # If it must not, its latest end shows the account's offset from UTC, which is stored, too.
        now = self._clock()
        refused = self._refuses_till(now + _AHEAD_OF_EVERY_ZONE)
        self.rules.future_date_till = not refused
        if not refused:
            return
        # A binary search finds the latest accepted date: the present local time of the account.
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
        """Store which field, filter or parameter of a request the Data API has refused.

        Return whether a repeat without the refused part may succeed.
        """
        if answer.error == "filter_prohibited" and filtered_by is not None:
            self.rules.refused_filters.append(filtered_by)
            return True
        if answer.error is not None and answer.error_field == _ONGOING and not self.rules.ongoing_refused:
            self.rules.ongoing_refused = True
            return True
        if answer.error not in _FIELD_REFUSALS or method != "get.calls_report":
            return False
        fields = self._fields(method)
        if answer.error_value in fields:
            self.rules.refused_fields[answer.error_value] = answer.error
            return True
        return self._try_single_fields(fields)  # the error does not name the refused field

    def _try_single_fields(self, fields: list[str]) -> bool:
        """Request each field alone. Store the refused fields, and return whether there are any."""
        refused = {
            name: answer.error
            for name in fields
            if (answer := self.send("get.calls_report", fields=[name], limit=1)).error in _FIELD_REFUSALS
        }
        self.rules.refused_fields.update({name: str(error) for name, error in refused.items()})
        return bool(refused)
