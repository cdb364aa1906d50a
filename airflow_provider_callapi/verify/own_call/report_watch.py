"""Collects what the Data API's two reports, of calls and of legs, show of one call."""

from __future__ import annotations

from typing import Any

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.verify.findings import CallSeen, LegSeen, Side
from airflow_provider_callapi.verify.local_times import local_seconds, quarter_hours_ahead
from airflow_provider_callapi.verify.own_call.list_watch import side_of
from airflow_provider_callapi.verify.report_reader import ReportReader

_MOST_ONGOING_QUESTIONS = 25
"""How many polls a request for the report follows, if the report is measured during the call."""
_POLLS_BETWEEN_LEG_QUESTIONS = 5
"""How many such polls pass between two requests for the legs of the active call."""
_QUICK_QUESTIONS = 30
"""After this many requests for the report of a missing call, the requests become rarer."""
_SLOW_INTERVAL = 10.0
"""Seconds between two of the rarer requests."""
_LARGE = 1 << 53
"""From here on, a program that reads numbers as floats loses digits of an id."""


class ReportWatch:
    """Asks the Data API for the reports of one call, and writes what the reports show into a `CallSeen`.

    :param seen: the object into which the watch writes, e.g. when the call ended.
    :param reader: sends the requests for reports.
    :param session_id: the session id of the watched call.
    :param external_id: the ``external_id`` in the start request.
    :param numbers: side of the call (``contact`` or ``operator``) → phone number.
    :param started_at: when the service replied to the start request, epoch seconds.
    :param measure_ongoing: True: ask for the report during the call, too. False: ask only while
        ``list.calls`` does not show the call.
    :ivar has_finished: whether a report has shown the finished call.
    """

    def __init__(
        self,
        seen: CallSeen,
        reader: ReportReader,
        *,
        session_id: int,
        external_id: str,
        numbers: dict[Side, str],
        started_at: float,
        measure_ongoing: bool,
    ) -> None:
        self.seen = seen
        self.has_finished = False
        self._reader = reader
        self._session_id = session_id
        self._external_id = external_id
        self._numbers = numbers
        self._started_at = started_at
        self._measure_ongoing = measure_ongoing
        self._ongoing_questions = 0
        self._end_questions = 0
        self._next_end_question = 0.0
        self._starts: float | None = None

    def take(self, at: float, missing_since: float | None) -> None:
        """Ask for the report of the call if a request is due, and write into ``seen`` what the report shows.

        Use this method after each poll of ``list.calls``. A request is due:

        - after each of the first 25 polls, if ``measure_ongoing`` is True.
        - after each poll that does not show the call. After about 30 requests for reports, the pauses between
          these requests are at least 10 seconds long.

        After a report of the finished call, the method does nothing.

        :param at: the time of the poll: seconds since the service replied to the start request.
        :param missing_since: when the call was first missing in ``list.calls``: seconds since the same reply.
            0: no poll has shown the call yet. None: the newest poll shows the call.
        """
        if self.has_finished or not self._is_due(at, missing=missing_since is not None):
            return
        try:
            rows = self._reader.calls(self._session_id, self._external_id)
        except CallApiError:
            return
        if rows and (rows[0].get("finish_time") or rows[0].get("finish_reason")):
            self._take_finished(rows[0], at)
        elif missing_since is None or rows:
            self._take_ongoing(rows, at)

    def complete(self) -> None:
        """Ask once for the report of the call's legs, and write the legs into ``seen``.

        If ``measure_ongoing`` is True, the method then also asks once for the report of the call with the
        service's default fields. It writes into ``seen`` whether this report contains ``call_records``, and
        whether the virtual number in it is empty.

        If a request gets no answer, the method ends. Values that no report has shown do not change.
        """
        try:
            self.seen.legs = [self._leg(row) for row in self._reader.legs(self._session_id)]
            if not self._measure_ongoing:
                return
            if rows := self._reader.default_fields(self._session_id, self._external_id):
                self.seen.record_list = any("call_records" in row for row in rows)
                self.seen.virtual_number_is_empty = any(row.get("virtual_phone_number") == "" for row in rows)
        except CallApiError:
            return

    def _is_due(self, at: float, *, missing: bool) -> bool:
        if self._measure_ongoing and self._ongoing_questions < _MOST_ONGOING_QUESTIONS:
            self._ongoing_questions += 1
            return True
        if not missing or at < self._next_end_question:
            return False
        self._end_questions += 1
        self._next_end_question = at + (_SLOW_INTERVAL if self._end_questions > _QUICK_QUESTIONS else 0.0)
        return True

    def _take_ongoing(self, rows: list[dict[str, Any]], at: float) -> None:
        seen = self.seen
        if not self._measure_ongoing:
            return
        seen.ongoing_asked_until = at
        if rows and seen.ongoing_at is None:
            seen.ongoing_at = at
        if rows:
            seen.ongoing_talk = bool(seen.ongoing_talk) or bool(rows[0].get("talk_duration"))
        if not seen.ongoing_legs and self._ongoing_questions % _POLLS_BETWEEN_LEG_QUESTIONS == 0:
            try:
                seen.ongoing_legs = bool(self._reader.legs(self._session_id))
            except CallApiError:
                return

    def _take_finished(self, row: dict[str, Any], at: float) -> None:
        seen = self.seen
        self.has_finished = True
        self._starts = local_seconds(row.get("start_time"))
        seen.report_offset = quarter_hours_ahead(row.get("start_time"), self._started_at)
        seen.ended = self._since_start(row.get("finish_time"))
        seen.report_after = None if seen.ended is None else max(0.0, at - seen.ended)
        seen.finish_reason = _text(row.get("finish_reason"))
        seen.talk_duration = _number(row.get("talk_duration"))
        seen.is_lost = row["is_lost"] if isinstance(row.get("is_lost"), bool) else None
        seen.communication_id_is_large = (_number(row.get("communication_id")) or 0) >= _LARGE
        if "tags" in row:
            seen.tags_are_null = row["tags"] is None

    def _since_start(self, text: object) -> float | None:
        """Return the seconds from a call's start until a time in the Data API's report, e.g. the call's end.

        None: one of the two times is not known.
        """
        local = local_seconds(text)
        return None if local is None or self._starts is None else max(0.0, local - self._starts)

    def _leg(self, row: dict[str, Any]) -> LegSeen:
        is_operator = row["is_operator"] if isinstance(row.get("is_operator"), bool) else None
        return LegSeen(
            side=side_of(row.get("called_phone_number"), self._numbers, is_operator=bool(is_operator)),
            connected=self._since_start(row.get("connect_time")),
            is_operator=is_operator,
            is_talked=row["is_talked"] if isinstance(row.get("is_talked"), bool) else None,
            finish_reason=_text(row.get("finish_reason")),
        )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
