"""Give one parameter of one operator a nasty value, run the task, and state what happened in one word."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from airflow.exceptions import AirflowException, AirflowSensorTimeout, AirflowSkipException
from airflow.sdk import DAG, BaseOperator, BaseSensorOperator
from airflow_fakes import CONTACT, TTS, VNUMBER, Desk, Task

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.exceptions import CallApiFailure, CallTooLate
from airflow_provider_callapi.operators import call_control, start_call
from airflow_provider_callapi.operators.branch import CallApiBranchOperator
from airflow_provider_callapi.operators.calls_report import CallApiCallsReportOperator
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator
from airflow_provider_callapi.sensors.call_session import CallApiSessionSensor

SENT, REFUSED, OTHER = "sent", "refused with name", "other"

NASTY: list[Any] = [
    *(None, "", " ", "60", "1e9", "nan", "inf", "-1", "0", "true", "False", "no", "1234#", "1.20", ".1"),
    *(math.nan, math.inf, -math.inf, -1, 0, 1, 7, 2.5, 1e-9, 1e300, 10**19, 10**30, 2**63, True, False),
    *(timedelta(0), timedelta(minutes=10), timedelta(days=-1), timedelta.max),
    *(
        {},
        {"answered": 0},
        {"answered": 2**63},
        {"answered": "x"},
        {"type": "tts", "value": "Hello"},
        {"type": "tts", "value": 1.5},
    ),
    *(
        {"call_session_id": 5.5},
        {"call_session_id": True},
        {1: 2},
        [],
        [None],
        [0],
        ["mon"],
        ["09:00", "21:00"],
    ),
    *((), {1, 2}, b"", b"79160000001", "я" * 5000, "9" * 5000, "(" * 5000, object()),
    *("79160000001", "answered", "at_least_once", "contact", "on", "workdays", "Asia/Omsk"),
    {"days": "workdays", "also": ["2025-10-09"], "except": ["2026-01-01"]},
]
"""Values that authors, templates, forms and data frames really give."""


@dataclass(frozen=True)
class Subject:
    """An operator with good parameters, one of which the sweep replaces.

    :ivar params: the good parameters.
    :ivar needs_call: whether the parameter ``call_session_id`` names an active call.
    """

    kind: type[Any]
    params: Mapping[str, Any] = field(default_factory=dict)
    needs_call: bool = False

    @property
    def own_parameters(self) -> list[str]:
        """The names of the parameters that this package defines, not Airflow."""
        airflows: set[str] = set()
        for base in (BaseOperator, BaseSensorOperator):
            airflows |= set(inspect.signature(base.__init__).parameters)
        names: dict[str, None] = {}
        for kind in self.kind.__mro__:
            if kind.__module__.startswith("airflow_provider_callapi") and "__init__" in vars(kind):
                names |= dict.fromkeys(inspect.signature(kind.__init__).parameters)
        ours = {"poke_interval", "timeout"}
        return [name for name in names if name not in (airflows - ours) | {"self", "kwargs"}]


_CALL = {"virtual_phone_number": VNUMBER, "contact": CONTACT}
_WAITS = {**_CALL, "wait_for_completion": True}
_CONTROLS: dict[str, dict[str, Any]] = {
    "TagCall": {"tag_id": 36},
    "ReleaseCall": {},
    "HoldCall": {"contact_message": TTS},
    "UnholdCall": {},
    "MakeCall": {"to": "79260000077", "to_message": TTS},
    "TransferTalk": {},
    "RestoreTalk": {},
    "AddCoach": {"phone_number": "79260000009"},
    "RecordCall": {"action": "on"},
    "DisconnectLeg": {"leg_id": 1},
    "SendDtmf": {"dtmf_string": "5"},
    "BlockContact": {},
    "CallTalkOption": {"button": "1"},
}
SUBJECTS = [
    Subject(start_call.CallApiStartInformerCallOperator, {**_WAITS, "contact_message": TTS}),
    Subject(
        start_call.CallApiStartEmployeeCallOperator,
        {**_CALL, "first_call": "contact", "employee": {"id": 25}},
    ),
    Subject(
        start_call.CallApiStartScenarioCallOperator, {**_CALL, "first_call": "contact", "scenario_id": 23456}
    ),
    Subject(start_call.CallApiStartVnumberCallOperator, {**_CALL, "first_call": "contact"}),
    Subject(
        start_call.CallApiStartSimpleCallOperator,
        {**_WAITS, "first_call": "contact", "operator": "79260000055", "deferrable": True},
    ),
    *(
        Subject(getattr(call_control, f"CallApi{name}Operator"), params, needs_call=True)
        for name, params in _CONTROLS.items()
    ),
    Subject(call_control.CallApiListCallsOperator),
    Subject(call_control.CallApiListTalkOptionsOperator),
    Subject(CallApiSessionSensor, needs_call=True),
    Subject(CallApiBranchOperator, {"call": None}),
    Subject(
        CallApiCallsReportOperator,
        {"start": "2025-10-09T00:00:00Z", "end": "2025-10-09T01:00:00Z", "to": "calls.jsonl"},
    ),
    Subject(
        CallApiCampaignOperator,
        {
            "call": {
                "method": "start.informer_call",
                "virtual_phone_number": VNUMBER,
                "contact_message": TTS,
            },
            "contacts": ["79160000001", "79160000002"],
            "calling_hours": None,
        },
    ),
]


def play(desk: Desk, subject: Subject, name: str, value: Any, way: str, *, native: bool) -> str:
    """Run a task of an operator with one replaced parameter, and return what happened.

    :param way: ``constant``, ``templated`` (as ``{{ params.x }}``) or ``mapped``.
    :param native: whether the DAG renders templates as native objects.
    :return: ``sent``, ``refused with name``, or ``other`` with the reason.
    """
    desk.exchange.reset()
    params = {"task_id": "call", **subject.params}
    if subject.needs_call:
        params["call_session_id"] = desk.start()
    before, sent_before = len(desk.exchange.calls), len(desk.sent())
    # Airflow's own half of a branch needs a running task.
    desk.monkeypatch.setattr(CallApiBranchOperator, "do_branch", lambda self, context, branches: branches)
    task = Task(desk, lambda: make(task, subject.kind, params, name, value, way, native))
    task.params = {"x": value}
    error: BaseException | None = None
    try:
        task.run()
    except BaseException as raised:
        error = raised
    sent = [method for method in desk.sent()[sent_before:] if not method.startswith("get.")]
    # Errors name connections and call sessions. A session id may have as many digits as a phone number.
    if "79160000001" in str(error) and not name.endswith(("conn_id", "call_session_id")):
        return f"{OTHER}: the error shows a whole phone number"
    return judge(desk, name, error, sent=sent, placed=len(desk.exchange.calls) - before)


def make(  # noqa: PLR0917 - only `play` calls it
    task: Task, kind: type[Any], params: dict[str, Any], name: str, value: Any, way: str, native: bool
) -> Any:
    """Return the operator of a try, rendered as Airflow renders it."""
    context = {**task.context, "run_id": "run"}
    task.ti.task_id = "call"
    with DAG("dag", render_template_as_native_obj=native) as dag:
        if way == "mapped":
            rest = {other: given for other, given in params.items() if other != name}
            mapped = kind.partial(**rest).expand(**{name: [value]})
            operator = mapped.unmap({name: value})
        else:
            text = "{{ params.x }}" if way == "templated" else value
            operator = kind(**{**params, name: text})
    operator.dag = dag
    operator.render_template_fields({**context, "dag": dag, "task": operator})
    return operator


def judge(desk: Desk, name: str, error: BaseException | None, *, sent: list[str], placed: int) -> str:
    """Return what a try has done, in one word; for ``other``, with the reason."""
    people = [call.contact for call in desk.exchange.calls]
    if len(people) != len(set(people)):
        return f"{OTHER}: a person was rung twice"
    if error is None:
        return SENT
    text = str(error)
    # Before Airflow 3.3, the campaign has no task state and refuses to run without a database.
    needs_ledger = "ledger_conn_id: this version of Airflow has no task state" in text
    by_us = isinstance(error, ValueError | CallApiFailure) and (name in text or needs_ledger)
    unknown_connection = name.endswith("conn_id") and "conn_id" in text
    if (by_us or unknown_connection) and not sent and not placed:
        return REFUSED
    if sent and isinstance(error, CallApiError | AirflowException):
        return SENT  # the service, or the end of the call, decided
    if isinstance(error, AirflowSensorTimeout | AirflowSkipException | CallTooLate):
        return SENT  # as documented: a timeout was up, a list was empty, or no calling hours came in time
    return f"{OTHER}: {type(error).__name__}: {text[:200]}"
