"""The clock of this machine, for the layers that Airflow runs.

The rooms `api` and `calls` get the time from their callers. A test replaces these functions, and then time
passes only as the test wants.
"""

from __future__ import annotations

import time


def now() -> float:
    """Return the present time, epoch seconds."""
    return time.time()


def monotonic() -> float:
    """Return the seconds of a clock that is never set. Only the difference of two values has a meaning."""
    return time.monotonic()


def sleep(seconds: float) -> None:
    """Wait for a number of seconds."""
    time.sleep(seconds)
