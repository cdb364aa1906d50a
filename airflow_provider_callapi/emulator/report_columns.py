"""The columns of the Data API's reports, and for each column how its value is computed for one row.

The sets ``…_FILTERS`` name the columns that a filter may use.

Source: the vendor's public documentation of the Data API v2.0, as far as the client uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.call import Call, Leg
from airflow_provider_callapi.emulator.state_diagram import Role

COMMUNICATION_OFFSET = 1_000_000_000
"""The difference between the ``communication_id`` of a call and the session id of the call."""

_SOURCES = {
    "start.informer_call": "callapi_informer_call",
    "start.scenario_call": "callapi_scenario_call",
    "inbound": "inbound",
}
Row = dict[str, Any]


def _local_time(account: Account, at: float | None) -> str | None:
    if at is None:
        return None
    return datetime.fromtimestamp(at, ZoneInfo(account.timezone)).strftime("%Y-%m-%d %H:%M:%S")


def _duration(start: float | None, end: float | None) -> int:
    return round(end - start) if start is not None and end is not None else 0


def _direction(call: Call, leg: Leg) -> str:
    """Return ``in`` for the leg of a contact who calls in, and ``out`` for a leg that rings a phone."""
    return "in" if call.direction == "in" and leg.role is Role.CONTACT else "out"


def _employees(call: Call) -> list[Row]:
    return [
        {
            "employee_id": leg.employee.id,
            "employee_full_name": leg.employee.full_name,
            "is_answered": leg.answered_at is not None,
            "is_talked": leg.answered_at is not None and call.talked_at is not None,
        }
        for leg in call.legs
        if leg.employee is not None
    ]


CALL_COLUMNS: Mapping[str, Callable[[Call], Any]] = {
    "id": lambda call: call.call_session_id,
    "communication_id": lambda call: call.call_session_id + COMMUNICATION_OFFSET,
    "communication_type": lambda call: "call",
    "start_time": lambda call: _local_time(call.account, call.started_at),
    "finish_time": lambda call: _local_time(call.account, call.ended_at),
    "direction": lambda call: call.direction,
    "source": lambda call: _SOURCES.get(call.method, "callapi"),
    "is_lost": lambda call: call.talked_at is None,
    "finish_reason": lambda call: call.finish_reason,
    "wait_duration": lambda call: _duration(call.started_at, call.talked_at or call.ended_at),
    "total_wait_duration": lambda call: _duration(call.started_at, call.talked_at or call.ended_at),
    "talk_duration": lambda call: _duration(call.talked_at, call.ended_at),
    "clean_talk_duration": lambda call: _duration(call.talked_at, call.ended_at),
    "total_duration": lambda call: _duration(call.started_at, call.ended_at),
    "contact_phone_number": lambda call: call.contact,
    "virtual_phone_number": lambda call: call.virtual_phone_number,
    "call_api_external_id": lambda call: call.external_id,
    "call_api_request_id": lambda call: None,
    "full_record_file_link": lambda call: None,
    "tags": lambda call: [
        {"tag_id": tag, "tag_name": name, "tag_type": "manual"} for tag, name in call.tags.items()
    ],
    "employees": _employees,
}
ONLY_ON_REQUEST = {"call_api_external_id", "call_api_request_id", "tags", "employees"}
CALL_FILTERS = frozenset(
    {
        "id",
        "communication_id",
        "direction",
        "source",
        "is_lost",
        "finish_reason",
        "contact_phone_number",
        "virtual_phone_number",
        "call_api_external_id",
    }
)

LEG_COLUMNS: Mapping[str, Callable[[tuple[Call, Leg]], Any]] = {
    "id": lambda pair: pair[1].leg_id,
    "call_session_id": lambda pair: pair[0].call_session_id,
    "direction": lambda pair: _direction(*pair),
    "calling_phone_number": lambda pair: pair[1].calling,
    "called_phone_number": lambda pair: pair[1].called,
    "connect_time": lambda pair: _local_time(pair[0].account, pair[1].answered_at),
    "duration": lambda pair: _duration(pair[1].answered_at, pair[1].disconnected_at),
    "total_duration": lambda pair: _duration(pair[1].answered_at, pair[1].disconnected_at),
    "is_operator": lambda pair: pair[1].role is Role.OPERATOR,
    "employee_id": lambda pair: pair[1].employee.id if pair[1].employee else None,
    "is_talked": lambda pair: pair[1].answered_at is not None and pair[0].talked_at is not None,
    "is_coach": lambda pair: pair[1].role is Role.COACH,
    "finish_reason": lambda pair: pair[0].finish_reason,
}
LEG_FILTERS = frozenset({"id", "call_session_id", "is_operator", "employee_id", "is_coach"})

TAG_COLUMNS: Mapping[str, Callable[[tuple[int, str]], Any]] = {
    "id": lambda tag: tag[0],
    "name": lambda tag: tag[1],
    "is_system": lambda tag: False,
}
