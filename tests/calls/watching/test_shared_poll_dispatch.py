"""A subscriber that waits for one call gets only the snapshots that may change what is known of the call."""

from __future__ import annotations

import asyncio
import gc
import math
import weakref
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from steady_account import steady_history

from airflow_provider_callapi.api.errors import AccessDenied, CallApiError, Unanswered
from airflow_provider_callapi.api.models import CallSession, Leg, LegState, Tag
from airflow_provider_callapi.calls.watching.absence_history import SECOND_LOOK_AFTER, AbsenceHistory
from airflow_provider_callapi.calls.watching.observation import Observation
from airflow_provider_callapi.calls.watching.shared_poll import SharedPoll
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.calls.watching.watch import FINAL_PHASES, SessionWatch

CALL, OTHER = 7, 8
CONTACT = "79160000001"
OTHER_CALL = CallSession(call_session_id=OTHER)


class EndOfStory(Exception):
    """No snapshot is left."""


def session(state: str = LegState.DIALING, **fields: Any) -> CallSession:
    leg = Leg(leg_id=1, called_phone_number=CONTACT, state=state)
    return CallSession(call_session_id=CALL, contact_phone_number=CONTACT, legs=(leg,), **fields)


def shows(at: float, call: CallSession, **fields: Any) -> Snapshot:
    return Snapshot(at, {OTHER: OTHER_CALL, CALL: call}, **fields)


def lacks(at: float, **fields: Any) -> Snapshot:
    return Snapshot(at, {OTHER: OTHER_CALL}, **fields)


def fails(at: float, error: CallApiError | None = None) -> Snapshot:
    return Snapshot(at, failure=error or Unanswered("the poll failed"))


def play(
    snapshots: Iterable[Snapshot],
    *subscribers: Callable[[SharedPoll], Awaitable[None]],
    history: AbsenceHistory | None = None,
) -> list[float]:
    """Publish snapshots one after another to subscribers that run in one event loop.

    :return: the pauses between the polls, in seconds.
    """
    script, pauses = iter(snapshots), []

    async def take_snapshot() -> Snapshot:
        for snapshot in script:
            return snapshot
        raise EndOfStory

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        for _ in range(10):
            await asyncio.sleep(0)

    async def run() -> None:
        poll = SharedPoll(take_snapshot, history=history, sleep=pause)
        await asyncio.gather(*(subscriber(poll) for subscriber in subscribers))
        while asyncio.all_tasks() - {asyncio.current_task()}:  # noqa: ASYNC110
            await asyncio.sleep(0)

    asyncio.run(run())
    return pauses


def times_received(snapshots: list[Snapshot], **subscription: Any) -> list[float]:
    """Return the times of the snapshots that a subscriber gets."""
    received: list[float] = []

    async def subscriber(poll: SharedPoll) -> None:
        async with poll.subscribe(5, only_call=CALL, **subscription) as next_snapshot:
            while True:
                received.append((await next_snapshot()).at)

    with pytest.raises(EndOfStory):
        play(snapshots, subscriber)
    return received


def test_a_call_that_stays_the_same_wakes_its_subscriber_once() -> None:
    assert times_received([shows(at, session()) for at in range(10)]) == [0]


def test_the_other_calls_of_the_account_wake_no_subscriber() -> None:
    others = [replace(shows(at, session()), left_out=at % 2) for at in range(4)]
    others += [Snapshot(4, {CALL: session()}), Snapshot(5, {CALL: session(), 9: OTHER_CALL})]
    assert times_received(others) == [0]


@pytest.mark.parametrize(
    "changed",
    [
        shows(2, session(LegState.TALKING)),
        shows(2, session(external_id="x")),
        shows(2, session(external_id=None)),  # null is a fact, and a missing field is none
        shows(2, session(tags=(Tag(tag_id=1),))),
        shows(2, session(), answered=frozenset({CALL})),
        lacks(2),
        fails(2),
    ],
)
def test_a_change_of_the_call_wakes_its_subscriber(changed: Snapshot) -> None:
    received = times_received([shows(0, session()), shows(1, session()), changed])
    assert received == [0, 2]


def test_snapshots_without_the_call_failures_and_the_first_success_after_a_failure_are_delivered() -> None:
    snapshots = [lacks(0), lacks(1, left_out=1), shows(2, session()), fails(3), fails(4)]
    snapshots += [shows(5, session()), shows(6, session()), lacks(7), lacks(8)]
    assert times_received(snapshots) == [0, 1, 2, 3, 4, 5, 7, 8]


def test_every_snapshot_is_delivered_from_the_time_to_wake_on() -> None:
    assert times_received([shows(at, session()) for at in range(6)], wake_at=3) == [0, 3, 4, 5]


def test_a_late_subscriber_gets_its_first_snapshot_although_the_call_has_not_changed() -> None:
    received: list[float] = []

    async def late(poll: SharedPoll) -> None:
        async with poll.subscribe(5) as first:
            await first()
            async with poll.subscribe(5, only_call=CALL) as next_snapshot:
                received.append((await next_snapshot()).at)

    play([shows(at, session()) for at in range(4)], late)
    assert received == [1]


def test_many_subscribers_that_a_snapshot_concerns_do_not_run_in_one_turn_of_the_loop() -> None:
    """Other work of the event loop runs in between."""
    woken, most_at_once = 0, 0

    async def subscriber(poll: SharedPoll) -> None:
        nonlocal woken
        async with poll.subscribe(5, only_call=CALL) as next_snapshot:
            await next_snapshot()
            woken += 1

    async def observer(_: SharedPoll) -> None:
        nonlocal most_at_once
        before = 0
        while woken < 1000:
            await asyncio.sleep(0)
            most_at_once = max(most_at_once, woken - before)
            before = woken

    play([shows(0, session())], *[subscriber] * 1000, observer)
    assert woken == 1000
    assert most_at_once <= 200


def test_a_waiting_subscriber_keeps_no_snapshot_alive() -> None:
    """Ten thousand waits would otherwise keep one snapshot of the whole account for each state of a call."""
    kept: list[bool] = []
    snapshots = [
        shows(0, session()),
        shows(1, session(LegState.TALKING)),
        shows(2, session(LegState.TALKING)),
    ]
    references = []

    async def subscriber(poll: SharedPoll) -> None:
        watch = SessionWatch(CALL, 0, math.inf)
        async with poll.subscribe(5, only_call=CALL) as next_snapshot:
            while True:
                watch.update(await next_snapshot())

    async def observer(poll: SharedPoll) -> None:
        async with poll.subscribe(5) as next_snapshot:
            for _ in range(3):
                snapshot = await next_snapshot()
                references.append(weakref.ref(snapshot))
                at = snapshot.at
                del snapshot
            await asyncio.sleep(0)
            gc.collect()
            kept.extend(reference() is not None for reference in references)
            assert at == 2

    def script() -> Iterable[Snapshot]:
        while snapshots:
            yield snapshots.pop(0)

    with pytest.raises(EndOfStory):
        play(script(), subscriber, observer)
    assert kept == [False, False, True]


# --- the same for any snapshots ---

ANY_SESSION = st.builds(
    session,
    st.sampled_from([LegState.DIALING, LegState.TALKING, "Летит на Луну"]),
    external_id=st.sampled_from([None, "x"]),
    tags=st.sampled_from([(), (Tag(tag_id=1),)]),
)
ANSWERED = st.sampled_from([frozenset[int](), frozenset({CALL}), frozenset({OTHER})])


@st.composite
def stories(draw: st.DrawFn) -> list[Snapshot]:
    """Draw snapshots in which the call often stays the same for a while."""
    kinds = st.one_of(
        st.builds(lambda call, answered: shows(0, call, answered=answered), ANY_SESSION, ANSWERED),
        st.builds(lambda left_out: lacks(0, left_out=left_out), st.integers(0, 1)),
        st.just(fails(0)),
        st.just(fails(0, AccessDenied("no right"))),
    )
    runs = draw(st.lists(st.tuples(kinds, st.integers(1, 4)), max_size=8))
    flat = [snapshot for snapshot, times in runs for _ in range(times)]
    return [replace(snapshot, at=5.0 * number) for number, snapshot in enumerate(flat)]


@settings(max_examples=100)
@given(
    snapshots=stories(),
    appear_by=st.sampled_from([0.0, 20.0, 60.0]),
    deadline=st.sampled_from([15.0, 50.0, 3600.0]),
)
def test_a_watch_that_gets_only_the_snapshots_about_its_call_has_the_same_result(
    snapshots: list[Snapshot], appear_by: float, deadline: float
) -> None:
    def watch_and_result() -> tuple[SessionWatch, list[Any]]:
        return SessionWatch(CALL, appear_by, deadline, observation=Observation()), []

    (of_all, all_results), (of_some, some_results) = watch_and_result(), watch_and_result()
    number = 0

    def subscriber(
        watch: SessionWatch, results: list[Any], **only: Any
    ) -> Callable[[SharedPoll], Awaitable[None]]:
        async def run(poll: SharedPoll) -> None:
            nonlocal number
            try:
                async with poll.subscribe(5, **only) as next_snapshot:
                    while watch.phase not in FINAL_PHASES:
                        snapshot = await next_snapshot()
                        number += 1
                        watch.update(snapshot)
                        results.append((snapshot.at, watch.phase, watch.observation))
            except (CallApiError, EndOfStory) as error:
                results.append(type(error))

        return run

    play(
        snapshots,
        subscriber(of_all, all_results),
        subscriber(of_some, some_results, only_call=CALL, wake_at=deadline),
    )

    changes = [
        result
        for before, result in zip([None, *all_results], all_results, strict=False)
        if not isinstance(before, tuple) or not isinstance(result, tuple) or before[1:] != result[1:]
    ]
    event(f"{len(all_results) - len(some_results)} snapshots spared")
    assert [each for each in some_results if each in changes] == changes
    assert (of_some.phase, of_some.observation) == (of_all.phase, of_all.observation)


async def wait_for_end(poll: SharedPoll) -> None:
    watch = SessionWatch(CALL, math.inf, math.inf)
    async with poll.subscribe(5, only_call=CALL) as next_snapshot:
        while watch.phase not in FINAL_PHASES:
            watch.update(await next_snapshot())


def test_a_second_look_follows_the_first_snapshot_without_the_call_on_a_steady_account() -> None:
    story = [shows(200, session()), lacks(205), lacks(205.4)]

    assert play(story, wait_for_end, history=steady_history())[:2] == [5, SECOND_LOOK_AFTER]


def test_the_next_regular_poll_decides_on_a_new_account() -> None:
    assert play([shows(200, session()), lacks(205), lacks(210)], wait_for_end)[:2] == [5, 5]


def test_a_wait_ends_only_after_a_longer_absence_once_a_call_came_back() -> None:
    came_back = [shows(0, session()), lacks(5), lacks(10), lacks(15), shows(20, session())]
    story = [*came_back, *map(lacks, (25, 30, 35, 40, 45))]
    seen: list[float] = []

    async def watcher(poll: SharedPoll) -> None:
        watch = SessionWatch(OTHER + 1, math.inf, math.inf, observation=Observation(listed=True))
        async with poll.subscribe(5) as next_snapshot:
            for _ in came_back:
                await next_snapshot()
            watch.observation = Observation(listed=True)
            while watch.phase not in FINAL_PHASES:
                snapshot = await next_snapshot()
                watch.update(snapshot)
                seen.append(snapshot.at)

    play(story, watcher)
    assert seen == [25, 30, 35, 40]
