"""A client that sends a failed request again if the repeat is safe.

A repeat is safe if the service did not carry out the failed request, or if a second execution does no harm.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import tenacity

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.errors import LimitExceeded, NotSent, ServiceFailed, Unanswered
from airflow_provider_callapi.api.methods import Repeat, Request

R = TypeVar("R")

MAX_SENDS = 5
"""The default number of sends of one failing request, the first send included."""
MAX_LIMIT_WAIT = 120.0
"""The default of ``max_limit_wait``: the longest time in seconds that one request waits for points."""
_BACKOFF = tenacity.wait_random_exponential(multiplier=0.5, max=8.0)
_log = logging.getLogger(__name__)


class RetryingClient:
    """A client that sends a failed request again if the repeat is safe.

    A repeat is safe if the service did not carry out the failed request, or if a second execution does no
    harm (see `Repeat`).

    :param client: the client that sends each request.
    :param sleep: a function that waits for a number of seconds. It is called before each repeat.
    :param max_limit_wait: the longest time in seconds that one request waits after `LimitExceeded`, in all
        waits together. If the next wait would be too long, the client raises the error.
    :param max_sends: how many times the client sends one request at most, the first time included. It applies
        to all errors except `LimitExceeded`. 1: no repeat.
    """

    def __init__(
        self,
        client: Client,
        *,
        sleep: Callable[[float], None],
        max_limit_wait: float = MAX_LIMIT_WAIT,
        max_sends: int = MAX_SENDS,
    ) -> None:
        self.client = client
        self.max_limit_wait = max_limit_wait
        self.max_sends = max_sends
        self._sleep = sleep

    def call(self, request: Request[R], *, before_each_send: Callable[[], object] = lambda: None) -> R:
        """Send a request and return the answer. After an error, send the request again if the repeat is safe.

        :param before_each_send: a function without parameters. The client calls it before each send, the
            first one included. If it raises an exception, the client does not send the request.
        :raises CallApiError: the error of the last send.
        """
        retrying = tenacity.Retrying(
            retry=lambda state: self._repeat_delay(request, state) is not None,
            wait=lambda state: self._repeat_delay(request, state) or 0.0,
            before_sleep=_log_repeat,
            sleep=self._sleep,
            reraise=True,
        )
        answer: R = retrying(self.client.call, request, before_each_send=before_each_send)
        return answer

    def _repeat_delay(self, request: Request[Any], state: tenacity.RetryCallState) -> float | None:
        """Return the seconds to wait before a failed request is repeated; None: do not repeat the request."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, LimitExceeded):  # the service did not carry out the request
            affordable = state.idle_for + error.retry_after <= self.max_limit_wait
            return float(error.retry_after) if affordable else None
        if state.attempt_number >= self.max_sends:
            return None
        if isinstance(error, NotSent):
            return _BACKOFF(state)
        if isinstance(error, Unanswered | ServiceFailed) and request.repeat is not Repeat.NEVER:
            return _BACKOFF(state)
        return None


def _log_repeat(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    _log.warning(
        "%s; sending the request again in %.1f s (send %d)",
        error,
        state.upcoming_sleep,
        state.attempt_number + 1,
    )
