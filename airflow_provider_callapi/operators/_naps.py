"""Lets a worker sleep in short naps, so that a kill of the task can end the sleep."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_callapi import system_clock

_NAP = 1.0
"""The longest time in seconds that a sleeping worker needs to notice a kill of the task."""


def naps(seconds: float) -> Iterator[None]:
    """Sleep for a number of seconds in short naps, and yield before each nap.

    A loop over the naps can end the sleep between two naps, e.g. after a kill. The sleep does not get longer
    if the clock is set back. It ends early if the clock jumps ahead, e.g. because the worker was suspended.
    """
    until = system_clock.now() + seconds
    while (left := min(seconds, until - system_clock.now())) > 0:
        yield
        system_clock.sleep(min(left, _NAP))
        seconds -= _NAP
