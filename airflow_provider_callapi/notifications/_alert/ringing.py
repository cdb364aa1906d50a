"""The steps of one alert: make sure that no other task rings, call a person, wait, call the next person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_callapi.api.errors import mask_phones
from airflow_provider_callapi.calls.alerts.election import Progress
from airflow_provider_callapi.calls.alerts.escalation import (
    Escalation,
    with_message_fallback,
    with_scenario_fallback,
)
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.watching.poll_interval import ALERT_POLL_INTERVAL
from airflow_provider_callapi.notifications._alert.alert_lock import AlertLock, AlertSuppressed
from airflow_provider_callapi.notifications._alert.answer_wait import (
    APPEAR_TIMEOUT,
    Acknowledgement,
    wait_for_acknowledgement,
)
from airflow_provider_callapi.notifications._alert.earlier_call import find_earlier_call
from airflow_provider_callapi.notifications._alert.execution import Execution
from airflow_provider_callapi.notifications._alert.failure import CONTINUED, Failure
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


async def ring(options: AlertOptions, context: Mapping[str, Any], execution: Execution, log: Any) -> None:
    """Call one person after another about a failure, until one acknowledges the alert or all are called.

    Log errors and raise none.
    """
    with log_instead_of_raising(context, log):
        failure = Failure.from_context(context)
        with make_hook(options.callapi_conn_id, failure.kind) as hook:
            may_write = execution.may_write_variables(failure)
            lock = AlertLock.make(options, failure, may_write=may_write, log=log)
            await _connect(hook, execution, failure, lock)
            escalation, call = await execution.run(begin, hook, options, failure, lock, log)
            with log_interrupted_escalation(failure, log):
                wanted = Acknowledgement.of(options, escalation.requests)
                while call and not await wait_for_acknowledgement(hook, execution, call, wanted, log):
                    call = await execution.run(escalation.ring_next)
                if call and escalation.newest:  # a retry or restart of this callback calls no one else
                    await execution.run(lock.record_call, replace(escalation.newest, acknowledged=True))
                count_alert("answered" if call else "rang")


async def _connect(hook: CallApiHook, execution: Execution, failure: Failure, lock: AlertLock) -> None:
    """Let the hook read the alert's Airflow connection.

    If the read fails, e.g. because a secrets backend is down, repeat it a few times, then raise the error.
    """
    for pause in (*connection_pauses(failure.kind), None):
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
    hook: CallApiHook, options: AlertOptions, failure: Failure, lock: AlertLock, log: Any
) -> tuple[Escalation, Outcome | None]:
    """Call the alert's first person, or continue with an earlier call of the same alert.

    Only a deadline's callback and a task that runs the notifier continue with an earlier call.

    :return: the escalation, and the placed call, if the alert must wait for its answer before it calls the
        next person. If there is no next person, the call is None.
    :raises AlertSuppressed: another callback has won the right to ring, or a person has acknowledged the
        alert, or the alert has an earlier call with which this callback may not continue.
    :raises NoPersonRung: no call was placed, as far as the notifier knows.
    """
    try:
        own = lock.acquire()
        if own and own.acknowledged:
            raise AlertSuppressed("a person has acknowledged it")
        escalation = _make_escalation(hook, options, failure, lock, log)
        with search_hook(hook, failure.kind) as searching:
            earlier = find_earlier_call(searching, escalation, options.quiet_for, log)
        if earlier and earlier.person >= len(escalation.requests):
            earlier = replace(earlier, is_last=True)
        # Only a deadline's callback after a restart, and a running task in a retry, continue an earlier call.
        if earlier and failure.kind not in CONTINUED:
            lock.record_call(earlier)
            raise AlertSuppressed("this alert has, or had, a call")
        if progress := _furthest(earlier, own):
            if (call := escalation.adopt(progress)) is None:
                lock.record_call(progress)
                raise AlertSuppressed("every person has been called before")
            return escalation, call
        warn_if_too_short(
            failure.kind,
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
    except Exception:
        lock.withdraw()  # another callback may ring
        raise
    return escalation, call  # None as the call: no person is left to call after it


def _furthest(*progresses: Progress | None) -> Progress | None:
    # The call whose person comes last in the alert's list.
    return max(filter(None, progresses), key=lambda progress: progress.person, default=None)


def _make_escalation(
    hook: CallApiHook, options: AlertOptions, failure: Failure, lock: AlertLock, log: Any
) -> Escalation:
    """Return the object that calls an alert's people one after another."""

    def warn(text: str) -> None:
        log.warning("Alert for %s: %s", failure, text)

    # Before the first call, `renew` raises `AlertSuppressed` if another callback has placed a call.
    send = with_message_fallback(
        lambda request: hook.call(request, before_each_send=lock.renew), failure.text, warn
    )
    send = with_scenario_fallback(send, warn)
    gateway = hook.call_gateway(
        lambda text: log.info("Alert for %s: %s", failure, text), poll_interval=ALERT_POLL_INTERVAL
    )
    requests = build_requests(options, failure, log)
    return Escalation(
        lock.alert,
        requests,
        replace(gateway, send=send),
        APPEAR_TIMEOUT,
        lock.record_call,
        warn,
        id_is_unique=options.quiet_for > 0,  # otherwise, alerts with an id of the author share the id
    )
