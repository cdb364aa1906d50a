"""Routing on the outcome of a call: only a proven refusal and an observed answer have their routes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow_fakes import CONTACT, VNUMBER, Task

from airflow_provider_callapi.calls.outcomes.marks import Mark
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.emulator import Profile, Script
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.operators.branch import CallApiBranchOperator, route_of
from airflow_provider_callapi.operators.start_call import (
    CallApiStartEmployeeCallOperator,
    CallApiStartScenarioCallOperator,
)

pytest_plugins = ["airflow_desk"]


def call(**known: Any) -> dict[str, Any]:
    return Outcome(206597836, status="ended", **known).to_xcom()


REFUSED = {**call(answered=False), "call_session_id": None, "status": "refused"}

# --- the routes ---


@pytest.mark.parametrize(
    ("outcome", "route"),
    [
        (call(answered=True), "answered"),
        (call(answered=False, source="data_api"), "not_answered"),
        (call(answered=None), "unknown"),
        (Outcome(206597836).to_xcom(), "unknown"),
        (Outcome(206597836, answered=True).to_xcom(), "answered"),
        (call(answered=False, finish_reason="sip_offline"), "our_side_did_not_answer"),
        (call(answered=False, finish_reason="sip_offline", contact_finish_reason="timeout"), "not_answered"),
        (call(answered=None, finish_reason="sip_offline"), "unknown"),
        (call(answered=True, finish_reason="sip_offline"), "answered"),
        (REFUSED, "refused"),
        (None, "unknown"),
    ],
)
@pytest.mark.parametrize("rendered", [lambda c: c, json.dumps, str], ids=["xcom", "tojson", "text"])
def test_the_outcome_of_a_call_decides_the_route_in_every_rendered_form(outcome, route, rendered):
    assert route_of(rendered(outcome)) == route


@pytest.mark.parametrize(
    ("target", "followed"),
    [("later", ["later"]), (None, ["write"]), ([], None)],
    ids=["set", "not set", "empty"],
)
def test_a_call_that_our_side_missed_has_its_own_route_only_if_the_author_sets_one(target, followed):
    with DAG("branched"):
        branch = CallApiBranchOperator(
            task_id="branch",
            call=call(answered=False, finish_reason="employee_busy"),
            if_not_answered="write",
            if_our_side_did_not_answer=target,
        )
        branch >> [EmptyOperator(task_id="write"), EmptyOperator(task_id="later")]

    assert branch.choose_branch({}) == followed


def test_an_empty_text_takes_the_route_unknown():
    assert route_of("") == "unknown"


INFINITE = {"status": "ended", "call_session_id": float("inf")}


@pytest.mark.parametrize(
    "thing", [206597836, "206597836", "answered", [call()], {}, {"status": "ended"}, INFINITE]
)
def test_a_value_that_describes_no_call_is_an_error(thing):
    with pytest.raises(CallApiFailure, match="call: "):
        route_of(thing)


@pytest.mark.parametrize("answered", ["yes", 2, [True]])
def test_an_answer_that_is_neither_true_false_nor_null_is_an_error(answered):
    with pytest.raises(CallApiFailure, match="call: "):
        route_of({**call(), "answered": answered})


@pytest.mark.parametrize("callapi_profile", ["document", "seen"])
def test_an_unanswered_employee_takes_the_route_of_our_side_and_the_contact_is_not_rung(desk):
    desk.exchange.script(CONTACT, Script(employee_answer="no_answer"))

    def make() -> CallApiStartEmployeeCallOperator:
        return CallApiStartEmployeeCallOperator(
            task_id="call",
            virtual_phone_number=VNUMBER,
            contact=CONTACT,
            first_call="employee",
            employee={"id": 25},
            wait_for_completion=True,
        )

    ended = Task(desk, make).run()

    assert desk.exchange.rings(CONTACT) == 0
    assert (ended["answered"], route_of(ended)) == (False, "our_side_did_not_answer")


# --- routes by mark ---

KEYS = [Mark("operation", "Later"), Mark("tag", "36"), Mark("operation", "Yes")]


@pytest.mark.parametrize(
    ("outcome", "route"),
    [
        (call(answered=True, operations=("Menu", "Yes", "Later")), KEYS[0]),
        (call(answered=True, operations=("Menu", "Yes")), KEYS[2]),
        (call(answered=True, operations=("Yes",), tags=(36,)), KEYS[1]),
        (call(answered=False, operations=(), tags=(36,)), KEYS[1]),
        (call(answered=None, operations=("Yes",)), KEYS[2]),
        (call(answered=True, operations=("Menu",), source="data_api"), "answered"),
        (call(answered=True, operations=(), source="data_api"), "answered"),
        (call(answered=True, operations=None, source="data_api"), "unknown"),
        (call(answered=True, operations=None, tags=(36,)), KEYS[1]),
        (call(answered=False, operations=None), "not_answered"),
        (call(answered=None, operations=None), "unknown"),
        ({**REFUSED, "tags": [36]}, "refused"),
        (None, "unknown"),
    ],
)
@pytest.mark.parametrize("rendered", [lambda c: c, json.dumps, str], ids=["xcom", "tojson", "text"])
def test_the_first_mark_that_the_call_has_decides_before_the_outcome(outcome, route, rendered):
    assert route_of(rendered(outcome), KEYS) == route


@pytest.mark.parametrize(("source", "route"), [("data_api", "answered"), ("list.calls", "unknown")])
def test_a_route_by_tag_needs_a_report_and_no_operations(source, route):
    """Polls miss a tag that is set in the last seconds: who pressed the key for a refusal did not agree."""
    tags = [Mark("tag", "36")]
    assert route_of(call(answered=True, operations=None, source=source), tags) == route
    assert route_of(call(answered=True, tags=(36,), source=source), tags) == tags[0]
    assert route_of(call(answered=True, source=source)) == "answered"


@pytest.mark.parametrize("callapi_profile", [Profile(report_delay=500.0)], ids=["late"])
@pytest.mark.parametrize("data_api", [True, False])
def test_a_tag_that_is_set_between_the_last_poll_and_the_end_leads_to_no_route_of_an_answer(desk, data_api):
    desk.connect(extra={"data_api": data_api})
    desk.exchange.script(CONTACT, Script(keys="441", talks=8))  # key 1, after 6 s, sets the tag 254

    def make() -> CallApiStartScenarioCallOperator:
        return CallApiStartScenarioCallOperator(
            task_id="call",
            virtual_phone_number=VNUMBER,
            contact=CONTACT,
            first_call="contact",
            scenario_id=23457,
            wait_for_completion=True,
            poll_interval=6,
        )

    ended = Task(desk, make).run()

    assert (ended["answered"], ended["tags"]) == (True, [])
    assert route_of(ended, [Mark("tag", "254")]) == "unknown"


@pytest.mark.parametrize(
    ("operations", "route"),
    [(7, "unknown"), (True, "unknown"), ({"Yes": 1}, "unknown"), ("Yes", "unknown"), ([["Yes"]], "answered")],
)
def test_operations_in_an_unknown_shape_take_no_route_of_an_operation(operations, route):
    known = call(answered=True, source="data_api")
    assert route_of({**known, "operations": operations}, KEYS) == route


@pytest.mark.parametrize(
    "routes",
    [
        {"busy": "write"},
        {"operation:": "write"},
        {"tag:x": "write"},
        {"tag:36": "write", "tag: 36": "note"},
        {"tag:36": {"write": 1}},
        {"tag:36": ""},
        ["tag:36"],
        "tag:36",
        {36: "write"},
    ],
)
def test_wrong_routes_are_an_error_of_the_dag_file(routes):
    with pytest.raises(ValueError, match=r"^task \w+: routes(\.\(entry 1\))?: (?!routes)"):
        CallApiBranchOperator(task_id="branch", call=None, routes=routes)
