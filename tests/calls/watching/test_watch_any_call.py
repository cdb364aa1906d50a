"""A watch reports only what the snapshots showed, for any call and any polls."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from watched_call import ANSWERED_STATES, CALL, STARTED, TRANSIENT, fails, lacks, new_watch, session, shows

from airflow_provider_callapi.api.errors import (
    CallApiError,
)
from airflow_provider_callapi.api.models import CallSession, LegState
from airflow_provider_callapi.calls.watching.end_rule import PollTolerance
from airflow_provider_callapi.calls.watching.observation import Observation
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.calls.watching.watch import FINAL_PHASES, Phase, SessionWatch


@dataclass(frozen=True)
class Truth:
    """A call as it really is. Times are seconds after the start."""

    listed_at: float
    employee_at: float
    answered_at: float
    ended_at: float
    contact_state: str
    queued: bool
    dtmf: str

    def session_at(self, at: float) -> CallSession | None:
        """Return the session that a poll at this moment shows, or None."""
        if not self.listed_at <= at < self.ended_at:
            return None
        ringing = LegState.QUEUED if self.queued else LegState.DIALING
        return session(
            self.contact_state if at >= self.answered_at else ringing,
            LegState.TALKING if at >= self.employee_at else LegState.DIALING,
            dtmf=self.dtmf,
            tags=(36,) if at >= self.answered_at else (),
        )

    def answer_is_visible_at(self, at: float) -> bool:
        return (
            max(self.listed_at, self.answered_at) <= at < self.ended_at
            and self.contact_state in ANSWERED_STATES
        )


@dataclass(frozen=True)
class Poll:
    """One poll: its time, and whether it fails or leaves out the call once."""

    at: float
    luck: Literal["good", "drops the call", "fails"]
    kind: type[CallApiError]
    restored: bool

    def of(self, truth: Truth) -> Snapshot:
        if self.luck == "fails":
            return fails(self.at, self.kind)
        call = truth.session_at(self.at)
        return lacks(self.at) if call is None or self.luck == "drops the call" else shows(self.at, call)


@st.composite
def truths(draw: st.DrawFn) -> Truth:
    listed = draw(st.sampled_from([0.0, 0.0, 7.0, 45.0, float("inf")]))
    start = 0.0 if listed == float("inf") else listed
    answered = start + draw(st.sampled_from([0.0, 1.0, 20.0, 100.0, float("inf")]))
    return Truth(
        listed_at=listed,
        employee_at=start + draw(st.sampled_from([0.0, 5.0, float("inf")])),
        answered_at=answered,
        ended_at=start + draw(st.sampled_from([1.0, 6.0, 30.0, 90.0, float("inf")])),
        contact_state=draw(st.sampled_from([*ANSWERED_STATES, "Летит на Луну", "", LegState.DISCONNECTED])),
        queued=draw(st.booleans()),
        dtmf=draw(st.sampled_from(["", "...9.2.3.3", ".1"])),
    )


@st.composite
def polls(draw: st.DrawFn) -> list[Poll]:
    """Polls at growing times. The next successful poll shows again a call that one poll left out."""
    gaps = draw(st.lists(st.sampled_from([0.5, 3.0, 5.0, 5.0, 30.0]), min_size=1, max_size=40))
    result: list[Poll] = []
    at, dropped = 0.0, False
    for gap in gaps:
        at += gap
        luck = draw(st.sampled_from(["good", "good", "good", "drops the call", "fails"]))
        if luck == "drops the call" and dropped:
            luck = "good"
        if luck != "fails":
            dropped = luck == "drops the call"
        result.append(Poll(at, luck, draw(st.sampled_from(TRANSIENT)), draw(st.booleans())))  # type: ignore[arg-type]
    return result


def restored(watch: SessionWatch) -> SessionWatch:
    """Return the watch of another process, which has only the rules and the stored observation."""
    observation = Observation.from_json(json.loads(json.dumps(watch.observation.to_json(), allow_nan=False)))
    return SessionWatch(
        watch.call_session_id,
        appear_by=watch.appear_by,
        deadline=watch.deadline,
        tolerance=watch.tolerance,
        observation=observation,
    )


ORDER = [Phase.EXPECTED, Phase.APPEARED, Phase.ANSWERED]
RULES = st.fixed_dictionaries(
    {
        "appear_by": st.sampled_from([0.0, 20.0, 60.0]),
        "deadline": st.sampled_from([15.0, 100.0, 3600.0]),
        "tolerance": st.builds(PollTolerance, misses=st.integers(1, 3), failures=st.integers(0, 4)),
    }
)


@settings(max_examples=400)
@given(truth=truths(), polled=polls(), rules=RULES)
def test_a_watch_reports_only_what_the_snapshots_showed(
    truth: Truth, polled: list[Poll], rules: dict[str, Any]
) -> None:
    watch = new_watch(**rules)
    snapshots: list[Snapshot] = []
    for poll in polled:
        snapshot, before = poll.of(truth), replace(watch.observation)
        phase_before, snapshots = watch.phase, [*snapshots, poll.of(truth)]
        in_a_row = next((n for n, s in enumerate(reversed(snapshots)) if s.failure is None), len(snapshots))
        if in_a_row > rules["tolerance"].failures:
            assert snapshot.failure is not None
            with pytest.raises(type(snapshot.failure)):
                watch.update(snapshot)
            event("gave up after failures")
            return
        phase = watch.update(snapshot)

        good = [s for s in snapshots if s.failure is None]
        ever_listed = any(CALL in s.sessions for s in good)
        last = good[-rules["tolerance"].misses :]
        missed = len(last) == rules["tolerance"].misses and not any(CALL in s.sessions for s in last)
        first_answer = next(
            (s.at for s in good if CALL in s.sessions and truth.answer_is_visible_at(s.at)), None
        )
        if snapshot.failure is None and ever_listed and missed:
            expected = Phase.ENDED
        elif snapshot.failure is None and missed and poll.at >= rules["appear_by"]:
            expected = Phase.NEVER_APPEARED
        elif poll.at >= rules["deadline"] and not (
            first_answer == poll.at and phase_before is not Phase.ANSWERED
        ):
            expected = Phase.TIMED_OUT
        elif first_answer is not None:
            expected = Phase.ANSWERED
        else:
            expected = Phase.APPEARED if ever_listed else Phase.EXPECTED
        assert phase is expected, snapshots

        if snapshot.failure is not None:
            assert replace(watch.observation, failures=before.failures) == before, (
                "a failed poll proves nothing"
            )
        if phase not in FINAL_PHASES:
            assert ORDER.index(phase) >= ORDER.index(phase_before), "a phase went back"
        outcome = watch.extend_outcome(STARTED)
        assert outcome.answered is (True if first_answer is not None else None), "never False, never invented"
        assert outcome.answered_at == first_answer
        assert outcome.observed is ever_listed
        assert (outcome.status == "ended") is (phase in (Phase.ENDED, Phase.NEVER_APPEARED))
        assert outcome.ended_at is None or outcome.status == "ended"
        if phase in FINAL_PHASES:
            event(phase.name)
            if (
                phase is Phase.ENDED
                and rules["tolerance"].misses > 1
                and all(p.luck != "drops the call" for p in polled)
            ):
                assert outcome.ended_at is not None
                assert truth.ended_at <= outcome.ended_at, "it was still active when it was said to be gone"
            return
    event("still waiting")


@settings(max_examples=400)
@given(truth=truths(), polled=polls(), rules=RULES)
def test_a_watch_that_is_restored_at_any_point_continues_like_one_that_was_not(
    truth: Truth, polled: list[Poll], rules: dict[str, Any]
) -> None:
    steady, moved = new_watch(**rules), new_watch(**rules)
    for poll in polled:
        if poll.restored:
            moved = restored(moved)
            assert moved.phase is steady.phase
        results: list[Any] = []
        for watch in (steady, moved):
            try:
                results.append(watch.update(poll.of(truth)))
            except CallApiError as error:
                results.append(type(error))
        assert results[0] == results[1], poll
        assert moved.observation == steady.observation
        assert moved.extend_outcome(STARTED) == steady.extend_outcome(STARTED)
        if results[0] in FINAL_PHASES:
            return
