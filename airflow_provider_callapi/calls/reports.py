"""Fetch the finished calls of an interval from the Data API, with the answer of each contact.

One request covers up to 10,000 calls.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from airflow_provider_callapi.api.data_api import REPORT_FIELDS, LegReport
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.calls.answers import FinishedCall, judge_finished_call
from airflow_provider_callapi.calls.report_refusals import Refusals
from airflow_provider_callapi.calls.report_requests import DataApiClient, ReportRequests


def fetch_finished_calls(
    data_api: DataApiClient,
    *,
    since: float,
    until: float,
    timezone: str,
    refusals: Refusals | None = None,
    fields: Sequence[str] = REPORT_FIELDS,
) -> Entries[FinishedCall]:
    """Return what the Data API reports about each finished call that began in an interval.

    First, the function fetches the reports of the calls. Then the function fetches the reports of the legs
    (participants), to find out which contacts picked up. If every finished call contains a talk (a
    conversation), the legs are not fetched, because a talk proves that the contact picked up.

    A call whose report cannot be read is left out, and the list counts as incomplete. An incomplete list does
    not prove that a call has no report.

    :param since: the beginning of the interval, epoch seconds. The calls of at least one day before the
        interval are fetched too. See `ReportRequests` for the reason.
    :param until: the end of the interval, epoch seconds. The calls of one day after the interval are fetched
        too, in case the account's clock or time zone is ahead.
    :param timezone: IANA name of the account's time zone.
    :param refusals: what this Data API has refused before. None: nothing is known.
    :param fields: the fields of a call's report that the calling code uses.
    :raises CallApiError: the Data API did not reply.
    """
    requests = ReportRequests(data_api, Refusals() if refusals is None else refusals, timezone)
    all_reports = requests.calls(since, until, fields=fields)
    reports = [report for report in all_reports if report.finished]
    all_legs: Entries[LegReport] = Entries()
    if not all(report.talk_duration for report in reports):
        all_legs = requests.legs(since, until)
    legs: defaultdict[int | None, list[LegReport]] = defaultdict(list)
    for leg in all_legs:
        legs[leg.call_session_id].append(leg)
    return Entries(
        [
            judge_finished_call(report, legs[report.id], complete=not all_legs.may_hide(report.id))
            for report in reports
        ],
        left_out=all_reports.left_out,
        left_out_ids=all_reports.left_out_ids,
    )
