"""A retry policy for tasks that fail with an error of this package. The policy needs Airflow 3.3 or newer.

The task's error, or the cause of the error, decides about the next try:

- The points (rate-limit units) are used up: the next try starts after the reset of the limit.
- It is unknown whether a call was placed or answered: there is no next try. Check manually.
- A request that must not be repeated may have taken effect: there is no next try. Check manually.
- A retry would fail the same way, e.g. because a parameter is wrong or the run is too late for calls: there
  is no next try.
- The service, the network, a storage or a database has failed: the next try starts after a delay, which
  doubles with each try.
- Any other error, e.g. the contact has not answered: the task's own settings decide.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from airflow_provider_callapi import exceptions
from airflow_provider_callapi.api import errors
from airflow_provider_callapi.api.data_api import DATA_METHODS
from airflow_provider_callapi.api.methods import METHODS
from airflow_provider_callapi.api.request import Repeat
from airflow_provider_callapi.calls.single_call.placing import Unresolved
from airflow_provider_callapi.parameters.kinds import SECONDS_OR_ZERO
from airflow_provider_callapi.parameters.schema import read_parameter

try:
    from airflow.providers.common.compat.sdk import RetryDecision, RetryPolicy
except ImportError as error:
    raise ImportError("CallApiRetryPolicy needs Airflow 3.3 or newer, which has retry policies") from error

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

_RESET_MARGIN = timedelta(seconds=1)
"""Extra time to wait after the reset of a limit, because the service reports the reset in whole seconds."""


class RetryVerdict(Enum):
    """The decision of the retry policy: whether and when Airflow retries a failed task."""

    AT_RESET = "retried after the reset of the limit"
    NEVER = "not retried"
    BACK_OFF = "retried after a delay that doubles with each try"
    TASK_DEFAULT = "retried as the task's own settings define"


@dataclass(frozen=True)
class _Rule:
    """One rule of the retry policy: whether and when Airflow retries a task after certain errors."""

    error_types: tuple[type[BaseException], ...]
    verdict: RetryVerdict
    reason: str  # for the task log
    condition: Callable[[Any], bool] = lambda error: True


def _must_not_repeat(error: errors.CallApiError) -> bool:
    """Return whether a retry after a failed request could do harm, e.g. ring a phone a second time."""
    request_type = {**METHODS, **DATA_METHODS}.get(error.method or "")
    return error.maybe_done and (request_type is None or request_type.repeat is Repeat.NEVER)


_RULES = (
    _Rule((errors.LimitExceeded,), RetryVerdict.AT_RESET, "the points are used up"),
    _Rule(
        (Unresolved, exceptions.CallUnresolved),
        RetryVerdict.NEVER,
        "the request may have been carried out; check the call in the account",
    ),
    _Rule(
        (exceptions.CallOutcomeUnknown,),
        RetryVerdict.NEVER,
        "it is not known whether the contact answered; check the call in the account",
    ),
    _Rule(
        (errors.CallApiError,),
        RetryVerdict.NEVER,
        "the request may have been carried out, and a repeat could carry it out twice",
        _must_not_repeat,
    ),
    _Rule(
        (exceptions.CallApiFailure, exceptions.ConnectionSettingsInvalid, exceptions.CallTooLate),
        RetryVerdict.NEVER,
        "a retry would fail the same way",
    ),
    _Rule(
        (errors.CallApiError,),
        RetryVerdict.NEVER,
        "the service would refuse a retry the same way",
        lambda error: error.permanent,
    ),
    _Rule((errors.CallApiError,), RetryVerdict.BACK_OFF, "the service or the network failed"),
    _Rule((exceptions.CallApiTrouble,), RetryVerdict.BACK_OFF, "a later try may succeed"),
    _Rule(
        (exceptions.CallNotAnswered, exceptions.CallStillActive, exceptions.CallUnresolvedForNow),
        RetryVerdict.TASK_DEFAULT,
        "the task's own settings define the retry",
    ),
)
"""The retry policy's rules. The first rule that applies to an error decides.

If an error has a cause, the rules are checked for the error first, and then for the cause.
"""


class CallApiRetryPolicy(RetryPolicy):
    """A retry policy for tasks that use the Call API: Airflow retries a task only if a retry can succeed.

    .. code-block:: python

        CallApiStartInformerCallOperator(..., retries=4, retry_policy=CallApiRetryPolicy())

    The module `retry_policies` lists the errors and the decisions. The task's parameter ``retries`` limits
    the number of retries.

    The policy does not decide about `CallNotAnswered`, `CallStillActive` and `CallUnresolvedForNow`. It
    does not decide about an error of another package either, unless an error of this package is its cause.
    The next policy of a ``ChainRetryPolicy`` then decides, or else the task's own settings.

    :param backoff: the delay before the second try if the service, the network, a storage or a database
        failed: a timedelta or seconds, 30 seconds by default. It doubles with each try, and is shortened at
        random by up to a quarter.
    :param longest: the longest delay after such a failure, 10 minutes by default. A wait for new points may
        be longer.
    :raises InvalidParameter: the value of a parameter is not allowed.
    """

    def __init__(
        self,
        backoff: timedelta | float = timedelta(seconds=30),
        longest: timedelta | float = timedelta(minutes=10),
    ) -> None:
        self.backoff = timedelta(seconds=read_parameter("backoff", backoff, SECONDS_OR_ZERO))
        self.longest = timedelta(seconds=read_parameter("longest", longest, SECONDS_OR_ZERO))

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Decide whether and when Airflow retries a task that failed with an exception.

        :param exception: the exception of the task. Its causes are checked, too.
        :param try_number: the number of the failed try, from 1. The delay after a failure of the service
            grows with this number.
        :param max_tries: not used: Airflow itself limits the number of retries.
        :param context: not used.
        :return: the decision and its reason. ``RetryDecision.default()``: the policy does not decide.
        """
        for error in _error_chain(exception):
            for rule in _RULES:
                if isinstance(error, rule.error_types) and rule.condition(error):
                    return self._decide(rule, error, try_number)
        return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        """Return the policy's parameters as a plain dict, with delays in seconds."""
        return {"backoff": self.backoff.total_seconds(), "longest": self.longest.total_seconds()}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> CallApiRetryPolicy:
        """Return a policy with the parameters that `serialize` returned."""
        return cls(timedelta(seconds=data["backoff"]), timedelta(seconds=data["longest"]))

    def _decide(self, rule: _Rule, error: Any, try_number: int) -> RetryDecision:
        reason = f"{type(error).__name__}: {rule.reason}"
        if rule.verdict is RetryVerdict.AT_RESET:
            until_reset = timedelta(seconds=error.retry_after)
            return RetryDecision.retry(
                until_reset + _RESET_MARGIN, f"{reason}, reset in {error.retry_after} s"
            )
        if rule.verdict is RetryVerdict.NEVER:
            return RetryDecision.fail(reason)
        if rule.verdict is RetryVerdict.BACK_OFF:
            return RetryDecision.retry(self._back_off(try_number), reason)
        return RetryDecision.default()

    def _back_off(self, try_number: int) -> timedelta:
        """Return the delay between the failed try ``try_number`` and the next try.

        It doubles with each try up to ``longest``, and is shortened at random.
        """
        doublings = min(max(try_number - 1, 0), 32)
        delay = min(self.backoff.total_seconds() * 2.0**doublings, self.longest.total_seconds())
        # Tasks that failed at the same time then do not retry at the same time.
        return timedelta(seconds=delay * random.uniform(0.75, 1.0))  # noqa: S311 - not used for security


def _error_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, then the cause of this error, then the cause of the cause, and so on."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
