"""The parameter ``max_lateness``: a DAG run that starts too late, e.g. after an outage, places no calls."""

from __future__ import annotations

import math
from datetime import timedelta


def too_late_reason(run_after: float | None, now: float, max_lateness: timedelta | None) -> str | None:
    """Return an error message if it is too late to place a call. None: the call is allowed.

    :param run_after: when the DAG run was due, epoch seconds. None: it was due at no fixed time, and no call
        is too late.
    :param now: when the call would be placed, epoch seconds.
    :param max_lateness: how long after ``run_after`` a call may be placed, a `timedelta`. None: no limit.
    """
    if run_after is None or max_lateness is None:
        return None
    late = timedelta(seconds=now - run_after)
    if late <= max_lateness:
        return None
    shown = timedelta(seconds=math.ceil(late.total_seconds()))  # without microseconds
    return (
        f"this DAG run was due {shown} ago, more than max_lateness ({max_lateness}), so no call is placed; "
        "set max_lateness=None to place calls anyway"
    )
