"""Starting calls, one operator a method: an employee, a scenario, a message, two plain numbers.

All of them take, besides the parameters of their method (the API's own names, all templates):

:param callapi_conn_id: the connection, ``callapi_default``.
:param virtual_phone_number: the account's number that the contact sees; no 800 numbers.
:param contact: whom to call: E.164 digits (``79091234567``), or an employee's SIP number.
:param external_id: your own id of the call, given back by ``list.calls`` and the reports; from the second
    attempt on it gets ``-2``, ``-3`` …. Made from dag, run, task and map index where there is none.
:param dtmf_string: tones to send to the contact; a dot is a pause of one second.
:param direction: ``out`` (default) or ``in``: how the account's reports count the call.
:param wait_for_completion: wait for the call's end; False returns when the service has accepted it.
:param deferrable: wait in the triggerer, where all waits of a connection share one poll.
:param poll_interval: seconds between two looks at the active calls.
:param appear_timeout: seconds within which the call must be listed; else it has ended unobserved.
:param timeout: seconds one try waits. A retry waits for the same call again and does not dial.
:param poll_failures_tolerated: failed looks in a row that are survived.
:param report_timeout: seconds to wait for the Data API's report after the call's end.
:param require_answer: a call that was not answered (says the Data API) fails with `CallNotAnswered`, and
    a retry **calls again**; one of which nobody knows fails with `CallOutcomeUnknown`, without retries.
:param delivery: ``at_most_once``: a call of which nobody knows whether it was placed fails without
    retries. ``at_least_once``, for alerts that must ring: after the same search it is placed anew.
:param durable: keep the journal in task state (Airflow 3.3+). Without it a retry looks for the call of
    the earlier try among the active ones, and dials where it is not there (any more).
:param tags: ids of tags by when to set them: ``{"answered": 36, "not_answered": 37, "ended": 38}``. All
    but ``answered`` need the Data API. What is tagged is in the result's ``tags``.
:param cancel_on_kill: release the call when the task is killed, marked or cleared while it waits.
:param max_lateness: how long after the run was due people may still be dialled, 24 hours by default (a
    timedelta or seconds): catch-up or a clear of last month's run does not ring last month's people.
    None: no limit.
:param recording_link: link to the recording in the UI (an XCom: everybody who sees the task can follow it).
:param refused_as_result: a contact that may not be called (blacklist, direction rules) is a result with
    ``status="refused"`` and no session, for `CallApiBranchOperator`, not a failure. A result wins over
    ``require_answer``. Needs ``at_most_once``.

They return the call as a dict without phone numbers: ``call_session_id``, ``external_id``, ``status``
(``started``, ``ended``, ``refused``), ``answered`` (true, false, or null: not known), ``attempt``,
``started_at``, ``answered_at``, ``ended_at`` (ISO 8601, UTC), ``observed``, ``finish_reason``,
``talk_seconds``, ``tags``, ``communication_id``, ``source``.
"""

from __future__ import annotations

from typing import Any

from airflow_provider_callapi.api import methods
from airflow_provider_callapi.operators._call.base_operator import StartCallOperator
from airflow_provider_callapi.operators._call.request_operator import Message


class CallApiStartEmployeeCallOperator(StartCallOperator):
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


class CallApiStartScenarioCallOperator(StartCallOperator):
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


class CallApiStartVnumberCallOperator(StartCallOperator):
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


class CallApiStartInformerCallOperator(StartCallOperator):
    """Call a contact, play a message, hang up (``start.informer_call``)."""

    request_type = methods.StartInformerCall

    def __init__(
        self, *, contact_message: Message, dialing_timeout: int | str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.contact_message = contact_message
        self.dialing_timeout = dialing_timeout


class CallApiStartSimpleCallOperator(StartCallOperator):
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
