"""The notifier: rings the person on duty when a task, a DAG or a deadline fails."""

from __future__ import annotations

import asyncio
import copy
import re
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseNotifier, Variable, conf

from airflow_provider_callapi.api.errors import CallApiError, InvalidParameters, mask_phones
from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.api.models import parse_time
from airflow_provider_callapi.calls.alerting import Alert
from airflow_provider_callapi.calls.claiming import Claimant
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.placing import Means
from airflow_provider_callapi.calls.snapshot import look
from airflow_provider_callapi.calls.watch import DONE, SessionWatch
from airflow_provider_callapi.notifications.failure import Failure

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_callapi.hooks.callapi import CallApiHook

_POLL = 2.0
_APPEAR = 10.0
_SERVICE_DIALS_FOR = 30
_TIME_LIMITS = {
    "task": ("core", "task_success_overtime", 20.0),
    "dag": ("dag_processor", "dag_file_processor_timeout", 50.0),
}
"""What Airflow allows a callback: section, option, its default in seconds. A deadline's has no limit."""
_LIMIT_WAITS = {"task": 5.0, "dag": 20.0, "deadline": 120.0}
"""Seconds to wait for used up points; must fit into the above."""
_WORDS = {True: "answered", False: "not answered", None: "not known to be answered"}


class CallApiNotifier(BaseNotifier):
    """Ring a person, and say what has failed; with several contacts: until one of them answers.

    For ``on_failure_callback`` of a DAG or of tasks, and for deadline alerts (``AsyncCallback`` and
    ``SyncCallback``). Rings once for a run, however many of its tasks fail. Returns nothing, and never
    raises: what went wrong is in the log, as "Nobody was rung for …".

    A contact counts as reached only if it was seen to pick up (a voice mailbox picks up, too). Not known
    to have answered is not answered: the next is rung. The last one's call is not waited for.

    Time is limited where callbacks run: 20 s in a task's (``[core] task_success_overtime``), 50 s in a
    DAG's (``[dag_processor] dag_file_processor_timeout``), none in a deadline's. Enough to ring one
    person; the log warns where it is too little for all of them.

    What of several failures in the same second rings once: every task's callback claims the alert in the
    Airflow Variable ``callapi_alert_<dag_id>``, waits ``settle``, and rings only if the claim is still its
    own. See `airflow_provider_callapi.calls.claiming` for what this guarantees.

    :param contact: a phone number, a list of them, or a text with several, separated by commas.
    :param virtual_phone_number: the number shown.
    :param message: what is said: a text, or ``{"type": "media", "value": "2034"}``. By default, in
        Russian: which task of which DAG and run.
    :param callapi_conn_id: the connection.
    :param external_id: the id of the alert, and of its calls. By default one for a DAG's run.
    :param quiet_for: time, or seconds, for which one call is enough for the same ``external_id``; 0:
        every failure rings. What is remembered: the Variable's last alert of the DAG, calls in progress,
        and what the Data API knows, if the connection has it.
    :param dialing_timeout: seconds for which a phone rings, 1 to 120; the service's default is 30.
    :param settle: seconds to wait after a claim: longer than Airflow's API server ever needs for a Variable.
    """

    template_fields: Sequence[str] = (
        "contact",
        "virtual_phone_number",
        "message",
        "callapi_conn_id",
        "external_id",
        "dialing_timeout",
    )

    def __init__(
        self,
        *,
        contact: str | Sequence[str],
        virtual_phone_number: str,
        message: str | dict[str, Any] | None = None,
        callapi_conn_id: str = "callapi_default",
        external_id: str | None = None,
        quiet_for: timedelta | float = timedelta(minutes=15),
        dialing_timeout: int | str | None = None,
        settle: float = 4.0,
        **kwargs: Any,  # context, from Airflow 3.1 on
    ) -> None:
        super().__init__(**kwargs)
        self.contact = contact
        self.virtual_phone_number = virtual_phone_number
        self.message = message
        self.callapi_conn_id = callapi_conn_id
        self.external_id = external_id
        self.quiet_for = quiet_for
        self.dialing_timeout = dialing_timeout
        self.settle = settle

    def __call__(self, *args: Any) -> None:
        """Ring, as a callback. Works on copies: templates are rendered in place, and there is a next time."""
        arguments = [copy.copy(arg) for arg in args]
        with self._only_logging(args[0] if args else {}):
            super(CallApiNotifier, copy.copy(self)).__call__(*arguments)

    def __await__(self) -> Generator[Any, None, None]:
        """Ring, in the triggerer."""
        return copy.copy(self)._awaited(copy.copy(self.context)).__await__()

    def notify(self, context: Context) -> None:
        """Ring, and wait in this process until somebody answers."""
        with self._only_logging(context), self._hook(context) as hook:
            failure = Failure.read(context)
            with self._turn(failure) as rung:
                alert = self._alert(hook, failure)
                while call := alert.ring_next():
                    rung()
                    if not alert.somebody_is_left or self._answers(hook, call):
                        return
                _check(alert)

    async def async_notify(self, context: Context) -> None:
        """Ring, and wait in the connection's shared poll until somebody answers."""
        from airflow_provider_callapi.hooks.callapi import read_settings  # noqa: PLC0415 - parse time

        with self._only_logging(context), self._hook(context) as hook:
            hook.settings = read_settings(await hook.aget_connection(self.callapi_conn_id))
            alert = await asyncio.to_thread(self._alert, hook, Failure.read(context))
            while call := await asyncio.to_thread(alert.ring_next):
                if not alert.somebody_is_left or await self._answers_async(hook, call):
                    return
            _check(alert)

    def get_template_env(self, dag: Any = None) -> Any:
        """The DAG's; the serialized one, which ``dag.test()`` gives to a DAG's callback, has none."""
        return super().get_template_env(dag if hasattr(dag, "get_template_env") else None)

    async def _awaited(self, context: Context) -> None:
        with self._only_logging(context):
            self.render_template_fields(context)
            await self.async_notify(context)

    @contextmanager
    def _only_logging(self, context: Mapping[str, Any]) -> Iterator[None]:
        """A callback must not fail because of its telephone; the log says why nobody was rung."""
        try:
            yield
        except _Quiet as reason:
            self.log.info("Quiet for %s: %s", Failure.read(context), reason)
        except Exception as error:
            text = mask_phones(f"{type(error).__name__}: {error}")
            self.log.error("Nobody was rung for %s: %s", Failure.read(context), text)

    # --- whose turn it is ---

    @contextmanager
    def _turn(self, failure: Failure) -> Iterator[Callable[[], None]]:
        """Our turn to ring, among all whose tasks fail now; yields what to call when a phone rings.

        :raises _Quiet: it is somebody else's.
        """
        claim = self._claim(failure)
        if claim is None:
            yield _nothing
            return
        try:
            ours = claim.win()
        except Exception as error:  # no rights, no API server
            self.log.warning("Ringing without a claim, since the Variable cannot be used: %s", error)
            yield _nothing
            return
        if not ours:
            raise _Quiet("another task's callback rings, or has rung")

        def rung() -> None:
            try:
                claim.rang()
            except Exception as error:
                self.log.warning("Others may ring as well, since the Variable cannot be written: %s", error)

        try:
            yield rung
        except _Quiet:
            rung()
            raise
        except Exception:
            claim.give_up()
            raise

    def _claim(self, failure: Failure) -> Claimant | None:
        """Only tasks fail together: a run has one callback of its DAG and of a deadline."""
        if failure.kind != "task" or not self._quiet_seconds:
            return None
        return Claimant(
            _VariableRegister(f"callapi_alert_{failure.dag_id}"),
            alert=self.external_id or failure.external_id,
            by=uuid.uuid4().hex,
            quiet_for=self._quiet_seconds,
            settle=self.settle,
            clock=time.time,
            sleep=time.sleep,
        )

    def _refuse_to_repeat(self, hook: CallApiHook, external_id: str) -> None:
        """Look for this alert's calls: among those in progress, and in the Data API.

        :raises _Quiet: there is one.
        """
        if not self._quiet_seconds:
            return
        snapshot = look(hook.get_conn(), time.time)
        if snapshot.failure:
            self.log.warning("Ringing without a look at the calls in progress: %s", snapshot.failure)
        if any(session.external_id == external_id for session in snapshot.sessions.values()):
            raise _Quiet("a call for it is in progress")
        if not hook.has_data_api:
            return
        since = time.time() - self._quiet_seconds
        try:
            report = hook.call_report(external_id=external_id, since=since)
        except CallApiError as error:
            self.log.warning("Ringing without a look at the Data API: %s", error)
            return
        if report is None or report.start_time is None:
            return
        if parse_time(report.start_time, hook.settings.timezone).timestamp() >= since:
            raise _Quiet("there was a call for it")

    # --- the calls ---

    def _alert(self, hook: CallApiHook, failure: Failure) -> Alert:
        external_id = self.external_id or failure.external_id
        people = self._people(failure, external_id)
        self._refuse_to_repeat(hook, external_id)
        self._warn_of_the_limit(failure, len(people))

        means = Means(
            send=hook.call,
            looks=lambda: hook.looks(_POLL),
            find_report=hook.finder(),
            clock=time.time,
            log=lambda text: self.log.info("Alert for %s: %s", failure, text),
        )

        def trouble(text: str) -> None:
            self.log.warning("Alert for %s: %s", failure, text)

        return Alert(people, means, _APPEAR, trouble)

    def _people(self, failure: Failure, external_id: str) -> list[StartInformerCall]:
        """A request for everybody whose number is one; a typing error in one must not silence the others."""
        contacts = re.split(r"[,;\n]", self.contact) if isinstance(self.contact, str) else self.contact
        message = failure.text if self.message is None else self.message
        people = []
        for contact in contacts:
            if not str(contact).strip():
                continue
            values = {
                "virtual_phone_number": self.virtual_phone_number,
                "contact": str(contact).strip(),
                "contact_message": {"type": "tts", "value": message} if isinstance(message, str) else message,
                "external_id": external_id,
                "dialing_timeout": self.dialing_timeout,
            }
            try:
                people.append(StartInformerCall.read(values))
            except InvalidParameters as error:
                self.log.error("Somebody cannot be rung for %s: %s", failure, error)
        return people

    def _answers(self, hook: CallApiHook, call: Outcome) -> bool:
        watch = self._watch(call)
        try:
            hook.watch_session(watch, until="answered", poll_interval=_POLL)
        except CallApiError as error:
            self.log.warning("Call session %s cannot be followed: %s", call.call_session_id, error)
        return self._answered(hook, watch, call)

    async def _answers_async(self, hook: CallApiHook, call: Outcome) -> bool:
        from airflow_provider_callapi.triggers.shared_poll import listen  # noqa: PLC0415 - parse time

        watch = self._watch(call)
        try:
            async with listen(self.callapi_conn_id, _POLL) as next_snapshot:
                while watch.feed(await next_snapshot()) not in DONE["answered"]:
                    pass
        except Exception as error:  # also the poll's own end
            self.log.warning("Call session %s cannot be followed: %s", call.call_session_id, error)
        return await asyncio.to_thread(self._answered, hook, watch, call)

    def _watch(self, call: Outcome) -> SessionWatch:
        now = time.time()
        return SessionWatch(call.call_session_id, now + _APPEAR, now + self._dials_for + _APPEAR)

    def _answered(self, hook: CallApiHook, watch: SessionWatch, call: Outcome) -> bool:
        """Whether somebody is known to have picked up; of an answer between two looks the Data API knows."""
        answered = watch.outcome(call).answered
        try:
            if not answered and hook.has_data_api and (settled := hook.settle(call)):
                answered = settled[0].answered
        except CallApiError as error:
            self.log.warning("The Data API does not tell of call session %s: %s", call.call_session_id, error)
        self.log.info("Call session %s: %s", call.call_session_id, _WORDS[answered])
        return bool(answered)

    def _hook(self, context: Mapping[str, Any]) -> CallApiHook:
        from airflow_provider_callapi.hooks.callapi import CallApiHook  # noqa: PLC0415 - parse time

        return CallApiHook(self.callapi_conn_id, max_limit_wait=_LIMIT_WAITS[Failure.read(context).kind])

    def _warn_of_the_limit(self, failure: Failure, people: int) -> None:
        if failure.kind not in _TIME_LIMITS:
            return
        section, option, default = _TIME_LIMITS[failure.kind]
        allowed = conf.getfloat(section, option, fallback=default)
        needed = (self.settle if failure.kind == "task" else 0) + (people - 1) * (self._dials_for + _APPEAR)
        if people > 1 and needed > allowed:
            self.log.warning(
                "%d people may need %.0f s, and Airflow ends this callback after %.0f s ([%s] %s)",
                people,
                needed,
                allowed,
                section,
                option,
            )

    @property
    def _dials_for(self) -> int:
        return int(self.dialing_timeout or _SERVICE_DIALS_FOR)

    @property
    def _quiet_seconds(self) -> float:
        return self.quiet_for.total_seconds() if isinstance(self.quiet_for, timedelta) else self.quiet_for


class _Quiet(Exception):
    """One call is enough, and was made."""


class _NobodyReached(Exception):
    """Nobody could be rung."""


class _VariableRegister:
    """An Airflow Variable: read and written through the API server by whoever runs callbacks."""

    def __init__(self, name: str) -> None:
        self._name = name

    def read(self) -> str | None:
        value: str | None = Variable.get(self._name, default=None)
        return value

    def write(self, value: str) -> None:
        Variable.set(self._name, value, description="The newest alert by telephone; may be deleted")


def _check(alert: Alert) -> None:
    if not alert.rung:
        raise _NobodyReached("no contact could be called; see above")


def _nothing() -> None:
    """What to call when a phone rings, where nobody else has to know."""
