"""A client that sends a failed request again if the repeat is safe.

A repeat is safe if the service did not carry out the failed request, or if a second execution does no harm.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import Any, TypeVar

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.errors import (
    CallApiError,
    LimitExceeded,
    NotSent,
    ServiceFailed,
    Unanswered,
)
from airflow_provider_callapi.api.request import Repeat, Request

R = TypeVar("R")

MAX_SENDS = 5
"""The default number of sends of one failing request, the first send included."""
MAX_LIMIT_WAIT = 120.0
"""The default of ``max_limit_wait``: the longest time in seconds that one request waits for points."""
_FIRST_BACKOFF = 0.5
"""The longest pause in seconds before the first repeat. It doubles with each further repeat."""
_LONGEST_BACKOFF = 8.0
"""The longest pause in seconds before any repeat."""
_log = logging.getLogger(__name__)


class RetryingClient:
    """A client that sends a failed request again if the repeat is safe.

    A repeat is safe if the service did not carry out the failed request, or if a second execution does no
    harm (see `Repeat`).

    :param client: the client that sends each request.
    :param sleep: a function that waits for a number of seconds. It is called before each repeat.
    :param max_limit_wait: the longest time in seconds that one request waits after `LimitExceeded`, in all
        these waits together. If the next one would be too long, the client raises the error.
    :param max_sends: how many times the client sends one request at most, the first time included. Sends that
        ended with `LimitExceeded` do not count. 1: no repeat, except after `LimitExceeded`.
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
        send, failures, waited_for_points = 1, 0, 0.0
        while True:
            try:
                return self.client.call(request, before_each_send=before_each_send)
            except LimitExceeded as error:  # the service did not carry out the request
                pause = float(error.retry_after)
                if waited_for_points + pause > self.max_limit_wait:
                    raise
                waited_for_points += pause
                _log_repeat(error, pause, send + 1)
            except CallApiError as error:
                failures += 1
                if failures >= self.max_sends or not _is_repeatable(error, request):
                    raise
                longest = min(_FIRST_BACKOFF * 2 ** (failures - 1), _LONGEST_BACKOFF)
                pause = random.uniform(0.0, longest)  # noqa: S311 - no secret
                _log_repeat(error, pause, send + 1)
            send += 1
            self._sleep(pause)


def _is_repeatable(error: CallApiError, request: Request[Any]) -> bool:
    """Return whether a repeat of the request is safe after this error."""
    if isinstance(error, NotSent):
        return True
    return isinstance(error, Unanswered | ServiceFailed) and request.repeat is not Repeat.NEVER


def _log_repeat(error: CallApiError, pause: float, send: int) -> None:
    _log.warning("%s; sending the request again in %.1f s (send %d)", error, pause, send)
