"""The Data API: reports of calls that have ended, and their tags.

Source: the vendor's public documentation of the Data API v2.0, as far as the client uses it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from airflow_provider_callapi.api.data_api import (
    DATA_METHODS,
    GetCallLegsReport,
    GetCallsReport,
    GetTags,
    SetTagCommunications,
    UnsetTagCommunications,
)
from airflow_provider_callapi.api.methods import METHODS, Request
from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.call import Call
from airflow_provider_callapi.emulator.errors import Refusal
from airflow_provider_callapi.emulator.report_columns import (
    CALL_COLUMNS,
    CALL_FILTERS,
    COMMUNICATION_OFFSET,
    LEG_COLUMNS,
    LEG_FILTERS,
    ONLY_ON_REQUEST,
    TAG_COLUMNS,
)
from airflow_provider_callapi.emulator.report_filter import accepts
from airflow_provider_callapi.emulator.service import Handler, Result, Service
from airflow_provider_callapi.emulator.switchboard import Switchboard

_LONGEST = timedelta(days=92)


def get_calls_report(board: Switchboard, account: Account, request: GetCallsReport) -> Result:
    """Calls that ended at least `report_lag` ago, and those in progress where they are asked for."""
    fields = request.fields if "fields" in request.model_fields_set else None
    calls = _reported(board, account, request, ongoing=bool(request.include_ongoing_calls))
    usual = [name for name in CALL_COLUMNS if name not in ONLY_ON_REQUEST]
    return _page(calls, CALL_COLUMNS, fields or usual, request, CALL_FILTERS)


def get_call_legs_report(board: Switchboard, account: Account, request: GetCallLegsReport) -> Result:
    """The legs of those calls."""
    fields = request.fields if "fields" in request.model_fields_set else list(LEG_COLUMNS)
    calls = _reported(board, account, request, ongoing=False)
    legs = ((call, leg) for call in calls for leg in call.legs)
    return _page(legs, LEG_COLUMNS, fields, request, LEG_FILTERS)


def get_tags(board: Switchboard, account: Account, request: GetTags) -> Result:
    """The tags of the account."""
    fields = request.fields or list(TAG_COLUMNS)
    return _page(account.tags.items(), TAG_COLUMNS, fields, request, frozenset(TAG_COLUMNS))


def set_tag(board: Switchboard, account: Account, request: SetTagCommunications) -> Result:
    """Tag a call, finished or not."""
    call = _communication(board, account, request.communication_id)
    if request.tag_id not in account.tags:
        raise Refusal("entity_not_found", "tag_id", request.tag_id)
    if request.tag_id in call.tags:
        raise Refusal("duplicate_entity", "tag_id", request.tag_id)
    call.tags[request.tag_id] = account.tags[request.tag_id]
    board.note("tag", call, call.contact, str(request.tag_id))
    return Result()


def unset_tag(board: Switchboard, account: Account, request: UnsetTagCommunications) -> Result:
    """Take a tag off a call."""
    call = _communication(board, account, request.communication_id)
    if call.tags.pop(request.tag_id, None) is None:
        raise Refusal("entity_not_found", "tag_id", request.tag_id)
    return Result()


def _communication(board: Switchboard, account: Account, communication_id: int) -> Call:
    call = board.calls.get(communication_id - COMMUNICATION_OFFSET)
    if call is None or call.account is not account:
        raise Refusal("entity_not_found", "communication_id", communication_id)
    return call


def _reported(
    board: Switchboard,
    account: Account,
    request: GetCallsReport | GetCallLegsReport,
    *,
    ongoing: bool,
) -> Iterable[Call]:
    since, until = _moment(account, request, "date_from"), _moment(account, request, "date_till")
    if until - since > _LONGEST:
        raise Refusal("date_interval_limit_reached", "date_till", request.date_till)
    first, last = since.timestamp(), until.timestamp()
    key = "id" if isinstance(request, GetCallsReport) else "call_session_id"
    for call in _candidates(board, request.filter, key, first, last):
        ready = ongoing if call.ended_at is None else call.ended_at + board.report_lag <= board.now
        if call.account is account and ready and first <= call.started_at <= last:
            yield call


def _candidates(board: Switchboard, wanted: Any, key: str, first: float, last: float) -> Iterable[Call]:
    """The calls that can be meant; a session's id and the interval spare looking at all the others."""
    named = isinstance(wanted, dict) and wanted.get("field") == key
    if named and wanted.get("operator") == "=" and isinstance(wanted.get("value"), int):
        call = board.calls.get(wanted["value"])
        return [call] if call else []
    began = attrgetter("started_at")
    return board.begun[
        bisect_left(board.begun, first, key=began) : bisect_right(board.begun, last, key=began)
    ]


def _moment(account: Account, request: Request[Any], field: str) -> datetime:
    text = getattr(request, field)
    try:
        moment = datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
    except ValueError:
        raise Refusal("invalid_parameter_value", field, text) from None
    return moment.replace(tzinfo=ZoneInfo(account.timezone))


def _page(
    things: Iterable[Any],
    columns: Mapping[str, Callable[[Any], Any]],
    fields: list[str],
    request: GetCallsReport | GetCallLegsReport | GetTags,
    filterable: frozenset[str],
) -> Result:
    unknown = [name for name in fields if name not in columns]
    if unknown:
        raise Refusal("unexpected_parameters", "fields", unknown[0])
    accept = accepts(request.filter, columns, filterable)
    found = [thing for thing in things if accept(thing)]
    for order in reversed(request.sort or []):
        name = str(order.get("field"))
        if name not in columns:
            raise Refusal("sort_prohibited", "sort", name)
        found.sort(key=lambda thing: str(columns[name](thing)), reverse=order.get("order") == "desc")
    start = request.offset or 0
    page = found[start : start + (request.limit or 1000)]
    rows = [{name: columns[name](thing) for name in fields} for thing in page]
    return Result(data=rows, metadata={"total_items": len(found)})


def _by_service(board: Switchboard, account: Account, request: Request[Any]) -> None:
    """login.user and logout.user: the service answers by itself."""


HANDLERS: dict[str, Handler] = {
    "login.user": _by_service,
    "logout.user": _by_service,
    "get.calls_report": get_calls_report,
    "get.call_legs_report": get_call_legs_report,
    "get.tags": get_tags,
    "set.tag_communications": set_tag,
    "unset.tag_communications": unset_tag,
}


def data_api() -> Service:
    """The service behind ``/v2.0``: a point for every operation, and no address but listed ones."""
    classes = {**METHODS, **DATA_METHODS}
    return Service(
        methods={name: (classes[name], handler) for name, handler in HANDLERS.items()},
        weight=lambda account, method: account.weights.get(method, 1),
        welcome=lambda account, ip: ip in account.data_api_whitelist,
        has_components=False,
    )
