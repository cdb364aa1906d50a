"""The steps of one alert: make sure that no other task rings, call a person, wait, call the next person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_callapi.api.errors import mask_phones
from airflow_provider_callapi.calls.alerts.election import AlertSuppressed, Progress
from airflow_provider_callapi.calls.alerts.escalation import (
    Escalation,
    with_message_fallback,
    with_scenario_fallback,
)
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.watching.poll_interval import ALERT_POLL_INTERVAL
from airflow_provider_callapi.notifications._alert.alert_lock import AlertLock, RightLost, furthest
from airflow_provider_callapi.notifications._alert.alert_reason import CONTINUED, AlertReason
from airflow_provider_callapi.notifications._alert.answer_wait import (
    APPEAR_TIMEOUT,
    Acknowledgement,
    wait_for_acknowledgement,
)
from airflow_provider_callapi.notifications._alert.earlier_call import find_earlier_call
from airflow_provider_callapi.notifications._alert.execution import Execution
from airflow_provider_callapi.notifications._alert.options import AlertOptions
from airflow_provider_callapi.notifications._alert.reporting import (
    NoPersonRung,
    log_instead_of_raising,
    log_interrupted_escalation,
)
from airflow_provider_callapi.notifications._alert.start_requests import build_requests
from airflow_provider_callapi.notifications._alert.time_limits import (
    connection_pauses,
    make_hook,
    search_hook,
    warn_if_too_short,
)
from airflow_provider_callapi.observability.metrics import count_alert

if TYPE_CHECKING:
    from airflow_provider_callapi.hooks.callapi import CallApiHook

_STORE_PAUSES = (1.0, 5.0, 10.0, 30.0)
"""Seconds of the pauses between the tries of a callback without a time limit to store an acknowledgement."""


async def ring(options: AlertOptions, context: Mapping[str, Any], execution: Execution, log: Any) -> None:
    """Call one person after another, until one acknowledges the alert or all are called.

    Log errors and raise none.
    """
    with log_instead_of_raising(context, log):
        reason = AlertReason.from_context(context)
        with make_hook(options.callapi_conn_id, reason.kind) as hook:
            may_write = execution.may_write_variables(reason)
            lock = AlertLock.make(options, reason, may_write=may_write, log=log)
            await _connect(hook, execution, reason, lock)
            escalation, call = await execution.run(begin, hook, options, reason, lock, log)
            with log_interrupted_escalation(reason, log):
                wanted = Acknowledgement.of(options, escalation.requests)
                while call and not await wait_for_acknowledgement(hook, execution, call, wanted, log):
                    try:
                        call = await execution.run(escalation.ring_next)
                    except RightLost:
                        begin_again = partial(begin, hook, options, reason, lock, log, escalation=escalation)
                        _, call = await execution.run(begin_again)
                if call and escalation.newest:  # a retry or restart of this callback calls no one else
                    pauses = _STORE_PAUSES if reason.kind in CONTINUED else ()
                    await execution.run(
                        partial(lock.record_acknowledgement, escalation.newest, pauses=pauses)
                    )
                count_alert("answered" if call else "rang")


async def _connect(hook: CallApiHook, execution: Execution, reason: AlertReason, lock: AlertLock) -> None:
    """Let the hook read the alert's Airflow connection.

    If the read fails, e.g. because a secrets backend is down, repeat it a few times, then raise the error.
    """
    for pause in (*connection_pauses(reason.kind), None):
        try:
            return await execution.connect(hook)
        except Exception as error:
            if pause is None or isinstance(error, AirflowFailException | ValueError):
                raise
            lock.log.warning(
                "Connection %s cannot be read, and is read again in %g s: %s",
                mask_phones(hook.callapi_conn_id),
                pause,
                mask_phones(str(error)),
            )
        await execution.run(lock.sleep, pause)


def begin(
    hook: CallApiHook,
    options: AlertOptions,
    reason: AlertReason,
    lock: AlertLock,
    log: Any,
    *,
    escalation: Escalation | None = None,
) -> tuple[Escalation, Outcome | None]:
    """Call the alert's first person, or continue with an earlier call of the same alert.

    Only a deadline's callback and a task that runs the notifier continue with an earlier call. A deadline's
    callback in a worker does not, because it cannot write Variables.

    :param escalation: what this process has done so far for the alert. None: nothing.
    :return: the escalation, and the placed call, if the alert must wait for its answer before it calls the
        next person. If there is no next person, the call is None.
    :raises AlertSuppressed: another callback has won the right to ring, or a person has acknowledged the
        alert, or the alert has an earlier call with which this callback may not continue.
    :raises NoPersonRung: no call was placed, as far as the notifier knows.
    """
    try:
        while True:
            own = lock.acquire()
            escalation = escalation or _make_escalation(hook, options, reason, lock, log)
            try:
                return escalation, _begin_once(hook, options, reason, lock, escalation=escalation, own=own)
            except RightLost:  # another process may have placed a call
                continue
    except Exception:
        lock.withdraw()  # another callback may ring
        raise


def _begin_once(
    hook: CallApiHook,
    options: AlertOptions,
    reason: AlertReason,
    lock: AlertLock,
    *,
    escalation: Escalation,
    own: Progress | None,
) -> Outcome | None:
    """Call the next person, or continue with an earlier call. Return the call whose answer the alert awaits.

    :param own: the newest call that this callback knows from its Variable.
    :raises RightLost: this process has lost its right to ring.
    """
    log = lock.log
    with search_hook(hook, reason.kind) as searching:
        earlier = find_earlier_call(searching, escalation, options.quiet_for, log)
    if earlier and earlier.person >= len(escalation.requests):
        earlier = replace(earlier, is_last=True)
    # A callback without a time limit continues the call and becomes its owner, because the process that has
    # placed it may still run. Any other callback only stores it.
    if earlier and not (reason.kind in CONTINUED and lock.may_write):
        lock.record_found_call(earlier)
        raise AlertSuppressed("this alert has, or had, a call")
    if progress := furthest(earlier, own):
        return _adopt(escalation, progress, lock)
    warn_if_too_short(
        reason.kind,
        len(escalation.requests),
        settle=options.settle if options.quiet_for else 0,
        per_call=Acknowledgement.of(options, escalation.requests).longest_call,
        log=log,
    )
    call = escalation.ring_next()
    if not escalation.requests:
        raise NoPersonRung("no contact has a number that can be called; the lines above show the reasons")
    if escalation.newest is None:
        raise NoPersonRung("no call is confirmed; the lines above show whether a phone may have rung")
    return call  # None: no person is left to call after it


def _adopt(escalation: Escalation, progress: Progress, lock: AlertLock) -> Outcome:
    """Continue with an earlier call of the alert. Return the call, whose answer the alert waits for.

    :raises AlertSuppressed: no person is left to be called after the call.
    """
    lock.record_call(progress)  # another process that has placed the call then calls no one else
    call = escalation.adopt(progress)
    if call is None:
        raise AlertSuppressed("every person has been called before")
    return call


def _make_escalation(
    hook: CallApiHook, options: AlertOptions, reason: AlertReason, lock: AlertLock, log: Any
) -> Escalation:
    """Return the object that calls an alert's people one after another."""

    def warn(text: str) -> None:
        log.warning("Alert for %s: %s", reason, text)

    send = with_message_fallback(
        lambda request: hook.call(request, before_each_send=lock.check_right), reason.text, warn
    )
    send = with_scenario_fallback(send, warn)
    gateway = hook.call_gateway(
        lambda text: log.info("Alert for %s: %s", reason, text), poll_interval=ALERT_POLL_INTERVAL
    )
    requests = build_requests(options, reason, log)
    return Escalation(
        lock.alert,
        requests,
        replace(gateway, send=send),
        APPEAR_TIMEOUT,
        lock.record_call,
        warn,
        id_is_unique=options.quiet_for > 0,  # otherwise, alerts with an id of the author share the id
    )
