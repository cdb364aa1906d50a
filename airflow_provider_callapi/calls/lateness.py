"""The rule of ``max_lateness``: a DAG run that is too old calls no one."""

from __future__ import annotations

from datetime import timedelta


def too_late_reason(run_after: float | None, now: float, max_lateness: timedelta | None) -> str | None:
    """Return why a DAG run is too late to call anyone, as an error text; None: calls are allowed.

    :param run_after: when the run was due, epoch seconds; None: the run has no such time.
    :param now: epoch seconds.
    :param max_lateness: how late calls may be; None: no limit.
    """
    if run_after is None or max_lateness is None:
        return None
    late = timedelta(seconds=now - run_after)
    if late <= max_lateness:
        return None
    return (
        f"this run was due {late} ago, more than max_lateness ({max_lateness}), so no call is placed; "
        "set max_lateness=None to place calls anyway"
    )
