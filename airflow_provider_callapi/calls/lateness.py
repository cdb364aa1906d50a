"""Whether a run is too old for its people to be called."""

from __future__ import annotations

from datetime import timedelta


def lateness(run_after: float | None, now: float, max_lateness: timedelta | None) -> str | None:
    """Return why no one may be dialled for this run; None: calls are allowed.

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
        f"this run was due {late} ago and max_lateness is {max_lateness}, so nobody is called for it; "
        "set max_lateness=None to call all the same"
    )
