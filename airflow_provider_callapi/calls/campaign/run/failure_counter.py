"""Counts consecutive failures of one kind of request, such as polls, and raises an error after too many."""

from __future__ import annotations

from collections.abc import Callable

from airflow_provider_callapi.api.errors import CallApiError, LimitExceeded
from airflow_provider_callapi.calls.watching.end_rule import TOLERANCE


class FailureCounter:
    """Counts consecutive failures of one kind of request, and raises an error after too many.

    A permanent failure raises an error at once. A refusal for lack of points (rate-limit units) does not
    count.

    :param log: a function that takes a line for the log.
    :ivar in_a_row: how many failures were counted since the last success.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self.in_a_row = 0

    def succeed(self) -> None:
        """Record a successful request: the count of consecutive failures becomes 0."""
        self.in_a_row = 0

    def fail(self, failure: CallApiError) -> None:
        """Count and log a failure. Ignore a refusal for lack of points.

        :raises CallApiError: the method raises ``failure`` itself if ``failure`` is permanent, or if more
            than ``TOLERANCE.failures`` failures came in a row.
        """
        if isinstance(failure, LimitExceeded):
            return
        self.in_a_row += 1
        self._log(f"{failure} ({self.in_a_row} in a row; the try fails at {TOLERANCE.failures + 1})")
        if failure.permanent or self.in_a_row > TOLERANCE.failures:
            raise failure
