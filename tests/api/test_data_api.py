"""The Data API's requests and answers: what they send, what they read, and the free access check."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.credentials import AccessKey
from airflow_provider_callapi.api.data_api import (
    DATA_METHODS,
    LEG_FIELDS,
    RECORDING_FIELD,
    REPORT_FIELDS,
    CallReport,
    GetCallLegsReport,
    GetCallsReport,
    LegReport,
    SetTagCommunications,
    equals,
    is_filled_time,
    probe_access,
)
from airflow_provider_callapi.api.errors import AccessDenied, CallApiError
from airflow_provider_callapi.api.methods import METHODS
from airflow_provider_callapi.api.models import Done
from airflow_provider_callapi.api.request import Repeat
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc
from airflow_provider_callapi.emulator import Exchange, ManualClock

PERIOD = {"date_from": "2026-01-01 00:00:00", "date_till": "2026-02-01 00:00:00"}


def data_client(exchange: Exchange, key: str | None = None) -> Client:
    rpc = JsonRpc("https://dataapi.comagic.ru/v2.0", new_session=exchange.session)
    return Client(rpc, AccessKey(key or exchange.account.key), clock=lambda: 0.0)


def test_every_data_method_is_listed_under_its_own_name_and_may_be_repeated() -> None:
    assert {request_type.method: request_type for request_type in DATA_METHODS.values()} == DATA_METHODS
    assert not set(DATA_METHODS) & set(METHODS)
    assert Repeat.NEVER not in {request_type.repeat for request_type in DATA_METHODS.values()}


def test_a_report_request_asks_for_fields_that_its_answer_has() -> None:
    assert GetCallsReport(**PERIOD).params == {**PERIOD, "fields": list(REPORT_FIELDS)}
    assert set(REPORT_FIELDS) < set(CallReport.model_fields)
    assert RECORDING_FIELD in set(CallReport.model_fields) - set(REPORT_FIELDS)
    assert GetCallLegsReport(**PERIOD).params == {**PERIOD, "fields": list(LEG_FIELDS)}
    assert set(LEG_FIELDS) == set(LegReport.model_fields)


def test_a_filter_names_the_field_and_the_value() -> None:
    request = GetCallsReport(**PERIOD, filter=equals("id", 5))

    assert request.params["filter"] == {"field": "id", "operator": "=", "value": 5}


@pytest.mark.parametrize("end", [{"finish_time": "2026-01-01 10:00:00"}, {"finish_reason": "success_finish"}])
def test_a_report_with_an_end_is_finished(end: dict[str, str]) -> None:
    assert CallReport(id=1, **end).finished  # type: ignore[arg-type]
    assert not CallReport(id=1).finished


@pytest.mark.parametrize(
    "time",
    [
        *(None, "", "0000-00-00 00:00:00", "null", "None", "-", "soon"),
        *("1970-01-01 03:00:00", "0001-01-01 00:00:00", "9999-12-31 23:59:59", "2000-01-01 00:00:00"),
        *("2099-12-31 23:59:59", "2038-01-19 03:14:07", "2026-12-32 10:00:00"),
    ],
)
def test_a_report_that_states_no_finish_time_is_not_finished_by_the_reason_of_a_leg(time: str | None) -> None:
    """A reason can be that of a participant who has left the active call."""
    active = CallReport(id=1, start_time="2026-12-01 10:00:00", finish_time=time, finish_reason="sip_offline")
    assert not active.finished


ZEROS_WITH_A_ZONE = ["0000-00-00T00:00:00Z", "0000-00-00 00:00:00+03:00", "0000-00-00 00:00:00.000-0330"]
NUMBERS = st.integers() | st.integers(-(2**70), 2**70) | st.floats() | st.sampled_from([0, -1, 2**63])
DURATIONS = ("talk_duration", "total_duration")


@given(field=st.sampled_from(["communication_id", *DURATIONS]), number=NUMBERS)
def test_a_number_of_a_report_fits_into_a_request_and_a_table_or_is_missing(field: str, number: Any) -> None:
    report = CallReport(id=5, finish_reason="success_finish", talk_duration=7)
    sent = {**report.model_dump(include={"id", "finish_reason", "talk_duration"}), field: number}
    readable = -(10**9) < number < 10**9 if field in DURATIONS else 0 < number < 2**63
    readable = readable and int(number) == number and (isinstance(number, int) or number < 2**53)

    reports = GetCallsReport(**PERIOD, fields=["id", field]).convert_answer([sent])

    if field == "talk_duration" and not readable:  # the contact may have talked: nothing is known of the call
        assert (list(reports), reports.left_out_ids) == ([], [5])
    else:
        assert getattr(reports[0], field) == (number if readable and number >= 0 else None)
        assert (reports[0].id, reports[0].finish_reason, reports.complete) == (5, "success_finish", True)


@pytest.mark.parametrize("data", [None, {}])
def test_an_empty_answer_to_a_tag_request_is_a_success(data: object) -> None:
    assert SetTagCommunications.read_answer(data) == Done(success=True)


@pytest.mark.parametrize("result", [None, {}, {"metadata": {"limits": {}}}, {"data": {}}, {"success": True}])
def test_a_tag_request_has_succeeded_if_the_result_contains_nothing_else(result: object) -> None:
    assert SetTagCommunications.read_answer(SetTagCommunications.data_in(result)) == Done(success=True)


@pytest.mark.parametrize("part", [False, 0, "", [], "error", 5, {"success": False}, {"error": "no such tag"}])
@pytest.mark.parametrize("whole", [lambda part: part, lambda part: {"data": part, "metadata": {}}])
def test_any_other_result_of_a_tag_request_is_no_success(whole: Any, part: object) -> None:
    with pytest.raises(ValueError, match="Done"):
        SetTagCommunications.read_answer(SetTagCommunications.data_in(whole(part)))


def test_probe_access_costs_no_points_with_an_access_key() -> None:
    exchange = Exchange(clock=ManualClock(1_760_000_000.0))
    client = data_client(exchange)

    probe_access(client)
    first = client.limits
    probe_access(client)

    assert first is not None
    assert client.limits is not None
    assert client.limits.day_remaining == first.day_remaining == first.day_limit


def test_probe_access_raises_if_the_data_api_refuses_the_client() -> None:
    exchange = Exchange(clock=ManualClock(1_760_000_000.0))

    with pytest.raises(CallApiError, match="access_token_invalid"):
        probe_access(data_client(exchange, "no-such-key"))
    exchange.account.forbidden_methods.add("get.calls_report")
    with pytest.raises(AccessDenied):
        probe_access(data_client(exchange))


@pytest.mark.parametrize(
    "text", [None, "", " ", "0000-00-00 00:00:00", "0000-00-00T00:00:00.000", *ZEROS_WITH_A_ZONE]
)
def test_an_empty_time_field_shows_no_event(text):
    assert not is_filled_time(text)


@pytest.mark.parametrize("text", ["2026-03-02 09:00:00", "02.03.2026 09:00", "abc"])
def test_an_unreadable_time_proves_that_its_event_has_happened(text):
    assert is_filled_time(text)
