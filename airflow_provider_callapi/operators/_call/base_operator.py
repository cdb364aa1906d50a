"""Base of the operators that start one call.

Every try reads the journal first (`airflow_provider_callapi.calls.placing`) and continues where the last try
stopped.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperatorLink, conf

from airflow_provider_callapi.api.errors import CallRefused, mask_phones
from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.placing import CallGateway, Delivery, Step, Unresolved, place
from airflow_provider_callapi.calls.tagging import TagWhen
from airflow_provider_callapi.exceptions import (
    CallTooLate,
    CallUnresolved,
    CallUnresolvedForNow,
    translate_errors,
)
from airflow_provider_callapi.observability import LogEvent, count_call, log_call_event
from airflow_provider_callapi.operators._call.lifecycle import CallLifecycle, read_tag_rules
from airflow_provider_callapi.operators._call.request_operator import RequestOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_callapi.hooks.callapi import CallApiHook


class RecordingLink(BaseOperatorLink):
    """The call's recording in the account; there only with ``recording_link=True``."""

    name = "Recording"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The URL, or nothing. Airflow keeps it as an XCom, so it has to be asked for."""
        return getattr(operator, "recording_url", None) or ""


class PlacedCallOperator(RequestOperator):
    """Base of the five; the parameters are described in `airflow_provider_callapi.operators.start_call`."""

    ui_color = "#fbe8d3"
    operator_extra_links = (RecordingLink(),)
    also_templated = ("tags",)

    def __init__(
        self,
        *,
        virtual_phone_number: str,
        contact: str,
        external_id: str | None = None,
        dtmf_string: str | None = None,
        direction: str | None = None,
        wait_for_completion: bool = False,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: float = 5.0,
        appear_timeout: float = 60.0,
        timeout: float = 3600.0,
        poll_failures_tolerated: int = 10,
        report_timeout: float = 120.0,
        require_answer: bool = False,
        delivery: Delivery = "at_most_once",
        durable: bool = True,
        tags: dict[TagWhen, int | str] | None = None,
        cancel_on_kill: bool = False,
        max_lateness: timedelta | float | None = timedelta(hours=24),
        recording_link: bool = False,
        refused_as_result: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.virtual_phone_number = virtual_phone_number
        self.contact = contact
        self.external_id = external_id
        self.dtmf_string = dtmf_string
        self.direction = direction
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.appear_timeout = appear_timeout
        self.timeout = timeout
        self.poll_failures_tolerated = poll_failures_tolerated
        self.report_timeout = report_timeout
        self.require_answer = require_answer
        self.delivery = delivery
        self.durable = durable
        self.tags = tags
        self.cancel_on_kill = cancel_on_kill
        self.max_lateness = max_lateness
        self.recording_link = recording_link
        self.refused_as_result = refused_as_result
        self.recording_url: str | None = None
        self.call_session_id: int | None = None  # of the call to be released by a kill
        self._hook: CallApiHook | None = None
        if delivery not in ("at_most_once", "at_least_once"):
            raise ValueError(f"delivery: {delivery!r} is not at_most_once or at_least_once")
        if poll_interval <= 0:
            raise ValueError(f"poll_interval: {poll_interval!r} is not a positive number of seconds")
        if refused_as_result and delivery != "at_most_once":
            raise ValueError(
                "refused_as_result needs delivery='at_most_once': an attempt before may have rung"
            )
        for name in ("require_answer", "tags", "recording_link"):
            if getattr(self, name) and not wait_for_completion:
                raise ValueError(f"{name} needs wait_for_completion=True")

    def execute(self, context: Context) -> dict[str, Any]:
        """Place the call, or go on with the one that an earlier try placed; see the class."""
        request: StartCall = self.read()
        with translate_errors(), self._open() as hook:
            lifecycle = self._lifecycle(context, hook)
            late = self._lateness(context)
            step = lifecycle.journal.step(request)
            if late and step in (Step.DIAL, Step.DIAL_AGAIN):
                raise CallTooLate(late)
            delivery = "at_most_once" if late else self.delivery
            whom = f"{request.method} to {mask_phones(request.contact)}"
            look_first = not lifecycle.durable and context["ti"].try_number > 1
            try:
                call = place(
                    lifecycle.journal,
                    request,
                    self._means(hook, whom),
                    appear_timeout=self.appear_timeout,
                    delivery=delivery,
                    look_first=look_first,
                )
            except Unresolved as error:
                kind = CallUnresolved if delivery == "at_most_once" else CallUnresolvedForNow
                raise kind(str(error)) from error
            except CallRefused as error:
                if error.method == request.method:
                    count_call("refused")
                # without a journal an earlier try may have rung; a refused search says nothing of a call
                if not self.refused_as_result or look_first or error.method != request.method:
                    raise
                self.log.info("%s: %s", whom, error)
                return lifecycle.refused(request, error)
            if step is Step.GO_ON:
                log_call_event(LogEvent.RESUMED, call)
            with lifecycle.forbid_redial_on_retry():
                return lifecycle.go_on(call)

    def execute_complete(
        self, context: Context, event: dict[str, Any] | None = None, wait_until: float | None = None
    ) -> dict[str, Any]:
        """Go on after the trigger's event."""
        from airflow_provider_callapi.triggers.call_session import read_event  # noqa: PLC0415 - parse time

        with translate_errors(), self._open() as hook:
            lifecycle = self._lifecycle(context, hook)
            lifecycle.wait_until = wait_until
            with lifecycle.forbid_redial_on_retry():
                return lifecycle.seen(*read_event(event))

    def report_due(
        self,
        context: Context,
        event: Any = None,
        call: dict[str, Any] | None = None,
        report_by: float | None = None,
    ) -> dict[str, Any]:
        """Ask for the report again, after a pause in the triggerer."""
        with translate_errors(), self._open() as hook:
            lifecycle = self._lifecycle(context, hook)
            with lifecycle.forbid_redial_on_retry():
                return lifecycle.ended(Outcome.from_xcom(call or {}), report_by=report_by)

    def on_kill(self) -> None:
        """With ``cancel_on_kill``: release the call. A connection of its own, since ours may be in use."""
        if not (self.cancel_on_kill and self.call_session_id and self._hook):
            return
        from airflow_provider_callapi.connection.release import release_calls  # noqa: PLC0415 - parse time

        release_calls(self._hook.settings, [self.call_session_id], self.log)

    def _means(self, hook: CallApiHook, whom: str) -> CallGateway:
        return CallGateway(
            send=hook.call,
            poll_snapshots=lambda: hook.poll_snapshots(self.poll_interval),
            find_report=hook.report_finder(timeout=self.report_timeout),
            timezone=hook.settings.timezone,
            clock=time.time,
            log=lambda text: self.log.info("%s: %s", whom, text),
        )

    def _lifecycle(self, context: Context, hook: CallApiHook) -> CallLifecycle:
        return CallLifecycle(self, context, hook, read_tag_rules(self.tags, hook))

    def _open(self) -> CallApiHook:
        self._hook = self.hook
        return self._hook

    def _lateness(self, context: Context) -> str | None:
        """Why nobody may be dialled any more for this run, if that is so."""
        run_after = getattr(context.get("dag_run"), "run_after", None)
        if self.max_lateness is None or run_after is None:
            return None
        allowed = self.max_lateness
        if not isinstance(allowed, timedelta):
            allowed = timedelta(seconds=allowed)
        late = timedelta(seconds=time.time() - run_after.timestamp())
        if late <= allowed:
            return None
        return (
            f"this run was due {late} ago and max_lateness is {allowed}, so nobody is called for it; "
            "set max_lateness=None to call all the same"
        )
