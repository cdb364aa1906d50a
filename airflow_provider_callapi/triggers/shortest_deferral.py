"""Keeps a deferral from ending before Airflow's scheduler has read that the task is deferred.

When a task defers, its worker ends. If the trigger fires before the scheduler has read the worker's end,
Airflow 3.3 takes the end for a failure of the resumed task. Without retries, the task fails, although the
call is fine.
See https://github.com/apache/airflow/issues/67287 and https://github.com/apache/airflow/issues/71580.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from airflow.triggers.base import BaseTrigger, TriggerEvent

SHORTEST_DEFERRAL = 5.0
"""The seconds that a deferral lasts at least. The scheduler needs about one second to read a worker's end."""


def lasts_long_enough(
    run: Callable[[Any], AsyncIterator[TriggerEvent]],
) -> Callable[[Any], AsyncIterator[TriggerEvent]]:
    """Decorate a trigger's method ``run``: hold an early event back.

    The trigger fires no event in the first `SHORTEST_DEFERRAL` seconds of ``run``. In this time, Airflow's
    scheduler reads that the task is deferred.
    """

    @wraps(run)
    async def run_long_enough(trigger: Any) -> AsyncIterator[TriggerEvent]:
        clock = asyncio.get_running_loop().time
        end = clock() + SHORTEST_DEFERRAL
        async with aclosing(cast("AsyncGenerator[TriggerEvent, None]", run(trigger))) as events:
            async for event in events:
                await asyncio.sleep(max(0.0, end - clock()))
                yield event

    return run_long_enough


def pause_trigger(seconds: float) -> BaseTrigger:
    """Return a trigger that fires after ``seconds``, or after `SHORTEST_DEFERRAL` if that is longer."""
    from airflow.providers.standard.triggers.temporal import (  # noqa: PLC0415 - not always needed
        TimeDeltaTrigger,
    )

    return TimeDeltaTrigger(timedelta(seconds=max(seconds, SHORTEST_DEFERRAL)))
