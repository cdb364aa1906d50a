"""The parameters that all start operators share, as one object.

The operator's constructor checks the parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import get_args

from airflow_provider_callapi.calls.placing import Delivery


@dataclass(frozen=True)
class CallOptions:
    """How a start operator places a call and waits for the call. Durations are seconds.

    Each option has the name and the meaning of the parameter that
    `airflow_provider_callapi.operators.start_call` describes.

    :ivar has_tags: whether the author gave any tags.
    :raises ValueError: a parameter cannot be used. The text names the parameter.
    """

    wait_for_completion: bool
    deferrable: bool
    poll_interval: float
    appear_timeout: float
    timeout: float
    poll_failures_tolerated: int
    report_timeout: float
    require_answer: bool
    delivery: Delivery
    absence_proven_after: float | None
    durable: bool
    has_tags: bool
    cancel_on_kill: bool
    max_lateness: timedelta | None
    recording_link: bool
    refused_as_result: bool

    def __post_init__(self) -> None:
        if self.delivery not in get_args(Delivery):
            raise ValueError(f"delivery: {self.delivery!r} is not at_most_once or at_least_once")
        if self.poll_interval <= 0:
            raise ValueError(f"poll_interval: {self.poll_interval!r} is not a positive number of seconds")
        check_absence_proven_after(self.absence_proven_after, self.appear_timeout)
        if self.refused_as_result and self.delivery != "at_most_once":
            raise ValueError(
                "refused_as_result needs delivery='at_most_once': an earlier attempt may have rung a phone"
            )
        needs_the_end = {
            "require_answer": self.require_answer,
            "tags": self.has_tags,
            "recording_link": self.recording_link,
        }
        for name, is_set in needs_the_end.items():
            if is_set and not self.wait_for_completion:
                raise ValueError(f"{name} needs wait_for_completion=True")


def check_absence_proven_after(seconds: float | None, appear_timeout: float) -> None:
    """Check the parameter ``absence_proven_after`` of a start operator or a campaign.

    :param seconds: the parameter's value; None: not set.
    :param appear_timeout: seconds within which ``list.calls`` shows a placed call.
    :raises ValueError: the number is not finite, or is shorter than ``appear_timeout``.
    """
    if seconds is not None and not appear_timeout <= seconds < float("inf"):
        raise ValueError(
            f"absence_proven_after: {seconds!r} is not a number of seconds, at least appear_timeout "
            f"({appear_timeout:g})"
        )


def as_limit(seconds: timedelta | float | None) -> timedelta | None:
    """Convert a time limit (seconds or a timedelta) to a timedelta. Return None if there is no limit.

    There is no limit if the value is None, infinity, or longer than the longest timedelta.
    """
    if seconds is None or isinstance(seconds, timedelta):
        return seconds
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        return None
