"""Requests for reports: a refused part is omitted and logged once, and a needed part is never omitted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from data_api import DataApi, Refuse
from hypothesis import given
from hypothesis import strategies as st
from report_asker import AT, DAY, UNNAMED, ZONE, allowed, data_api_with, in_fields, refusal

from airflow_provider_callapi.api.data_api import (
    OPERATIONS_FIELD,
    RECORDING_FIELD,
    REPORT_FIELDS,
    GetCallLegsReport,
    GetCallsReport,
)
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import AccessDenied, CallApiError, Rejected
from airflow_provider_callapi.api.times import report_time
from airflow_provider_callapi.calls.reports.finished_calls import fetch_finished_calls
from airflow_provider_callapi.calls.reports.report_refusals import Refusals
from airflow_provider_callapi.calls.reports.report_requests import ReportRequests, Selection

pytest_plugins = ["report_asker"]


# --- fields ---


def test_the_link_to_the_recording_is_requested_only_if_a_caller_needs_it(asker: Any) -> None:
    desk = asker()
    desk.ids()
    desk.ids(fields=(*REPORT_FIELDS, RECORDING_FIELD))
    assert [RECORDING_FIELD in request.fields for request in desk.data_api.asked] == [False, True]


def test_the_operations_are_omitted_first_if_a_refusal_names_no_part(asker: Any) -> None:
    desk = asker(in_fields(OPERATIONS_FIELD, refusal("parameter_component_disabled", code=-32008)))
    fields = (*REPORT_FIELDS, RECORDING_FIELD, OPERATIONS_FIELD)
    for _ in range(2):
        assert desk.ids(fields=fields) == [1, 2, 3]
    asked = [set(fields) - set(request.fields) for request in desk.data_api.asked]
    assert asked == [set(), {OPERATIONS_FIELD}, {OPERATIONS_FIELD}]


OPTIONAL = [name for name in REPORT_FIELDS if name not in GetCallsReport.needed_fields]


@pytest.mark.parametrize("name", OPTIONAL)
@pytest.mark.parametrize(
    "error",
    [
        lambda name: refusal("unexpected_parameters", "fields", name),
        lambda name: refusal("unexpected_parameters", name),
        lambda name: refusal("unexpected_parameters", "fields", [name]),
        lambda name: refusal("unexpected_parameters", f"fields.{name}"),
        lambda name: refusal("parameter_component_disabled", name, code=-32008),
        lambda name: refusal("parameter_component_disabled", "fields", name, code=-32008),
        lambda name: refusal("unexpected_parameters", [name]),
        lambda name: refusal("invalid_parameter_value", "fields[8]", name),
        lambda name: refusal("invalid_parameter_value", "fields", name),
        lambda name: refusal("invalid_parameter_value", f"params.fields.{name.title()}"),
        lambda name: refusal("unexpected_parameters", name, code=-32007),
    ],
)
def test_a_refused_field_is_omitted_from_then_on_and_logged_once(
    asker: Any, name: str, error: Callable[[str], dict[str, Any]]
) -> None:
    desk = asker(in_fields(name, error(name)))
    for _ in range(3):
        assert desk.ids() == [1, 2, 3]
    assert [name in request.fields for request in desk.data_api.asked] == [True, False, False, False]
    assert len(desk.logged) == 1
    assert name in desk.logged[0]


def test_every_optional_field_may_be_refused(asker: Any) -> None:
    def refuse(request: Any) -> dict[str, Any] | None:
        refused = [name for name in request.fields if name in OPTIONAL]
        return refusal("unexpected_parameters", "fields", refused[0]) if refused else None

    desk = asker(refuse)
    assert desk.ids() == desk.ids() == [1, 2, 3]
    assert set(desk.data_api.asked[-1].fields) == GetCallsReport.needed_fields
    assert len(desk.logged) == len(OPTIONAL)


@pytest.mark.parametrize("name", sorted(GetCallsReport.needed_fields))
def test_a_service_that_refuses_a_needed_field_gives_no_report_and_is_not_asked_again(
    asker: Any, name: str
) -> None:
    desk = asker(in_fields(name, refusal("unexpected_parameters", "fields", name)))
    for _ in range(3):
        reports = desk.requests.calls(AT, AT)
        assert (list(reports), reports.complete) == ([], False)
    assert len(desk.data_api.asked) == 1
    assert len(desk.logged) == 2


@pytest.mark.parametrize("error", UNNAMED, ids=str)
@pytest.mark.parametrize("refused", [*OPTIONAL, "filter", "include_ongoing_calls"])
def test_a_part_that_the_refusal_does_not_name_is_found_by_trying(
    asker: Any, error: dict[str, Any], refused: str
) -> None:
    """What is left out afterwards contains the refused part, and is kept for the next requests."""
    desk = asker(lambda request: error if refused in allowed(request) else None)
    assert desk.ids(1, ongoing=True) == [1]
    tried = len(desk.data_api.asked)
    assert tried <= 6
    assert desk.ids(1, ongoing=True) == [1]
    assert len(desk.data_api.asked) == tried + 1
    last = desk.data_api.asked[-1]
    if refused == "tags":
        assert {*OPTIONAL, "filter", "include_ongoing_calls"} - allowed(last) == {"tags"}
    elif refused not in OPTIONAL:
        assert {*OPTIONAL, "filter", "include_ongoing_calls"} - allowed(last) == {refused}
    assert GetCallsReport.needed_fields <= allowed(last)


@pytest.mark.parametrize("error", UNNAMED, ids=str)
def test_a_date_that_the_refusal_does_not_name_is_found_by_trying(asker: Any, error: dict[str, Any]) -> None:
    for refuse in (
        lambda request: error if request.date_from > report_time(AT - 2 * DAY, ZONE) else None,
        lambda request: error if request.date_till > report_time(AT, ZONE) else None,
    ):
        desk = asker(refuse)
        assert desk.ids(1, ongoing=True) == desk.ids(1, ongoing=True) == [1]
        assert allowed(desk.data_api.asked[-1]) == {*REPORT_FIELDS, "filter", "include_ongoing_calls"}


@given(
    refused=st.sets(st.sampled_from([*OPTIONAL, "filter", "include_ongoing_calls", "young", "future"])),
    error=st.sampled_from(UNNAMED),
    wanted=st.sets(st.sampled_from([1, 2, 3]), max_size=2),
    ongoing=st.booleans(),
)
def test_the_report_is_read_although_the_service_refuses_parts_without_naming_them(
    refused: set[str], error: dict[str, Any], wanted: set[int], ongoing: bool
) -> None:
    def refuse(request: Any) -> dict[str, Any] | None:
        sent = allowed(request)
        sent |= {"young"} if request.date_from > report_time(AT - 2 * DAY, ZONE) else set()
        sent |= {"future"} if request.date_till > report_time(AT, ZONE) else set()
        return error if sent & refused else None

    data_api = data_api_with(refuse)
    requests = ReportRequests(data_api, Refusals(), ZONE)
    selection = Selection("id", wanted) if wanted else None
    for _ in range(2):
        reports = requests.calls(AT, AT, selection=selection, ongoing=ongoing)
        assert {report.id for report in reports} == (wanted or {1, 2, 3})
    assert len(data_api.asked) <= 9


@pytest.mark.parametrize(
    "error",
    [*UNNAMED, refusal("unexpected_parameters", "limit"), refusal("invalid_parameter_value", "limit")],
    ids=str,
)
def test_a_service_that_refuses_everything_gives_no_report_and_later_gets_single_requests(
    asker: Any, error: dict[str, Any]
) -> None:
    desk = asker(lambda request: error)
    assert desk.ids(1, ongoing=True) == []
    tried = len(desk.data_api.asked)
    assert tried <= 8
    for number in (1, 2, 3):
        reports = desk.requests.calls(AT, AT, ongoing=True)
        assert (list(reports), reports.complete) == ([], False)
        assert len(desk.data_api.asked) == tried + number
    assert len(desk.logged) == 1
    desk.data_api.refuse = lambda request: None
    assert desk.ids(1, ongoing=True) == [1]
    assert allowed(desk.data_api.asked[-1]) == {*REPORT_FIELDS, "filter", "include_ongoing_calls"}


# --- filters ---


@pytest.mark.parametrize(
    "error",
    [
        refusal("filter_prohibited", "filter.field", "id"),
        refusal("filter_prohibited", "id"),
        refusal("filter_prohibited"),
        refusal("unexpected_parameters", "filter.field", "id"),
        refusal("unexpected_parameters", "filter"),
        refusal("invalid_parameter_value", "filter", "in"),
    ],
    ids=str,
)
def test_all_reports_are_fetched_and_the_wanted_ones_selected_without_a_filter(
    asker: Any, error: dict[str, Any]
) -> None:
    desk = asker(lambda request: error if request.filter else None)
    assert desk.ids(2) == [2]
    assert desk.ids(3, 1) == [1, 3]
    assert [request.filter is None for request in desk.data_api.asked] == [False, True, True]
    assert len(desk.logged) == 1


def test_the_reports_of_other_calls_are_removed_if_the_service_ignores_the_filter(asker: Any) -> None:
    desk = asker(ignores=["filter"])
    assert desk.ids(2) == [2]
    assert desk.ids(7) == []
    assert [request.filter is None for request in desk.data_api.asked] == [False, True, True]
    legs = desk.requests.legs(AT, AT, selection=Selection("call_session_id", (2,)))
    assert [leg.call_session_id for leg in legs] == [2]


def test_a_report_without_the_searched_field_may_be_the_searched_one(asker: Any) -> None:
    name = "call_api_external_id"
    desk = asker(in_fields(name, refusal("unexpected_parameters", "fields", name)))
    found = desk.requests.calls(AT, AT, selection=Selection(name, ("x-2",)))
    assert (list(found), found.complete) == ([], False)


def test_ongoing_calls_are_optional(asker: Any) -> None:
    desk = asker(
        lambda request: (
            refusal("unexpected_parameters", "include_ongoing_calls")
            if request.include_ongoing_calls
            else None
        )
    )
    assert desk.ids(1, ongoing=True) == desk.ids(1, ongoing=True) == [1]
    assert len(desk.data_api.asked) == 3


@pytest.mark.parametrize(
    "refuse",
    [
        in_fields("call_api_external_id", refusal("unexpected_parameters", "call_api_external_id")),
        lambda request: (
            refusal("unexpected_parameters", "include_ongoing_calls")
            if getattr(request, "include_ongoing_calls", None)
            else None
        ),
    ],
    ids=["external_id", "active calls"],
)
def test_reports_of_all_calls_prove_no_absence_without_their_ids_or_without_active_calls(
    asker: Any, refuse: Refuse
) -> None:
    assert asker().requests.calls(AT, AT, ongoing=True).complete
    desk = asker(refuse)
    for _ in range(2):
        reports = desk.requests.calls(AT, AT, ongoing=True)
        assert ([report.id for report in reports], reports.complete) == ([1, 2, 3], False)


def test_a_refusal_that_lists_the_allowed_fields_refuses_the_named_field_only(asker: Any) -> None:
    error = refusal("unexpected_parameters", "fields", "tags")
    error["data"]["params"] = {"allowed": sorted(GetCallsReport.needed_fields)}
    desk = asker(in_fields("tags", error))
    assert desk.ids() == [1, 2, 3]
    assert set(REPORT_FIELDS) - set(desk.data_api.asked[-1].fields) == {"tags"}


def test_no_call_has_known_legs_without_the_right_to_the_report_of_legs(asker: Any) -> None:
    denied = refusal("method_component_disabled", code=-32008)
    desk = asker(lambda request: denied if isinstance(request, GetCallLegsReport) else None)
    assert desk.requests.legs(AT, AT) is None
    assert len(desk.logged) == 1


def test_two_legs_of_one_call_with_the_same_id_are_two_legs() -> None:
    rows = [
        {"id": 1, "call_session_id": 7, "connect_time": at, "is_operator": at is None}
        for at in ("then", None)
    ]

    legs = ReportRequests(DataApi(legs=rows), Refusals(), ZONE).legs(AT, AT)
    assert [leg.connect_time for leg in legs] == ["then", None]


# --- what is no refusal of a part ---


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refusal("method_component_disabled", code=-32008), AccessDenied),
        (refusal("forbidden", code=-32003), AccessDenied),
        (refusal("internal_error", code=-32603), Rejected),
    ],
    ids=str,
)
def test_another_error_is_raised_as_before(
    asker: Any, error: dict[str, Any], kind: type[CallApiError]
) -> None:
    desk = asker(lambda request: error)
    with pytest.raises(kind):
        desk.ids()
    assert len(desk.data_api.asked) == 1


def test_no_value_of_a_refusal_is_logged(asker: Any) -> None:
    error = refusal("unexpected_parameters", "fields tags", "79260000001 secret-token")
    desk = asker(in_fields("tags", error))
    desk.ids()
    assert "79260000001" not in " ".join(desk.logged)
    assert "secret" not in " ".join(desk.logged)


def test_a_fetch_of_all_calls_keeps_what_was_refused() -> None:
    data_api = data_api_with(in_fields("tags", refusal("unexpected_parameters", "fields", "tags")))
    refusals = Refusals()
    for _ in range(2):
        calls = fetch_finished_calls(data_api, since=AT, until=AT, timezone=ZONE, refusals=refusals)
        assert [call.answered for call in calls] == [True] * 3
    assert len(data_api.asked) == 3


def test_a_short_page_is_not_the_last_if_the_service_states_more_rows() -> None:
    reports = ReportRequests(data_api_with(longest_page=2), Refusals(), ZONE).calls(AT, AT)
    assert ([report.id for report in reports], reports.complete) == ([1, 2, 3], True)


def test_a_wrong_total_costs_two_requests_and_makes_the_reports_incomplete() -> None:
    data_api = data_api_with(total=lambda request, count: 10**9)
    reports = ReportRequests(data_api, Refusals(), ZONE).calls(AT, AT)
    assert ([report.id for report in reports], reports.complete) == ([1, 2, 3], False)
    assert len(data_api.asked) == 2


def test_the_legs_of_two_calls_may_have_the_same_ids() -> None:
    legs = ReportRequests(data_api_with(), Refusals(), ZONE).legs(AT, AT)
    assert [leg.call_session_id for leg in legs] == [1, 2, 3]
    assert isinstance(legs, Entries)
    assert GetCallLegsReport.id_field == "call_session_id"
