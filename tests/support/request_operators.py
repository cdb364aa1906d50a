"""Each operator that sends one request, with all of its parameters."""

from __future__ import annotations

from typing import Any

from airflow_fakes import CONTACT, TTS, VNUMBER, Task, TaskInstance

from airflow_provider_callapi.operators import call_control, start_call

MEDIA = {"type": "media", "value": "2034"}
NUMBERS = {
    "virtual_phone_number": VNUMBER,
    "virtual_phone_usage_rule": "regional_random",
    "contact": CONTACT,
}

STARTS: dict[str, tuple[type[Any], dict[str, Any]]] = {
    # method → operator, all of its parameters in the API's own types
    "start.employee_call": (
        start_call.CallApiStartEmployeeCallOperator,
        {
            **NUMBERS,
            "first_call": "employee",
            "employee": {"id": 25, "phone_number": "79260000001"},
            "switch_at_once": True,
            "early_switching": True,
            "media_file_id": 2701,
            "show_virtual_phone_number": True,
            "external_id": "334otr01",
            "dtmf_string": ".1.2.3",
            "direction": "in",
            "contact_message": TTS,
            "employee_message": MEDIA,
        },
    ),
    "start.scenario_call": (
        start_call.CallApiStartScenarioCallOperator,
        {
            **NUMBERS,
            "first_call": "contact",
            "scenario_id": 23456,
            "switch_at_once": False,
            "early_switching": False,
            "employee_message": MEDIA,
            "external_id": "334otr01",
            "dtmf_string": "1",
            "direction": "out",
            "contact_message": TTS,
        },
    ),
    "start.vnumber_call": (
        start_call.CallApiStartVnumberCallOperator,
        {
            **NUMBERS,
            "first_call": "employee",
            "switch_at_once": True,
            "early_switching": True,
            "external_id": "334otr01",
            "dtmf_string": "#",
            "direction": "out",
            "contact_message": MEDIA,
        },
    ),
    "start.informer_call": (
        start_call.CallApiStartInformerCallOperator,
        {
            **NUMBERS,
            "contact_message": TTS,
            "external_id": "334otr01",
            "dtmf_string": "*",
            "direction": "out",
            "dialing_timeout": 45,
        },
    ),
    "start.simple_call": (
        start_call.CallApiStartSimpleCallOperator,
        {
            **NUMBERS,
            "first_call": "operator",
            "operator": "79260000055",
            "operator_confirmation": "any",
            "switch_at_once": True,
            "early_switching": False,
            "media_file_id": 2701,
            "show_virtual_phone_number": False,
            "external_id": "334otr01",
            "dtmf_string": "1",
            "direction": "out",
            "contact_message": TTS,
            "operator_message": TTS,
        },
    ),
}
CONTROLS: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "tag.call": (call_control.CallApiTagCallOperator, {"tag_id": 36}),
    "release.call": (call_control.CallApiReleaseCallOperator, {}),
    "hold.call": (call_control.CallApiHoldCallOperator, {"contact_message": MEDIA}),
    "unhold.call": (call_control.CallApiUnholdCallOperator, {}),
    "make.call": (call_control.CallApiMakeCallOperator, {"to": "79260000077", "to_message": TTS}),
    "transfer.talk": (call_control.CallApiTransferTalkOperator, {}),
    "restore.talk": (call_control.CallApiRestoreTalkOperator, {}),
    "add.coach": (call_control.CallApiAddCoachOperator, {"phone_number": "79260000009"}),
    "record.call": (call_control.CallApiRecordCallOperator, {"action": "on"}),
    "disconnect.leg": (call_control.CallApiDisconnectLegOperator, {"leg_id": 287866221}),
    "send.dtmf": (call_control.CallApiSendDtmfOperator, {"dtmf_string": "5"}),
    "block.contact": (call_control.CallApiBlockContactOperator, {}),
    "call.talk_option": (call_control.CallApiCallTalkOptionOperator, {"button": "1"}),
}
LISTS: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "list.calls": (
        call_control.CallApiListCallsOperator,
        {"direction": "out", "virtual_phone_number": VNUMBER},
    ),
    "list.talk_options": (call_control.CallApiListTalkOptionsOperator, {}),
}
SESSION = 206597836
ALL = {
    **STARTS,
    **{m: (kind, {"call_session_id": SESSION, **params}) for m, (kind, params) in CONTROLS.items()},
    **LISTS,
}


def make(method: str, **changes: Any) -> Any:
    kind, params = ALL[method]
    return kind(**{"task_id": "task", **params, **changes})


def context(desk: Any) -> dict[str, Any]:
    return Task(desk, lambda: None, TaskInstance(task_id="task")).context
