"""Lets a worker sleep in short naps, so that a kill of the task can end the sleep."""

from __future__ import annotations

import time
from collections.abc import Iterator

_NAP = 1.0
"""The longest time in seconds that a sleeping worker needs to notice a kill of the task."""


def naps(seconds: float) -> Iterator[None]:
    """Sleep for a number of seconds in short naps, and yield before each nap.

    A loop over the naps can end the sleep between two naps, e.g. after a kill. The sleep does not get longer
    if the clock is set back. It ends early if the clock jumps ahead, e.g. because the worker was suspended.
    """
    until = time.time() + seconds
    while (left := min(seconds, until - time.time())) > 0:
        yield
        time.sleep(min(left, _NAP))
        seconds -= _NAP
