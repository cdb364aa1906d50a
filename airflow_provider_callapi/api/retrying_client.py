"""When a request is sent again, as one list of reasons."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

import tenacity

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.errors import LimitExceeded, NotSent, ServiceFailed, Unanswered
from airflow_provider_callapi.api.methods import Repeat, Request

R = TypeVar("R")

ATTEMPTS = 5
_BACKOFF = tenacity.wait_random_exponential(multiplier=0.5, max=8.0)
_log = logging.getLogger(__name__)


class RetryingClient:
    """A `Client` that sends a request again where that cannot do it twice.

    :param max_limit_wait: seconds to wait, in all, for used up points to come back.
    :param attempts: how often a request is sent at the most, after trouble; 1: never again.
    :param sleep: ``time.sleep``, or a test's.
    """

    def __init__(
        self,
        client: Client,
        *,
        max_limit_wait: float = 120.0,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.client = client
        self.max_limit_wait = max_limit_wait
        self.attempts = attempts
        self._sleep = sleep

    def call(self, request: Request[R], *, before: Callable[[], object] = lambda: None) -> R:
        """Send a request, and its repeats.

        :param before: called before each attempt; what it raises ends them.
        :raises CallApiError: the last attempt's error.
        """

        def attempt() -> R:
            before()
            return self.client.call(request)

        sending = tenacity.Retrying(
            retry=lambda state: self._pause(request, state) is not None,
            wait=lambda state: self._pause(request, state) or 0.0,
            before_sleep=_log_pause,
            sleep=self._sleep,
            reraise=True,
        )
        answer: R = sending(attempt)
        return answer

    def _pause(self, request: Request[Any], state: tenacity.RetryCallState) -> float | None:
        """Seconds to wait before sending the request again; None: do not send it again."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, LimitExceeded):  # refused before anything was done
            affordable = state.idle_for + error.retry_after <= self.max_limit_wait
            return float(error.retry_after) if affordable else None
        if state.attempt_number >= self.attempts:
            return None
        if isinstance(error, NotSent):  # nothing left this machine
            return _BACKOFF(state)
        if isinstance(error, Unanswered | ServiceFailed) and request.repeat is not Repeat.NEVER:
            return _BACKOFF(state)
        return None


def _log_pause(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    _log.warning(
        "%s; sending it again in %.1f s (attempt %d)", error, state.upcoming_sleep, state.attempt_number + 1
    )
