"""Counts the failures in a row of one kind of request, and raises the one that is too many."""

from __future__ import annotations

from collections.abc import Callable

from airflow_provider_callapi.api.errors import CallApiError, LimitExceeded
from airflow_provider_callapi.calls.tolerance import TOLERANCE


class FailureCounter:
    """Counts consecutive failures. A refusal because of missing points is not a failure: points return.

    :param log: writes a line for each failure.
    :ivar in_a_row: failures since the last success.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self.in_a_row = 0

    def succeed(self) -> None:
        """Reset the count after a success."""
        self.in_a_row = 0

    def fail(self, failure: CallApiError) -> None:
        """Count a failure.

        :raises CallApiError: the failure, if it is permanent or one too many.
        """
        if isinstance(failure, LimitExceeded):
            return
        self.in_a_row += 1
        self._log(f"{failure} ({self.in_a_row} in a row)")
        if failure.permanent or self.in_a_row > TOLERANCE.failures:
            raise failure
