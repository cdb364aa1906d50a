"""Unconfirmed calls of a campaign whose absence is proven: dialled once, and never if they were placed."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy
from campaign_world import RULES, World
from known_numbers import ANNA

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import AccessDenied, CallApiError, Unanswered
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.watching.snapshot import Snapshot, take_snapshot
from airflow_provider_callapi.emulator import Fault, Profile, Script
from airflow_provider_callapi.ledgers.sql import SqlLedger

START = "start.informer_call"
PROVING = replace(RULES, absence_proven_after=600.0)


def lose(world: World, fault: Fault) -> None:
    world.exchange.fault(fault, method=START)


def test_an_unconfirmed_call_that_was_never_placed_is_dialled_as_the_same_attempt() -> None:
    world = World(rules=PROVING)
    lose(world, Fault.DROP_BEFORE)
    assert world.run().over
    assert world.results() == {ANNA: Result.ANSWERED}
    assert world.exchange.rings(ANNA) == 1
    [attempt] = world.new_ledger().load([ANNA])
    assert attempt.attempt == 1


@pytest.mark.parametrize("talks", [0.0, 20.0, 1200.0])
def test_an_unconfirmed_call_that_was_placed_is_never_dialled_again(talks: float) -> None:
    world = World(rules=PROVING)
    world.exchange.script(ANNA, Script(rings=1, talks=talks))
    lose(world, Fault.DROP_AFTER)
    assert world.run().over
    assert world.results() == {ANNA: Result.ANSWERED}
    assert world.exchange.rings(ANNA) == 1


class Dead(BaseException):
    """The end of the campaign's process."""


@pytest.mark.parametrize("retry_after", [60.0, 3600.0, 4300.0, 7200.0, 3 * 86_400.0])
@pytest.mark.parametrize("was_placed", [True, False])
def test_a_late_try_proves_as_much_as_an_early_one(retry_after: float, was_placed: bool) -> None:
    world = World(rules=PROVING)

    def die(requests: Any) -> Any:
        if was_placed:
            World.start(world, requests)
        raise Dead

    world.overrides["start"] = die
    world.process()
    with pytest.raises(Dead):
        world.run()
    del world.overrides["start"]
    world.clock.advance(retry_after)
    world.process()
    assert world.run().over
    assert world.results() == {ANNA: Result.ANSWERED}
    assert world.exchange.rings(ANNA) == 1


@pytest.mark.parametrize("spelling", ["order-7", " order-7", "order-7\t", "ORDER-7", "007"])
def test_an_unconfirmed_call_is_found_in_each_spelling_of_the_authors_id(spelling: str) -> None:
    world = World()
    world.new_external_id = lambda person, attempt: spelling
    world.process()
    lose(world, Fault.DROP_AFTER)
    assert world.run().over
    assert world.results() == {ANNA: Result.ANSWERED}


@pytest.mark.parametrize(
    "answer",
    [Unanswered("down"), AccessDenied("component"), Entries(left_out=1)],
    ids=["down", "forbidden", "unreadable"],
)
def test_a_report_that_fails_or_hides_a_call_proves_no_absence(answer: Any) -> None:
    world = World(rules=PROVING)

    def reported(since: float) -> Any:
        if isinstance(answer, CallApiError):
            raise answer
        return answer

    world.overrides["reported_calls"] = reported
    world.process()
    lose(world, Fault.DROP_BEFORE)
    assert world.run().over
    assert world.results() == {ANNA: Result.UNRESOLVED}
    assert world.exchange.rings(ANNA) == 0


@pytest.mark.parametrize("readable_at_first", [True, False])
def test_an_unconfirmed_call_that_may_be_an_unreadable_active_call_is_not_dialled_again(
    readable_at_first: bool,
) -> None:
    """The Data API shows active calls late. The first snapshots may be older than the listed call."""
    world = World(rules=PROVING)
    world.exchange.script(ANNA, Script(rings=1, talks=None))
    lose(world, Fault.DROP_AFTER)
    began = world.clock()

    def take() -> Snapshot:
        is_readable = readable_at_first and world.clock() < began + 60
        return Snapshot(world.clock(), left_out=0 if is_readable else 1)

    world.overrides |= {"take_snapshot": take, "reported_calls": lambda since: Entries()}
    world.process()
    assert world.run().over
    assert world.exchange.rings(ANNA) == 1
    assert world.results() == {ANNA: Result.UNRESOLVED}


def test_an_unconfirmed_call_that_only_the_report_of_calls_shows_is_adopted_with_one_request() -> None:
    """The account's list.calls shows no ``external_id``."""
    world = World(rules=PROVING, profile=Profile(external_id_is_listed=False))
    world.exchange.script(ANNA, Script(rings=1, talks=3000.0))
    lose(world, Fault.DROP_AFTER)
    asked = []
    world.overrides["reported_calls"] = lambda since: asked.append(since) or world.reported_calls(since)
    world.process()
    assert world.run().over
    assert world.results() == {ANNA: Result.ANSWERED}
    assert world.exchange.rings(ANNA) == 1
    assert len(asked) == 1


def test_an_active_call_to_the_contact_without_an_id_delays_the_proof_until_the_call_has_ended() -> None:
    """Neither list.calls nor the reports of active calls show the call's id."""
    world = World(rules=PROVING, profile=Profile(external_id_is_listed=False))
    world.exchange.script(ANNA, Script(rings=1, talks=2000.0))
    lose(world, Fault.DROP_AFTER)
    asked: list[float] = []

    def finished_only(since: float) -> Any:
        asked.append(world.clock())
        reports = world.reported_calls(since)
        return Entries(report for report in reports if report.finished)

    world.overrides["reported_calls"] = finished_only
    world.process()
    assert world.run().over
    assert world.results() == {ANNA: Result.ANSWERED}
    assert world.exchange.rings(ANNA) == 1
    assert len(asked) <= 2000 / 600 + 2


@pytest.mark.parametrize("external_id", [None, "", " "])
def test_a_reported_call_to_the_contact_without_an_id_leaves_the_person_unresolved(
    external_id: str | None,
) -> None:
    world = World(rules=PROVING)
    lose(world, Fault.DROP_BEFORE)
    report = CallReport(id=5, contact_phone_number=ANNA, call_api_external_id=external_id)
    world.overrides["reported_calls"] = lambda since: Entries([report])
    world.process()
    assert world.run().over
    assert world.results() == {ANNA: Result.UNRESOLVED}
    assert world.exchange.rings(ANNA) == 0


def test_calls_of_other_people_without_an_id_do_not_delay_the_proof() -> None:
    world = World(rules=PROVING)
    lose(world, Fault.DROP_BEFORE)
    reports = [
        CallReport(id=5, contact_phone_number="79260000099", call_api_external_id=None),
        CallReport(id=6, direction="in", contact_phone_number=None, call_api_external_id=None),
    ]
    active = CallSession(call_session_id=5, contact_phone_number="79260000099", external_id=None)
    world.overrides |= {
        "reported_calls": lambda since: Entries([*world.reported_calls(since), *reports]),
        "take_snapshot": lambda: replace(
            shown := take_snapshot(world.call_api, world.clock), sessions={**shown.sessions, 5: active}
        ),
    }
    world.process()
    assert world.run().over
    assert world.results() == {ANNA: Result.ANSWERED}
    assert world.exchange.rings(ANNA) == 1


def test_an_unconfirmed_call_that_no_service_shows_stays_unresolved_without_absence_proven_after() -> None:
    world = World()
    lose(world, Fault.DROP_BEFORE)
    assert world.run().over
    assert world.results() == {ANNA: Result.UNRESOLVED}


@pytest.mark.parametrize("proving", [True, False])
def test_five_hundred_people_with_lost_answers_are_called_exactly_once(proving: bool) -> None:
    """Every twentieth answer is lost. Every second of these calls was placed all the same."""
    people = [f"7926{number:07d}" for number in range(500)]
    dice = random.Random(14)
    never_placed: set[str] = set()
    world = World(people, replace(PROVING if proving else RULES, max_active=50, max_attempts=1))
    send = world.started

    def start(requests: Any) -> list[Any]:
        answers = []
        for request in requests:
            lost = dice.random() < 0.05
            if lost and dice.random() < 0.5:
                never_placed.add(request.contact)
                answers.append(Unanswered("the request was lost", method=request.method))
                continue
            never_placed.discard(request.contact)
            answer = send(request)
            answers.append(Unanswered("the answer was lost", method=request.method) if lost else answer)
        return answers

    world.overrides["start"] = start
    world.process()
    assert world.run().over

    rings = Counter(world.exchange.rings(person) for person in people)
    results = Counter(world.results().values())
    if proving:
        assert rings == {1: 500}
        assert results == {Result.ANSWERED: 500}
    else:
        assert 5 <= len(never_placed) <= 25
        assert rings == {1: 500 - len(never_placed), 0: len(never_placed)}
        assert results == {
            Result.ANSWERED: 500 - len(never_placed),
            Result.UNRESOLVED: len(never_placed),
        }


@pytest.mark.parametrize("suspended", [0.0, 599.0, 600.0, 86_400.0])
def test_a_worker_that_was_suspended_sends_no_request_after_another_worker_has_dialled(
    tmp_path: Any, suspended: float
) -> None:
    """The first worker is suspended behind its claim, for example with its virtual machine."""
    world = World(rules=PROVING)
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/ledger.sqlite")

    class SuspendedAfterAClaim(SqlLedger):
        def claim(self, *args: Any) -> Any:
            claims = super().claim(*args)
            world.process()
            world.run(suspended)
            return claims

    world.new_ledger = lambda: SqlLedger(engine, "spring")
    first = world.process()
    first = world.new_runner(first.campaign, SuspendedAfterAClaim(engine, "spring"))
    first.step()
    world.run()

    assert world.exchange.rings(ANNA) == 1
    assert world.results() == {ANNA: Result.ANSWERED}
