"""The notifier: rings the person on duty when a task, a DAG or a deadline fails."""

from __future__ import annotations

import copy
import re
import time
import uuid
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseNotifier, conf

from airflow_provider_callapi.api.errors import CallApiError, InvalidParameters, mask_phones
from airflow_provider_callapi.api.methods import Message, StartInformerCall
from airflow_provider_callapi.api.models import parse_time
from airflow_provider_callapi.calls.alerts.election import Progress
from airflow_provider_callapi.calls.alerts.escalation import Alert, fitting
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.placing import CallGateway
from airflow_provider_callapi.calls.snapshot import take_snapshot
from airflow_provider_callapi.calls.watch import WAIT_ENDS_IN, SessionWatch
from airflow_provider_callapi.notifications._alert.alert_lock import AlertLock, AlertSuppressed
from airflow_provider_callapi.notifications._alert.failure import Failure
from airflow_provider_callapi.observability import count_alert, observe
from airflow_provider_callapi.triggers._loop.threads import run_in_thread

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_callapi.hooks.callapi import CallApiHook

_POLL = 2.0
_APPEAR = 10.0
_SERVICE_DIALS_FOR = 30
_BRIEF = 3.0
"""Seconds for one question before the ring, where Airflow limits the callback's time."""
_TIME_LIMITS = {
    "task": ("core", "task_success_overtime", 20.0),
    "dag": ("dag_processor", "dag_file_processor_timeout", 50.0),
}
"""What Airflow allows a callback: section, option, its default in seconds. A deadline's has no limit."""
_LIMIT_WAITS = {"task": 5.0, "dag": 20.0, "deadline": 120.0}
"""Seconds to wait for used up points; must fit into the above."""
_OPTIONAL = {
    "message": "the default text is said",
    "external_id": "the run's id is taken",
    "dialing_timeout": "the service's default is taken",
}
"""Templated fields, and what is done without them."""
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

    What of several failures in the same second rings once: every callback claims the alert in an Airflow
    Variable of its own, ``callapi_alert_<hash of the external_id>``, waits ``settle``, and rings only if the
    claim is still its own. That is one call for sure if no callback takes longer than ``settle`` from reading
    the Variable to writing it.

    A deadline's callback that Airflow starts again (its triggerer was restarted) goes on where it was: a
    call in progress is waited for, and people who were rung are not rung again.

    :param contact: a phone number, a list of them, or a text with several, separated by commas.
    :param virtual_phone_number: the number shown.
    :param message: what is said: a text, or ``{"type": "media", "value": "2034"}``. By default, in
        Russian: which task of which DAG and run.
    :param callapi_conn_id: the connection.
    :param external_id: the id of the alert; its calls have ``<external_id>-1``, ``-2`` …, one for each
        contact. By default one for a DAG's run.
    :param quiet_for: time, or seconds, for which one call is enough for the same ``external_id``; 0:
        every failure rings. What is remembered: the alert's Variable, calls in progress, and what the
        Data API knows, if the connection has it.
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
            # who runs a deadline's callback in a worker never answers a write: it would hang
            turn = self._turn(failure, context, may_write=failure.kind != "deadline")
            alert, call = self._begin(hook, failure, turn)
            with self._escalation(failure):
                while call and not self._answers(hook, call):
                    call = alert.ring_next()
                count_alert("answered" if call else "rang")

    async def async_notify(self, context: Context) -> None:
        """Ring, and wait in the connection's shared poll until somebody answers."""
        from airflow_provider_callapi.connection.settings import read_settings  # noqa: PLC0415 - parse time

        with self._only_logging(context), self._hook(context) as hook:
            hook.settings = read_settings(await hook.aget_connection(self.callapi_conn_id))
            failure = Failure.read(context)
            turn = self._turn(failure, context, may_write=True)
            alert, call = await run_in_thread(self._begin, hook, failure, turn)
            with self._escalation(failure):
                while call and not await self._answers_async(hook, call):
                    call = await run_in_thread(alert.ring_next)
                count_alert("answered" if call else "rang")

    def render_template_fields(self, context: Context, jinja_env: Any = None) -> None:
        """Render the fields; what can be left out and cannot be rendered must not silence the alarm."""
        optional = {name: getattr(self, name) for name in _OPTIONAL}
        for name in optional:
            setattr(self, name, None)
        super().render_template_fields(context, jinja_env)
        environment = jinja_env or self.get_template_env(dag=context.get("dag"))
        for name, value in optional.items():
            try:
                setattr(self, name, self.render_template(value, context, environment))
            except Exception as error:
                text = mask_phones(f"{type(error).__name__}: {error}")
                self.log.error("%s cannot be rendered, so %s: %s", name, _OPTIONAL[name], text)

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
        except AlertSuppressed as reason:
            self.log.info("Quiet for %s: %s", Failure.read(context), reason)
            count_alert("quiet")
        except Exception as error:
            kind = "" if isinstance(error, _NobodyReached) else f"{type(error).__name__}: "
            text = mask_phones(f"{kind}{error}")
            self.log.error("Nobody was rung for %s: %s", Failure.read(context), text)
            count_alert("nobody")

    @contextmanager
    def _escalation(self, failure: Failure) -> Iterator[None]:
        """After the first ring: what ends it now does not mean that nobody was rung."""
        try:
            yield
        except Exception as error:
            text = mask_phones(f"{type(error).__name__}: {error}")
            self.log.error("A phone was rung for %s, and the next ones are not: %s", failure, text)
            count_alert("rang")

    # --- the calls ---

    def _begin(self, hook: CallApiHook, failure: Failure, turn: AlertLock) -> tuple[Alert, Outcome | None]:
        """Ring the first person, or go on where a restart has ended it; see `Alert.ring_next`.

        :raises AlertSuppressed: there was, or is, a call for it.
        :raises _NobodyReached: nobody could be rung.
        """
        try:
            step = turn.take()
            alert = self._alert(hook, failure, turn)
            with self._brief(hook) if failure.kind in _TIME_LIMITS else nullcontext(hook) as asked:
                found = self._find(asked, alert)
            if found:
                if failure.kind != "deadline":
                    turn.rang(found)
                    raise AlertSuppressed("there is, or was, a call for it")
                if step is None or found.person >= step.person:
                    step = found
            if step:
                return alert, alert.go_on(step)
            self._warn_of_the_limit(failure, len(alert.people))
            call = alert.ring_next()
            if not alert.rung:
                raise _NobodyReached("no contact could be called; see above")
        except Exception:
            turn.give_up()
            raise
        return alert, call

    def _turn(self, failure: Failure, context: Mapping[str, Any], *, may_write: bool) -> AlertLock:
        deadline = context.get("deadline")
        deadline_id = deadline.get("id") if isinstance(deadline, Mapping) else None
        return AlertLock(
            alert=str(self.external_id or failure.external_id),
            about=str(failure),
            by=f"deadline {deadline_id}" if deadline_id else uuid.uuid4().hex,
            quiet_for=self._quiet_seconds,
            settle=self.settle,
            may_write=may_write,
            clock=time.time,
            sleep=time.sleep,
            log=self.log,
        )

    def _brief(self, hook: CallApiHook) -> CallApiHook:
        """The same connection for what may be left unasked: it must not take the time that the ring needs."""
        from airflow_provider_callapi.hooks.callapi import CallApiHook  # noqa: PLC0415 - parse time

        brief = CallApiHook(self.callapi_conn_id, max_limit_wait=0.0, attempts=1)
        timeout = min(hook.settings.timeout, _BRIEF)
        brief.settings = hook.settings.model_copy(update={"timeout": timeout})
        return brief

    def _find(self, hook: CallApiHook, alert: Alert) -> Progress | None:
        """The newest call of this alert: in progress, or in the Data API."""
        if not self._quiet_seconds:
            return None
        snapshot = take_snapshot(hook.get_conn(), time.time)
        if snapshot.failure:
            self.log.warning("Ringing without a look at the calls in progress: %s", snapshot.failure)
        if step := alert.step_among(snapshot.sessions.values()):
            return step
        if not hook.has_data_api:
            return None
        began = time.time()
        since = began - self._quiet_seconds
        try:
            for person, external_id in alert.call_ids:
                if time.time() - began > 2 * hook.settings.timeout:
                    self.log.warning("Ringing without the rest of the Data API's answers: they are slow")
                    break
                report = hook.call_report(external_id=external_id, since=since)
                if report is None or report.start_time is None:
                    continue
                if parse_time(report.start_time, hook.settings.timezone).timestamp() >= since:
                    return Progress(person, report.id)
        except (CallApiError, ValueError) as error:  # ValueError: a time that cannot be read
            self.log.warning("Ringing without a look at the Data API: %s", error)
        return None

    def _alert(self, hook: CallApiHook, failure: Failure, turn: AlertLock) -> Alert:
        def trouble(text: str) -> None:
            self.log.warning("Alert for %s: %s", failure, text)

        gateway = CallGateway(
            send=fitting(lambda call: hook.call(call, before=turn.confirm), failure.text, trouble),
            poll_snapshots=lambda: hook.poll_snapshots(_POLL),
            find_reported_call=hook.finder(),
            timezone=hook.settings.timezone,
            clock=time.time,
            log=lambda text: self.log.info("Alert for %s: %s", failure, text),
        )
        return Alert(turn.alert, self._people(failure), gateway, _APPEAR, turn.rang, trouble)

    def _people(self, failure: Failure) -> list[StartInformerCall]:
        """A request for everybody whose number is one; a typing error in one must not silence the others."""
        given = str(self.contact) if isinstance(self.contact, int) else self.contact  # of a native template
        contacts = re.split(r"[,;\n]", given) if isinstance(given, str) else given
        values = {
            "virtual_phone_number": self.virtual_phone_number,
            "contact_message": self._message(failure),
            "dialing_timeout": self.dialing_timeout or None,
        }
        people = []
        for contact in (str(contact).strip() for contact in contacts):
            try:
                if contact:
                    people.append(self._request({**values, "contact": contact}))
            except InvalidParameters as error:
                self.log.error("Somebody cannot be rung for %s: %s", failure, error)
        self.dialing_timeout = people[0].dialing_timeout if people else None  # as it can be used
        return people

    def _request(self, values: Mapping[str, Any]) -> StartInformerCall:
        try:
            return StartInformerCall.read(values)
        except InvalidParameters as error:
            if error.field != "dialing_timeout":
                raise
            self.log.error("%s; %s", error, _OPTIONAL["dialing_timeout"])
            return StartInformerCall.read({**values, "dialing_timeout": None})

    def _message(self, failure: Failure) -> dict[str, Any]:
        """What is said; the default text where the author's is nothing that can be said."""
        default = {"type": "tts", "value": failure.text}
        if self.message is None:
            return default
        said = (
            {"type": "tts", "value": self.message.strip()} if isinstance(self.message, str) else self.message
        )
        try:
            return Message.model_validate(said, strict=False).model_dump()
        except ValueError as error:
            self.log.error("message cannot be said, so the default text is said: %s", mask_phones(str(error)))
            return default

    def _answers(self, hook: CallApiHook, call: Outcome) -> bool:
        watch = self._watch(call)
        try:
            hook.watch_session(watch, until="answered", poll_interval=_POLL)
        except CallApiError as error:
            self.log.warning("Call session %s cannot be followed: %s", call.call_session_id, error)
        return self._answered(hook, watch, call)

    async def _answers_async(self, hook: CallApiHook, call: Outcome) -> bool:
        from airflow_provider_callapi.triggers._loop.shared_poll import subscribe  # noqa: PLC0415 - parse time

        watch = self._watch(call)
        try:
            async with subscribe(self.callapi_conn_id, _POLL) as next_snapshot:
                while observe(watch, await next_snapshot()) not in WAIT_ENDS_IN["answered"]:
                    pass
        except Exception as error:  # also the poll's own end
            self.log.warning("Call session %s cannot be followed: %s", call.call_session_id, error)
        return await run_in_thread(self._answered, hook, watch, call)

    def _watch(self, call: Outcome) -> SessionWatch:
        now = time.time()
        return SessionWatch(call.call_session_id, now + _APPEAR, now + self._dials_for + _APPEAR)

    def _answered(self, hook: CallApiHook, watch: SessionWatch, call: Outcome) -> bool:
        """Whether somebody is known to have picked up; of an answer between two looks the Data API knows."""
        answered = watch.extend_outcome(call).answered
        try:
            if not answered and hook.has_data_api and (settled := hook.fetch_final_outcome(call)):
                answered = settled[0].answered
        except Exception as error:  # the next person must be rung, whatever it is
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
        needed = (self.settle if self._quiet_seconds else 0) + (people - 1) * (self._dials_for + _APPEAR)
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


class _NobodyReached(Exception):
    """Nobody could be rung."""
