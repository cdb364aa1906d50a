"""From an operator's parameters to its one request: what is sent, what is converted, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow_fakes import CONTACT
from request_operators import ALL, CONTROLS, SESSION, STARTS, context, make

from airflow_provider_callapi.api.methods import METHODS
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.hooks.callapi import CallApiHook

pytest_plugins = ["airflow_desk"]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What would have been sent; nothing is."""
    sent: list[tuple[str, dict[str, Any]]] = []

    def call(self: CallApiHook, request: Any, *, before_each_send: Any = None) -> Any:
        sent.append((request.method, request.params))
        answers = {"list.calls": [], "list.talk_options": []}
        started = {"call_session_id": SESSION}
        done = {"success": True}
        return request.read_answer(
            answers.get(request.method, started if request.method.startswith("start.") else done)
        )

    monkeypatch.setattr(CallApiHook, "call", call)
    return sent


def test_every_method_but_the_logins_has_an_operator():
    assert ALL.keys() == METHODS.keys() - {"login.user", "logout.user"}
    assert STARTS.keys() == {method for method in METHODS if method.startswith("start.")}


@pytest.mark.parametrize("method", ALL)
def test_an_operator_sends_exactly_its_method_with_its_parameters(desk, wire, method):
    make(method).execute(context(desk))

    assert wire == [(method, ALL[method][1])]


@pytest.mark.parametrize("method", ALL)
def test_the_parameters_are_the_methods_own_names_and_all_of_them_are_templates(method):
    kind, params = ALL[method]
    fields = set(METHODS[method].model_fields)

    assert fields == set(params), "the test names every parameter"
    assert fields | {"callapi_conn_id"} <= set(kind.template_fields)
    for name in kind.template_fields:
        assert hasattr(make(method), name)


def as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: as_text(inner) for name, inner in value.items()}
    return str(value)


@pytest.mark.parametrize("method", ALL)
def test_values_that_a_template_rendered_as_text_are_sent_in_the_services_types(desk, wire, method):
    kind, params = ALL[method]

    kind(task_id="task", **{name: as_text(value) for name, value in params.items()}).execute(context(desk))

    assert wire == [(method, params)]


@pytest.mark.parametrize("method", ALL)
def test_templates_are_rendered_by_airflow_nested_ones_too(method, desk, wire):
    kind, params = ALL[method]
    values = json.loads(json.dumps(params))

    def hidden(value: Any, path: str) -> Any:
        if isinstance(value, dict):
            return {name: hidden(inner, f"{path}['{name}']") for name, inner in value.items()}
        return f"{{{{ {path} }}}}"

    operator = kind(task_id="task", **{k: hidden(v, f"given['{k}']") for k, v in values.items()})
    operator.render_template_fields({"given": values})
    operator.execute(context(desk))

    assert wire == [(method, params)]


@pytest.mark.parametrize(
    ("method", "changes", "field"),
    [
        ("start.informer_call", {"contact": "not a number"}, "contact"),
        ("start.informer_call", {"contact": ""}, "contact"),
        ("start.informer_call", {"contact": "None"}, "contact"),
        ("start.informer_call", {"virtual_phone_number": "12"}, "virtual_phone_number"),
        ("start.informer_call", {"contact_message": None}, "contact_message"),
        ("start.informer_call", {"contact_message": "Hello"}, "contact_message"),
        ("start.informer_call", {"contact_message": {"type": "text", "value": "x"}}, "contact_message.type"),
        ("start.informer_call", {"contact_message": {"type": "tts", "value": ""}}, "contact_message.value"),
        ("start.informer_call", {"dialing_timeout": "121"}, "dialing_timeout"),
        ("start.informer_call", {"direction": "sideways"}, "direction"),
        ("start.informer_call", {"dtmf_string": "12a"}, "dtmf_string"),
        ("start.informer_call", {"tags": {"sometimes": 36}, "wait_for_completion": True}, "tags"),
        ("start.informer_call", {"tags": {"ended": "Sale"}, "wait_for_completion": True}, "tags.ended"),
        ("start.informer_call", {"tags": "36", "wait_for_completion": True}, "tags"),
        ("start.employee_call", {"employee": {"id": "x"}}, "employee.id"),
        ("start.employee_call", {"employee": {"id": 25, "name": "A"}}, "employee.name"),
        ("start.employee_call", {"first_call": "nobody"}, "first_call"),
        ("start.employee_call", {"media_file_id": "1.5"}, "media_file_id"),
        ("start.employee_call", {"switch_at_once": False}, "early_switching"),
        ("start.vnumber_call", {"switch_at_once": False}, "early_switching"),
        ("start.vnumber_call", {"virtual_phone_usage_rule": "any"}, "virtual_phone_usage_rule"),
        ("start.simple_call", {"operator_confirmation": "12"}, "operator_confirmation"),
        ("start.scenario_call", {"scenario_id": True}, "scenario_id"),
        ("start.simple_call", {"operator": "x"}, "operator"),
        ("tag.call", {"tag_id": "Sale"}, "tag_id"),
        ("tag.call", {"call_session_id": "x"}, "call_session_id"),
        ("tag.call", {"call_session_id": None}, "call_session_id"),
        ("tag.call", {"call_session_id": {"status": "ended"}}, "call_session_id"),
        ("send.dtmf", {"dtmf_string": "12"}, "dtmf_string"),
        ("record.call", {"action": "pause"}, "action"),
        ("list.calls", {"virtual_phone_number": "84993720692"}, "virtual_phone_number"),
    ],
)
def test_a_bad_value_fails_without_retries_or_requests_and_the_error_names_the_field(
    desk, method, changes, field
):
    with pytest.raises(CallApiFailure, match=rf"\b{field}\b") as failure:
        make(method, **changes).execute(context(desk))

    assert isinstance(failure.value, AirflowFailException)
    assert desk.exchange.journal == []
    assert CONTACT not in str(failure.value)


@pytest.mark.parametrize("method", ["start.informer_call", "tag.call", "list.calls"])
@pytest.mark.parametrize("login", [False, True])
def test_wrong_credentials_are_sent_only_once(desk, method, login):
    desk.connect(login=login, password="a-wrong-one")

    with pytest.raises(AirflowFailException) as failure:
        make(method).execute(context(desk))

    requests = [entry.method for entry in desk.exchange.journal if entry.kind == "request"]
    first = "list.calls" if method.startswith("start.") else method  # the author's own id is looked up
    assert requests == (["login.user"] if login else [first])
    assert desk.slept == []
    assert "a-wrong-one" not in str(failure.value)


@pytest.mark.parametrize(
    "session",
    [
        *(SESSION, str(SESSION), {"call_session_id": SESSION, "status": "started"}),
        str({"call_session_id": SESSION, "answered": None}),
        json.dumps({"call_session_id": SESSION, "answered": None}),
    ],
)
@pytest.mark.parametrize("method", CONTROLS)
def test_a_session_is_a_number_its_text_or_a_start_operators_dict(desk, wire, method, session):
    make(method, call_session_id=session).execute(context(desk))

    assert wire == [(method, ALL[method][1])]


@pytest.mark.parametrize("method", STARTS)
def test_a_start_operator_that_does_not_wait_returns_the_accepted_call_without_a_phone_number(desk, method):
    result = make(method, early_switching=None) if method == "start.simple_call" else make(method)
    call = result.execute(context(desk))

    assert json.loads(json.dumps(call)) == call
    assert (call["status"], call["answered"], call["observed"], call["source"]) == (
        "started",
        None,
        False,
        "start",
    )
    assert call["external_id"] == "334otr01"
    assert desk.exchange.call(call["call_session_id"]).method == method
    assert CONTACT not in str(call)
    assert desk.sent() == [method]
