"""The dates of a request for reports: moved as the service demands, and refused dates remembered."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from data_api import DataApi, Refuse
from hypothesis import given
from hypothesis import strategies as st
from report_asker import AT, CALLS, DAY, LEGS, UNNAMED, ZONE, data_api_with, in_fields, refusal

from airflow_provider_callapi.api.times import report_time
from airflow_provider_callapi.calls.reports.report_refusals import Refusals
from airflow_provider_callapi.calls.reports.report_requests import ReportRequests

pytest_plugins = ["report_asker"]


def refuses_younger_than(seconds: float, error: dict[str, Any]) -> Refuse:
    return lambda request: error if request.date_from > report_time(AT - seconds, ZONE) else None


YOUNG = refusal("invalid_parameter_value", "date_from", "2027-01-15 11:00:00")


def test_a_period_begins_a_day_earlier_so_that_no_young_date_is_sent(asker: Any) -> None:
    desk = asker(refuses_younger_than(6 * 3600, YOUNG))
    assert desk.ids() == [1, 2, 3]
    assert desk.logged == []
    [request] = desk.data_api.asked
    assert request.date_from == report_time(AT - DAY, ZONE)
    assert request.date_till == report_time(AT + DAY, ZONE)


@given(days=st.integers(0, 700), called=st.data(), youngest=st.sampled_from([0.0, 20 * 3600.0, 1.5 * DAY]))
def test_an_interval_longer_than_three_months_is_asked_in_parts(
    days: int, called: st.DataObject, youngest: float
) -> None:
    """A task or a campaign may continue after months."""
    began = called.draw(st.lists(st.integers(int(AT - days * DAY), int(AT)), max_size=5, unique=True))
    calls = [
        {**CALLS[0], "id": number, "start_time": report_time(at, ZONE)} for number, at in enumerate(began, 1)
    ]
    legs = [{**LEGS[0], "call_session_id": row["id"], "start_time": row["start_time"]} for row in calls]

    def refuse(request: Any) -> dict[str, Any] | None:
        since, until = map(datetime.fromisoformat, (request.date_from, request.date_till))
        if until - since > timedelta(days=89):
            return refusal("date_interval_limit_reached", "date_till", request.date_till)
        return refuses_younger_than(youngest, YOUNG)(request)

    data_api = DataApi(calls, legs, refuse=refuse)
    requests = ReportRequests(data_api, Refusals(), ZONE)
    reports, found = requests.calls(AT - days * DAY, AT), requests.legs(AT - days * DAY, AT)
    assert [report.id for report in sorted(reports, key=lambda report: report.id)] == [
        row["id"] for row in calls
    ]
    assert {leg.call_session_id for leg in found} == {row["id"] for row in calls}
    assert (len(found), reports.complete, found.complete) == (len(calls), True, True)
    if days < 70:
        assert len(data_api.asked) <= 3


def test_a_refused_beginning_is_moved_back_and_remembered(asker: Any) -> None:
    desk = asker(refuses_younger_than(1.5 * DAY, YOUNG))
    assert desk.ids() == desk.ids() == [1, 2, 3]
    assert len(desk.data_api.asked) == 3
    assert len(desk.logged) == 1


def test_a_refused_end_is_moved_to_now(asker: Any) -> None:
    future = refusal("invalid_parameter_value", "date_till")
    desk = asker(lambda request: future if request.date_till > report_time(AT, ZONE) else None)
    assert desk.ids() == desk.ids() == [1, 2, 3]
    assert len(desk.data_api.asked) == 3


@pytest.mark.parametrize("account_zone", ["Asia/Kamchatka", "Europe/Kaliningrad", ZONE])
def test_only_a_period_that_must_end_now_needs_the_accounts_zone(account_zone: str) -> None:
    def refuse(request: Any) -> dict[str, Any] | None:
        is_future = request.date_till > report_time(AT, account_zone)
        return refusal("invalid_parameter_value", "date_till") if must_end_now and is_future else None

    asked_for_zone: list[str] = []

    def account_timezone() -> str:
        asked_for_zone.append(account_zone)
        return account_zone

    data_api = data_api_with(refuse)
    requests = ReportRequests(data_api, Refusals(), ZONE, account_timezone)
    must_end_now = False
    requests.calls(AT, AT)
    assert asked_for_zone == []
    must_end_now = True
    assert [report.id for report in requests.calls(AT, AT)] == [1, 2, 3]
    assert data_api.asked[-1].date_till == report_time(AT, account_zone)


@pytest.mark.parametrize("field", ["params.date_from", "Date_From", ["date_from"], "date_from, date_till"])
def test_a_refused_date_is_recognised_with_every_name_of_its_field(asker: Any, field: Any) -> None:
    desk = asker(refuses_younger_than(1.5 * DAY, refusal("invalid_parameter_value", field, "2027-01-15")))
    assert desk.ids(1, ongoing=True) == desk.ids(1, ongoing=True) == [1]
    assert len(desk.data_api.asked) == 3


@pytest.mark.parametrize("field", ["date_from", "date_till"])
def test_a_date_that_is_always_refused_gives_no_report_and_is_sent_again(asker: Any, field: str) -> None:
    desk = asker(lambda request: refusal("invalid_parameter_value", field))
    for _ in range(5):
        reports = desk.requests.calls(AT, AT)
        assert (list(reports), reports.complete) == ([], False)
    count = len(desk.data_api.asked)
    desk.data_api.refuse = lambda request: None
    assert desk.ids() == [1, 2, 3]
    assert len(desk.data_api.asked) == count + 1
    assert len(desk.logged) == len(set(desk.logged)) <= 3


def test_a_guessed_refusal_is_tested_again_after_some_requests(asker: Any) -> None:
    """One reply without a name comes and goes; afterwards, the account refuses the tags without a name."""
    unnamed = UNNAMED[-1]
    desk = asker(lambda request: unnamed)
    assert desk.ids() == []
    desk.data_api.refuse = in_fields("tags", unnamed)
    tries = [bool(desk.ids()) for _ in range(40)]
    assert tries[-1]
    assert tries.index(True) <= 30
    assert len(desk.data_api.asked) < 60
