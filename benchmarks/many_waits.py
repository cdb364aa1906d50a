"""Measure what 10 000 deferred tasks cost one triggerer, while the account has 10 000 active calls.

All triggers run in one event loop. As in Airflow's triggerer, the loop looks at every trigger once a second.
The exchange runs in another process. No call changes during the measurement. The benchmark also measures
10 000 triggers that never poll, because Airflow's own work for them is a part of the cost.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measuring import Figure, exchange_process, show

WAITS = 10_000
INTERVAL = 5.0
"""The default ``poll_interval`` of a deferred task, in seconds."""
SECONDS = 20.0
"""The measured time. It contains four polls."""
LATENESS_STEP = 0.01


@dataclass
class Load:
    """What the triggers cost during the measured time.

    :ivar cpu: seconds of CPU time in a minute.
    :ivar lateness: how much later than asked for the event loop resumed a sleeping task, in seconds. The time
        in which other processes used the machine does not count.
    :ivar memory: bytes that one trigger has added to the process.
    """

    cpu: float = 0.0
    lateness: list[float] = field(default_factory=list)
    memory: float = 0.0

    def late(self, share: float) -> float:
        """Return the lateness that this share of the measurements does not exceed."""
        return sorted(self.lateness)[min(int(share * len(self.lateness)), len(self.lateness) - 1)]


def resident_bytes() -> int:
    """Return the memory of this process without swapped pages, in bytes."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


async def measure_load(new_triggers: Callable[[], list[Any]], first_poll_done: Callable[[], bool]) -> Load:
    """Run triggers in this event loop and measure their cost.

    The lateness includes the start of the triggers and the first poll, which concerns all of them. The CPU
    time begins later.
    """
    from airflow.jobs.triggerer_job_runner import TriggerRunner

    async def run(trigger: Any) -> None:
        async for _ in trigger.run():
            pass

    async def watch_lateness() -> None:
        while True:
            due, cpu = time.perf_counter() + LATENESS_STEP, time.process_time()
            await asyncio.sleep(LATENESS_STEP)
            load.lateness.append(min(time.perf_counter() - due, time.process_time() - cpu))

    async def upkeep() -> None:
        while True:
            await runner.cleanup_finished_triggers()
            await asyncio.sleep(1)

    load, before = Load(), resident_bytes()
    runner: Any = TriggerRunner()
    lateness = asyncio.create_task(watch_lateness())
    for number, trigger in enumerate(new_triggers()):
        await asyncio.sleep(0)  # as the triggerer does
        task = asyncio.create_task(run(trigger))
        runner.triggers[number] = {"task": task, "is_watcher": False, "name": str(number), "events": 1}
        del task, trigger
    helper = asyncio.create_task(upkeep())
    while not first_poll_done():  # noqa: ASYNC110 - the poll is in another process
        await asyncio.sleep(0.1)
    await asyncio.sleep(INTERVAL)
    load.memory = (resident_bytes() - before) / WAITS
    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.sleep(SECONDS)
    load.cpu = (time.process_time() - cpu) / (time.perf_counter() - began) * 60
    for each in (helper, lateness):
        each.cancel()
    for details in runner.triggers.values():
        details["task"].cancel()
    await asyncio.gather(*(d["task"] for d in runner.triggers.values()), return_exceptions=True)
    return load


def idle_triggers() -> list[Any]:
    """Return triggers that only wait."""
    from airflow.triggers.base import BaseTrigger

    class IdleTrigger(BaseTrigger):
        def serialize(self) -> tuple[str, dict[str, Any]]:
            return "", {}

        async def run(self) -> AsyncIterator[Any]:
            await asyncio.get_running_loop().create_future()
            yield

    return [IdleTrigger() for _ in range(WAITS)]  # type: ignore[no-untyped-call]  # a class of Airflow


def waits_for(session_ids: list[int]) -> list[Any]:
    """Return one trigger for each call. The calls do not end during the measurement."""
    from airflow_provider_callapi.calls.outcomes.outcome import Outcome
    from airflow_provider_callapi.triggers.call_session import CallApiSessionTrigger

    until = time.time() + 3600
    return [
        CallApiSessionTrigger(
            callapi_conn_id="callapi_default",
            call=Outcome(session_id).to_xcom(),
            until="ended",
            poll_interval=INTERVAL,
            appear_by=until,
            deadline=until,
        )
        for session_id in session_ids
    ]


def measure() -> list[Figure]:
    """Measure triggers that only wait, and triggers that wait for calls."""
    import airflow_provider_callapi.triggers.call_session  # noqa: F401 - its memory is no trigger's

    with exchange_process() as exchange:
        session_ids = exchange.receive(WAITS)
        idle = asyncio.run(measure_load(idle_triggers, lambda: True))
        polls = len(exchange.request_times("list.calls"))
        waits = asyncio.run(
            measure_load(
                lambda: waits_for(session_ids), lambda: len(exchange.request_times("list.calls")) > polls
            )
        )
    name = f"{WAITS} waits in one triggerer"
    return [
        Figure(f"{WAITS} triggers that only wait: CPU time a minute", idle.cpu, "s"),
        Figure(f"{WAITS} triggers that only wait: memory of one", idle.memory / 1024, "KB"),
        Figure(f"{name}: CPU time a minute", waits.cpu, "s", at_most=4),
        Figure(f"{name}: lateness of the loop, p99", waits.late(0.99), "s", at_most=0.1),
        Figure(f"{name}: lateness of the loop, longest", waits.late(1), "s", at_most=0.5),
        Figure(f"{name}: memory of one", waits.memory / 1024, "KB", at_most=12),
    ]


if __name__ == "__main__":
    sys.exit(show(measure()))
