"""A trigger does not fire before the scheduler has read that the task is deferred."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from airflow.triggers.base import TriggerEvent
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.triggers import shortest_deferral
from airflow_provider_callapi.triggers.call_session import CallApiSessionTrigger
from airflow_provider_callapi.triggers.campaign import CallApiCampaignTrigger
from airflow_provider_callapi.triggers.shortest_deferral import lasts_long_enough


class MovedClock(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if self._scheduled and not self._ready:  # type: ignore[attr-defined]
            self.now = max(self.now, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


class Trigger:
    """Fires after some seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.is_closed = False

    @lasts_long_enough
    async def run(self) -> AsyncIterator[TriggerEvent]:
        try:
            await asyncio.sleep(self.seconds)
            yield TriggerEvent(self.seconds)
        finally:
            self.is_closed = True


def fired(seconds: float, *, shortest: float) -> tuple[Any, float]:
    """Return the event of a trigger, and after how many seconds it came."""

    async def first() -> tuple[Any, float]:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        async for event in Trigger(seconds).run():
            return event.payload, loop.time() - begin
        raise AssertionError("no event")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shortest_deferral, "SHORTEST_DEFERRAL", shortest)
        with asyncio.Runner(loop_factory=MovedClock) as runner:
            return runner.run(first())


@given(seconds=st.floats(0.0, 100.0), shortest=st.floats(0.0, 100.0))
def test_an_event_comes_when_it_is_ready_but_never_before_the_shortest_deferral(
    seconds: float, shortest: float
) -> None:
    event, after = fired(seconds, shortest=shortest)

    assert event == seconds
    assert after == pytest.approx(max(seconds, shortest), abs=1e-6)


def test_a_cancelled_trigger_is_closed_while_its_event_is_held_back() -> None:
    trigger = Trigger(0.0)

    async def cancelled() -> None:
        waiting = asyncio.ensure_future(anext(aiter(trigger.run())))
        await asyncio.sleep(0.5)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shortest_deferral, "SHORTEST_DEFERRAL", 5.0)
        with asyncio.Runner(loop_factory=MovedClock) as runner:
            runner.run(cancelled())
    assert trigger.is_closed


@pytest.mark.parametrize("trigger", [CallApiSessionTrigger, CallApiCampaignTrigger])
def test_each_trigger_of_a_deferral_lasts_long_enough(trigger: type) -> None:
    assert trigger.run.__wrapped__  # type: ignore[attr-defined]
