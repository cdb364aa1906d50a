"""The report of calls from the Data API: selection, legs, and answers that cannot be used."""

from __future__ import annotations

from typing import Any

import pytest
from data_api import DataApi
from known_numbers import VNUMBER

from airflow_provider_callapi.api.report_rows import LegRows
from airflow_provider_callapi.calls.reports import report_pages
from airflow_provider_callapi.calls.reports.call_filter import CallFilter
from airflow_provider_callapi.calls.reports.calls_report import CallsReport, ReportColumns, ReportRefused
from airflow_provider_callapi.calls.reports.report_pages import ReportIncomplete, ReportPages

START, END = 1_772_409_600, 1_772_413_200  # an hour of 2026-03-02 UTC


def a_call(number: Any, minute: int = 0, **fields: Any) -> dict[str, Any]:
    begins = {"start_time": f"2026-03-02 00:{minute:02}:00", "finish_time": f"2026-03-02 00:{minute:02}:30"}
    return {"id": number, **begins, "direction": "in", "is_lost": True, **fields}


def service_with(calls: list[dict[str, Any]], legs: list[dict[str, Any]] | None = None) -> DataApi:
    """Return a Data API that ignores every filter and the period."""
    return DataApi(calls, legs or [], ignores=["filter", "period"])


def load(service: DataApi, selection: CallFilter | None = None, **columns: Any) -> list[dict[str, Any]]:
    pages = ReportPages(service, "UTC")
    report = CallsReport(
        pages, "UTC", ReportColumns(**{"fields": ["id"], **columns}), selection or CallFilter()
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_pages, "LARGEST_PAGE", 2)
        return [row for portion in report.load(START, END) for row in portion]


@pytest.mark.parametrize(
    "selection",
    [
        CallFilter(missed=True),
        CallFilter(direction="in"),
        CallFilter(virtual_phone_numbers=["74950000002", VNUMBER]),
        CallFilter(tags=frozenset({36})),
        CallFilter(employees=frozenset({25})),
        CallFilter(missed=True, tags=frozenset({36}), employees=frozenset({25, 26})),
    ],
)
def test_a_service_that_ignores_a_filter_loads_no_other_call(selection):
    wanted = a_call(
        1,
        employees=[{"employee_id": "25"}, "?"],
        tags=[{"tag_id": 36}, {"tag_id": []}],
        virtual_phone_number=VNUMBER,
    )
    other = {"direction": "out", "virtual_phone_number": "74993720693"}
    others = [
        a_call(2, is_lost=False, employees=None, tags=None, **other),
        a_call(3, employees=[], tags=[{"tag_id": 37}], **other),
    ]

    assert load(service_with([*others, wanted]), selection) == [{"id": 1}]


@pytest.mark.parametrize("number", ["+7 499 372-06-92", "84993720692", 74993720692, "", None])
def test_a_virtual_number_in_another_form_or_an_empty_one_leaves_out_no_call(number):
    call = a_call(1, virtual_phone_number=number)

    assert load(service_with([call]), CallFilter(virtual_phone_numbers=[VNUMBER])) == [{"id": 1}]


@pytest.mark.parametrize(
    ("true", "false"), [("true", "false"), ("1", "0"), (1, 0), (1.0, 0.0), ("True", "False")]
)
def test_the_filter_reads_a_value_in_every_form_in_which_a_row_does(true, false):
    calls = [a_call(1, is_lost=true), a_call(2, is_lost=false), a_call(3, is_lost=None)]
    forms = load(service_with(calls), fields=["id", "is_lost"])

    assert load(service_with(calls), CallFilter(missed=True)) == [{"id": 1}]
    assert [(row["id"], row["is_lost"]) for row in forms] == [(1, True), (2, False), (3, None)]


def test_a_single_object_counts_as_a_list_of_one():
    call = a_call(1, tags={"tag_id": "36"}, employees={"employee_id": 25})

    assert load(service_with([call]), CallFilter(tags=frozenset({36}), employees=frozenset({25}))) == [
        {"id": 1}
    ]
    assert load(service_with([call]), CallFilter(tags=frozenset({37}))) == []


@pytest.mark.parametrize("field", ["is_lost", "direction"])
def test_a_call_of_which_the_filter_cannot_be_decided_is_never_left_out_silently(field):
    with pytest.raises(ReportIncomplete, match=f"a call without a readable {field}"):
        load(service_with([a_call(1, **{field: ["?"]})]), CallFilter(missed=True))


def test_a_filter_of_several_numbers_uses_only_documented_operators():
    service = service_with([])
    load(service, CallFilter(missed=True, virtual_phone_numbers=["2", "1"]))

    assert service.asked[0].filter == {
        "condition": "and",
        "filters": [
            {"field": "is_lost", "operator": "=", "value": True},
            {"field": "direction", "operator": "=", "value": "in"},
            {
                "condition": "or",
                "filters": [
                    {"field": "virtual_phone_number", "operator": "=", "value": number} for number in "12"
                ],
            },
        ],
    }


def test_each_call_gets_its_own_legs_in_the_order_of_their_beginning():
    legs = [
        {"id": 3, "call_session_id": 1, "start_time": "2026-03-02 00:00:09"},
        {"id": 2, "call_session_id": "1", "start_time": "2026-03-02 00:00:01"},
        {"id": 2, "call_session_id": 1, "start_time": "2026-03-02 00:00:05"},  # the id occurs twice
        {"id": 4, "call_session_id": 99, "start_time": "2026-03-02 00:00:01"},
    ]
    first, second = load(service_with([a_call(1), a_call(2, 1)], legs), legs=True)

    seconds = [(leg["id"], leg["start_time"][-3:-1]) for leg in first["legs"]]
    assert seconds == [(2, "01"), (2, "05"), (3, "09")]
    assert second["legs"] == []


def test_the_legs_are_read_for_the_time_in_which_the_calls_took_place():
    service = service_with([a_call(1, 5), a_call(2, 7)])
    load(service, legs=True)

    [request] = [request for request in service.asked if isinstance(request, LegRows)]
    assert (request.date_from[-8:], request.date_till[-8:]) == ("00:05:00", "00:07:31")


def test_a_wrong_year_does_not_make_the_report_read_legs_for_thousands_of_years():
    service = service_with([a_call(1, 5, finish_time="9999-12-31 23:59:59")])
    load(service, legs=True)

    assert len([request for request in service.asked if isinstance(request, LegRows)]) <= 2


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (a_call(None), "a row without a readable id"),
        (a_call("x"), "a row without a readable id"),
        (a_call(1, start_time=None), "a call without a readable start_time"),
        (a_call(1, start_time="today"), "a call without a readable start_time"),
    ],
)
def test_a_row_that_cannot_be_placed_is_never_left_out_silently(row, problem):
    with pytest.raises(ReportIncomplete, match=problem):
        load(service_with([row]))


@pytest.mark.parametrize("field", ["fields[Tags]", "fields.TAGS", "tags"])
@pytest.mark.parametrize("name", ["tags", "Tags"])
def test_a_refused_field_is_named_however_the_service_spells_it(field, name):
    assert refused_parameters({"field": field}, fields=["id", name]) == f"fields ({name})"


@pytest.mark.parametrize(
    "data", [{"field": "Filter[Is_Lost]"}, {"field": "is_lost", "mnemonic": "filter_prohibited"}]
)
def test_the_parameter_of_a_refused_filter_is_named_however_the_service_spells_it(data):
    assert refused_parameters(data, CallFilter(missed=True)) == "missed"


def refused_parameters(data: dict[str, Any], selection: CallFilter | None = None, **columns: Any) -> str:
    """Return what the report's error names before the error of the Data API."""
    error = {"code": -32602, "message": "No", "data": {"mnemonic": "unexpected_parameters", **data}}

    with pytest.raises(ReportRefused) as caught:
        load(DataApi(refuse=lambda request: error), selection, **columns)
    return str(caught.value).partition(": ")[0]
