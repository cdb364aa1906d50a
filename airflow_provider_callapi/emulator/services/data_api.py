"""The emulator's Data API: reports of calls, the methods that tag calls, and the account's lists.

Source: the vendor's public documentation of the Data API v2.0. The emulator covers the part of this
documentation that this package's client uses.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from airflow_provider_callapi.api.account import GetTags
from airflow_provider_callapi.api.data_api import (
    DATA_METHODS,
    GetCallLegsReport,
    GetCallsReport,
    SetTagCommunications,
    UnsetTagCommunications,
)
from airflow_provider_callapi.api.methods import METHODS
from airflow_provider_callapi.api.request import Request
from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.calls.call import Call
from airflow_provider_callapi.emulator.calls.switchboard import Switchboard
from airflow_provider_callapi.emulator.errors import RpcError
from airflow_provider_callapi.emulator.services import account_lists
from airflow_provider_callapi.emulator.services.list_page import build_page
from airflow_provider_callapi.emulator.services.report_columns import (
    CALL_FILTERS,
    CALL_SORTS,
    LEG_FILTERS,
    LEG_SORTS,
    ONLY_ON_REQUEST,
    TAG_COLUMNS,
    ReportedLeg,
    call_columns,
    communication_offset,
    leg_columns,
    shown_call_columns,
)
from airflow_provider_callapi.emulator.services.service import Handler, RpcResult, Service

_MAX_INTERVAL = timedelta(days=92)


def get_calls_report(switchboard: Switchboard, account: Account, request: GetCallsReport) -> RpcResult:
    """Return one page of the Data API's report of calls.

    Of the calls that started from ``date_from`` to ``date_till``, the report contains:

    - The calls that ended at least `Exchange.report_lag` seconds ago.
    - With ``include_ongoing_calls``: the active calls that started at least `Profile.ongoing_report_delay`
      seconds ago. If this delay is None: no active calls.

    :return: a dict. ``data`` is a list with one dict for each call: column → value.
        ``metadata["total_items"]`` is the number of calls on all pages.
    :raises RpcError: the service refuses a date, a field, the filter or the sort order of the request.
    """
    profile = switchboard.profile
    columns = call_columns(profile, switchboard.now)
    default_fields = [name for name in columns if name not in {*ONLY_ON_REQUEST, *profile.refused_fields}]
    fields = (request.fields if "fields" in request.model_fields_set else None) or default_fields
    for name in fields:
        if name in profile.refused_fields:
            raise RpcError(profile.refused_fields[name], "fields", name)
    ongoing = bool(request.include_ongoing_calls) and profile.ongoing_report_delay is not None
    calls = _reported_calls(switchboard, account, request, ongoing=ongoing)
    return build_page(
        calls,
        columns,
        fields,
        request,
        filterable=CALL_FILTERS - {*profile.refused_filters},
        sortable=CALL_SORTS,
        shown=shown_call_columns(profile),
    )


def get_call_legs_report(switchboard: Switchboard, account: Account, request: GetCallLegsReport) -> RpcResult:
    """Return one page of the Data API's report of legs (participants of calls).

    Of the calls that started from ``date_from`` to ``date_till``, the report contains the legs of:

    - The calls that ended at least `Exchange.report_lag` seconds ago.
    - With `Profile.ongoing_legs_are_reported`: the active calls that started at least
      `Profile.ongoing_report_delay` seconds ago. If this delay is None: all active calls.

    :return: a dict. ``data`` is a list with one dict for each leg: column → value.
        ``metadata["total_items"]`` is the number of legs on all pages.
    :raises RpcError: the service refuses a date, a field, the filter or the sort order of the request.
    """
    profile = switchboard.profile
    columns = leg_columns(profile)
    fields = request.fields if "fields" in request.model_fields_set else list(columns)
    calls = _reported_calls(switchboard, account, request, ongoing=profile.ongoing_legs_are_reported)
    legs = (ReportedLeg(call, leg) for call in calls for leg in call.legs)
    filterable = LEG_FILTERS - {*profile.refused_filters}
    return build_page(legs, columns, fields, request, filterable=filterable, sortable=LEG_SORTS)


def get_tags(switchboard: Switchboard, account: Account, request: GetTags) -> RpcResult:
    """Return one page of the list of the account's tags.

    :return: a dict. ``data`` is a list with a dict for each tag, e.g. ``{"id": 36, "name": "Answered", …}``.
        ``metadata`` contains ``total_items``: the number of tags on all pages that match the request's
        filter.
    :raises RpcError: the request names an unknown column, or the filter has a wrong form.
    """
    fields = request.fields or list(TAG_COLUMNS)
    return build_page(account.tags.items(), TAG_COLUMNS, fields, request, filterable=frozenset(TAG_COLUMNS))


def set_tag(switchboard: Switchboard, account: Account, request: SetTagCommunications) -> RpcResult:
    """Add a tag of the account to an active or finished call, and return the empty result.

    :raises RpcError: ``entity_not_found``: the account has no call with the request's ``communication_id``,
        or no tag with the request's ``tag_id``. ``duplicate_entity``: the call already has the tag.
    """
    call = _find_communication(switchboard, account, request.communication_id)
    if request.tag_id not in account.tags:
        raise RpcError("entity_not_found", "tag_id", request.tag_id)
    if request.tag_id in call.tags:
        raise RpcError("duplicate_entity", "tag_id", request.tag_id)
    call.tags[request.tag_id] = account.tags[request.tag_id]
    switchboard.log_event("tag", call, call.contact, str(request.tag_id))
    return RpcResult()


def unset_tag(switchboard: Switchboard, account: Account, request: UnsetTagCommunications) -> RpcResult:
    """Remove a tag from an active or finished call, and return the empty result.

    :raises RpcError: ``entity_not_found``: the account has no call with the request's ``communication_id``,
        or the call does not have the tag.
    """
    call = _find_communication(switchboard, account, request.communication_id)
    if call.tags.pop(request.tag_id, None) is None:
        raise RpcError("entity_not_found", "tag_id", request.tag_id)
    return RpcResult()


def _find_communication(switchboard: Switchboard, account: Account, communication_id: int) -> Call:
    """Return the account's active or finished call with the given ``communication_id``.

    :raises RpcError: ``entity_not_found``: there is no such call.
    """
    call = switchboard.calls.get(communication_id - communication_offset(switchboard.profile))
    if call is None or call.account is not account:
        raise RpcError("entity_not_found", "communication_id", communication_id)
    switchboard.entry_texts.forget(call)  # the stored text contains the tags, which are about to change
    return call


def _reported_calls(
    switchboard: Switchboard,
    account: Account,
    request: GetCallsReport | GetCallLegsReport,
    *,
    ongoing: bool,
) -> Iterable[Call]:
    first, last = _interval(switchboard, account, request)
    # The column that contains the session id.
    key = "id" if isinstance(request, GetCallsReport) else "call_session_id"
    for call in _candidates(switchboard, request.filter, key, first, last):
        if (
            call.account is account
            and _is_reported(switchboard, call, ongoing=ongoing)
            and first <= call.started_at <= last
        ):
            yield call


def _interval(
    switchboard: Switchboard, account: Account, request: GetCallsReport | GetCallLegsReport
) -> tuple[float, float]:
    """Return the first and the last moment of a report's period, in epoch seconds.

    :raises RpcError: the emulated Data API must refuse a date or the period.
    """
    since, until = _parse_time(account, request, "date_from"), _parse_time(account, request, "date_till")
    if until - since > _MAX_INTERVAL:
        raise RpcError("date_interval_limit_reached", "date_till", request.date_till)
    profile, now = switchboard.profile, switchboard.now
    if profile.youngest_date_from and since.timestamp() > now - profile.youngest_date_from:
        raise RpcError("invalid_parameter_value", "date_from", request.date_from)
    if until.timestamp() > now and not profile.future_date_till_is_allowed:
        raise RpcError("invalid_parameter_value", "date_till", request.date_till)
    return since.timestamp(), until.timestamp()


def _is_reported(switchboard: Switchboard, call: Call, *, ongoing: bool) -> bool:
    if call.ended_at is not None:
        return call.ended_at + switchboard.report_lag <= switchboard.now
    return ongoing and call.started_at + (switchboard.profile.ongoing_report_delay or 0.0) <= switchboard.now


def _candidates(
    switchboard: Switchboard, report_filter: Any, key: str, first: float, last: float
) -> Iterable[Call]:
    """Return the calls that a report may contain, in the order of their start.

    The caller must remove those that the filter or the period excludes.
    """
    by_id = isinstance(report_filter, dict) and report_filter.get("field") == key
    if by_id and (ids := _wanted_ids(report_filter)) is not None:
        # These calls may have started at any time.
        found = [switchboard.calls[session_id] for session_id in ids if session_id in switchboard.calls]
        return sorted(found, key=attrgetter("started_at", "call_session_id"))
    calls, started_at = switchboard.by_start_time, attrgetter("started_at")
    return calls[bisect_left(calls, first, key=started_at) : bisect_right(calls, last, key=started_at)]


def _wanted_ids(comparison: dict[str, Any]) -> set[int] | None:
    """Return the session ids in a filter with ``=`` or ``in``, e.g. ``{5, 6}``.

    None: the filter has another operator, or an id is no whole number.
    """
    value = comparison.get("value")
    values = {"=": [value], "in": value}.get(str(comparison.get("operator")))
    if not isinstance(values, list) or not all(isinstance(each, int) for each in values):
        return None
    return set(values)


def _parse_time(account: Account, request: Request[Any], field: str) -> datetime:
    text = getattr(request, field)
    try:
        moment = datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
    except ValueError:
        raise RpcError("invalid_parameter_value", field, text) from None
    return moment.replace(tzinfo=ZoneInfo(account.timezone))


HANDLERS: dict[str, Handler | None] = {
    "login.user": None,
    "logout.user": None,
    "get.calls_report": get_calls_report,
    "get.call_legs_report": get_call_legs_report,
    "get.tags": get_tags,
    "set.tag_communications": set_tag,
    "unset.tag_communications": unset_tag,
    **account_lists.HANDLERS,
}


def data_api() -> Service:
    """Return a new service that answers the Data API's requests.

    A successful request costs one point (rate-limit unit), or the number in `Account.weights`. The service
    rejects requests from IP addresses that are not in `Account.data_api_whitelist`.
    """
    classes = {**METHODS, **DATA_METHODS}
    return Service(
        methods={name: (classes[name], handler) for name, handler in HANDLERS.items()},
        weight=lambda account, method: account.weights.get(method, 1),
        serves_ip=lambda account, ip: ip in account.data_api_whitelist,
        has_components=False,
    )
