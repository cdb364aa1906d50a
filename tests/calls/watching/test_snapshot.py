"""One poll of the active calls: an answer or a failure, and the pause after it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import (
    AccessDenied,
    CallApiError,
    LimitExceeded,
    NotSent,
    ServiceFailed,
    Unanswered,
)
from airflow_provider_callapi.api.methods import ListCalls
from airflow_provider_callapi.api.models import CallSession, Limits
from airflow_provider_callapi.calls.watching.snapshot import Snapshot, take_snapshot

EXAMPLE = Path(__file__).parents[2] / "data" / "call-api" / "list.calls.response.json"


class FakeClient:
    """Answers every request with the same thing, one second after it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.requests: list[Any] = []
        self.now = 1000.0

    def call(self, request: Any, *, time_limit: float) -> Any:
        self.time_limit = time_limit
        self.requests.append(request)
        self.now += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return Entries(self.answer)

    def poll(self) -> Snapshot:
        return take_snapshot(cast(Client, self), lambda: self.now)


def limit(**limits: int) -> LimitExceeded:
    return LimitExceeded("limit", limits=Limits(**limits))


# --- looking ---


def test_a_poll_is_one_list_calls_without_a_filter() -> None:
    client = FakeClient([])
    client.poll()
    assert client.requests == [ListCalls()]
    assert client.requests[0].params == {}


def test_a_snapshot_holds_the_active_calls_by_session_id() -> None:
    calls = ListCalls.read_answer(json.loads(EXAMPLE.read_text())["result"]["data"])
    assert FakeClient(calls).poll().sessions == {206597836: calls[0]}


def test_a_poll_without_active_calls_has_succeeded() -> None:
    assert FakeClient([]).poll() == Snapshot(1001, {}, None)


def test_the_time_of_a_snapshot_is_when_the_answer_arrived() -> None:
    assert FakeClient([CallSession(call_session_id=5)]).poll().at == 1001
    assert FakeClient(NotSent("refused")).poll().at == 1001


@pytest.mark.parametrize("kind", [NotSent, Unanswered, ServiceFailed, AccessDenied, LimitExceeded])
def test_a_failed_poll_is_a_snapshot_with_its_error_and_is_not_repeated(kind: type[CallApiError]) -> None:
    error = kind("it failed")
    client = FakeClient(error)
    snapshot = client.poll()
    assert snapshot.failure is error
    assert snapshot.sessions == {}
    assert len(client.requests) == 1


def test_a_bug_is_not_a_failed_poll() -> None:
    with pytest.raises(ZeroDivisionError):
        FakeClient(ZeroDivisionError()).poll()


# --- the pause after it ---


@pytest.mark.parametrize(
    "failure",
    [None, NotSent("x"), Unanswered("x"), ServiceFailed("x"), AccessDenied("x")],
    ids=lambda failure: type(failure).__name__,
)
def test_the_pause_is_the_interval_unless_the_points_are_used_up(failure: CallApiError | None) -> None:
    assert Snapshot(0, failure=failure).pause(5) == 5


def test_the_pause_lasts_until_the_limit_is_reset() -> None:
    assert Snapshot(0, failure=limit(minute_remaining=0, day_remaining=9, minute_reset=17)).pause(5) == 17


@pytest.mark.parametrize(
    "failure",
    [limit(day_remaining=0, day_reset=40_000), LimitExceeded("x", params={"limit_type": "day"}), limit()],
    ids=["day", "day without a reset", "no limits"],
)
def test_a_limit_lengthens_the_pause_to_a_minute_at_most(failure: LimitExceeded) -> None:
    assert Snapshot(0, failure=failure).pause(5) == 60


@pytest.mark.parametrize("reset", [-3, 0, 4, 5])
def test_a_limit_never_shortens_the_pause(reset: int) -> None:
    failure = limit(minute_remaining=0, day_remaining=9, minute_reset=reset)
    assert Snapshot(0, failure=failure).pause(5) == 5


def test_a_pause_that_is_longer_than_a_minute_stays_so_after_a_limit() -> None:
    assert Snapshot(0, failure=limit(day_remaining=0, day_reset=40_000)).pause(300) == 300


def test_a_list_that_states_more_calls_than_it_sends_proves_no_absence() -> None:
    class Truncated(FakeClient):
        def call(self, request: Any, *, time_limit: float) -> Any:
            entries = super().call(request, time_limit=time_limit)
            entries.total = 1
            return entries

    assert not Truncated([]).poll().proves_absence(7)
    assert FakeClient([]).poll().proves_absence(7)
