"""How an alert waits and sends requests, in a synchronous and in an asynchronous callback.

An alert does all slow work through an `Execution` object, of one of two kinds:

- `InProcess`, for synchronous callbacks. Airflow runs them in a process without an event loop.
- `InTriggerer`, for asynchronous callbacks. Airflow runs them in the event loop of the triggerer.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.calls.watching.watch import WAIT_ENDS_IN, SessionWatch, Until
from airflow_provider_callapi.notifications._alert.failure import Failure
from airflow_provider_callapi.observability import update_watch
from airflow_provider_callapi.triggers._loop.threads import run_in_thread

if TYPE_CHECKING:
    from airflow_provider_callapi.hooks.callapi import CallApiHook

R = TypeVar("R")

POLL_INTERVAL = 2.0
"""Seconds between two polls while a call waits for its answer."""


class Execution(Protocol):
    """The methods through which an alert does slow work: requests, polls and waits.

    :ivar watch_errors: exception classes. If `Execution.watch` raises one of them, the alert logs a warning
        and stops polling this call. The earlier polls and the Data API then decide whether the call is
        acknowledged. Any other exception ends the alert.
    """

    watch_errors: tuple[type[Exception], ...]

    def may_write_variables(self, failure: Failure) -> bool:
        """Return whether the callback that runs the alert can write Airflow Variables.

        The result is False if the callback of a missed deadline runs in a worker. Airflow never answers such
        a callback's request to write a Variable, so the callback would hang.
        """

    async def connect(self, hook: CallApiHook) -> None:
        """Read the hook's Airflow connection in advance, if the alert runs in an event loop.

        The read does not block the event loop. In a process without an event loop, the method does nothing:
        the hook reads the connection at the first request.
        """

    async def run(self, function: Callable[..., R], *args: Any) -> R:
        """Run a blocking function, such as a request, and return its result."""

    async def watch(self, hook: CallApiHook, watch: SessionWatch, until: Until) -> None:
        """Poll the active calls until a call is answered or ends, or until the deadline of ``watch``.

        :param watch: the object that collects what the polls show of the call. The caller reads the result
            from this object.
        :param until: what to wait for: ``answered`` or ``ended``. Both waits end when the call ends.
        :raises Exception: the polls failed. The error belongs to one of the classes in
            `Execution.watch_errors`.
        """


class InProcess:
    """Runs an alert in a process without an event loop, where Airflow runs synchronous callbacks.

    The methods are coroutines only because `Execution` requires coroutines. Each method blocks the process
    until its work is done.
    """

    watch_errors: tuple[type[Exception], ...] = (CallApiError,)

    def may_write_variables(self, failure: Failure) -> bool:
        # Airflow never answers a write from a deadline's callback in a worker, so the callback would hang.
        return failure.kind != "deadline"

    async def connect(self, hook: CallApiHook) -> None:
        pass

    async def run(self, function: Callable[..., R], *args: Any) -> R:
        return function(*args)

    async def watch(self, hook: CallApiHook, watch: SessionWatch, until: Until) -> None:
        hook.watch_session(watch, until=until, poll_interval=POLL_INTERVAL)


class InTriggerer:
    """Runs an alert in the event loop of Airflow's triggerer.

    Blocking work runs in a thread. The alert and the deferred tasks of the same connection share one poll.
    """

    watch_errors: tuple[type[Exception], ...] = (Exception,)  # the shared poll may end for any reason

    def may_write_variables(self, failure: Failure) -> bool:
        return True

    async def connect(self, hook: CallApiHook) -> None:
        from airflow_provider_callapi.connection.settings import read_settings  # noqa: PLC0415 - parse time

        hook.settings = read_settings(await hook.aget_connection(hook.callapi_conn_id))

    async def run(self, function: Callable[..., R], *args: Any) -> R:
        return await run_in_thread(function, *args)

    async def watch(self, hook: CallApiHook, watch: SessionWatch, until: Until) -> None:
        from airflow_provider_callapi.triggers._loop.polls_by_connection import subscribe  # noqa: PLC0415 - parse time

        async with subscribe(
            hook.callapi_conn_id,
            POLL_INTERVAL,
            lambda: watch.awaited_answers(until),
            only_call=watch.call_session_id,
            wake_at=watch.deadline,
        ) as next_snapshot:
            while update_watch(watch, await next_snapshot()) not in WAIT_ENDS_IN[until]:
                pass


def run_without_loop(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end without an event loop.

    A coroutine that does all slow work through `InProcess` needs no event loop.

    :raises RuntimeError: the coroutine waits for an event loop.
    """
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise RuntimeError("this coroutine suspends; run it in an event loop")
