"""Keep an alert within the time that Airflow allows a notifier's callback, e.g. 20 s for a failed task."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf

from airflow_provider_callapi.notifications._alert.alert_reason import CallbackKind

if TYPE_CHECKING:
    from airflow_provider_callapi.hooks.callapi import CallApiHook

_AIRFLOW_LIMITS: dict[CallbackKind, tuple[str, str, float]] = {
    "task": ("core", "task_success_overtime", 20.0),
    "dag": ("dag_processor", "dag_file_processor_timeout", 50.0),
}
"""Kind of callback → Airflow's option for the time limit: section, option, default in seconds.

A notifier that a running task calls and a deadline's callback have no time limit.
"""
_TIME_TO_RING = 5.0
"""Seconds that a callback with a time limit keeps for its first call. Before that, it must decide to ring."""
_LIMIT_WAITS: dict[CallbackKind, float] = {
    "approval": 20.0,
    "task": 5.0,
    "dag": 20.0,
    "run": 120.0,
    "deadline": 120.0,
}
"""Kind of callback → the longest wait for new points (the API's rate-limit units), in seconds.

Each wait must fit into Airflow's time limit for the callback.
"""
_CONNECTION_PAUSES = (2.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds before the connection is read again, one pause after each failure."""
_SHORT_CONNECTION_PAUSES = (1.0, 2.0)
"""The pauses in a callback with a time limit."""
_SEARCH_TIMEOUT = 3.0
"""Seconds that one request of a search may take in a callback with a time limit."""


def make_hook(callapi_conn_id: str, kind: CallbackKind) -> CallApiHook:
    """Return the hook that sends an alert's requests within the time that Airflow allows the callback."""
    from airflow_provider_callapi.hooks.callapi import CallApiHook  # noqa: PLC0415 - parse time

    return CallApiHook(callapi_conn_id, max_limit_wait=_LIMIT_WAITS[kind])


def ring_within(kind: CallbackKind) -> float:
    """Return within how many seconds after its begin a callback must begin to ring. Infinity: no limit."""
    return max(_airflow_limit(kind) - _TIME_TO_RING, 0.0)


def possible_settle(kind: CallbackKind, settle: float, log: Any) -> float:
    """Return the parameter ``settle``, but at most half of Airflow's time limit. Log a warning about this."""
    limit = _airflow_limit(kind)
    if settle <= limit / 2:
        return settle
    log.warning(
        "settle=%g is too long, because Airflow ends this callback after %g s: it waits %g s",
        settle,
        limit,
        limit / 2,
    )
    return limit / 2


def _airflow_limit(kind: CallbackKind) -> float:
    """Return after how many seconds Airflow ends a callback. Infinity: no limit."""
    if kind not in _AIRFLOW_LIMITS:
        return math.inf
    section, option, default = _AIRFLOW_LIMITS[kind]
    seconds: float = conf.getfloat(section, option, fallback=default)
    return seconds


def connection_pauses(kind: CallbackKind) -> tuple[float, ...]:
    """Return the pauses, in seconds, after which an alert tries again to read its Airflow connection.

    The alert tries again only if it could not read the connection.
    """
    return _SHORT_CONNECTION_PAUSES if kind in _AIRFLOW_LIMITS else _CONNECTION_PAUSES


def search_hook(hook: CallApiHook, kind: CallbackKind) -> AbstractContextManager[CallApiHook]:
    """Return a context manager for the hook with which an alert searches for its earlier calls.

    If Airflow limits the callback's time, the hook has a short timeout and repeats no request.
    """
    if kind not in _AIRFLOW_LIMITS:
        return nullcontext(hook)
    from airflow_provider_callapi.hooks.callapi import CallApiHook  # noqa: PLC0415 - parse time

    # Airflow limits the callback's time. The search must leave time for the call.
    impatient = CallApiHook(hook.callapi_conn_id, max_limit_wait=0.0, max_sends=1)
    timeout = min(hook.settings.timeout, _SEARCH_TIMEOUT)
    impatient.settings = hook.settings.model_copy(update={"timeout": timeout})
    return impatient


def warn_if_too_short(kind: CallbackKind, people: int, *, settle: float, per_call: float, log: Any) -> None:
    """Log a warning if Airflow's time limit may end the callback before all people are called.

    :param people: how many people the alert calls.
    :param settle: seconds before the first call.
    :param per_call: the longest time from one call to the next, in seconds.
    """
    if kind not in _AIRFLOW_LIMITS:
        return
    section, option, _ = _AIRFLOW_LIMITS[kind]
    allowed = _airflow_limit(kind)
    needed = settle + (people - 1) * per_call
    if people > 1 and needed > allowed:
        log.warning(
            "Calling %d people may take %.0f s, but Airflow ends this callback after %.0f s ([%s] %s)",
            people,
            needed,
            allowed,
            section,
            option,
        )
