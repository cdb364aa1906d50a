"""No contact who answered counts as unanswered, in any shape that the Data API gives to a report."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from answer_mutations import mutated
from data_api import DataApi
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.api.data_api import GetCallLegsReport, GetCallsReport
from airflow_provider_callapi.calls.outcomes.answers import FinishedCall
from airflow_provider_callapi.calls.outcomes.outcome import Outcome, with_report
from airflow_provider_callapi.calls.reports.finished_calls import fetch_finished_calls

FOLDER = Path(__file__).parents[2] / "data" / "answers"
CALLS, LEGS = GetCallsReport.method, GetCallLegsReport.method
BODIES = {
    path.stem: {
        method: answer["body"]["result"] for method, answer in json.loads(path.read_text())["answers"].items()
    }
    for path in sorted(FOLDER.glob("[34]*.json"))
}
IDS = (5600000001, 5600000002)
NULL_IS_A_FACT = ["id", "call_session_id", "connect_time", "is_talked", "talk_duration", "finish_reason"]
AT = 1_800_000_000.0
OPERATIONS = [{"id": 501, "name": "Меню"}, {"id": 502, "name": "Подтверждено"}]
NAMES = {operation["name"] for operation in OPERATIONS}


def fetch(answers: dict[str, Any], totals: dict[str, int] | None = None) -> dict[int, FinishedCall]:
    data_api = DataApi(
        answers[CALLS],
        answers[LEGS],
        ignores=["filter", "period", "fields", "limit"],
        total=lambda request, count: (totals or {}).get(request.method),
    )
    calls = fetch_finished_calls(data_api, since=AT, until=AT, timezone="Europe/Moscow")
    return {call.report.id: call for call in calls}


def entries_of(name: str) -> dict[str, list[Any]]:
    entries = {method: body["data"] for method, body in BODIES[name].items()}
    return {**entries, CALLS: [{**call, "scenario_operations": OPERATIONS} for call in entries[CALLS]]}


TRUTH = {name: {number: call.answered for number, call in fetch(entries_of(name)).items()} for name in BODIES}


def test_the_examples_contain_answered_and_unanswered_calls() -> None:
    assert {answered for calls in TRUTH.values() for answered in calls.values()} >= {True, False}


def check(name: str, found: dict[int, FinishedCall]) -> None:
    for number in IDS:
        if number in found and TRUTH[name].get(number) is not False:
            assert found[number].answered is not False
        if number in found:
            outcome = with_report(Outcome(number), found[number], "Europe/Moscow")
            json.dumps(outcome.to_xcom(), allow_nan=False)
            assert set(outcome.operations or ()) <= NAMES


@given(data=st.data(), name=st.sampled_from(sorted(BODIES)))
@settings(max_examples=400)
def test_a_report_in_any_shape_never_disproves_an_answer(data: st.DataObject, name: str) -> None:
    answers = entries_of(name)
    changed = {
        CALLS: data.draw(mutated(answers[CALLS], not_null=NULL_IS_A_FACT)),
        LEGS: data.draw(mutated(answers[LEGS], not_null=NULL_IS_A_FACT)),
    }
    check(name, fetch(changed))


@given(operations=mutated([{"scenario_operations": OPERATIONS}]), name=st.sampled_from(sorted(BODIES)))
def test_operations_in_any_shape_change_no_other_fact_about_the_call(operations: Any, name: str) -> None:
    answers = entries_of(name)
    [changed] = operations if isinstance(operations, list) and len(operations) == 1 else [operations]
    reported = changed if isinstance(changed, dict) else {}
    calls = [{**call, **reported} for call in answers[CALLS]]
    found = fetch({**answers, CALLS: calls})
    check(name, found)
    assert {number: call.answered for number, call in found.items()} == TRUTH[name]


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (None, ()),
        ([], ()),
        (OPERATIONS[0], ("Меню",)),
        ([OPERATIONS[1], OPERATIONS[0], OPERATIONS[1]], ("Подтверждено", "Меню", "Подтверждено")),
        ([OPERATIONS[0], {"id": 502}, {"name": 1}, {"name": None}, None, "Подтверждено", 7], ("Меню",)),
        ([{"id": "x", "name": "Меню"}], ("Меню",)),
        ([{"id": None, "name": "Меню"}], ("Меню",)),
        ([{"id": 502}], None),
        ([{"name": "  "}], None),
        (["Подтверждено"], None),
        ("Подтверждено", None),
        (502, None),
        (True, None),
        ({}, None),
    ],
)
def test_a_name_that_is_no_text_is_no_operation(sent: Any, read: Any) -> None:
    answers = entries_of("39_informer_heard")
    found = fetch({**answers, CALLS: [{**answers[CALLS][0], "scenario_operations": sent}]})
    assert found[answers[CALLS][0]["id"]].report.operations == read


@given(data=st.data(), name=st.sampled_from(sorted(BODIES)))
def test_a_list_that_is_shorter_than_its_total_never_disproves_an_answer(
    data: st.DataObject, name: str
) -> None:
    answers = entries_of(name)
    cut = {
        method: [entry for entry in entries if data.draw(st.booleans())]
        for method, entries in answers.items()
    }
    check(name, fetch(cut, {method: len(entries) for method, entries in answers.items()}))


@pytest.mark.parametrize("connect_time", ["", 0, 1.5, {}, [], False])
@pytest.mark.parametrize("missing", [True, False])
def test_a_leg_whose_connection_cannot_be_read_does_not_disprove_an_answer(
    connect_time: Any, *, missing: bool
) -> None:
    answers = entries_of("32_contact_first_max_out_call_reached")
    contacts, operators = (dict(leg) for leg in answers[LEGS])
    contacts["connect_time"] = connect_time
    if missing:
        del contacts["connect_time"]
    found = fetch({**answers, LEGS: [contacts, operators]})
    assert found[IDS[0]].answered is None


def test_an_unreadable_leg_of_one_call_leaves_the_other_calls_known() -> None:
    answers = entries_of("31_sip_offline")
    other = {**answers[LEGS][0], "call_session_id": IDS[1], "connect_time": {}}
    assert fetch({**answers, LEGS: [*answers[LEGS], other]})[IDS[0]].answered is False
    nobodys = {**other, "call_session_id": None}
    assert fetch({**answers, LEGS: [*answers[LEGS], nobodys]})[IDS[0]].answered is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *itertools.product(["id", "finish_time", "finish_reason", "talk_duration"], [{}, [], True]),
        *itertools.product(["id", "talk_duration"], ["x y", ""]),
    ],
)
def test_a_report_that_cannot_be_read_counts_as_missing(field: str, value: Any) -> None:
    answers = entries_of("31_sip_offline")
    assert fetch({**answers, CALLS: [{**answers[CALLS][0], field: value}]}) == {}


def test_a_report_with_an_empty_end_does_not_end_the_call() -> None:
    answers = entries_of("31_sip_offline")
    ongoing = {**answers[CALLS][0], "finish_time": "", "finish_reason": ""}
    assert fetch({**answers, CALLS: [ongoing]}) == {}
