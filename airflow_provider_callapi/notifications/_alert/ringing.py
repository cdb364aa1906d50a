"""The steps of one alert: make sure that no other task rings, call a person, wait, call the next person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.api.models import StartedCall
from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.alerts.claims import Progress
from airflow_provider_callapi.calls.alerts.election import AlertSuppressed
from airflow_provider_callapi.calls.alerts.escalation import (
    Escalation,
    with_message_fallback,
    with_scenario_fallback,
)
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
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
from airflow_provider_callapi.task_context.temporary_run import is_test_of_another_task

if TYPE_CHECKING:
    from airflow_provider_callapi.hooks.callapi import CallApiHook

_STORE_PAUSES = (1.0, 5.0, 10.0, 30.0)
"""Seconds of the pauses between the tries of a callback without a time limit to store an acknowledgement."""
_DENIED = (
    "Airflow does not let this callback read the connection. A deadline's SyncCallback can read only a "
    "connection in an environment variable or in a secrets backend of the workers: use an AsyncCallback"
)


async def ring(options: AlertOptions, context: Mapping[str, Any], execution: Execution, log: Any) -> None:
    """Call one person after another, until one acknowledges the alert or all are called.

    Log errors and raise none.
    """
    with log_instead_of_raising(context, log):
        reason = AlertReason.from_context(context)
        if is_test_of_another_task(reason.run_id):
            raise AlertSuppressed("the DAG run exists only because `airflow tasks test` tests another task")
        with make_hook(options.callapi_conn_id, reason.kind) as hook:
            await Alert(options, reason, hook, execution, log).ring()


class Alert:
    """One alert: the callback needs the right to ring, and then calls one person after another.

    :param hook: sends the requests of the alert, see `make_hook`. It has not read its connection yet.
    :param execution: how the alert does slow work, e.g. in the triggerer's event loop.
    """

    def __init__(
        self,
        options: AlertOptions,
        reason: AlertReason,
        hook: CallApiHook,
        execution: Execution,
        log: Any,
    ) -> None:
        self._options = options
        self._reason = reason
        self._hook = hook
        self._execution = execution
        self._log = log
        self._lock = AlertLock.make(options, reason, may_write=execution.may_write_variables(reason), log=log)

    async def ring(self) -> None:
        """Call one person after another, until one acknowledges the alert or all are called.

        After the first call, the method logs errors and raises none.

        :raises AlertSuppressed: another callback has won the right to ring, or a person has acknowledged the
            alert, or the alert has an earlier call with which this callback may not continue.
        :raises NoPersonRung: no call was placed, as far as the notifier knows.
        """
        await self._connect()
        call = await self._execution.run(self._begin)
        with log_interrupted_escalation(self._reason, self._log):
            is_acknowledged = await self._call_until_acknowledged(call)
            if is_acknowledged:
                await self._execution.run(self._record_acknowledgement)
            count_alert("answered" if is_acknowledged else "rang")
            await self._execution.run(self._lock.delete_expired)

    async def _connect(self) -> None:
        """Let the hook read the alert's Airflow connection.

        If the read fails, e.g. because a secrets backend is down, the method repeats it a few times. Then it
        raises the error.

        :raises NoPersonRung: Airflow does not permit the callback to read the connection.
        """
        for pause in (*connection_pauses(self._reason.kind), None):
            try:
                return await self._execution.connect(self._hook)
            except Exception as error:
                # Airflow 3.3 refuses each connection in its database to a deadline's SyncCallback.
                if isinstance(error, PermissionError) and self._reason.kind == "deadline":
                    conn_id = mask_phones(self._hook.callapi_conn_id)
                    raise NoPersonRung(f"connection {conn_id}: {_DENIED}") from error
                if pause is None or isinstance(error, AirflowFailException | ValueError):
                    raise
                self._log.warning(
                    "Connection %s cannot be read, and is read again in %g s: %s",
                    mask_phones(self._hook.callapi_conn_id),
                    pause,
                    mask_phones(str(error)),
                )
            await self._execution.run(system_clock.sleep, pause)

    def _begin(self) -> Outcome | None:
        """Win the right to ring. Then call the next person, or continue with an earlier call of the alert.

        Only a deadline's callback and a task that runs the notifier continue with an earlier call. A
        deadline's callback in a worker does not, because it cannot write Variables.

        :return: the call whose answer the alert awaits before it calls the next person. None: there is no
            next person.
        :raises AlertSuppressed, NoPersonRung: see `ring`.
        """
        try:
            while True:
                own = self._lock.acquire()
                try:
                    return self._begin_once(own)
                except RightLost:  # another process may have placed a call
                    continue
        except Exception:
            self._lock.withdraw()  # another callback may ring
            raise

    def _begin_once(self, own: Progress | None) -> Outcome | None:
        """Call the next person, or continue with an earlier call of the alert.

        :param own: the newest call that this callback knows from its Variable.
        :return: see `_begin`.
        :raises RightLost: this process has lost its right to ring.
        """
        escalation = self._escalation
        if progress := furthest(self._find_earlier_call(), own):
            return self._adopt(progress)
        warn_if_too_short(
            self._reason.kind,
            len(escalation.requests),
            settle=self._options.settle if self._options.quiet_for else 0,
            per_call=self._wanted.longest_call,
            log=self._log,
        )
        call = escalation.ring_next()
        if not escalation.requests:
            raise NoPersonRung("no contact has a number that can be called; the lines above show the reasons")
        if escalation.newest is None:
            raise NoPersonRung("no call is confirmed; the lines above show whether a phone may have rung")
        return call  # None: no person is left to call after it

    def _find_earlier_call(self) -> Progress | None:
        """Search for a call of the alert with which this callback continues. None: no call is found.

        :raises AlertSuppressed: there is a call, and this callback may not continue with it.
        """
        candidate = self._lock.candidate
        if candidate is None:  # with quiet_for=0, each callback rings
            return None
        with search_hook(self._hook, self._reason.kind) as searching:
            earlier = find_earlier_call(
                searching, self._escalation, self._options.quiet_for, self._log, until=candidate.ring_by
            )
        if earlier is None:
            return None
        if earlier.person >= len(self._escalation.requests):
            earlier = replace(earlier, is_last=True)
        # A callback without a time limit continues the call and becomes its owner, because the process that
        # has placed it may still run. Any other callback only stores it.
        if not (self._reason.kind in CONTINUED and candidate.may_write):
            self._lock.record_found_call(earlier)
            raise AlertSuppressed("this alert has, or had, a call")
        return earlier

    def _adopt(self, progress: Progress) -> Outcome:
        """Continue with an earlier call of the alert. Return the call, whose answer the alert awaits.

        :raises AlertSuppressed: no person is left to be called after the call.
        """
        self._lock.record_call(progress)  # another process that has placed the call then calls no one else
        call = self._escalation.adopt(progress)
        if call is None:
            raise AlertSuppressed("every person has been called before")
        return call

    async def _call_until_acknowledged(self, call: Outcome | None) -> bool:
        """Wait for the answer to a call. Call the next people until one acknowledges the alert.

        :param call: the alert's newest call. None: no person is left to call after it.
        :return: True: a person has acknowledged the alert. False: no one has, before the call to the last
            person.
        """
        while call and not await wait_for_acknowledgement(
            self._hook, self._execution, call, self._wanted, self._log
        ):
            call = await self._execution.run(self._call_next)
        return call is not None

    def _call_next(self) -> Outcome | None:
        """Call the next person. Return the call whose answer the alert awaits. None: no person is left."""
        try:
            return self._escalation.ring_next()
        except RightLost:
            return self._begin()

    def _record_acknowledgement(self) -> None:
        """Store the acknowledgement, so that a retry or restart of this callback calls no one else."""
        if self._escalation.newest:
            pauses = _STORE_PAUSES if self._reason.kind in CONTINUED else ()
            self._lock.record_acknowledgement(self._escalation.newest, pauses=pauses)

    @cached_property
    def _escalation(self) -> Escalation:
        """The object that calls the alert's people one after another."""

        # It is made only after the election, because it logs the contacts that cannot be called.
        def warn(text: str) -> None:
            self._log.warning("Alert for %s: %s", self._reason, text)

        def send(request: StartCall, before_each_send: Callable[[], object]) -> StartedCall:
            def check() -> None:
                self._lock.check_right()
                before_each_send()

            def send_once(request: StartCall) -> StartedCall:
                return self._hook.call(request, before_each_send=check)

            with_fallbacks = with_scenario_fallback(
                with_message_fallback(send_once, self._reason.text, warn), warn
            )
            return with_fallbacks(request)

        gateway = self._hook.call_gateway(
            lambda text: self._log.info("Alert for %s: %s", self._reason, text),
            warn=warn,
            poll_interval=ALERT_POLL_INTERVAL,
        )
        return Escalation(
            self._lock.alert,
            build_requests(self._options, self._reason, self._log),
            replace(gateway, send=send),
            APPEAR_TIMEOUT,
            self._lock.record_call,
            warn,
            # Without quiet_for, alerts with an id of the author share the id.
            id_is_unique=self._options.quiet_for > 0,
        )

    @cached_property
    def _wanted(self) -> Acknowledgement:
        """What acknowledges the alert."""
        return Acknowledgement.of(self._options, self._escalation.requests)
