"""Fetch finished calls from the Data API, and judge for each call whether the contact picked up.

One request covers up to 10 000 calls of the interval, or up to 1000 calls whose session ids are known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from airflow_provider_callapi.api.data_api import REPORT_FIELDS, CallReport, LegReport
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.calls.outcomes.answers import FinishedCall, judge_finished_call
from airflow_provider_callapi.calls.reports.report_refusals import Refusals
from airflow_provider_callapi.calls.reports.report_requests import DataApiClient, ReportRequests, Selection


def fetch_finished_calls(
    data_api: DataApiClient,
    *,
    since: float,
    until: float,
    timezone: str,
    refusals: Refusals | None = None,
    fields: Sequence[str] = REPORT_FIELDS,
    sessions: Collection[int] | None = None,
) -> Entries[FinishedCall]:
    """Return the finished calls of an interval from the Data API, and whether each contact picked up.

    The result can also contain calls that began up to 7 days before or 1 day after the interval. If a report
    cannot be read, the result counts as incomplete: a call that is missing in the result may have a report.

    :param data_api: sends the requests.
    :param since: the beginning of the interval in which the calls began, epoch seconds.
    :param until: the end of the interval, epoch seconds.
    :param timezone: IANA name of the account's time zone.
    :param refusals: what this Data API has refused before. New refusals are added. None: nothing is known.
    :param fields: the fields of a call's report that the caller needs.
    :param sessions: the call session ids of the wanted calls. None: all calls of the interval.
    :raises CallApiError: the Data API did not answer, or refuses the whole request.
    """
    requests = ReportRequests(data_api, refusals, timezone)
    selection = None if sessions is None else Selection("id", sessions)
    reports = requests.calls(since, until, fields=fields, selection=selection)
    # The legs of all calls need fewer requests than filters with the ids of most calls.
    calls = judge_reports(requests, reports, since, until, selects_legs=selection is not None)
    return Entries(calls, left_out=reports.left_out, left_out_ids=reports.left_out_ids)


def judge_reports(
    requests: ReportRequests,
    reports: Iterable[CallReport],
    since: float,
    until: float,
    *,
    selects_legs: bool = True,
) -> list[FinishedCall]:
    """Return the finished calls among reported calls, and for each whether the contact picked up.

    A talk proves that the contact picked up. If all finished calls had a talk, the function sends no request.
    Otherwise, it asks for the legs of the calls without a talk.

    :param requests: sends the requests for the legs (participants).
    :param reports: the reports of the calls. A report of an active call is left out of the result.
    :param since: the beginning of the interval in which the calls began, epoch seconds.
    :param until: the end of the interval, epoch seconds.
    :param selects_legs: False: the requests ask for the legs of all calls of the interval. Choose False if
        ``reports`` contains all calls of the interval, so that a filter would not save a request.
    :raises CallApiError: the Data API did not answer, or refuses the whole request.
    """
    finished = [report for report in reports if report.finished]
    without_talk = {report.id for report in finished if not report.talk_duration}
    all_legs: Entries[LegReport] | None = Entries()
    if without_talk:
        selection = Selection("call_session_id", without_talk) if selects_legs else None
        all_legs = requests.legs(since, until, selection=selection)
    if all_legs is None:
        return [judge_finished_call(report, None) for report in finished]
    legs: defaultdict[int | None, list[LegReport]] = defaultdict(list)
    for leg in all_legs:
        legs[leg.call_session_id].append(leg)
    return [
        judge_finished_call(report, legs[report.id], complete=not all_legs.may_hide(report.id))
        for report in finished
    ]
