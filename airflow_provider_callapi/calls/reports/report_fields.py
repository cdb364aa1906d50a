"""The fields of the Data API's reports, their kinds, and the conversion of their values to plain JSON.

Source: the vendor's public documentation of ``get.calls_report`` and ``get.call_legs_report``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import partial
from typing import Any

from airflow_provider_callapi.api.data_api import is_filled_time
from airflow_provider_callapi.calls.reports.report_dates import read_report_time
from airflow_provider_callapi.calls.texts.time_texts import iso_time


class FieldKind(Enum):
    """The kinds of report fields. Each kind is defined by the JSON that this package makes of a field.

    Example: ``start_time`` is a MOMENT, and becomes the text ``2026-03-02T09:00:00Z``.
    """

    INTEGER = "an id, or a number of seconds"
    MOMENT = "a time, as ISO 8601 text in UTC"
    FLAG = "true or false"
    TEXT = "a text that is not empty"
    JSON = "a list, an object, or the value as the Data API sends it"


_NAMES = {
    FieldKind.INTEGER: """
        id communication_id communication_number contact_id person_id visitor_id visitor_session_id
        wait_duration total_wait_duration talk_duration clean_talk_duration total_duration
        postprocess_duration lost_call_processing_duration
        first_answered_employee_id last_answered_employee_id last_answered_employee_rating
        first_talked_employee_id last_talked_employee_id
        call_api_request_id campaign_id cpn_region_id scenario_id site_id source_id
        visitor_first_campaign_id visits_count
        call_session_id duration employee_id employee_rating action_id group_id release_cause_code
    """,
    FieldKind.MOMENT: "start_time finish_time sale_date connect_time",
    FieldKind.FLAG: """
        is_lost is_transfer visit_other_campaign is_operator is_coach is_talked is_failed is_transfered
    """,
    FieldKind.TEXT: """
        direction source finish_reason communication_type communication_page_url
        contact_phone_number virtual_phone_number operator_phone_number contact_full_name
        first_answered_employee_full_name last_answered_employee_full_name
        first_talked_employee_full_name last_talked_employee_full_name
        call_api_external_id scenario_name site_domain_name campaign_name auto_call_campaign_name
        cpn_region_name cpn_country_id cpn_country_name channel channel_new channel_code
        source_name source_new ext_id properties full_record_file_link
        ua_client_id ym_client_id gclid yclid ymclid ef_id
        search_query search_engine referrer referrer_domain entrance_page
        visitor_type visitor_first_campaign_name visitor_city visitor_region visitor_country visitor_device
        utm_source utm_medium utm_term utm_content utm_campaign
        openstat_ad openstat_campaign openstat_service openstat_source
        eq_utm_source eq_utm_medium eq_utm_term eq_utm_content eq_utm_campaign eq_utm_referrer eq_utm_expid
        calling_phone_number called_phone_number
    """,
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names.split()}
_LISTS = frozenset(
    {"tags", "employees", "scenario_operations", "attributes", "segments", "visitor_custom_properties"}
    | {"call_records", "wav_call_records", "voice_mail_records"}
)
"""The fields that contain a list. A missing list becomes an empty list."""

DEFAULT_FIELDS = (
    "id",
    "communication_id",
    "start_time",
    "finish_time",
    "direction",
    "source",
    "is_lost",
    "finish_reason",
    "wait_duration",
    "total_wait_duration",
    "talk_duration",
    "clean_talk_duration",
    "total_duration",
    "call_api_external_id",
    "tags",
    "employees",
)
"""The fields of a call that are loaded if the author names none. None of them is a phone number."""
CALL_NUMBERS = ("contact_phone_number", "virtual_phone_number", "operator_phone_number")
"""The fields of a call that contain phone numbers."""
DEFAULT_NUMBERS = CALL_NUMBERS[:2]
LOADED_LEG_FIELDS = (
    "id",
    "start_time",
    "connect_time",
    "duration",
    "total_duration",
    "direction",
    "is_operator",
    "employee_id",
    "is_talked",
    "is_coach",
    "finish_reason",
)
"""The fields of a leg that are loaded in any case. None of them is a phone number."""
LEG_NUMBERS = ("calling_phone_number", "called_phone_number")
LEGS = "legs"
"""The column of a call's row that contains the legs of the call."""


def kind_of_field(name: str) -> FieldKind:
    """Return the kind of a report's field. The kind of a field that this package does not know is JSON."""
    return _KINDS.get(name, FieldKind.JSON)


def convert_row(
    raw: Mapping[str, Any],
    fields: Iterable[str],
    *,
    timezone: str,
    not_before: float,
    on_unreadable: Callable[[str], object],
) -> dict[str, Any]:
    """Convert one call or leg of a report to a dict of plain JSON: field → value.

    A missing or unreadable value becomes None. A missing list becomes an empty list.

    :param raw: the call or leg as the Data API sends it: field → value.
    :param fields: the fields to convert. The result contains exactly these fields.
    :param timezone: IANA name of the account's time zone.
    :param not_before: the earliest possible start of the call or leg, epoch seconds, see `read_report_time`.
    :param on_unreadable: a function that is called with the name of each field that has an unreadable value.
    """

    def read_moment(text: Any) -> str | None:
        if not is_filled_time(None if text is None else str(text)):
            return None
        return iso_time(int(read_report_time(text, timezone, not_before)))

    def read_inner(name: str, text: Any) -> str | None:
        try:
            return read_moment(text)
        except (TypeError, ValueError, OverflowError):  # the rest of the list is readable
            on_unreadable(name)
            return None

    row: dict[str, Any] = {}
    for name in fields:
        value, kind = raw.get(name), kind_of_field(name)
        try:
            if kind is FieldKind.MOMENT:
                row[name] = read_moment(value)
            elif kind is FieldKind.JSON:
                is_missing_list = value is None and name in _LISTS
                row[name] = [] if is_missing_list else _convert_times(value, partial(read_inner, name))
            else:
                row[name] = read_plain_value(name, value)
        except (TypeError, ValueError, LookupError, OverflowError):
            on_unreadable(name)
            row[name] = None
    return row


def read_plain_value(name: str, value: Any) -> Any:
    """Return the value of a field that is a number, a flag or a text. An empty text becomes None.

    :param name: the field, e.g. ``is_lost``.
    :raises LookupError, TypeError, ValueError: the value cannot be read.
    """
    return None if value is None or value == "" else _READERS[kind_of_field(name)](value)


def _convert_times(value: Any, read_moment: Callable[[Any], str | None]) -> Any:
    """Return a copy of a list or object in which all times (fields ``…_time``) are ISO 8601 text in UTC."""
    if isinstance(value, list):
        return [_convert_times(inner, read_moment) for inner in value]
    if isinstance(value, dict):
        return {
            name: read_moment(inner) if name.endswith("_time") else _convert_times(inner, read_moment)
            for name, inner in value.items()
        }
    return value


def read_integer(value: Any) -> int:
    """Return a value of a report as a whole number: ``7``, ``7.0`` and ``"7"`` become 7.

    :raises ValueError, TypeError: the value is no whole number, or has more than 64 bits.
    """
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError("a whole number is needed")
    number = int(value)
    if not -(2**63) <= number < 2**63:
        raise ValueError("the number has more than 64 bits")
    return number


def _read_flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    return {"true": True, "false": False, "1": True, "0": False}[str(number).lower()]


def _read_text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError("a text is needed")
    return str(value)


_READERS: Mapping[FieldKind, Callable[[Any], Any]] = {
    FieldKind.INTEGER: read_integer,
    FieldKind.FLAG: _read_flag,
    FieldKind.TEXT: _read_text,
}
