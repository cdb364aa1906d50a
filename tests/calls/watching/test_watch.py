"""The watch of one call reports never more than the snapshots have shown."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace
from watched_call import (
    CALL,
    CONTACT,
    EMPLOYEE,
    STARTED,
    TRANSIENT,
    VIRTUAL,
    fails,
    lacks,
    new_watch,
    session,
    shows,
)

from airflow_provider_callapi.api.errors import (
    AccessDenied,
    AuthenticationFailed,
    CallApiError,
    ProtocolMismatch,
    TokenInvalid,
    Unanswered,
)
from airflow_provider_callapi.api.models import LegState
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.watching.end_rule import PollTolerance
from airflow_provider_callapi.calls.watching.observation import Observation
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.calls.watching.watch import FINAL_PHASES, WAIT_ENDS_IN, Phase, SessionWatch

PERMANENT = [AccessDenied, AuthenticationFailed, TokenInvalid, ProtocolMismatch]
RINGING = session(LegState.DIALING)
TALKING = session(LegState.TALKING, LegState.TALKING)


def phases(watch: SessionWatch, *snapshots: Snapshot) -> list[Phase]:
    return [watch.update(snapshot) for snapshot in snapshots]


# --- stories ---


def test_a_call_that_is_listed_answered_and_gone_goes_through_all_phases() -> None:
    watch = new_watch()
    results = phases(watch, lacks(5), shows(10, RINGING), shows(15, TALKING), lacks(20), lacks(25))
    assert results == [Phase.EXPECTED, Phase.APPEARED, Phase.ANSWERED, Phase.ANSWERED, Phase.ENDED]
    assert watch.extend_outcome(STARTED) == replace(
        STARTED,
        status="ended",
        answered=True,
        answered_at=15,
        ended_at=20,
        observed=True,
        source="list.calls",
    )


def test_one_miss_is_not_the_end() -> None:
    watch = new_watch()
    results = phases(watch, shows(5, RINGING), lacks(10), shows(15, RINGING), lacks(20), shows(25, RINGING))
    assert set(results) == {Phase.APPEARED}


def test_a_call_ended_at_its_first_miss_and_not_when_the_misses_proved_it() -> None:
    watch = new_watch(tolerance=PollTolerance(misses=3))
    phases(watch, shows(5, RINGING), lacks(10), shows(15, RINGING), lacks(20), lacks(25))
    assert watch.extend_outcome(STARTED).ended_at is None
    assert watch.update(lacks(30)) is Phase.ENDED
    assert watch.extend_outcome(STARTED).ended_at == 20


def test_a_failed_poll_between_two_misses_neither_counts_nor_resets() -> None:
    watch = new_watch()
    results = phases(watch, shows(5, RINGING), lacks(10), fails(15), fails(20), lacks(25))
    assert results == [Phase.APPEARED] * 4 + [Phase.ENDED]
    assert watch.extend_outcome(STARTED).ended_at == 10


def test_a_call_that_ended_without_an_observed_answer_may_have_been_answered() -> None:
    watch = new_watch()
    assert phases(watch, shows(5, RINGING), lacks(10), lacks(15))[-1] is Phase.ENDED
    assert watch.extend_outcome(STARTED).answered is None
    assert watch.extend_outcome(STARTED).answered_at is None


def test_an_employee_who_picked_up_first_does_not_count_as_an_answer() -> None:
    watch = new_watch()
    first = session(LegState.DIALING, LegState.TALKING), session(None, LegState.TALKING)
    assert phases(watch, shows(5, first[0]), shows(10, first[1])) == [Phase.APPEARED] * 2
    assert watch.extend_outcome(STARTED).answered is None


def test_another_call_to_the_same_contact_is_not_this_call() -> None:
    watch = new_watch(appear_by=5)
    assert phases(watch, lacks(3), lacks(6)) == [Phase.EXPECTED, Phase.NEVER_APPEARED]
    assert watch.extend_outcome(STARTED).answered is None


def test_a_contact_that_hangs_up_keeps_the_time_of_the_first_observed_answer() -> None:
    watch = new_watch()
    gone = session(LegState.DISCONNECTED, LegState.TALKING)
    assert phases(watch, shows(5, TALKING), shows(10, TALKING), shows(15, gone)) == [Phase.ANSWERED] * 3
    assert watch.extend_outcome(STARTED).answered_at == 5


def test_every_leg_disconnected_is_not_yet_the_end_of_the_session() -> None:
    over = session(LegState.DISCONNECTED, LegState.DISCONNECTED)
    assert set(phases(new_watch(), *(shows(at, over) for at in range(5, 100, 5)))) == {Phase.APPEARED}


def test_a_call_that_was_never_listed_is_given_up_at_the_end_of_the_appear_timeout() -> None:
    watch = new_watch(appear_by=20)
    results = phases(watch, lacks(5), lacks(10), lacks(15), lacks(20))
    assert results == [Phase.EXPECTED] * 3 + [Phase.NEVER_APPEARED]
    outcome = watch.extend_outcome(STARTED)
    assert (outcome.status, outcome.observed, outcome.answered) == ("ended", False, None)


def test_a_call_that_is_listed_late_is_waited_for() -> None:
    watch = new_watch(appear_by=20)
    assert phases(watch, lacks(5), lacks(19), shows(21, RINGING))[-1] is Phase.APPEARED
    assert phases(watch, lacks(30), shows(35, RINGING), lacks(40)) == [Phase.APPEARED] * 3


def test_one_miss_after_the_appear_timeout_is_not_enough_to_give_a_call_up() -> None:
    watch = new_watch(appear_by=20)
    assert phases(watch, lacks(100), shows(105, RINGING)) == [Phase.EXPECTED, Phase.APPEARED]
    watch = new_watch(appear_by=20)
    assert phases(watch, lacks(100), lacks(105)) == [Phase.EXPECTED, Phase.NEVER_APPEARED]


def test_failed_polls_alone_never_give_a_call_up() -> None:
    watch = new_watch(appear_by=20, tolerance=PollTolerance(failures=99))
    results = phases(watch, *(fails(at) for at in range(5, 200, 5)))
    assert set(results) == {Phase.EXPECTED}


def test_a_never_listed_call_has_no_end_before_the_last_snapshot_of_its_wait() -> None:
    # A miss before the appear timeout does not prove the end: this call may have begun and ended between
    # the polls at 10 and 15.
    watch = new_watch(appear_by=20)
    assert phases(watch, lacks(5), lacks(10), lacks(15), lacks(20))[-1] is Phase.NEVER_APPEARED
    ended_at = watch.extend_outcome(STARTED).ended_at
    assert ended_at is None or ended_at >= 20, "claims that the call ended 'then or before'"


def test_a_final_phase_never_changes() -> None:
    for last in (
        [shows(5, TALKING), lacks(10), lacks(15)],
        [lacks(60), lacks(65)],
        [shows(3600, RINGING)],
    ):
        watch = new_watch()
        over = phases(watch, *last)[-1]
        assert over in FINAL_PHASES
        outcome = watch.extend_outcome(STARTED)
        after = phases(watch, shows(4000, TALKING), fails(4005, AccessDenied), lacks(4010), lacks(4015))
        assert set(after) == {over}
        assert watch.extend_outcome(STARTED) == outcome


# --- deadline ---


@pytest.mark.parametrize(
    "before",
    [[], [lacks(5)], [shows(5, RINGING)], [shows(5, TALKING)], [shows(5, RINGING), fails(10)]],
)
@pytest.mark.parametrize("last", [shows(3600, RINGING), fails(3600), lacks(3601)])
def test_a_call_that_has_not_ended_at_the_deadline_has_timed_out(
    before: list[Snapshot], last: Snapshot
) -> None:
    watch = new_watch(appear_by=10_000)
    assert not FINAL_PHASES & set(phases(watch, *before))
    assert watch.update(last) is Phase.TIMED_OUT
    outcome = watch.extend_outcome(STARTED)
    assert (outcome.status, outcome.ended_at) == ("started", None), "no snapshot showed its end"


def test_a_call_whose_end_is_observed_at_the_deadline_has_ended() -> None:
    assert phases(new_watch(), shows(3590, RINGING), lacks(3595), lacks(3600))[-1] is Phase.ENDED
    assert phases(new_watch(), lacks(3595), lacks(3600))[-1] is Phase.NEVER_APPEARED


@pytest.mark.parametrize("before", [[], [lacks(5)], [shows(5, RINGING)], [shows(5, RINGING), fails(10)]])
@pytest.mark.parametrize("after", [shows(3605, TALKING), shows(3605, RINGING), lacks(3605), fails(3605)])
def test_an_answer_first_observed_at_the_deadline_is_reported_and_the_next_snapshot_times_out(
    before: list[Snapshot], after: Snapshot
) -> None:
    watch = new_watch(appear_by=10_000)
    assert phases(watch, *before, shows(3601, TALKING))[-1] is Phase.ANSWERED
    assert watch.update(after) is Phase.TIMED_OUT
    outcome = watch.extend_outcome(STARTED)
    assert (outcome.status, outcome.answered, outcome.answered_at) == ("started", True, 3601)


def test_an_answer_observed_before_does_not_delay_the_timeout_at_the_deadline() -> None:
    assert phases(new_watch(), shows(5, TALKING), shows(3600, TALKING)) == [Phase.ANSWERED, Phase.TIMED_OUT]


# --- what ends a wait ---


def test_a_wait_for_an_answer_ends_at_the_answer_or_in_a_final_phase() -> None:
    assert WAIT_ENDS_IN["ended"] == {Phase.ENDED, Phase.NEVER_APPEARED, Phase.TIMED_OUT}
    assert WAIT_ENDS_IN["answered"] == WAIT_ENDS_IN["ended"] | {Phase.ANSWERED}


# --- failures ---


@pytest.mark.parametrize("kind", PERMANENT)
def test_a_permanent_failure_is_raised_at_once(kind: type[CallApiError]) -> None:
    failed = fails(10, kind)
    watch = new_watch()
    watch.update(shows(5, RINGING))
    with pytest.raises(kind) as raised:
        watch.update(failed)
    assert raised.value is failed.failure


@pytest.mark.parametrize("kind", TRANSIENT)
@pytest.mark.parametrize("tolerated", [0, 1, 3])
def test_a_transient_failure_is_raised_only_after_too_many_in_a_row(
    kind: type[CallApiError], tolerated: int
) -> None:
    watch = new_watch(tolerance=PollTolerance(failures=tolerated))
    for at in range(tolerated):
        assert watch.update(fails(at, kind)) is Phase.EXPECTED
    with pytest.raises(kind):
        watch.update(fails(50, kind))


@pytest.mark.parametrize("good", [shows(30, RINGING), lacks(30)], ids=["listed", "absent"])
def test_one_successful_poll_resets_the_count_of_failures(good: Snapshot) -> None:
    watch = new_watch(tolerance=PollTolerance(failures=2))
    phases(watch, fails(10), fails(20), good, fails(40), fails(50))
    with pytest.raises(Unanswered):
        watch.update(fails(60))


def test_a_raised_failure_leaves_the_observation_unchanged() -> None:
    watch = new_watch(tolerance=PollTolerance(failures=0))
    watch.update(shows(5, TALKING))
    before = watch.extend_outcome(STARTED)
    with pytest.raises(Unanswered):
        watch.update(fails(10))
    assert watch.phase is Phase.ANSWERED
    assert watch.extend_outcome(STARTED) == before


# --- what the outcome adds to what was known ---


def test_the_facts_known_before_the_watch_are_kept() -> None:
    known = replace(STARTED, attempt=3, tags=(36,), talk_seconds=7, finish_reason="x")
    watch = new_watch()
    phases(watch, shows(5, session(LegState.DIALING, external_id="theirs")), lacks(10), lacks(15))
    outcome = watch.extend_outcome(known)
    assert (outcome.external_id, outcome.attempt, outcome.tags) == ("af-1", 3, (36,))
    assert (outcome.talk_seconds, outcome.finish_reason, outcome.started_at) == (7, "x", 0.0)


def test_a_watch_keeps_the_external_id_and_the_tags_that_it_observed_of_a_foreign_call() -> None:
    watch = new_watch()
    phases(
        watch,
        shows(5, session(LegState.DIALING, external_id="theirs", tags=(36,))),
        shows(10, session(LegState.TALKING, tags=(36, 38))),
        lacks(15),
        lacks(20),
    )
    outcome = watch.extend_outcome(Outcome(CALL))
    assert (outcome.external_id, outcome.tags) == ("theirs", (36, 38))


@pytest.mark.parametrize("phase", ["expected", "appeared", "ended", "never appeared"])
def test_only_the_data_api_reports_not_answered_and_a_watch_does_not_change_that(phase: str) -> None:
    seen = {
        "expected": [],
        "appeared": [shows(5, RINGING)],
        "ended": [shows(5, RINGING), lacks(10), lacks(15)],
        "never appeared": [lacks(60), lacks(65)],
    }[phase]
    watch = new_watch()
    phases(watch, *seen)
    assert watch.extend_outcome(Outcome(CALL)).answered is None
    assert watch.extend_outcome(Outcome(CALL, answered=False, source="data_api")).answered is False


def test_a_watch_without_a_successful_poll_does_not_name_list_calls_as_its_source() -> None:
    watch = new_watch()
    watch.update(fails(3600))
    assert watch.extend_outcome(STARTED) == STARTED, "no poll succeeded: nothing is known but the start"


def test_a_wait_continues_from_what_an_earlier_wait_observed() -> None:
    first = new_watch()
    phases(first, shows(5, session(LegState.TALKING, tags=(36,), external_id="theirs")))
    handed_on = Outcome.from_xcom(json.loads(json.dumps(first.extend_outcome(STARTED).to_xcom())))
    second = new_watch(observation=Observation.from_outcome(handed_on))
    assert second.phase is Phase.ANSWERED
    assert phases(second, lacks(10), lacks(15)) == [Phase.ANSWERED, Phase.ENDED]
    outcome = second.extend_outcome(handed_on)
    assert (outcome.answered_at, outcome.ended_at, outcome.tags) == (5, 10, (36,))


def test_a_call_without_an_observation_is_expected() -> None:
    assert new_watch(observation=Observation.from_outcome(STARTED)).phase is Phase.EXPECTED


def test_an_outcome_and_an_observation_hold_no_phone_number() -> None:
    watch = new_watch()
    phases(watch, shows(5, session(LegState.TALKING, LegState.TALKING, dtmf="...1.2")), lacks(10), lacks(15))
    text = json.dumps([watch.extend_outcome(STARTED).to_xcom(), watch.observation.to_json()])
    for number in (CONTACT, EMPLOYEE, VIRTUAL):
        assert number not in text
