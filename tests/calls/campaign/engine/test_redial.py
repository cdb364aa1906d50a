"""When a campaign calls a person again: by a mark of the call, or by its result."""

from __future__ import annotations

from typing import Any

import pytest
from campaign_world import RULES, World
from hypothesis import given, settings
from hypothesis import strategies as st
from known_numbers import ANNA, VNUMBER

from airflow_provider_callapi.calls.campaign.engine.redial import REDIAL_DELAYS, redial_table, redial_time
from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
from airflow_provider_callapi.calls.campaign.outcomes import RANG_NO_PHONE, Result
from airflow_provider_callapi.calls.campaign.rules import Rules
from airflow_provider_callapi.calls.outcomes.marks import Mark, read_marks
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.emulator import Profile, Script

LATER, NEVER, TAG = "operation:Перезвонить", "operation:Отказ", "tag:36"
NOW = 1_800_000_000.0


def due(
    result: Result, redial: dict[str, Any], attempt: int = 1, *, block_on: str | None = None, **known: Any
) -> float | None:
    """Return the seconds from the end of the call to the redial."""
    by_result, by_mark = redial_table(redial)
    block_marks = tuple(read_marks({block_on: None})) if block_on else ()
    rules = Rules(redial=by_result, redial_marks=by_mark, block_marks=block_marks, max_attempts=3)
    call = Outcome(1, status="ended", ended_at=NOW, **known)
    over = Attempt(
        "key", attempt, Status.FINISHED, "x", NOW - 60, result=result, result_known_at=NOW, call=call
    )
    at = redial_time(over, rules, NOW)
    return None if at is None else at - NOW


def test_a_person_with_an_unknown_result_is_not_redialled_by_default() -> None:
    assert not {Result.UNKNOWN, Result.UNRESOLVED} & set(REDIAL_DELAYS)
    assert {result for result, delay in REDIAL_DELAYS.items() if delay is not None} >= RANG_NO_PHONE


def test_an_answered_person_is_called_again_only_by_a_mark() -> None:
    answered = {"answered": True, "operations": ("Меню", "Перезвонить")}
    assert due(Result.ANSWERED, {LATER: 3600}, **answered) == 3600
    assert due(Result.ANSWERED, {"busy": 1, NEVER: 1, TAG: 1}, **answered) is None
    assert due(Result.ANSWERED, {}, **answered) is None


def test_unknown_operations_cause_no_redial_of_a_person_who_may_have_answered() -> None:
    assert due(Result.ANSWERED, {LATER: 3600}, answered=True, operations=None) is None
    assert due(Result.UNKNOWN, {LATER: 3600}, answered=None, operations=None) is None
    assert due(Result.BUSY, {LATER: 3600}, answered=False, operations=None) == REDIAL_DELAYS[Result.BUSY]


def test_a_mark_without_a_delay_prevents_the_redial_of_the_result() -> None:
    assert due(Result.BUSY, {TAG: None, "busy": 60}, answered=False, tags=(36,)) is None
    assert due(Result.BUSY, {TAG: None, "busy": 60}, answered=False, tags=(37,)) == 60


@pytest.mark.parametrize("marks", [{NEVER: 60}, {LATER: 60}, {"busy": 60, TAG: 60}])
def test_a_person_who_objected_is_not_called_again(marks: dict[str, Any]) -> None:
    known = {"answered": False, "operations": ("Перезвонить", "Отказ"), "tags": (36,)}
    assert due(Result.BUSY, marks, **known) == 60
    assert due(Result.BUSY, marks, block_on=NEVER, **known) is None
    assert due(Result.BUSY, marks, block_on="tag:37", **known) == 60


def test_a_call_without_a_line_counts_if_the_contact_may_have_answered() -> None:
    marks, last = {TAG: 60}, 3
    assert due(Result.CAPACITY, marks, last, answered=False, tags=(36,)) == 60
    assert due(Result.CAPACITY, marks, last, answered=None, tags=(36,)) is None


@given(st.integers(1, 6))
def test_a_mark_redials_no_more_often_than_max_attempts(attempt: int) -> None:
    known = {"answered": True, "operations": ("Перезвонить",)}
    assert due(Result.ANSWERED, {LATER: 60}, attempt, **known) == (60 if attempt < 3 else None)


MENU = {
    "method": "start.scenario_call",
    "virtual_phone_number": VNUMBER,
    "scenario_id": 23457,
    "first_call": "contact",
}


@pytest.mark.parametrize("killed_after", [1.0, 8.0, 20.0, 120.0, 3500.0])
def test_a_process_that_takes_over_redials_according_to_the_redial_table(killed_after: float) -> None:
    by_result, by_mark = redial_table({LATER: 3600})
    rules = Rules(**{**vars(RULES), "redial": by_result, "redial_marks": by_mark, "max_attempts": 2})
    world = World([ANNA], rules, call=MENU, asks_operations=True)
    world.exchange.script(ANNA, Script.presses("2"))
    world.run(killed_after)
    world.process()

    world.run()

    first, second = world.ring_times(ANNA)
    assert 3600 <= second - first < 3700
    assert world.results() == {ANNA: Result.ANSWERED}


REACTIONS = {
    "yes": Script.presses("1"),
    "later": Script.presses("2"),
    "no": Script.presses("3"),
    "silent": Script.presses(""),
    "busy": Script.busy(),
}
MARKS_OF = {
    "yes": {"operation:Меню", "operation:Подтверждено", "tag:254"},
    "later": {"operation:Меню", "operation:Перезвонить"},
    "no": {"operation:Меню", "operation:Отказ"},
    "silent": {"operation:Меню"},
    "busy": set[str](),
}
TABLES = st.dictionaries(
    st.sampled_from(sorted(set().union(*MARKS_OF.values()))),
    st.sampled_from([None, 60.0, 3600.0]),
    max_size=4,
)


@given(
    reactions=st.lists(st.sampled_from(sorted(REACTIONS)), min_size=1, max_size=4),
    table=TABLES,
    max_attempts=st.integers(1, 3),
    kills=st.lists(st.floats(0.5, 5_000), max_size=3),
    profile=st.sampled_from(["document", "seen"]),
)
@settings(max_examples=40)
def test_each_person_is_rung_as_often_as_the_redial_table_requires(
    reactions: list[str], table: dict[str, float | None], max_attempts: int, kills: list[float], profile: str
) -> None:
    by_result, by_mark = redial_table(table)
    changes = {"redial": by_result, "redial_marks": by_mark, "max_attempts": max_attempts}
    people = [f"7926000001{number}" for number in range(len(reactions))]
    service = Profile.named(profile)
    rules = Rules(**{**vars(RULES), **changes, "timezone": service.timezone})
    world = World(people, rules, call=MENU, asks_operations=True, profile=service)
    for phone, reaction in zip(people, reactions, strict=True):
        world.exchange.script(phone, REACTIONS[reaction])
    for seconds in kills:
        world.run(seconds)
        world.process()

    world.run()

    for phone, reaction in zip(people, reactions, strict=True):
        first = next((mark for mark in table if mark in MARKS_OF[reaction]), None)
        is_redialled = reaction == "busy" if first is None else table[first] is not None
        assert world.exchange.rings(phone) == (max_attempts if is_redialled else 1), (reaction, first)


TIMES = st.floats(NOW - 2 * 86_400, NOW + 2 * 86_400)


@given(intended_at=TIMES, known_at=TIMES, ended_at=st.none() | TIMES)
def test_a_redial_is_never_later_than_its_delay_from_now(
    intended_at: float, known_at: float, ended_at: float | None
) -> None:
    """The clock of the earlier process was ahead, or behind."""
    call = Outcome(1, status="ended", ended_at=ended_at, answered=False)
    over = Attempt(
        "key", 1, Status.FINISHED, "x", intended_at, result=Result.BUSY, result_known_at=known_at, call=call
    )
    at = redial_time(over, Rules(redial=REDIAL_DELAYS), NOW)
    assert at is not None
    assert at <= NOW + 600


def test_the_authors_redial_delays_replace_the_defaults_and_are_checked() -> None:
    delays = {"busy": 60, "tag:36": None, "operation: Later ": 0, "not_reached": None}
    by_result, by_mark = redial_table(delays)
    assert (by_result[Result.BUSY], by_result[Result.NOT_REACHED]) == (60, None)
    assert by_result[Result.CAPACITY] == REDIAL_DELAYS[Result.CAPACITY]
    assert list(by_mark.items()) == [(Mark("tag", "36"), None), (Mark("operation", "Later"), 0)]
    for wrong in (
        {"operation:": 60},
        {"tag:x": 60},
        {"key:1": 60},
        {"tag:36": -1},
        {"tag:36": 60, "tag: 036": 60},
        {"unknown": 60},
        {"busy": -1},
        {"busy": True},
        {"busy": "10"},
    ):
        with pytest.raises(ValueError, match="redial"):
            redial_table(wrong)  # type: ignore[arg-type]
