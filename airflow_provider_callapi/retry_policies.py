"""Whether, and when, a task that failed with an error of this package is tried again. Airflow 3.3 or newer.

=====================================================  ================================================
what went wrong, or is the cause of it                 what the next try does
=====================================================  ================================================
the points are used up                                 comes when they are back
nobody knows whether a call was placed                 does not come: a person has to look
login, rights, account, parameters, the connection     does not come: it would fail the same way
the service or the network                             comes later and later
not answered, still active, unresolved for now         comes as the task says: the author asked for it
anything else                                          comes as the task says
=====================================================  ================================================
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
from airflow_provider_callapi.api.methods import METHODS, Repeat
from airflow_provider_callapi.calls.placing import Unresolved

try:
    from airflow.providers.common.compat.sdk import RetryDecision, RetryPolicy
except ImportError as error:
    raise ImportError("CallApiRetryPolicy needs Airflow 3.3 or newer, which has retry policies") from error

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

_RESET_MARGIN = timedelta(seconds=1)
"""Not a moment before the reset: the service counts whole seconds."""


class Verdict(Enum):
    """What is to become of the task."""

    AT_RESET = "tried again when the points are back"
    NEVER = "not tried again"
    BACK_OFF = "tried again later and later"
    AS_THE_TASK_SAYS = "left to the task's own retries"


@dataclass(frozen=True)
class _Row:
    kinds: tuple[type[BaseException], ...]
    verdict: Verdict
    why: str
    only: Callable[[Any], bool] = lambda error: True


def _may_have_rung(error: errors.CallApiError) -> bool:
    """Whether the request may have been carried out, and a repeat could do it twice."""
    request_type = {**METHODS, **DATA_METHODS}.get(error.method or "")
    return error.maybe_done and (request_type is None or request_type.repeat is Repeat.NEVER)


_TABLE = (
    _Row((errors.LimitExceeded,), Verdict.AT_RESET, "the points are used up"),
    _Row(
        (Unresolved, exceptions.CallUnresolved, exceptions.CallOutcomeUnknown),
        Verdict.NEVER,
        "nobody knows whether it was done; a person has to look",
    ),
    _Row(
        (errors.CallApiError,),
        Verdict.NEVER,
        "it may have been done, and a repeat could do it twice",
        _may_have_rung,
    ),
    _Row(
        (exceptions.CallApiFailure, exceptions.ConnectionSettingsInvalid, exceptions.CallTooLate),
        Verdict.NEVER,
        "a retry would fail the same way",
    ),
    _Row(
        (errors.CallApiError,),
        Verdict.NEVER,
        "a retry would be refused the same way",
        lambda error: error.permanent,
    ),
    _Row((errors.CallApiError, exceptions.CallApiTrouble), Verdict.BACK_OFF, "the service is in trouble"),
    _Row(
        (exceptions.CallNotAnswered, exceptions.CallStillActive, exceptions.CallUnresolvedForNow),
        Verdict.AS_THE_TASK_SAYS,
        "the task asked for it",
    ),
)
"""The first row that fits the outermost of the chained errors decides."""


class CallApiRetryPolicy(RetryPolicy):
    """Retry what a retry can mend, when it can mend it; for any task that talks to the Call API.

    .. code-block:: python

        CallApiStartInformerCallOperator(..., retries=4, retry_policy=CallApiRetryPolicy())

    An error is recognised also as the cause of another (``raise … from error``). The task's ``retries``
    stay the upper bound, as always with retry policies. Of an error that is none of this package's the
    policy says nothing; ``ChainRetryPolicy`` puts another policy behind it.

    :param backoff: the first delay after trouble; it doubles with every try.
    :param longest: the longest delay after trouble. A limit's reset is waited for however far it is.
    """

    def __init__(
        self,
        backoff: timedelta = timedelta(seconds=30),
        longest: timedelta = timedelta(minutes=10),
    ) -> None:
        self.backoff = backoff
        self.longest = longest

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Read the table; the decision's reason names the error's class and the row."""
        for error in _chain(exception):
            for row in _TABLE:
                if isinstance(error, row.kinds) and row.only(error):
                    return self._decide(row, error, try_number)
        return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        """Plain JSON; delays in seconds."""
        return {"backoff": self.backoff.total_seconds(), "longest": self.longest.total_seconds()}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> CallApiRetryPolicy:
        """What `serialize` wrote."""
        return cls(timedelta(seconds=data["backoff"]), timedelta(seconds=data["longest"]))

    def _decide(self, row: _Row, error: BaseException, try_number: int) -> RetryDecision:
        reason = f"{type(error).__name__}: {row.why}"
        if isinstance(error, errors.LimitExceeded):
            after = timedelta(seconds=error.retry_after)
            return RetryDecision.retry(after + _RESET_MARGIN, f"{reason}, reset in {error.retry_after} s")
        if row.verdict is Verdict.NEVER:
            return RetryDecision.fail(reason)
        if row.verdict is Verdict.BACK_OFF:
            return RetryDecision.retry(self._back_off(try_number), reason)
        return RetryDecision.default()

    def _back_off(self, try_number: int) -> timedelta:
        """Doubled with every try, and up to a quarter less: tasks that failed together come back apart."""
        doublings = min(max(try_number - 1, 0), 32)
        delay = min(self.backoff.total_seconds() * 2.0**doublings, self.longest.total_seconds())
        return timedelta(seconds=delay * random.uniform(0.75, 1.0))  # noqa: S311 - no secret


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what it was raised from, outermost first."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)
