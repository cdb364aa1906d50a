"""The reports of a campaign's own calls are asked for by their session ids, and only these are returned."""

from __future__ import annotations

from typing import Any

import pytest
from data_api import DataApi

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.credentials import AccessKey
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc
from airflow_provider_callapi.calls.reports import report_requests
from airflow_provider_callapi.calls.reports.finished_calls import fetch_finished_calls
from airflow_provider_callapi.emulator import Exchange, ManualClock, Profile, Script

FINISHED = 8


class Account:
    """An account with finished calls, and a Data API that remembers its requests."""

    def __init__(self, profile: Profile | None = None) -> None:
        self.clock = ManualClock(1_760_000_000.0)
        self.exchange = Exchange(self.clock, profile=profile or Profile())
        self.exchange.default_script = Script(employee_answer="no_answer")
        self.ids = [self.exchange.inbound(f"7926000001{number}") for number in range(FINISHED)]
        self.clock.advance(600)
        rpc = JsonRpc("https://service.test/v2.0", new_session=self.exchange.session)
        self._client = Client(rpc, AccessKey(self.exchange.account.key), clock=self.clock)
        self.filters: list[Any] = []

    def call(self, request: Any) -> Any:
        self.filters.append(request.filter)
        return self._client.call(request)

    def fetch(self, sessions: set[int] | None) -> list[int]:
        now = self.clock()
        calls = fetch_finished_calls(
            self, since=now - 600, until=now, timezone="Europe/Moscow", sessions=sessions
        )
        return [call.report.id for call in calls]


def test_each_request_with_session_ids_has_a_filter_and_returns_only_these_calls() -> None:
    account = Account()
    wanted = set(account.ids[2:5])
    assert account.fetch(wanted) == account.ids[2:5]
    assert [(each["field"], set(each["value"])) for each in account.filters] == [
        ("id", wanted),
        ("call_session_id", wanted),
    ]


def test_only_the_legs_of_calls_without_a_talk_are_asked_for() -> None:
    talks = {1: 7, 2: 0, 3: 40, 4: None}
    data_api = DataApi(
        [
            {"id": number, "finish_time": "2036-01-01 10:00:00", "talk_duration": talk}
            for number, talk in talks.items()
        ],
        [
            {"id": number, "call_session_id": number, "connect_time": "then", "is_operator": False}
            for number in (2, 4)
        ],
    )
    calls = fetch_finished_calls(data_api, since=0.0, until=0.0, timezone="UTC", sessions=talks)
    assert [(call.report.id, call.answered) for call in calls] == [(1, True), (2, True), (3, True), (4, True)]
    assert [set(request.filter["value"]) for request in data_api.asked] == [{1, 2, 3, 4}, {2, 4}]


def test_a_request_without_session_ids_returns_all_calls() -> None:
    account = Account()
    assert account.fetch(None) == account.ids
    assert set(account.filters) == {None}


def test_many_session_ids_are_divided_among_several_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_requests, "_MOST_VALUES", 3)
    account = Account()
    assert account.fetch(set(account.ids)) == account.ids
    sizes = [len(each["value"]) for each in account.filters]
    assert sizes == [3, 3, 2] * 2, "the reports of the calls, and those of their legs"


def test_a_refused_filter_of_many_session_ids_causes_one_request_for_all_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(report_requests, "_MOST_VALUES", 3)
    account = Account(Profile(refused_filters=("id", "call_session_id")))
    assert account.fetch(set(account.ids)) == account.ids
    assert [each and len(each["value"]) for each in account.filters] == [3, None, 3, None]


def test_an_empty_set_of_session_ids_causes_no_request() -> None:
    account = Account()
    assert account.fetch(set()) == []
    assert account.filters == []


def test_the_wanted_calls_are_selected_locally_if_the_service_refuses_the_filter() -> None:
    account = Account(Profile(refused_filters=("id", "call_session_id")))
    assert account.fetch(set(account.ids[2:5])) == account.ids[2:5]
    assert account.filters[-1] is None
