"""The second witness for answers: what it asks the Data API, how often, and what it makes of the answers."""

from __future__ import annotations

from typing import Any

import pytest
from data_api import DataApi
from known_numbers import ANNA, BORIS

from airflow_provider_callapi.api.data_api import GetCallLegsReport, GetCallsReport
from airflow_provider_callapi.api.errors import LimitExceeded, Unanswered
from airflow_provider_callapi.api.models import CallSession, Leg, LegState, Limits
from airflow_provider_callapi.calls.watching.answer_witness import AnswerWitness
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.calls.watching.witness_source import WitnessSource

AT = 1_800_000_000.0


def ringing(number: int, contact: str = ANNA, **fields: Any) -> CallSession:
    leg = Leg(leg_id=number, called_phone_number=contact, state=LegState.DIALING)
    return CallSession(call_session_id=number, contact_phone_number=contact, legs=(leg,), **fields)


def snapshot(*sessions: CallSession, at: float = AT) -> Snapshot:
    return Snapshot(at, {session.call_session_id: session for session in sessions})


class Desk:
    """A witness, and the warnings it has written."""

    def __init__(self, data_api: DataApi) -> None:
        self.data_api = data_api
        self.warnings: list[str] = []
        source = WitnessSource(data_api, "Europe/Moscow", lambda: "Europe/Moscow", self.warnings.append)
        self.witness = AnswerWitness(source)

    def poll(self, taken: Snapshot, awaited: Any) -> set[int]:
        if calls := self.witness.due(taken, awaited):
            self.witness.ask(calls, taken.at)
        return set(self.witness.answered_in(taken))

    def polls(self, *sessions: CallSession, seconds: float, interval: float = 5.0) -> set[int]:
        found: set[int] = set()
        for number in range(int(seconds / interval)):
            taken = snapshot(*sessions, at=AT + number * interval)
            found = self.poll(taken, [session.call_session_id for session in sessions])
        return found


def test_a_talk_in_the_report_of_the_calls_is_an_answer() -> None:
    desk = Desk(DataApi([{"id": 1, "talk_duration": 3}, {"id": 2, "talk_duration": 0}]))
    assert desk.polls(ringing(1), ringing(2), seconds=5) == {1}


def test_a_talk_of_a_call_with_another_external_id_is_no_answer() -> None:
    reports = [{"id": number, "talk_duration": 3, "call_api_external_id": "mine"} for number in (1, 2, 3)]
    calls = [ringing(1, external_id="mine"), ringing(2, external_id="other"), ringing(3)]
    assert Desk(DataApi(reports)).polls(*calls, seconds=5) == {1, 3}


def test_the_contacts_connected_leg_is_an_answer() -> None:
    legs = [
        {
            "id": 1,
            "call_session_id": 1,
            "is_operator": False,
            "connect_time": "then",
            "called_phone_number": ANNA,
        },
        {"id": 2, "call_session_id": 2, "is_operator": True, "connect_time": "then"},
        {"id": 3, "call_session_id": 2, "is_operator": False, "connect_time": None},
    ]
    assert Desk(DataApi(legs=legs)).polls(ringing(1), ringing(2, BORIS), seconds=20) == {1}


def test_the_leg_of_a_contact_who_calls_in_does_not_count_as_an_answer() -> None:
    legs = [{"id": 1, "call_session_id": 1, "is_operator": False, "connect_time": "then"}]
    desk = Desk(DataApi(legs=legs))
    assert desk.polls(ringing(1, direction="in"), seconds=40) == set()
    assert [type(request) for request in desk.data_api.asked] == [GetCallsReport] * 4


def test_one_request_covers_all_calls_and_is_sent_at_most_every_ten_seconds() -> None:
    desk = Desk(DataApi())
    desk.polls(*(ringing(number) for number in range(1, 201)), seconds=60, interval=2)

    assert len(desk.data_api.asked) == 6
    kinds = [type(request) for request in desk.data_api.asked]
    assert kinds == [GetCallsReport, GetCallLegsReport] * 3
    assert all(request.filter["value"] == list(range(1, 201)) for request in desk.data_api.asked)


def test_the_data_api_is_asked_only_about_awaited_listed_calls_without_an_answer() -> None:
    desk = Desk(DataApi([{"id": 1, "talk_duration": 3}]))
    talking = ringing(3).model_copy(
        update={"legs": (Leg(leg_id=1, called_phone_number=ANNA, state=LegState.TALKING),)}
    )
    assert desk.poll(snapshot(ringing(1), ringing(2), talking), awaited=[1, 3, 4]) == {1}
    assert [request.filter["value"] for request in desk.data_api.asked] == [1]
    assert desk.poll(snapshot(ringing(1), talking, at=AT + 60), awaited=[1, 3, 4]) == {1}
    assert len(desk.data_api.asked) == 1, "the answer is known"


def test_a_call_that_was_not_asked_about_is_never_answered() -> None:
    """A Data API that ignores the filter reports other calls."""
    desk = Desk(DataApi([{"id": 2, "talk_duration": 3}], ignores=["filter"]))
    assert desk.polls(ringing(1), ringing(2), seconds=5) == {2}
    assert Desk(desk.data_api).poll(snapshot(ringing(1), ringing(2)), awaited=[1]) == set()


def test_an_answer_is_forgotten_with_its_call() -> None:
    desk = Desk(DataApi([{"id": 1, "talk_duration": 3}]))
    assert desk.poll(snapshot(ringing(1)), awaited=[1]) == {1}
    assert desk.poll(snapshot(at=AT + 1), awaited=[]) == set()
    assert desk.poll(snapshot(ringing(1), at=AT + 2), awaited=[]) == set()


@pytest.mark.parametrize(
    ("failure", "pause"),
    [
        (Unanswered("no answer", method="get.calls_report"), 60),
        (
            LimitExceeded(
                "no points",
                method="get.calls_report",
                limits=Limits(minute_remaining=0, minute_reset=300, day_remaining=9),
            ),
            300,
        ),
    ],
)
def test_a_failed_request_proves_nothing_and_is_followed_by_a_pause(failure: Any, pause: int) -> None:
    desk = Desk(DataApi(refuse=lambda request: failure))
    assert desk.polls(ringing(1), seconds=pause) == set()
    assert len(desk.data_api.asked) == 1
    assert len(desk.warnings) == 1
    desk.polls(ringing(1), seconds=pause + 5)
    assert len(desk.data_api.asked) == 2


def test_a_fifth_of_the_days_points_is_left_for_the_reports_of_finished_calls() -> None:
    desk = Desk(DataApi())
    desk.data_api.limits = Limits(day_limit=750, day_remaining=149, day_reset=5000)
    desk.polls(ringing(1), seconds=600)

    assert len(desk.data_api.asked) == 1
    assert "149 of 750 points" in desk.warnings[0]


def test_a_later_answer_does_not_change_what_an_earlier_snapshot_contains() -> None:
    desk = Desk(DataApi([{"id": 1, "talk_duration": 3}]))
    before = desk.witness.answered_in(snapshot(ringing(1)))
    assert desk.poll(snapshot(ringing(1)), awaited=[1]) == {1}
    assert before == set()
