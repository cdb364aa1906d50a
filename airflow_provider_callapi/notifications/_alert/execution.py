"""How an alert waits and sends requests, in a synchronous and in an asynchronous Airflow callback."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.calls.watching.poll_interval import ALERT_POLL_INTERVAL
from airflow_provider_callapi.calls.watching.watch import SessionWatch, Until
from airflow_provider_callapi.event_loop.threads import run_in_thread
from airflow_provider_callapi.notifications._alert.alert_reason import AlertReason

if TYPE_CHECKING:
    from airflow_provider_callapi.hooks.callapi import CallApiHook

R = TypeVar("R")


class Execution(Protocol):
    """The methods through which an alert does slow work: requests, polls and waits."""

    # If `watch` raises one of these errors, the alert stops polling the call. The earlier polls and the Data
    # API then decide whether the call is acknowledged. Any other error ends the alert.
    watch_errors: tuple[type[Exception], ...]

    def may_write_variables(self, reason: AlertReason) -> bool:
        """Return whether the callback that runs the alert can write Airflow Variables."""

    async def connect(self, hook: CallApiHook) -> None:
        """Read the Airflow connection into ``hook.settings``, without blocking an event loop."""

    async def run(self, function: Callable[..., R], *args: Any) -> R:
        """Run a blocking function, such as a request, and return its result."""

    async def watch(self, hook: CallApiHook, watch: SessionWatch, until: Until) -> None:
        """Poll until the wait for a call is over.

        The wait is over when the call is answered or has ended, as ``until`` requires. The wait is also over
        at the deadline of ``watch``. ``watch`` then contains what the polls have shown of the call.

        The method raises one of `watch_errors` if a poll fails with a permanent error, or if too many
        consecutive polls fail.
        """


class InProcess:
    """Runs an alert in a process without an event loop, where Airflow runs synchronous callbacks."""

    # The methods are coroutines only because `Execution` requires it. Each method blocks the process.

    watch_errors: tuple[type[Exception], ...] = (CallApiError,)

    def may_write_variables(self, reason: AlertReason) -> bool:
        # Airflow never answers a write from a deadline's callback in a worker, so the callback would hang.
        return reason.kind != "deadline"

    async def connect(self, hook: CallApiHook) -> None:
        hook.settings  # noqa: B018 - the hook reads the connection, and keeps it

    async def run(self, function: Callable[..., R], *args: Any) -> R:
        return function(*args)

    async def watch(self, hook: CallApiHook, watch: SessionWatch, until: Until) -> None:
        hook.watch_session(watch, until=until, poll_interval=ALERT_POLL_INTERVAL)


class InTriggerer:
    """Runs an alert in the event loop of Airflow's triggerer, with blocking work in threads."""

    watch_errors: tuple[type[Exception], ...] = (Exception,)  # the shared poll may end for any reason

    def may_write_variables(self, reason: AlertReason) -> bool:
        return True

    async def connect(self, hook: CallApiHook) -> None:
        from airflow_provider_callapi.connection.settings import read_settings  # noqa: PLC0415 - parse time

        hook.settings = read_settings(await hook.aget_connection(hook.callapi_conn_id))

    async def run(self, function: Callable[..., R], *args: Any) -> R:
        return await run_in_thread(function, *args)

    async def watch(self, hook: CallApiHook, watch: SessionWatch, until: Until) -> None:
        from airflow_provider_callapi.event_loop.watch_call import watch_call  # noqa: PLC0415 - parse time

        # The alert and the deferred tasks of the same connection share one poll.
        await watch_call(hook.callapi_conn_id, watch, until, ALERT_POLL_INTERVAL)


def run_without_loop(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end without an event loop.

    :raises RuntimeError: the coroutine waits for an event loop.
    """
    try:
        coroutine.send(None)  # a coroutine that does all slow work through `InProcess` never waits
    except StopIteration:
        return
    coroutine.close()
    raise RuntimeError("this coroutine suspends; run it in an event loop")
