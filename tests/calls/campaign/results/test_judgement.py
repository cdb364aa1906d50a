"""Whether a finished campaign fails, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from campaign_endings import BEGAN, called, person, summary_of
from memory_ledger import MemoryLedger

from airflow_provider_callapi.calls.campaign.contact_list.people import Plan
from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.results.judgement import (
    Problem,
    ProblemKind,
    collect_endings,
    final_results,
    find_problem,
)
from airflow_provider_callapi.calls.campaign.results.summary import Ending
from airflow_provider_callapi.calls.campaign.rules import FailureLimits

ANSWERED = called(person(1), (0, Result.ANSWERED))
BUSY = called(person(2), (0, Result.BUSY))
UNKNOWN = called(person(3), (0, Result.UNKNOWN))
NOT_CALLED = called(person(4))
CALLED_RECENTLY = Ending(person(5), Result.CALLED_RECENTLY)
ON_THE_LIST = Ending(person(6), Result.DO_NOT_CALL)
INVALID = Ending(person(7), Result.INVALID)
REFUSED = Ending(
    person(9),
    Result.REFUSED,
    [Attempt("key-9", 1, Status.FINISHED, "id-9-1", intended_at=BEGAN, result=Result.REFUSED)],
)


def problem(*endings: Any, limits: FailureLimits | None = None, **facts: Any) -> Problem | None:
    known = {"stopped": None, "began_too_late": False, "last_minute": "noon", "run_after": None, **facts}
    return find_problem(summary_of(list(endings), []), endings, limits or FailureLimits(), **known)


def test_a_campaign_without_limits_succeeds_with_any_results() -> None:
    assert problem(ANSWERED, BUSY, UNKNOWN) is None


def test_a_campaign_that_was_stopped_fails_with_the_reason_and_the_counts() -> None:
    found = problem(ANSWERED, NOT_CALLED, stopped="the key is blocked")
    assert found is not None
    assert found.kind is ProblemKind.STOPPED
    assert "stopped: the key is blocked" in found.text
    assert "2 people, 1 call: answered 1, not_called 1" in found.text


def test_a_try_that_began_after_max_lateness_fails_only_if_people_are_left() -> None:
    assert problem(ANSWERED, began_too_late=True) is None
    found = problem(ANSWERED, NOT_CALLED, began_too_late=True)
    assert found is not None
    assert found.kind is ProblemKind.TOO_LATE
    assert "max_lateness ended at noon: 1 person was not called" in found.text


@pytest.mark.parametrize("spared", [[], [CALLED_RECENTLY], [ON_THE_LIST], [CALLED_RECENTLY, ON_THE_LIST]])
def test_a_campaign_without_a_call_fails_if_a_person_was_not_called_for_lack_of_time(
    spared: list[Any],
) -> None:
    found = problem(NOT_CALLED, *spared)
    assert found is not None
    assert found.kind is ProblemKind.TOO_LATE
    assert problem(ANSWERED, NOT_CALLED, *spared) is None


def test_a_campaign_without_a_call_succeeds_only_if_no_one_could_be_called() -> None:
    assert problem(CALLED_RECENTLY, ON_THE_LIST) is None
    found = problem(CALLED_RECENTLY, INVALID)
    assert found is not None
    assert found.kind is ProblemKind.NO_CALL


@pytest.mark.parametrize("left", [NOT_CALLED, REFUSED])
def test_a_call_of_an_earlier_run_with_the_same_name_hides_no_run_without_a_call(left: Ending) -> None:
    earlier = called(person(8), (-3600, Result.ANSWERED))
    assert problem(ANSWERED, left, run_after=BEGAN - 60) is None
    assert problem(earlier, INVALID, CALLED_RECENTLY, run_after=BEGAN - 60) is None
    found = problem(earlier, left, run_after=BEGAN - 60)
    assert found is not None
    assert found.kind is (ProblemKind.TOO_LATE if left is NOT_CALLED else ProblemKind.NO_CALL)


def test_people_whom_the_campaign_must_not_call_count_in_no_share() -> None:
    limits = FailureLimits(unreached=0.0, unknown=0.0)
    assert problem(ANSWERED, CALLED_RECENTLY, ON_THE_LIST, limits=limits) is None


@pytest.mark.parametrize(
    ("name", "share"), [("unreached", 2 / 3), ("unknown", 1 / 3)], ids=["unreached", "unknown"]
)
def test_a_share_fails_the_campaign_only_above_its_limit(name: str, share: float) -> None:
    endings = (ANSWERED, BUSY, UNKNOWN)
    assert problem(*endings, limits=replace(FailureLimits(), **{name: share})) is None
    found = problem(*endings, limits=replace(FailureLimits(), **{name: share - 0.01}))
    assert found is not None
    assert found.kind is ProblemKind.OVER_LIMIT
    assert found.text.startswith(f"fail_if_{name}_over: ")
    assert f" for {share:.1%} of 3 people, more than the limit " in found.text


def test_a_person_who_was_not_called_and_is_excluded_gets_the_result_do_not_call() -> None:
    excluded, waiting, reached = (person(number) for number in (1, 2, 3))
    plan = Plan(people=[excluded, waiting, reached])
    results = {
        excluded.key: Result.NOT_CALLED,
        waiting.key: Result.NOT_CALLED,
        reached.key: Result.ANSWERED,
    }

    final = final_results(results, plan, {excluded.contact, reached.contact})

    assert final == {**results, excluded.key: Result.DO_NOT_CALL}
    assert results[excluded.key] is Result.NOT_CALLED, "the campaign's own results stay as they are"


def test_an_excluded_sip_number_in_another_case_gets_the_result_do_not_call() -> None:
    caller = replace(person(1), contact="Sip25@X.ru")
    plan = Plan(people=[caller])
    assert final_results({caller.key: Result.NOT_CALLED}, plan, {"sip25@x.ru"}) == {
        caller.key: Result.DO_NOT_CALL
    }


def test_an_ending_has_all_attempts_of_the_person_oldest_first() -> None:
    who, other = person(1), person(2)
    ledger = MemoryLedger()
    for number in (1, 2):
        intent = Attempt(who.key, number, Status.DIALLING, f"id-{number}", intended_at=float(number))
        ledger.claim([intent])
        ledger.record([intent.with_status(Status.FINISHED, result=Result.BUSY)])

    first, second = collect_endings(
        Plan(people=[who, other]), {who.key: Result.BUSY, other.key: Result.NOT_CALLED}, ledger
    )

    assert [attempt.attempt for attempt in first.attempts] == [1, 2]
    assert (second.person, second.result, tuple(second.attempts)) == (other, Result.NOT_CALLED, ())
