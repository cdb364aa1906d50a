"""The columns of the emulated Data API's reports and of the list of tags.

For each column, a function computes the value. The function's argument is a call (report of calls), a
`ReportedLeg` (report of legs), or a tag (list of tags).

The sets ``…_FILTERS`` name the columns that a filter of a report may use. The sets ``…_SORTS`` name the
columns for sorting. The list of tags can be filtered and sorted by all its columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.calls.call import Call, Leg
from airflow_provider_callapi.emulator.calls.listing import is_operator
from airflow_provider_callapi.emulator.calls.state_diagram import Role
from airflow_provider_callapi.emulator.profile import Profile

_COMMUNICATION_OFFSET = 1_000_000_000
_LARGE_COMMUNICATION_OFFSET = 1 << 62

_SOURCES = {
    "start.informer_call": "callapi_informer_call",
    "start.scenario_call": "callapi_scenario_call",
    "inbound": "va",
}
Row = dict[str, Any]


class ReportedLeg(NamedTuple):
    """A leg in the report of legs, together with the call to which it belongs."""

    call: Call
    leg: Leg


ONLY_ON_REQUEST = {"call_api_external_id", "call_api_request_id", "tags", "employees", "scenario_operations"}
"""The columns of the report of calls that an answer contains only if the request names them."""
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
CALL_SORTS = frozenset(
    {"start_time", "direction", "source", "is_lost", "finish_reason", "virtual_phone_number"}
)
LEG_FILTERS = frozenset({"id", "call_session_id", "is_operator", "employee_id", "is_coach"})
LEG_SORTS = frozenset(
    {"call_session_id", "start_time", "duration", "total_duration", "finish_reason", "direction"}
    | {"calling_phone_number", "called_phone_number", "is_operator", "employee_id", "is_coach", "is_talked"}
)


def _local_time(account: Account, at: float | None) -> str | None:
    if at is None:
        return None
    return datetime.fromtimestamp(at, ZoneInfo(account.timezone)).strftime("%Y-%m-%d %H:%M:%S")


def _duration(start: float | None, end: float | None) -> int:
    return round(end - start) if start is not None and end is not None else 0


def _direction(call: Call, leg: Leg) -> str:
    """Return the direction of a leg: ``in`` or ``out``.

    ``in``: the leg belongs to a contact who calls the account. ``out``: any other leg.
    """
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


def communication_offset(profile: Profile) -> int:
    """Return the difference between a call's ``communication_id`` and its session id in the emulator.

    The difference is 1,000,000,000. If `Profile.odd_shapes` contains ``large_communication_ids``, it is 2 to
    the power of 62.
    """
    large = "large_communication_ids" in profile.odd_shapes
    return _LARGE_COMMUNICATION_OFFSET if large else _COMMUNICATION_OFFSET


def _talk_duration(call: Call, profile: Profile, now: float) -> int:
    until = now if call.ended_at is None and profile.ongoing_talk_is_reported else call.ended_at
    with_operator = any(leg.role is Role.OPERATOR and leg.answered_at is not None for leg in call.legs)
    counts = profile.talk_duration_from == "talk" or with_operator
    return _duration(call.talked_at, until) if counts else 0


def _is_lost(call: Call, profile: Profile) -> bool:
    return call.talked_at is None and (profile.unanswered_calls_are_lost or call.direction == "in")


def _tags(call: Call, profile: Profile) -> list[Row] | None:
    tags = [{"tag_id": tag, "tag_name": name, "tag_type": "manual"} for tag, name in call.tags.items()]
    return None if not tags and "null_tags" in profile.odd_shapes else tags


def _operations(call: Call) -> list[Row]:
    return [{"id": operation.id, "name": operation.name} for operation in call.operations]


def call_columns(profile: Profile, now: float) -> dict[str, Callable[[Call], Any]]:
    """Return the columns of the report of calls.

    :param now: the time of the request, in epoch seconds. It has an effect only if
        `Profile.ongoing_talk_is_reported` is True: the talk of an active call counts until this time.
    :return: name of a column → function that takes a call and returns the value. Example: the function of
        ``direction`` returns ``in`` or ``out``.
    """
    columns: dict[str, Callable[[Call], Any]] = {
        "id": lambda call: call.call_session_id,
        "communication_id": lambda call: call.call_session_id + communication_offset(profile),
        "communication_type": lambda call: "call",
        "start_time": lambda call: _local_time(call.account, call.started_at),
        "finish_time": lambda call: _local_time(call.account, call.ended_at),
        "direction": lambda call: call.direction,
        "source": lambda call: _SOURCES.get(call.method, "callapi"),
        "is_lost": lambda call: _is_lost(call, profile),
        "finish_reason": lambda call: call.finish_reason,
        "wait_duration": lambda call: _duration(call.started_at, call.talked_at or call.ended_at),
        "total_wait_duration": lambda call: _duration(call.started_at, call.talked_at or call.ended_at),
        "talk_duration": lambda call: _talk_duration(call, profile, now),
        "clean_talk_duration": lambda call: _talk_duration(call, profile, now),
        "total_duration": lambda call: _duration(call.started_at, call.ended_at),
        "contact_phone_number": lambda call: call.contact,
        "virtual_phone_number": lambda call: call.virtual_phone_number,
        "call_api_external_id": lambda call: call.external_id,
        "call_api_request_id": lambda call: None,
        "full_record_file_link": lambda call: None,
        "tags": lambda call: _tags(call, profile),
        "scenario_operations": _operations,
        "employees": _employees,
    }
    if "record_list" in profile.odd_shapes:
        columns["call_records"] = lambda call: [f"record-{call.call_session_id}"] if call.recorded else []
    return columns


def shown_call_columns(profile: Profile) -> dict[str, Callable[[Call], Any]]:
    """Return the columns of the report of calls that show another value than filters and sorting use.

    If `Profile.odd_shapes` contains ``empty_virtual_number``, this is the column with the virtual number,
    which shows an empty text. Otherwise, there are no such columns.

    :return: name of a column → function. The function gets a call, and returns the value in the answer.
    """
    return {"virtual_phone_number": lambda call: ""} if "empty_virtual_number" in profile.odd_shapes else {}


def leg_columns(profile: Profile) -> dict[str, Callable[[ReportedLeg], Any]]:
    """Return the columns of the report of legs.

    :return: name of a column → function from a leg to the value in this column. For example,
        the function of the column ``is_coach`` returns True for the leg of a coach.
    """

    def is_talked(reported: ReportedLeg) -> bool | None:
        call, leg = reported
        if leg.role is Role.CONTACT and "null_is_talked" in profile.odd_shapes:
            return None
        return leg.answered_at is not None and call.talked_at is not None

    columns: dict[str, Callable[[ReportedLeg], Any]] = {
        "id": lambda reported: reported.leg.leg_id,
        "call_session_id": lambda reported: reported.call.call_session_id,
        "direction": lambda reported: _direction(reported.call, reported.leg),
        "calling_phone_number": lambda reported: reported.leg.calling,
        "called_phone_number": lambda reported: reported.leg.called,
        "start_time": lambda reported: _local_time(reported.call.account, reported.leg.started_at),
        "connect_time": lambda reported: _local_time(reported.call.account, reported.leg.answered_at),
        "duration": lambda reported: _duration(reported.leg.answered_at, reported.leg.disconnected_at),
        "total_duration": lambda reported: _duration(reported.leg.started_at, reported.leg.disconnected_at),
        "is_operator": lambda reported: is_operator(reported.leg, profile),
        "employee_id": lambda reported: reported.leg.employee.id if reported.leg.employee else None,
        "is_talked": is_talked,
        "is_coach": lambda reported: reported.leg.role is Role.COACH,
        "finish_reason": lambda reported: (
            (reported.leg if profile.own_leg_reasons else reported.call).finish_reason
        ),
    }
    if "no_employee_id" in profile.odd_shapes:
        columns["employee_id"] = lambda reported: None
    return columns


TAG_COLUMNS: Mapping[str, Callable[[tuple[int, str]], Any]] = {
    "id": lambda tag: tag[0],
    "name": lambda tag: tag[1],
    "is_system": lambda tag: False,
}
