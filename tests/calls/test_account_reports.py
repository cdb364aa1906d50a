"""The reports of single calls: how long a wait asks for one, and what a search for a call finds."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_callapi.api.data_api import CallReport, GetCallLegsReport
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.times import report_time
from airflow_provider_callapi.calls.account_reports import AccountReports
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.reports.report_refusals import Refusals
from airflow_provider_callapi.calls.reports.report_requests import ReportRequests

AT = 1_800_000_000.0


class Desk:
    """A Data API that has a report only after some seconds, and a clock that the sleeps move."""

    def __init__(self, *, appears_after: float, **fields: Any) -> None:
        self.now = AT
        self.asked = 0
        self._appears_at = AT + appears_after
        self._report = CallReport(id=5, call_api_external_id="mine", **fields)
        requests = ReportRequests(self, Refusals(), "Europe/Moscow")
        self.reports = AccountReports(
            requests, lambda: "Europe/Moscow", clock=lambda: self.now, sleep=self._sleep
        )

    def call(self, request: Any) -> list[CallReport]:
        self.asked += 1
        if isinstance(request, GetCallLegsReport):
            return Entries()
        return Entries([self._report] if self.now >= self._appears_at else ())

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(("appears_after", "found"), [(0, True), (25, True), (60, True), (61, False)])
def test_a_wait_asks_until_the_report_appears_or_the_timeout_is_up(appears_after, found):
    desk = Desk(appears_after=appears_after)

    report = desk.reports.wait_for(5, timeout=60)

    assert (report is not None) is found
    assert desk.now <= AT + 60
    assert desk.asked <= 8


def test_a_search_without_a_timeout_asks_once():
    desk = Desk(appears_after=5)

    assert desk.reports.find_call("mine", "79161234567", AT) is None
    assert (desk.asked, desk.now) == (1, AT)


OWN_ID = f"af-{'0' * 32}-1"


@pytest.mark.parametrize(("own", "shown"), [("Order-7", "order-7"), ("007", "7"), (OWN_ID, OWN_ID[:32])])
def test_a_search_finds_a_call_whose_id_the_service_has_changed(own: str, shown: str) -> None:
    desk = Desk(appears_after=0)
    report = CallReport(id=9, call_api_external_id=shown, contact_phone_number="79161234567")
    desk.call = lambda request: Entries([report])

    assert desk.reports.find_call(own, "79161234567", AT) == 9
    assert desk.reports.find_call(own, "79161234567", AT, {9}) is None


def test_a_newer_call_of_somebody_else_with_the_same_id_does_not_hide_the_own_one():
    reports = [
        CallReport(id=number, call_api_external_id="mine", contact_phone_number="79161234567")
        for number in (5, 9)
    ]
    desk = Desk(appears_after=0)
    desk.call = lambda request: Entries(reports)

    assert desk.reports.find_call("mine", "79161234567", AT) == 9
    assert desk.reports.find_call("mine", "79161234567", AT, {9}) == 5
    assert desk.reports.find_call("mine", "79161234567", AT, {5, 9}) is None


def test_a_search_for_a_report_needs_an_id_of_the_call():
    with pytest.raises(ValueError, match="call_session_id or external_id"):
        Desk(appears_after=0).reports.of_call()


def test_an_active_call_has_no_final_outcome():
    assert Desk(appears_after=0).reports.final_outcome(Outcome(5)) is None


def test_a_report_with_another_external_id_is_no_report_of_the_call():
    """The Data API of another account may use the same session ids."""
    desk = Desk(appears_after=0, finish_reason="subscriber_busy", talk_duration=7)
    assert desk.reports.final_outcome(Outcome(5, external_id="other")) is None
    assert desk.reports.final_outcome(Outcome(5, external_id="MINE")) is not None
    assert desk.reports.final_outcome(Outcome(5)) is not None


@pytest.mark.parametrize(
    ("seconds", "patience", "counts"), [(0, 100, False), (29, 100, False), (30, 100, True), (10, 10, True)]
)
def test_a_report_whose_legs_are_missing_counts_half_a_minute_after_the_end_or_when_the_time_is_up(
    seconds, patience, counts
):
    end = report_time(AT, "Europe/Moscow")
    desk = Desk(appears_after=0, finish_time=end, finish_reason="success_finish", talk_duration=0)
    desk.now += seconds

    assert (desk.reports.final_outcome(Outcome(5), AT + patience) is not None) is counts


@pytest.mark.parametrize(
    ("answered", "talk_duration", "requests"), [(True, 0, 1), (True, 7, 1), (None, 7, 1), (None, 0, 2)]
)
def test_a_final_outcome_needs_the_legs_only_if_nothing_else_shows_an_answer(
    answered, talk_duration, requests
):
    desk = Desk(appears_after=0, finish_reason="operator_disconnects", talk_duration=talk_duration)

    outcome, _ = desk.reports.final_outcome(Outcome(5, answered=answered))

    assert outcome.answered is (True if answered or talk_duration else None)
    assert desk.asked == requests
