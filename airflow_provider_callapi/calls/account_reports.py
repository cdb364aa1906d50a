"""Find the Data API's reports of single calls, and the final outcome of a finished call."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from airflow_provider_callapi.api.data_api import (
    OPERATIONS_FIELD,
    RECORDING_FIELD,
    REPORT_FIELDS,
    REPORT_INTERVAL,
    CallReport,
    GetCallsReport,
)
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import Unanswered
from airflow_provider_callapi.api.values.object_ids import read_object_id
from airflow_provider_callapi.calls.external_ids import has_another_id, is_used_once
from airflow_provider_callapi.calls.outcomes.answers import FinishedCall
from airflow_provider_callapi.calls.outcomes.outcome import Outcome, may_follow, with_report
from airflow_provider_callapi.calls.reports.finished_calls import judge_reports
from airflow_provider_callapi.calls.reports.report_requests import ReportRequests, Selection
from airflow_provider_callapi.calls.unconfirmed_call import UnconfirmedCall

_DAY = 86_400.0


class AccountReports:
    """The Data API's reports of the calls of one account.

    :param requests: the object that sends the requests for reports.
    :param timezone: a function that returns the IANA name of the account's time zone. The reports give times
        in this zone.
    :param clock: a function that returns the present time in epoch seconds.
    :param sleep: a function that waits for a number of seconds.
    """

    def __init__(
        self,
        requests: ReportRequests,
        timezone: Callable[[], str],
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._requests = requests
        self._timezone = timezone
        self._clock = clock
        self._sleep = sleep

    def of_call(
        self,
        call_session_id: int | None = None,
        *,
        external_id: str | None = None,
        contact: str | None = None,
        since: float | None = None,
        others: Collection[int] = (),
        recording_link: bool = False,
        operations: bool = False,
    ) -> CallReport | None:
        """Return the Data API's report of an active or finished call.

        Pass ``call_session_id`` or ``external_id``. If several calls have the ``external_id`` and fit
        ``contact`` and ``since``, the result is the report of the newest one.

        :param call_session_id: the session id of the call, as a number or a text.
        :param external_id: the id in the start request.
        :param contact: the number that was called. It is used only with ``external_id``. None: any number
            fits.
        :param since: the earliest possible start of the call, epoch seconds. None: 30 days ago.
        :param others: the session ids of calls that do not count. It is used only with ``external_id``.
        :param recording_link: whether to ask for the link to the recording.
        :param operations: whether to ask for the scenario's operations.
        :return: the report. None: there is no report yet. Without ``external_id``, None can also mean that
            the report cannot be read.
        :raises Unanswered: with ``external_id``: no report fits, but an unreadable report may be the wanted
            one.
        :raises ValueError: neither ``call_session_id`` nor ``external_id`` is given.
        """
        if call_session_id is not None:
            selection = Selection("id", (read_object_id(call_session_id),))
        elif external_id is not None:
            selection = Selection("call_api_external_id", (external_id,))
        else:
            raise ValueError("call_session_id or external_id is needed")
        reports = self._requests.calls(
            *self._interval(since),
            selection=selection,
            ongoing=True,
            fields=[
                *REPORT_FIELDS,
                *([RECORDING_FIELD] if recording_link else []),
                *([OPERATIONS_FIELD] if operations else []),
            ],
        )
        if external_id is None:
            return max(reports, key=lambda report: report.id, default=None)
        found = self._newest(reports, external_id, contact, since, others)
        if found is None and not reports.complete:
            raise Unanswered(
                "a report of the Data API cannot be read, and may be the report of the call",
                method=GetCallsReport.method,
            )
        return found

    def since(self, since: float) -> Entries[CallReport]:
        """Return the Data API's reports of all calls that began at ``since`` or later, also of active calls.

        The result can also contain reports of calls that began up to a week before ``since``.

        :param since: epoch seconds.
        """
        return self._requests.calls(*self._interval(since), ongoing=True)

    def wait_for(
        self,
        call_session_id: int | None = None,
        *,
        external_id: str | None = None,
        contact: str | None = None,
        since: float | None = None,
        others: Collection[int] = (),
        timeout: float,
    ) -> CallReport | None:
        """Wait for the Data API's report of a call, and return the report.

        The method asks the Data API again and again, because a report appears some time after the call's end.
        `of_call` explains the parameters that are not listed here.

        :param timeout: the longest time to wait, in seconds.
        :return: the report. None: no report has appeared before the timeout.
        :raises Unanswered, ValueError: see `of_call`.
        """
        deadline = self._clock() + timeout
        while True:
            report = self.of_call(
                call_session_id, external_id=external_id, contact=contact, since=since, others=others
            )
            remaining = deadline - self._clock()
            if report is not None or remaining <= 0:
                return report
            self._sleep(min(REPORT_INTERVAL, remaining))

    def find_call(
        self,
        external_id: str,
        contact: str,
        since: float,
        others: Collection[int] = (),
        *,
        timeout: float = 0.0,
    ) -> int | None:
        """Wait for the Data API's report of an unconfirmed call, and return the call's session id.

        An unconfirmed call is a call whose start request got no answer.

        :param external_id: the id in the start request.
        :param contact: the number that was called.
        :param since: the earliest possible start of the call, epoch seconds.
        :param others: the session ids of calls that are not the unconfirmed call.
        :param timeout: the longest time to wait, in seconds.
        :return: the session id. None: no report has appeared before the timeout.
        :raises Unanswered: no report fits, but an unreadable report may be the wanted one.
        """
        report = self.wait_for(
            external_id=external_id, contact=contact, since=since, others=others, timeout=timeout
        )
        return report.id if report else None

    def final_outcome(
        self,
        call: Outcome,
        until: float = 0.0,
        *,
        recording_link: bool = False,
        operations: bool = False,
    ) -> tuple[Outcome, CallReport] | None:
        """Return the final outcome of a finished call, and the Data API's report of the call.

        The final outcome is ``call``, completed from the report.

        :param call: the outcome of the call so far.
        :param until: until when the caller can wait for a report, epoch seconds. Until then, and for
            `LEGS_DELAY` seconds after the call's end, a report that lacks the call's legs does not count.
        :param recording_link: whether to ask for the link to the recording.
        :param operations: whether to ask for the scenario's operations.
        :return: the pair (final outcome, report). None: there is no readable report of the finished call yet.
        """
        report = self.of_call(
            call.call_session_id,
            since=call.started_at,
            recording_link=recording_link,
            operations=operations,
        )
        if report is None or not report.finished or has_another_id(report, call.external_id):
            return None
        if call.answered:  # known, so the legs are not needed
            finished = FinishedCall(report, answered=True)
        else:
            [finished] = judge_reports(self._requests, [report], *self._interval(call.started_at))
        final = with_report(call, finished, self._timezone())
        return None if may_follow(finished, final, self._clock(), until) else (final, report)

    def _newest(
        self,
        reports: Iterable[CallReport],
        external_id: str,
        contact: str | None,
        since: float | None,
        others: Collection[int],
    ) -> CallReport | None:
        """Return the report of the newest call that fits, see `of_call`. None: no call fits."""
        timezone = "UTC" if is_used_once(external_id) else self._timezone()  # only a time needs the zone
        unconfirmed = UnconfirmedCall(external_id, contact, since, timezone, others=others)
        found = filter(unconfirmed.matches, reports)
        return max(found, key=lambda report: report.id, default=None)

    def _interval(self, since: float | None) -> tuple[float, float]:
        """Return the interval in which a call may have begun: (``since``, now), epoch seconds.

        If ``since`` is None, the interval begins 30 days ago.
        """
        now = self._clock()
        return (now - 30 * _DAY if since is None else since), now
