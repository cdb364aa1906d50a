"""The pauses of a witness, in which the witness sends no request to the Data API.

A witness is an object that asks the Data API for facts about calls, as a second source beside the snapshots.
"""

from __future__ import annotations

from airflow_provider_callapi.api.errors import CallApiError, LimitExceeded
from airflow_provider_callapi.calls.watching.witness_source import WitnessSource

_PAUSE_AFTER_FAILURE = 60.0
"""Seconds that a witness pauses after a failed request."""
_PAUSE_WITHOUT_POINTS = 600.0
"""Seconds that a witness pauses while the Data API has few points left for this day."""
_RESERVED_POINTS = 0.2
"""The share of a day's points that a witness leaves for the reports of finished calls."""


class WitnessPause:
    """Decides when a witness must pause: in a pause, the witness sends no request to the Data API.

    - After a failed request: for a minute, or longer if the Data API demands it.
    - If less than a fifth of the day's points (rate-limit units) is left: for ten minutes.

    :param source: the Data API that the witness asks.
    :param topic: what the witness asks for, as a text for the log, e.g. ``the ends of calls``.
    """

    def __init__(self, source: WitnessSource, topic: str) -> None:
        self._source = source
        self._topic = topic
        self._began_at = self._ends_at = 0.0

    def is_over(self, at: float) -> bool:
        """Return whether the pause has ended, so that the witness may ask the Data API.

        If the clock was set back to a time before the pause, the pause has ended, too.

        :param at: the present time, epoch seconds.
        """
        return not self._began_at <= at < self._ends_at

    def to_json(self) -> list[float]:
        """Return the newest pause as plain JSON: its beginning and its end, epoch seconds."""
        return [self._began_at, self._ends_at]

    def restore(self, stored: list[float]) -> None:
        """Continue a pause that an earlier process has stored with `to_json`."""
        self._began_at, self._ends_at = stored

    def begin(self, at: float, seconds: float) -> None:
        """Record a pause, in which the witness must not ask the Data API. The method does not sleep.

        :param at: the beginning, epoch seconds.
        :param seconds: the length of the pause.
        """
        self._began_at, self._ends_at = at, at + seconds

    def begin_after_failure(self, at: float, error: CallApiError) -> None:
        """Log a failed request to the Data API, and record a pause. The method does not sleep.

        The pause lasts a minute, or longer if the Data API demands a longer pause.

        :param at: the time of the failure, epoch seconds.
        :param error: the error of the request.
        """
        self._source.warn(f"The Data API did not report {self._topic}: {error}")
        retry_after = error.retry_after if isinstance(error, LimitExceeded) else 0.0
        self.begin(at, max(retry_after, _PAUSE_AFTER_FAILURE))

    def begin_if_few_points(self, at: float) -> None:
        """Begin a pause of ten minutes if less than a fifth of the day's points is left.

        In the pause, the witness sends no request. The method only records and logs the beginning of the
        pause. If no reply has stated the day's points, the method does nothing.

        :param at: the present time, epoch seconds.
        """
        limits = self._source.client.limits
        if limits is None or not limits.day_limit or limits.day_remaining is None:
            return
        if limits.day_remaining < limits.day_limit * _RESERVED_POINTS:
            self.begin(at, _PAUSE_WITHOUT_POINTS)
            self._source.warn(
                f"The Data API has {limits.day_remaining} of {limits.day_limit} points left for this day. "
                f"It is not asked for {self._topic} for {_PAUSE_WITHOUT_POINTS:g} s"
            )
