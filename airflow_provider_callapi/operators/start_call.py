"""Starting calls, one operator a method: an employee, a scenario, a message, two plain numbers."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf

from airflow_provider_callapi.api import methods
from airflow_provider_callapi.api.errors import CallApiError, mask_phones
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.placing import external_id_for
from airflow_provider_callapi.calls.watch import Phase, SessionWatch, Sighting
from airflow_provider_callapi.exceptions import (
    CallOutcomeUnknown,
    CallStillActive,
    CallUnresolved,
    no_useless_retries,
)
from airflow_provider_callapi.operators.request import Message, RequestOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class _StartCallOperator(RequestOperator):
    """Places one call, and may wait for its end.

    Returns the call as a dict without phone numbers: ``call_session_id``, ``external_id``, ``status``
    (``started``, ``ended``), ``answered`` (true, or null: not known), ``attempt``, ``started_at``,
    ``answered_at``, ``ended_at`` (ISO 8601, UTC), ``observed``, ``finish_reason``, ``talk_seconds``,
    ``tags``, ``source``.
    """

    ui_color = "#fbe8d3"

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
        require_answer: bool = False,
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
        self.require_answer = require_answer
        if require_answer and not wait_for_completion:
            raise ValueError("require_answer needs wait_for_completion=True")

    def execute(self, context: Context) -> dict[str, Any]:
        """Place the call; wait for its end if asked to."""
        if not self.external_id:
            ti = context["ti"]
            self.external_id = external_id_for(
                ti.dag_id, ti.run_id, ti.task_id, -1 if ti.map_index is None else ti.map_index, 1
            )
        request: methods.StartCall = self.read()
        call = self._place(request)
        return self._follow(call) if self.wait_for_completion else call.to_xcom()

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """Go on after the trigger's event."""
        from airflow_provider_callapi.triggers.call_session import read_event  # noqa: PLC0415 - parse time

        return self._judged(*read_event(event))

    def _place(self, request: methods.StartCall) -> Outcome:
        whom = f"{request.method} to {mask_phones(request.contact)}, external_id {request.external_id}"
        self.log.info("Placing %s", whom)
        with no_useless_retries(), self.hook as hook:
            try:
                started = hook.call(request)
            except CallApiError as error:
                if not error.maybe_done:
                    raise
                raise CallUnresolved(
                    f"{error}. The call may have been placed, so it is not placed again: look for "
                    f"external_id {request.external_id} in the account's calls"
                ) from error
        self.log.info("Call session %s started: %s", started.call_session_id, whom)
        return Outcome(started.call_session_id, request.external_id, started_at=time.time())

    def _follow(self, call: Outcome) -> dict[str, Any]:
        started = call.started_at or time.time()
        appear_by, deadline = started + self.appear_timeout, started + self.timeout
        if self.deferrable:
            from airflow_provider_callapi.triggers.call_session import (  # noqa: PLC0415 - parse time
                CallApiSessionTrigger,
            )

            self.defer(
                trigger=CallApiSessionTrigger(
                    callapi_conn_id=self.callapi_conn_id,
                    call=call.to_xcom(),
                    until="ended",
                    poll_interval=self.poll_interval,
                    appear_by=appear_by,
                    deadline=deadline,
                ),
                method_name="execute_complete",
                # a little later than the trigger's own deadline, whose event says more
                timeout=timedelta(seconds=self.timeout + 60),
            )
        watch = SessionWatch(call.call_session_id, appear_by, deadline, sighting=Sighting.of(call))
        with no_useless_retries(), self.hook as hook:
            phase = hook.watch_session(watch, until="ended", poll_interval=self.poll_interval)
        return self._judged(phase, watch.outcome(call))

    def _judged(self, phase: Phase, call: Outcome) -> dict[str, Any]:
        name = f"call session {call.call_session_id}"
        if phase is Phase.TIMED_OUT:
            raise CallStillActive(f"{name} was still active after {self.timeout:g} s")
        if self.require_answer and call.answered is None:
            raise CallOutcomeUnknown(f"{name} is over and was not seen answered")
        self.log.info("%s: %s, answered: %s", name, phase.value, call.answered)
        return call.to_xcom()


class CallApiStartEmployeeCallOperator(_StartCallOperator):
    """Connect a contact with an employee (``start.employee_call``)."""

    request_type = methods.StartEmployeeCall

    def __init__(
        self,
        *,
        first_call: str,
        employee: dict[str, Any],
        switch_at_once: bool | None = None,
        early_switching: bool | None = None,
        media_file_id: int | str | None = None,
        show_virtual_phone_number: bool | None = None,
        contact_message: Message | None = None,
        employee_message: Message | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.first_call = first_call
        self.employee = employee
        self.switch_at_once = switch_at_once
        self.early_switching = early_switching
        self.media_file_id = media_file_id
        self.show_virtual_phone_number = show_virtual_phone_number
        self.contact_message = contact_message
        self.employee_message = employee_message


class CallApiStartScenarioCallOperator(_StartCallOperator):
    """Call a contact and run one of the account's scenarios (``start.scenario_call``)."""

    request_type = methods.StartScenarioCall

    def __init__(
        self,
        *,
        first_call: str,
        scenario_id: int | str,
        switch_at_once: bool | None = None,
        contact_message: Message | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.first_call = first_call
        self.scenario_id = scenario_id
        self.switch_at_once = switch_at_once
        self.contact_message = contact_message


class CallApiStartVnumberCallOperator(_StartCallOperator):
    """Call a contact and run the scenario of the virtual number (``start.vnumber_call``)."""

    request_type = methods.StartVnumberCall

    def __init__(
        self,
        *,
        first_call: str,
        switch_at_once: bool | None = None,
        contact_message: Message | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.first_call = first_call
        self.switch_at_once = switch_at_once
        self.contact_message = contact_message


class CallApiStartInformerCallOperator(_StartCallOperator):
    """Call a contact, play a message, hang up (``start.informer_call``)."""

    request_type = methods.StartInformerCall

    def __init__(
        self, *, contact_message: Message, dialing_timeout: int | str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.contact_message = contact_message
        self.dialing_timeout = dialing_timeout


class CallApiStartSimpleCallOperator(_StartCallOperator):
    """Connect a contact with any other number (``start.simple_call``)."""

    request_type = methods.StartSimpleCall

    def __init__(
        self,
        *,
        first_call: str,
        operator: str | dict[str, Any],
        switch_at_once: bool | None = None,
        early_switching: bool | None = None,
        media_file_id: int | str | None = None,
        show_virtual_phone_number: bool | None = None,
        contact_message: Message | None = None,
        operator_message: Message | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.first_call = first_call
        self.operator = operator
        self.switch_at_once = switch_at_once
        self.early_switching = early_switching
        self.media_file_id = media_file_id
        self.show_virtual_phone_number = show_virtual_phone_number
        self.contact_message = contact_message
        self.operator_message = operator_message
