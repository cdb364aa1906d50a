"""Airflow operators that start a call: one operator for each of the five start methods.

All five have these parameters. Fields of the API method, and parameters marked "(template)", may contain a
template.

:param callapi_conn_id: id of the Airflow connection, ``callapi_default`` by default (template).
:param virtual_phone_number: the virtual number of the account that the contact's phone displays.
:param virtual_phone_usage_rule: how the service chooses the number that the contact's phone displays.
    ``fixed`` (the service's default): ``virtual_phone_number``. ``random``: any number of the account.
    ``fixed_for_numa``: always the same number of the account for a contact. ``regional_random`` and
    ``regional_fixed_for_numa``: the same, but only with numbers of the contact's region. If no number fits,
    the phone displays ``virtual_phone_number``. All rules except ``fixed`` need a paid option of the account.
:param contact: the person to call: a phone number (``+7 926 000-00-01``, ``8 926 000-00-01``,
    ``79260000001``), or an employee's SIP number. If the text is not exactly one number, the task fails and
    dials no one.
:param region: ISO 3166 code of a country, ``RU`` by default (template). Numbers without a country code belong
    to it, and ``"workdays"`` are its workdays.
:param calling_hours: the hours in which the contact may be called, in the time zone ``timezone``:
    ``("09:00", "21:00")`` (template). Outside these hours, the task waits before it dials. None (default):
    all hours.
:param calling_days: the days on which the contact may be called: ``("mon", "tue", …)``, or ``"workdays"``
    (needs the extra ``[holidays]``). A dict adds dates of your own: ``{"days": "workdays", "also":
    ["2026-11-01"], "except": ["2026-12-31"]}``. None (default): every day (template).
:param timezone: IANA name of the contact's time zone, ``Europe/Moscow`` by default (template).
:param external_id: an id of your choice for the call, which ``list.calls`` and the reports contain. The
    task's second call gets the suffix ``-2``, the third ``-3``. By default, the task makes the id from DAG,
    run, task and map index.
:param dtmf_string: tones to send to the contact. A dot is a pause of one second.
:param direction: ``out`` (default) or ``in``: how the account's reports count the call.
:param wait_for_completion: True: the task waits for the call's end. False (default): the task ends when the
    service accepts the call. ``require_answer``, ``tags``, ``recording_link`` and ``operations`` need True.
:param deferrable: True: wait in the triggerer, also for the calling hours. One poll then serves all tasks of
    a connection.
:param poll_interval: seconds between two polls of the active calls, at least 0.1, 5 by default.
:param appear_timeout: seconds within which ``list.calls`` must show the call, 60 by default. Otherwise, the
    task treats the call as ended, and ``observed`` is false.
:param timeout: how long one try waits for the call, in seconds or as a timedelta, one hour by default, at
    most 366 days. If the call is then still active, the try fails. A retry waits for the same call, and
    places no new call.
:param poll_failures_tolerated: how many consecutive polls may fail without failing the task, 10 by default.
:param report_timeout: seconds after the call's end within which the Data API must report the call, 120 by
    default. Without the report, the result is what the polls have shown.
:param require_answer: True: the task succeeds only if the contact is known to have answered. If the contact
    is known not to have answered, the task fails with `CallNotAnswered`, and a retry **calls again**. If the
    answer is unknown, the task fails with `CallOutcomeUnknown`, without retries.
:param delivery: what happens if the start request got no answer, and the task does not find the call.
    ``at_most_once`` (default): the task fails without retries. ``at_least_once``: the task places a new call
    at once, and each retry may place another. **The person may be called several times.** Use it for alerts
    that must ring.
:param absence_proven_after: seconds between two searches for a call whose start request got no answer, at
    least ``appear_timeout``. If the second search does not find the call either, the task dials again. Choose
    a time longer than the delay of the Data API's reports. None (default): ``delivery`` decides. Needs the
    Data API and task state (Airflow 3.3+).
:param durable: True (default): keep the record of the call in Airflow's task state (3.3+), so that a retry
    continues with the call. False, or before Airflow 3.3: a retry searches the active calls. If an earlier
    try may have placed a call, and the search does not find it, ``delivery`` decides.
:param tags: the id of the tag for each event: ``{"answered": 36, "not_answered": 37, "ended": 38}``
    (template). The event ``our_side_did_not_answer`` (no employee or operator was reached) uses the tag of
    ``not_answered``, unless it has one of its own. All events but ``answered`` need the Data API.
:param cancel_on_kill: True: release (end) the call if a user clears the waiting task, or marks it as success
    or failed.
:param max_lateness: how long after the DAG run's ``run_after`` (the time at which the run was due) the task
    may dial: a timedelta or seconds, 24 hours by default. After this time, the task dials no one, and fails
    if it has placed no call. None: no limit.
:param recording_link: True: show a link to the call's recording in Airflow's UI. Everyone who can see the
    task can listen.
:param refused_as_result: what happens if the service refuses to call this contact (blacklist, direction
    rules). False (default): the task fails. True: the task succeeds with ``status="refused"``, even with
    ``require_answer``. True needs ``delivery="at_most_once"``.
:param results: a table to which the task writes one row for each attempt:
    ``{"conn_id": "dwh", "table": "calls", "schema": "marketing"}`` (template). None (default): no table.
:param operations: True: ask the Data API for the scenario's operations, which show the phone key that the
    contact pressed. Needs ``wait_for_completion=True``. If the Data API does not report them, ``operations``
    is null, and the task does not fail.

The operators return the call as a dict without phone numbers. A value that is not known is null. The keys:

- ``call_session_id``, ``external_id``, and ``communication_id`` (the Data API's id of the call).
- ``status``: ``started``, ``ended`` or ``refused``.
- ``answered``: true, false, or null.
- ``attempt``: the number of this call among the task's calls, from 1.
- ``started_at``, ``answered_at``, ``ended_at``: ISO 8601, UTC.
- ``observed``: whether a poll has shown the call.
- ``finish_reason``: why the call ended.
- ``contact_finish_reason``: why the contact's own leg ended without an answer. Null if the contact picked up.
- ``talk_seconds``.
- ``tags`` (ids) and ``operations`` (names).
- ``source`` of the newest facts: ``start``, ``list.calls`` or ``data_api``.
"""

from __future__ import annotations

from typing import Any

from airflow_provider_callapi.api import methods
from airflow_provider_callapi.operators._call.base_operator import StartCallOperator
from airflow_provider_callapi.operators._requests import Message


class CallApiStartEmployeeCallOperator(StartCallOperator):
    """Call a contact and an employee, and connect the two (``start.employee_call``).

    :param first_call: who is called first: ``contact`` or ``employee``.
    :param employee: ``{"id": 25}``: the employee's active numbers ring in turn.
        ``{"id": 25, "phone_number": "7…"}``: one of the employee's numbers rings.
    :param switch_at_once: whether the talk cuts off a ``contact_message`` of the type ``media``. True: the
        talk starts as soon as both people have picked up. False (default): the talk starts after the message.
        A message of the type ``tts`` is always spoken to its end.
    :param early_switching: True: while the contact's phone rings, the employee already hears the contact's
        line, e.g. a voice mailbox. Needs ``switch_at_once=True`` and ``first_call="employee"``.
    :param media_file_id: id of the music for a waiting participant. Default: the account's standard music.
    :param show_virtual_phone_number: True (the service's default): the employee's phone displays the virtual
        number.
    :param contact_message: what the contact hears before the talk: ``{"type": "tts", "value": "a text"}``
        (the service speaks the text), or ``{"type": "media", "value": "2034"}`` (the id of a media file).
    :param employee_message: what the employee hears before the talk, in the form of ``contact_message``.
    """

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
    """Call a contact and run a scenario: a call flow that the account defines (``start.scenario_call``).

    :param first_call: who is called first: ``contact`` or ``employee``.
    :param scenario_id: the scenario's id in the account.
    :param switch_at_once: whether the talk cuts off a ``contact_message`` of the type ``media``. True: the
        talk starts as soon as both people have picked up. False (default): the talk starts after the message.
        A message of the type ``tts`` is always spoken to its end.
    :param early_switching: True: while the contact's phone rings, the employee already hears the contact's
        line, e.g. a voice mailbox. Needs ``switch_at_once=True`` and ``first_call="employee"``.
    :param contact_message: what the contact hears before the talk: ``{"type": "tts", "value": "a text"}``
        (the service speaks the text), or ``{"type": "media", "value": "2034"}`` (the id of a media file).
    :param employee_message: what the employee hears before the talk, in the form of ``contact_message``. A
        message of the scenario is played, too.
    """

    request_type = methods.StartScenarioCall

    def __init__(
        self,
        *,
        first_call: str,
        scenario_id: int | str,
        switch_at_once: bool | None = None,
        early_switching: bool | None = None,
        contact_message: Message | None = None,
        employee_message: Message | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.first_call = first_call
        self.scenario_id = scenario_id
        self.switch_at_once = switch_at_once
        self.early_switching = early_switching
        self.contact_message = contact_message
        self.employee_message = employee_message


class CallApiStartVnumberCallOperator(StartCallOperator):
    """Call a contact and run the scenario (call flow) of the virtual number (``start.vnumber_call``).

    :param first_call: who is called first: ``contact`` or ``employee``.
    :param switch_at_once: whether the talk cuts off a ``contact_message`` of the type ``media``. True: the
        talk starts as soon as both people have picked up. False (default): the talk starts after the message.
        A message of the type ``tts`` is always spoken to its end.
    :param early_switching: True: while the contact's phone rings, the employee already hears the contact's
        line, e.g. a voice mailbox. Needs ``switch_at_once=True`` and ``first_call="employee"``.
    :param contact_message: what the contact hears before the talk: ``{"type": "tts", "value": "a text"}``
        (the service speaks the text), or ``{"type": "media", "value": "2034"}`` (the id of a media file).
    """

    request_type = methods.StartVnumberCall

    def __init__(
        self,
        *,
        first_call: str,
        switch_at_once: bool | None = None,
        early_switching: bool | None = None,
        contact_message: Message | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.first_call = first_call
        self.switch_at_once = switch_at_once
        self.early_switching = early_switching
        self.contact_message = contact_message


class CallApiStartInformerCallOperator(StartCallOperator):
    """Call a contact, play a message and hang up (``start.informer_call``).

    :param contact_message: what the contact hears: ``{"type": "tts", "value": "a text"}`` (the service speaks
        the text), or ``{"type": "media", "value": "2034"}`` (the id of a media file of the account).
    :param dialing_timeout: for how many seconds the contact's phone rings at most, 1 to 120. The service's
        default is 30.
    """

    request_type = methods.StartInformerCall

    def __init__(
        self, *, contact_message: Message, dialing_timeout: int | str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.contact_message = contact_message
        self.dialing_timeout = dialing_timeout


class CallApiStartSimpleCallOperator(StartCallOperator):
    """Call a contact and a person at any phone number, and connect the two (``start.simple_call``).

    :param first_call: who is called first: ``contact`` or ``operator``.
    :param operator: the phone number of the other person (in the API: the operator), as a text or as
        ``{"phone_number": "7…"}``.
    :param operator_confirmation: the phone key with which the operator accepts the call: a digit, ``*``,
        ``#``, or ``any``. Default: picking up is enough.
    :param switch_at_once: whether the talk cuts off a ``contact_message`` of the type ``media``. True: the
        talk starts as soon as both people have picked up. False (default): the talk starts after the message.
        A message of the type ``tts`` is always spoken to its end.
    :param early_switching: True: while the contact's phone rings, the operator already hears the contact's
        line, e.g. a voice mailbox. Needs ``switch_at_once=True`` and ``first_call="operator"``.
    :param media_file_id: id of the music for a waiting participant. Default: the account's standard music.
    :param show_virtual_phone_number: True (the service's default): the operator's phone displays the virtual
        number.
    :param contact_message: what the contact hears before the talk: ``{"type": "tts", "value": "a text"}``
        (the service speaks the text), or ``{"type": "media", "value": "2034"}`` (the id of a media file).
    :param operator_message: what the operator hears before the talk, in the form of ``contact_message``.
    """

    request_type = methods.StartSimpleCall

    def __init__(
        self,
        *,
        first_call: str,
        operator: str | dict[str, Any],
        operator_confirmation: int | str | None = None,
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
        self.operator_confirmation = operator_confirmation
        self.switch_at_once = switch_at_once
        self.early_switching = early_switching
        self.media_file_id = media_file_id
        self.show_virtual_phone_number = show_virtual_phone_number
        self.contact_message = contact_message
        self.operator_message = operator_message
