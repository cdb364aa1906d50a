"""The lifecycle of a placed call: every step and verdict, without services and without waiting."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import pytest
from known_numbers import VNUMBER
from msgspec.structs import replace

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.errors import AuthenticationFailed, CallNotFound, Unanswered
from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.calls.clears import Clears
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.single_call.call_journal import Journal, Stage
from airflow_provider_callapi.calls.single_call.lifecycle import (
    CallLifecycle,
    Finished,
    LifecycleGateway,
    LifecycleRules,
    LifecycleStep,
    TimeIsUp,
    Verdict,
    WaitForCall,
    WaitForReport,
)
from airflow_provider_callapi.calls.stores import MemoryStore
from airflow_provider_callapi.calls.watching.watch import Phase

NOW, SESSION, COMMUNICATION = 5000.0, 206_597_836, 99
ANSWERED_TAG, NOT_ANSWERED_TAG, ENDED_TAG = 36, 37, 38
TAGS = {"answered": ANSWERED_TAG, "not_answered": NOT_ANSWERED_TAG, "ended": ENDED_TAG}
APPEAR_TIMEOUT, REPORT_TIMEOUT, TIMEOUT = 60.0, 120.0, 3600.0
REQUEST = StartInformerCall(
    virtual_phone_number=VNUMBER,
    contact="79260000001",
    contact_message={"type": "tts", "value": "Hello"},
)


@dataclass
class World:
    """The services and the clock of one task, and a record of every request.

    :ivar reported_at: when the Data API has the report, epoch seconds.
    :ivar is_listed: whether ``list.calls`` shows the call again.
    :ivar answered: what the report shows.
    :ivar tag_error: what a request that sets a tag raises, once.
    :ivar fetch_error: what each request for the report raises.
    """

    now: float = NOW
    has_data_api: bool = True
    reported_at: float = -math.inf
    is_listed: bool = False
    answered: bool | None = True
    tag_error: Exception | None = None
    fetch_error: Exception | None = None
    store: MemoryStore = field(default_factory=MemoryStore)
    active_tags: list[tuple[int, int]] = field(default_factory=list)
    finished_tags: list[tuple[int, int]] = field(default_factory=list)
    fetches: int = 0
    log: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    tag_events: list[Outcome] = field(default_factory=list)
    final_outcomes: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Place the call."""
        journal = Journal(self.store, owner=("dag", "run", "task", "-1"), clears=Clears(0))
        journal.store_intent(REQUEST, self.now)
        self.call = journal.mark_started(SESSION, self.now)

    def journal(self) -> Journal:
        """Return the journal as a new try reads it."""
        return Journal(self.store, owner=("dag", "run", "task", "-1"), clears=Clears(0))

    @property
    def stage(self) -> Stage:
        return self.journal().current.stage

    @property
    def stored(self) -> Outcome:
        return self.journal().current.outcome

    def lifecycle(self, *, wait_until: float | None = None, **rules: Any) -> CallLifecycle:
        """Return the lifecycle of a new try."""
        defaults: dict[str, Any] = {
            "wait_for_completion": True,
            "require_answer": False,
            "stores_answer": False,
            "report_always": False,
            "appear_timeout": APPEAR_TIMEOUT,
            "report_timeout": REPORT_TIMEOUT,
            "timeout": TIMEOUT,
            "last_deadline": None,
            "tags": {},
        }
        gateway = LifecycleGateway(
            tag_active=lambda session, tag: self._tag(self.active_tags, session, tag),
            tag_finished=lambda communication, tag: self._tag(self.finished_tags, communication, tag),
            fetch_final_outcome=self._fetch if self.has_data_api else None,
            is_listed=lambda session: self.is_listed,
            clock=lambda: self.now,
            log=self.log.append,
            warn=self.warnings.append,
            on_tagged=self.tag_events.append,
            on_final_outcome=self.final_outcomes.append,
        )
        return CallLifecycle(
            self.journal(), gateway, LifecycleRules(**{**defaults, **rules}), wait_until=wait_until
        )

    def _tag(self, tags: list[tuple[int, int]], call_id: int, tag_id: int) -> None:
        if self.tag_error:
            error, self.tag_error = self.tag_error, None
            raise error
        tags.append((call_id, tag_id))

    def _fetch(self, call: Outcome, until: float) -> tuple[Outcome, CallReport] | None:
        self.fetches += 1
        if self.fetch_error:
            raise self.fetch_error
        if self.now < self.reported_at:
            return None
        final = replace(
            call,
            status="ended",
            answered=self.answered,
            ended_at=call.ended_at or self.now,
            communication_id=COMMUNICATION,
            source="data_api",
        )
        return final, CallReport(id=SESSION, full_record_file_link="https://records.test/1")

    def seen(self, *, answered: bool | None = None, ended_at: float | None = None, **more: Any) -> Outcome:
        """Return the call as a watch observed it."""
        return replace(
            self.call,
            answered=answered,
            answered_at=self.now if answered else None,
            status="started" if ended_at is None else "ended",
            ended_at=ended_at,
            observed=True,
            source="list.calls",
            **more,
        )

    def ended(self, **changes: Any) -> Outcome:
        return self.seen(**{"ended_at": self.now, **changes})


def finished(step: LifecycleStep) -> Finished:
    assert isinstance(step, Finished), step
    return step


# --- resume: the first step of a try, by the stage in the journal ---


def test_a_placed_call_finishes_at_once_without_wait_for_completion() -> None:
    world = World()
    step = world.lifecycle(wait_for_completion=False).resume(world.call)
    assert step == Finished(world.call, Verdict.ACCEPTED)
    assert (world.stage, world.fetches, world.active_tags) == (Stage.DONE, 0, [])


def test_the_lifecycle_waits_for_the_end_of_a_started_call() -> None:
    world = World()
    world.now += 10
    step = world.lifecycle().resume(world.call)
    assert step == WaitForCall(
        world.call, until="ended", appear_by=NOW + APPEAR_TIMEOUT, deadline=NOW + 10 + TIMEOUT
    )
    assert world.stage is Stage.STARTED


def test_the_appear_timeout_of_a_call_without_a_known_start_counts_from_the_wait() -> None:
    world = World()
    world.now += 10
    step = world.lifecycle().resume(replace(world.call, started_at=None))
    assert isinstance(step, WaitForCall)
    assert step.appear_by == NOW + 10 + APPEAR_TIMEOUT


def test_an_answered_tag_makes_the_wait_end_at_the_answer() -> None:
    world = World()
    step = world.lifecycle(tags={"answered": ANSWERED_TAG}).resume(world.call)
    assert isinstance(step, WaitForCall)
    assert step.until == "answered"


@pytest.mark.parametrize("tags", [{"ended": ENDED_TAG}, {"not_answered": NOT_ANSWERED_TAG}])
def test_a_tag_for_another_outcome_does_not_make_the_wait_end_at_the_answer(tags: dict[str, int]) -> None:
    world = World()
    step = world.lifecycle(tags=tags).resume(world.call)
    assert isinstance(step, WaitForCall)
    assert step.until == "ended"


def test_a_call_that_an_earlier_try_left_answered_and_untagged_is_tagged_before_the_wait() -> None:
    world = World()
    world.journal().mark_active(world.seen(answered=True))
    step = world.lifecycle(tags=TAGS).resume(world.stored)
    assert isinstance(step, WaitForCall)
    assert (step.until, step.call.tags) == ("ended", (ANSWERED_TAG,))
    assert world.active_tags == [(SESSION, ANSWERED_TAG)]


def test_the_lifecycle_does_not_wait_again_for_a_call_in_stage_ended() -> None:
    world = World()
    world.journal().mark_ended(world.ended())
    step = world.lifecycle().resume(world.stored)
    assert finished(step).call.source == "data_api"
    assert (world.stage, world.fetches) == (Stage.DONE, 1)


def test_a_call_in_stage_done_returns_without_a_request() -> None:
    world = World()
    world.journal().mark_done(world.ended(answered=True))
    step = world.lifecycle(require_answer=True, tags=TAGS).resume(world.stored)
    assert step == Finished(world.stored, Verdict.ACCEPTED)
    assert (world.fetches, world.active_tags, world.finished_tags) == (0, [], [])


def test_a_call_in_stage_done_without_a_known_answer_has_the_verdict_unknown_again() -> None:
    world = World()
    world.journal().mark_done(world.ended())
    assert finished(world.lifecycle(require_answer=True).resume(world.stored)).verdict is Verdict.UNKNOWN


# --- the time that a try waits ---


def test_the_second_wait_of_a_try_ends_at_the_deadline_of_the_first() -> None:
    world = World()
    lifecycle = world.lifecycle(tags=TAGS)
    lifecycle.resume(world.call)
    world.now += 100
    step = lifecycle.observed(Phase.ANSWERED, world.seen(answered=True))
    assert isinstance(step, WaitForCall)
    assert step.deadline == NOW + TIMEOUT


def test_a_deferral_keeps_wait_until() -> None:
    world = World()
    before = world.lifecycle(tags=TAGS)
    before.resume(world.call)
    world.now += 100
    after = world.lifecycle(tags=TAGS, wait_until=before.wait_until)
    step = after.observed(Phase.ANSWERED, world.seen(answered=True))
    assert isinstance(step, WaitForCall)
    assert step.deadline == after.wait_until == NOW + TIMEOUT


def test_another_try_waits_for_the_whole_timeout_again() -> None:
    world = World()
    world.lifecycle().resume(world.call)
    world.now += 100
    step = world.lifecycle().resume(world.stored)
    assert isinstance(step, WaitForCall)
    assert step.deadline == NOW + 100 + TIMEOUT


@pytest.mark.parametrize(("last_deadline", "deadline"), [(NOW + 5, NOW + 5), (NOW + 9999, NOW + TIMEOUT)])
def test_the_last_deadline_of_the_task_shortens_a_wait_and_never_lengthens_it(
    last_deadline: float, deadline: float
) -> None:
    world = World()
    step = world.lifecycle(last_deadline=last_deadline).resume(world.call)
    assert isinstance(step, WaitForCall)
    assert step.deadline == deadline


def test_a_timeout_keeps_the_observation_in_the_journal_and_sends_no_request() -> None:
    world = World()
    call = world.seen(answered=True)
    assert world.lifecycle(tags={}).observed(Phase.TIMED_OUT, call) == TimeIsUp(call)
    assert (world.stage, world.stored, world.fetches) == (Stage.STARTED, call, 0)


# --- tags on an active call ---


def test_an_answered_call_is_tagged_while_it_is_active_and_then_waited_for_until_it_ends() -> None:
    world = World()
    step = world.lifecycle(tags=TAGS).observed(Phase.ANSWERED, world.seen(answered=True))
    assert isinstance(step, WaitForCall)
    assert (step.until, step.call.tags) == ("ended", (ANSWERED_TAG,))
    assert world.active_tags == [(SESSION, ANSWERED_TAG)]
    assert world.tag_events == [step.call] == [world.stored]


def test_the_wait_for_an_answered_call_continues_without_a_request_if_no_answered_tag_is_due() -> None:
    world = World()
    step = world.lifecycle(tags={"ended": ENDED_TAG}).observed(Phase.ANSWERED, world.seen(answered=True))
    assert isinstance(step, WaitForCall)
    assert (step.until, world.active_tags) == ("ended", [])


def test_a_tag_that_the_call_already_has_is_not_set_again() -> None:
    world = World()
    call = world.seen(answered=True, tags=(ANSWERED_TAG,))
    world.lifecycle(tags=TAGS).observed(Phase.ANSWERED, call)
    assert (world.active_tags, world.tag_events) == ([], [])


def test_a_call_that_ends_before_its_tag_is_set_is_tagged_through_the_data_api() -> None:
    world = World(tag_error=CallNotFound("no such session"))
    lifecycle = world.lifecycle(tags={"answered": ANSWERED_TAG})
    waiting = lifecycle.observed(Phase.ANSWERED, world.seen(answered=True))
    assert isinstance(waiting, WaitForCall)
    assert (waiting.call.tags, world.tag_events) == ((), [])
    assert world.log == [f"Call session {SESSION} ended before it got tag {ANSWERED_TAG}"]

    step = lifecycle.observed(Phase.ENDED, world.ended(answered=True))

    assert finished(step).call.tags == (ANSWERED_TAG,)
    assert world.finished_tags == [(COMMUNICATION, ANSWERED_TAG)]
    assert world.warnings == []


def test_an_error_of_the_tag_request_is_raised_and_the_next_try_waits_for_the_same_call() -> None:
    world = World(tag_error=Unanswered("no answer"))
    with pytest.raises(Unanswered):
        world.lifecycle(tags=TAGS).observed(Phase.ANSWERED, world.seen(answered=True))
    assert world.stage is Stage.STARTED
    assert isinstance(world.lifecycle(tags=TAGS).resume(world.stored), WaitForCall)


# --- the report ---


@pytest.mark.parametrize("phase", [Phase.ENDED, Phase.NEVER_APPEARED])
def test_the_report_of_an_ended_call_makes_the_outcome_final(phase: Phase) -> None:
    world = World()
    lifecycle = world.lifecycle()
    step = lifecycle.observed(phase, world.ended())
    assert (finished(step).call.answered, finished(step).call.source) == (True, "data_api")
    assert world.final_outcomes == [finished(step).call] == [world.stored]
    assert lifecycle.report is not None
    assert lifecycle.report.full_record_file_link == "https://records.test/1"
    assert world.stage is Stage.DONE


def test_the_wait_for_a_missing_report_counts_from_the_end_of_the_call() -> None:
    world = World(reported_at=math.inf)
    call = world.ended(ended_at=NOW - 20)
    step = world.lifecycle().observed(Phase.ENDED, call)
    assert step == WaitForReport(call, report_by=NOW - 20 + REPORT_TIMEOUT)
    assert (world.stage, world.warnings) == (Stage.ENDED, [])
    (line,) = world.log
    assert line == (
        f"The Data API has no report of call session {SESSION} yet: "
        "waiting for the report, at most 100 s more"
    )


def test_the_wait_for_the_report_of_a_call_without_a_known_end_counts_from_now() -> None:
    world = World(reported_at=math.inf)
    step = world.lifecycle().observed(Phase.NEVER_APPEARED, world.ended(ended_at=None))
    assert isinstance(step, WaitForReport)
    assert step.report_by == NOW + REPORT_TIMEOUT


def test_a_late_report_is_fetched_after_the_wait_even_in_another_process() -> None:
    world = World(reported_at=NOW + 30)
    step: LifecycleStep = world.lifecycle().observed(Phase.ENDED, world.ended())
    waits = 0
    while isinstance(step, WaitForReport):
        assert step.report_by == NOW + REPORT_TIMEOUT, "the time for the report does not start again"
        world.now, waits = world.now + 15, waits + 1
        step = world.lifecycle().report_due(step.call, step.report_by)
    assert (waits, finished(step).call.source) == (2, "data_api")


@pytest.mark.parametrize(("late", "is_waited_for"), [(-0.5, True), (0.0, False), (99.0, False)])
def test_a_report_that_never_comes_leaves_the_outcome_of_list_calls(late: float, is_waited_for: bool) -> None:
    world = World(reported_at=math.inf)
    call = world.ended(answered=True)
    world.now = NOW + REPORT_TIMEOUT + late
    step = world.lifecycle().report_due(call, NOW + REPORT_TIMEOUT)
    if is_waited_for:
        assert isinstance(step, WaitForReport)
        return
    assert step == Finished(call, Verdict.ACCEPTED)
    assert (world.stage, world.final_outcomes) == (Stage.DONE, [])
    (warning,) = world.warnings
    assert "no report" in warning


OUTAGE = Unanswered("HTTP status 502", method="get.calls_report")


def test_a_call_that_list_calls_shows_again_instead_of_a_report_has_not_ended() -> None:
    world = World(reported_at=math.inf, is_listed=True)
    lifecycle = world.lifecycle(require_answer=True)
    lifecycle.resume(world.call)
    ended = replace(world.call, status="ended", ended_at=NOW + 5, observed=True)
    step = lifecycle.observed(Phase.ENDED, ended)
    assert isinstance(step, WaitForReport)
    world.now = step.report_by

    again = lifecycle.report_due(step.call, step.report_by)

    assert isinstance(again, WaitForCall)
    assert (again.call.status, again.call.ended_at, again.call.observed) == ("started", None, True)
    assert world.stage is Stage.STARTED
    world.is_listed, world.reported_at = False, world.now
    final = lifecycle.observed(Phase.ENDED, replace(again.call, status="ended", ended_at=world.now))
    assert isinstance(final, Finished)
    assert final.call.answered is True


def test_a_data_api_that_does_not_answer_for_a_while_is_waited_for() -> None:
    world = World(fetch_error=OUTAGE)
    call = world.ended(answered=True)
    step = world.lifecycle().observed(Phase.ENDED, call)
    assert step == WaitForReport(call, report_by=NOW + REPORT_TIMEOUT)
    assert "does not answer (Unanswered), yet" in world.log[0]

    world.fetch_error = None
    assert finished(world.lifecycle().report_due(call, NOW + REPORT_TIMEOUT)).call.source == "data_api"


@pytest.mark.parametrize(
    ("answered", "tags", "needs_report"),
    [
        (True, {}, False),
        (False, {}, False),
        (None, {}, True),
        (True, {"ended": ENDED_TAG}, True),
    ],
)
def test_a_data_api_that_never_answers_fails_only_a_task_that_needs_the_report(
    answered: bool | None, tags: dict[str, int], needs_report: bool
) -> None:
    world = World(fetch_error=OUTAGE)
    world.now = NOW + REPORT_TIMEOUT
    call = world.ended(answered=answered)
    if needs_report:
        with pytest.raises(Unanswered):
            world.lifecycle(tags=tags).report_due(call, NOW + REPORT_TIMEOUT)
        return
    assert finished(world.lifecycle(tags=tags).report_due(call, NOW + REPORT_TIMEOUT)).call == call
    assert "does not answer" in world.warnings[0]


def test_a_permanent_error_of_the_data_api_is_not_waited_for() -> None:
    world = World(fetch_error=AuthenticationFailed("wrong", method="get.calls_report"))
    with pytest.raises(AuthenticationFailed):
        world.lifecycle().observed(Phase.ENDED, world.ended(answered=True))


def test_a_final_outcome_is_not_fetched_again() -> None:
    world = World()
    world.journal().mark_ended(_final(world))
    lifecycle = world.lifecycle()
    finished(lifecycle.resume(world.stored))
    assert (world.fetches, lifecycle.report) == (0, None)


def test_report_always_fetches_the_report_of_a_final_outcome_and_announces_it_only_once() -> None:
    world = World()
    world.journal().mark_ended(_final(world))
    lifecycle = world.lifecycle(report_always=True)
    finished(lifecycle.resume(world.stored))
    assert world.fetches == 1
    assert lifecycle.report is not None
    assert world.final_outcomes == [], "the try that made the outcome final has announced it"


def _final(world: World, **changes: Any) -> Outcome:
    return replace(world.ended(answered=True), source="data_api", communication_id=COMMUNICATION, **changes)


# --- tags on a finished call ---


@pytest.mark.parametrize(
    ("answered", "tags"),
    [
        (True, (ENDED_TAG, ANSWERED_TAG)),
        (False, (ENDED_TAG, NOT_ANSWERED_TAG)),
        (None, (ENDED_TAG,)),
    ],
)
def test_a_finished_call_gets_the_tags_of_its_outcome_and_no_others(
    answered: bool | None, tags: tuple[int, ...]
) -> None:
    world = World(answered=answered)
    step = world.lifecycle(tags=TAGS).observed(Phase.ENDED, world.ended())
    assert finished(step).call.tags == tags
    assert world.finished_tags == [(COMMUNICATION, tag) for tag in tags]
    assert [call.tags[-1] for call in world.tag_events] == list(tags)
    assert world.stored.tags == tags


def test_a_tag_of_the_active_call_is_not_set_again_after_its_end() -> None:
    world = World()
    call = world.ended(answered=True, tags=(ANSWERED_TAG,))
    world.lifecycle(tags=TAGS).observed(Phase.ENDED, call)
    assert world.finished_tags == [(COMMUNICATION, ENDED_TAG)]


def test_a_try_that_dies_between_two_tags_leaves_only_the_second_to_the_next_try() -> None:
    world = World()
    lifecycle = world.lifecycle(tags=TAGS)
    real_tag = world._tag

    def die_at_second(tags: list[tuple[int, int]], call_id: int, tag_id: int) -> None:
        if tags:
            raise Unanswered("no answer")
        real_tag(tags, call_id, tag_id)

    world._tag = die_at_second  # type: ignore[method-assign]
    with pytest.raises(Unanswered):
        lifecycle.observed(Phase.ENDED, world.ended())
    assert (world.stage, world.stored.tags) == (Stage.ENDED, (ENDED_TAG,))

    world._tag = real_tag  # type: ignore[method-assign]
    step = world.lifecycle(tags=TAGS).resume(world.stored)

    assert finished(step).call.tags == (ENDED_TAG, ANSWERED_TAG)
    assert world.finished_tags == [(COMMUNICATION, ENDED_TAG), (COMMUNICATION, ANSWERED_TAG)]
    assert (world.fetches, len(world.final_outcomes)) == (1, 1)


def test_a_try_that_dies_at_the_first_tag_leaves_the_final_outcome_to_the_next_try() -> None:
    world = World(tag_error=Unanswered("no answer"))
    with pytest.raises(Unanswered):
        world.lifecycle(tags=TAGS).observed(Phase.ENDED, world.ended())
    assert (world.stage, world.stored.source, world.stored.tags) == (Stage.ENDED, "data_api", ())

    step = world.lifecycle(tags=TAGS).resume(world.stored)

    assert finished(step).call.tags == (ENDED_TAG, ANSWERED_TAG)
    assert (world.fetches, len(world.final_outcomes)) == (1, 1)


def test_a_finished_call_without_a_report_cannot_be_tagged_and_the_log_warns_of_each_tag() -> None:
    world = World(reported_at=math.inf)
    world.now = NOW + REPORT_TIMEOUT
    step = world.lifecycle(tags=TAGS).report_due(world.ended(answered=True), NOW + REPORT_TIMEOUT)
    assert (finished(step).call.tags, world.finished_tags) == ((), [])
    assert [line for line in world.warnings if "stays without tag" in line] == [
        f"Call session {SESSION} stays without tag {tag}: the Data API has no report of the call"
        for tag in (ENDED_TAG, ANSWERED_TAG)
    ]


# --- without the Data API ---


def test_an_ended_call_finishes_with_the_outcome_of_list_calls_without_the_data_api() -> None:
    world = World(has_data_api=False)
    call = world.ended(answered=True)
    step = world.lifecycle().observed(Phase.ENDED, call)
    assert step == Finished(call, Verdict.ACCEPTED)
    assert (world.stage, world.warnings, world.finished_tags) == (Stage.DONE, [], [])


def test_the_log_warns_of_an_answered_call_that_ended_untagged_without_the_data_api() -> None:
    world = World(has_data_api=False)
    step = world.lifecycle(tags={"answered": ANSWERED_TAG}).observed(Phase.ENDED, world.ended(answered=True))
    assert finished(step).call.tags == ()
    (warning,) = world.warnings
    assert "needs the Data API" in warning


@pytest.mark.parametrize("call", [{"answered": None}, {"answered": True, "tags": (ANSWERED_TAG,)}])
def test_the_log_does_not_warn_of_a_call_that_lacks_no_tag_without_the_data_api(call: dict[str, Any]) -> None:
    world = World(has_data_api=False)
    world.lifecycle(tags={"answered": ANSWERED_TAG}).observed(Phase.ENDED, world.ended(**call))
    assert world.warnings == []


# --- the verdict ---


@pytest.mark.parametrize(
    ("require_answer", "answered", "verdict", "stage"),
    [
        (False, True, Verdict.ACCEPTED, Stage.DONE),
        (False, False, Verdict.ACCEPTED, Stage.DONE),
        (False, None, Verdict.ACCEPTED, Stage.DONE),
        (True, True, Verdict.ACCEPTED, Stage.DONE),
        (True, False, Verdict.NOT_ANSWERED, Stage.REDIAL),
        (True, None, Verdict.UNKNOWN, Stage.DONE),
    ],
)
def test_only_a_call_that_is_known_to_be_unanswered_is_redialled_by_the_next_try(
    require_answer: bool, answered: bool | None, verdict: Verdict, stage: Stage
) -> None:
    world = World(answered=answered)
    step = world.lifecycle(require_answer=require_answer).observed(Phase.ENDED, world.ended())
    assert (finished(step).verdict, world.stage) == (verdict, stage)


def test_no_call_is_known_to_be_unanswered_without_the_data_api() -> None:
    world = World(has_data_api=False)
    step = world.lifecycle(require_answer=True).observed(Phase.ENDED, world.ended())
    assert (finished(step).verdict, world.stage) == (Verdict.UNKNOWN, Stage.DONE)
