"""From an operator's parameters to its one request: what is sent, what is converted, what is refused."""

from __future__ import annotations

import inspect
import json
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import DAG, BaseOperator
from airflow_fakes import CONTACT, TTS, VNUMBER, Task, TaskInstance
from strange_answers import add_unreadable_entry

from airflow_provider_callapi.api.methods import METHODS
from airflow_provider_callapi.emulator import Fault, Role, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble, CallUnresolved
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.operators import call_control, start_call

try:
    from airflow.serialization.serialized_objects import DagSerialization
except ImportError:  # before 3.2
    from airflow.serialization.serialized_objects import SerializedDAG as DagSerialization

pytest_plugins = ["airflow_desk"]

MEDIA = {"type": "media", "value": "2034"}
NUMBERS = {
    "virtual_phone_number": VNUMBER,
    "virtual_phone_usage_rule": "regional_random",
    "contact": CONTACT,
}

STARTS: dict[str, tuple[type[Any], dict[str, Any]]] = {
    # method → operator, all of its parameters in the API's own types
    "start.employee_call": (
        start_call.CallApiStartEmployeeCallOperator,
        {
            **NUMBERS,
            "first_call": "employee",
            "employee": {"id": 25, "phone_number": "79260000001"},
            "switch_at_once": True,
            "early_switching": True,
            "media_file_id": 2701,
            "show_virtual_phone_number": True,
            "external_id": "334otr01",
            "dtmf_string": ".1.2.3",
            "direction": "in",
            "contact_message": TTS,
            "employee_message": MEDIA,
        },
    ),
    "start.scenario_call": (
        start_call.CallApiStartScenarioCallOperator,
        {
            **NUMBERS,
            "first_call": "contact",
            "scenario_id": 23456,
            "switch_at_once": False,
            "early_switching": False,
            "employee_message": MEDIA,
            "external_id": "334otr01",
            "dtmf_string": "1",
            "direction": "out",
            "contact_message": TTS,
        },
    ),
    "start.vnumber_call": (
        start_call.CallApiStartVnumberCallOperator,
        {
            **NUMBERS,
            "first_call": "employee",
            "switch_at_once": True,
            "early_switching": True,
            "external_id": "334otr01",
            "dtmf_string": "#",
            "direction": "out",
            "contact_message": MEDIA,
        },
    ),
    "start.informer_call": (
        start_call.CallApiStartInformerCallOperator,
        {
            **NUMBERS,
            "contact_message": TTS,
            "external_id": "334otr01",
            "dtmf_string": "*",
            "direction": "out",
            "dialing_timeout": 45,
        },
    ),
    "start.simple_call": (
        start_call.CallApiStartSimpleCallOperator,
        {
            **NUMBERS,
            "first_call": "operator",
            "operator": "79260000055",
            "operator_confirmation": "any",
            "switch_at_once": True,
            "early_switching": False,
            "media_file_id": 2701,
            "show_virtual_phone_number": False,
            "external_id": "334otr01",
            "dtmf_string": "1",
            "direction": "out",
            "contact_message": TTS,
            "operator_message": TTS,
        },
    ),
}
CONTROLS: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "tag.call": (call_control.CallApiTagCallOperator, {"tag_id": 36}),
    "release.call": (call_control.CallApiReleaseCallOperator, {}),
    "hold.call": (call_control.CallApiHoldCallOperator, {"contact_message": MEDIA}),
    "unhold.call": (call_control.CallApiUnholdCallOperator, {}),
    "make.call": (call_control.CallApiMakeCallOperator, {"to": "79260000077", "to_message": TTS}),
    "transfer.talk": (call_control.CallApiTransferTalkOperator, {}),
    "restore.talk": (call_control.CallApiRestoreTalkOperator, {}),
    "add.coach": (call_control.CallApiAddCoachOperator, {"phone_number": "79260000009"}),
    "record.call": (call_control.CallApiRecordCallOperator, {"action": "on"}),
    "disconnect.leg": (call_control.CallApiDisconnectLegOperator, {"leg_id": 287866221}),
    "send.dtmf": (call_control.CallApiSendDtmfOperator, {"dtmf_string": "5"}),
    "block.contact": (call_control.CallApiBlockContactOperator, {}),
    "call.talk_option": (call_control.CallApiCallTalkOptionOperator, {"button": "1"}),
}
LISTS: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "list.calls": (
        call_control.CallApiListCallsOperator,
        {"direction": "out", "virtual_phone_number": VNUMBER},
    ),
    "list.talk_options": (call_control.CallApiListTalkOptionsOperator, {}),
}
SESSION = 206597836
ALL = {
    **STARTS,
    **{m: (kind, {"call_session_id": SESSION, **params}) for m, (kind, params) in CONTROLS.items()},
    **LISTS,
}
NEVER_REPEATED = [m for m in CONTROLS if METHODS[m].repeat.name == "NEVER"]
IDEMPOTENT = [m for m in CONTROLS if METHODS[m].repeat.name == "IDEMPOTENT"]


def make(method: str, **changes: Any) -> Any:
    kind, params = ALL[method]
    return kind(**{"task_id": "task", **params, **changes})


def context(desk: Any) -> dict[str, Any]:
    return Task(desk, lambda: None, TaskInstance(task_id="task")).context


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


# --- against the exchange ---


def talk(desk: Any, **script: Any) -> int:
    """An employee and a contact who talk until a request ends the call."""
    desk.exchange.script(CONTACT, Script(**{"rings": 1, "employee_rings": 1, "talks": None, **script}))
    result = make("start.employee_call", early_switching=None, switch_at_once=None, dtmf_string=None).execute(
        context(desk)
    )
    desk.clock.advance(5)
    session: int = result["call_session_id"]
    return session


def test_the_operators_control_a_whole_talk(desk):
    session = talk(desk)
    desk.exchange.script("79260000077", Script(rings=1, talks=None))

    def do(method: str, **changes: Any) -> Any:
        result = make(method, call_session_id=session, **changes).execute(context(desk))
        desk.clock.advance(5)
        return result

    call = desk.exchange.call(session)
    assert do("tag.call") == {"call_session_id": session, "already": False}
    assert list(call.tags) == [36]
    assert do("record.call") == {"call_session_id": session, "already": False}
    assert call.recorded
    do("send.dtmf")
    assert call.dtmf == ["5"]
    do("call.talk_option")
    assert list(call.tags) == [36, 254]
    do("hold.call")
    do("unhold.call")
    do("hold.call")
    do("make.call")
    assert desk.exchange.rings("79260000077") == 1
    do("restore.talk")
    do("hold.call")
    do("make.call")
    do("transfer.talk")
    do("add.coach")
    assert desk.exchange.rings("79260000009") == 1
    do("block.contact")
    assert CONTACT in desk.exchange.account.blacklist
    leg = call.leg(Role.CONTACT)
    assert leg is not None
    do("disconnect.leg", leg_id=leg.leg_id)
    assert not call.active


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("tag.call", {}),
        ("record.call", {"action": "on"}),
        ("record.call", {"action": "off"}),
        ("block.contact", {}),
        ("release.call", {}),
    ],
)
def test_a_control_request_that_is_already_fulfilled_succeeds(desk, method, changes):
    session = talk(desk)

    def do() -> Any:
        return make(method, call_session_id=session, **changes).execute(context(desk))

    first = do()

    assert first == {"call_session_id": session, "already": changes.get("action") == "off"}
    assert do() == {"call_session_id": session, "already": True}


def test_a_control_method_on_an_ended_call_fails_without_retries(desk):
    desk.connect(extra={"data_api": False})
    for method in CONTROLS:
        if method != "release.call":
            with pytest.raises(CallApiFailure, match="call_session_not_found"):
                make(method, call_session_id=SESSION + 1).execute(context(desk))


@pytest.mark.parametrize("ended", [False, True])
def test_the_log_names_the_tag_and_whether_the_data_api_set_it(desk, capsys, ended):
    session = talk(desk, talks=3 if ended else 60)
    desk.clock.advance(10)

    make("tag.call", call_session_id=session).execute(context(desk))

    log = capsys.readouterr().out
    assert f"tag.call (tag 36) done, call session {session}" in log
    assert ("the Data API sets the tag" in log) is ended


@pytest.mark.parametrize("lag", [0.0, 45.0])
def test_an_ended_call_is_tagged_through_the_data_api_once_it_has_a_report(desk, lag):
    desk.exchange.report_lag = lag
    session = talk(desk, talks=3)
    desk.clock.advance(10)

    result = make("tag.call", call_session_id=session).execute(context(desk))

    assert result == {"call_session_id": session, "already": False}
    assert list(desk.exchange.call(session).tags) == [36]
    again = make("tag.call", call_session_id=session).execute(context(desk))
    assert again == {"call_session_id": session, "already": True}


def test_a_missing_report_leaves_the_tag_to_a_retry(desk):
    desk.exchange.report_lag = 1000.0
    session = talk(desk, talks=3)
    desk.clock.advance(10)
    started = desk.clock()

    with pytest.raises(CallApiTrouble, match="no report"):
        make("tag.call", call_session_id=session, report_timeout=60).execute(context(desk))

    assert 50 <= desk.clock() - started <= 75


@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.DROP_BEFORE, Fault.HANG, Fault.INTERNAL_ERROR])
@pytest.mark.parametrize("method", NEVER_REPEATED)
def test_a_control_request_that_must_not_be_repeated_is_unresolved_after_a_lost_answer(desk, method, fault):
    session = talk(desk)
    desk.exchange.fault(fault, method=method)

    with pytest.raises(CallUnresolved, match="may have been carried out") as failure:
        make(method, call_session_id=session).execute(context(desk))

    assert isinstance(failure.value, AirflowFailException)
    assert sum(e.kind == "fault" for e in desk.exchange.journal) == 1
    assert desk.exchange.requests(method) <= 1
    assert desk.slept == []


@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.DROP_BEFORE, Fault.GARBAGE, Fault.INTERNAL_ERROR])
@pytest.mark.parametrize("method", IDEMPOTENT)
def test_an_idempotent_control_request_is_repeated_after_a_lost_answer(desk, method, fault):
    session = talk(desk)
    desk.exchange.fault(fault, method=method)

    result = make(method, call_session_id=session).execute(context(desk))

    assert result == {"call_session_id": session, "already": fault.carried_out}
    assert len(desk.slept) == 1


def test_the_lists_of_idempotent_and_other_control_methods_are_complete():
    assert set(IDEMPOTENT) == {"tag.call", "release.call", "record.call", "block.contact"}
    assert set(NEVER_REPEATED) == CONTROLS.keys() - set(IDEMPOTENT)


def test_list_calls_returns_plain_json_with_the_numbers_of_people_shortened(desk):
    session = talk(desk)

    calls = make("list.calls", direction="in").execute(context(desk))

    (call,) = json.loads(json.dumps(calls))
    assert call["call_session_id"] == session
    assert call["contact_phone_number"] == "7916…4567"
    assert call["virtual_phone_number"] == VNUMBER, "the account's own number is nobody's secret"
    assert [leg["is_operator"] for leg in call["legs"]] == [True, False]
    assert CONTACT not in json.dumps(calls)
    assert "79260000001" not in json.dumps(calls)


def test_list_calls_shortens_numbers_in_unknown_fields(desk, monkeypatch):
    talk(desk)
    board = desk.exchange._switchboard
    listing = type(board.calls[min(board.calls)]).listing

    def newer(call: Any) -> dict[str, Any]:
        row = listing(call)
        row["legs"][0]["diverted_from"] = {"phones": [CONTACT]}
        return {**row, "contact_full_number": f"+{CONTACT}"}

    monkeypatch.setattr(type(board.calls[min(board.calls)]), "listing", newer)

    calls = make("list.calls", direction="in").execute(context(desk))

    assert "contact_full_number" in calls[0]
    assert CONTACT not in json.dumps(calls)


@pytest.mark.parametrize(
    "value",
    [int(CONTACT), float(CONTACT), [int(CONTACT)], {CONTACT: True}],
    ids=lambda value: type(value).__name__,
)
def test_list_calls_shortens_a_phone_number_that_a_new_field_holds_as_a_number_or_a_name(
    desk, monkeypatch, value
):
    talk(desk)
    call_type = type(desk.exchange.calls[0])
    listing = call_type.listing
    ids = {"chat_id": int(CONTACT), "chat_ids": [int(CONTACT)]}
    monkeypatch.setattr(call_type, "listing", lambda call: {**listing(call), "numa": value, **ids})

    (call,) = make("list.calls", direction="in").execute(context(desk))

    assert {name: call.pop(name) for name in ids} == ids
    assert "numa" in call
    assert CONTACT not in json.dumps(call)


def test_list_calls_returns_the_calls_that_can_be_read(desk, monkeypatch):
    add_unreadable_entry(monkeypatch)
    session = desk.start()

    calls = make("list.calls").execute(context(desk))

    assert [call["call_session_id"] for call in calls] == [session]


def test_list_calls_returns_complete_numbers_only_with_include_phone_numbers(desk):
    talk(desk)

    (call,) = make("list.calls", direction="in", include_phone_numbers=True).execute(context(desk))

    assert call["contact_phone_number"] == CONTACT


def test_list_talk_options_returns_plain_json(desk):
    options = make("list.talk_options").execute(context(desk))

    assert json.loads(json.dumps(options)) == options
    assert options[0] == {
        "button": "1",
        "mnemonic": "tag_call",
        "name": "Проставить тег",
        "button_value": {"id": 254, "value": "Целевой"},
    }


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


# --- in a DAG ---


@pytest.mark.parametrize("method", ALL)
def test_an_operator_survives_the_serialisation_of_its_dag(method):
    with DAG("serialised") as dag:
        make(method)

    plain = json.loads(json.dumps(DagSerialization.to_dict(dag)))
    task = DagSerialization.from_dict(plain).get_task("task")

    assert task.task_type == ALL[method][0].__name__
    assert set(task.template_fields) == set(ALL[method][0].template_fields)


def test_a_mapped_operator_survives_the_serialisation_of_its_dag():
    kind, params = STARTS["start.informer_call"]
    fixed = {name: value for name, value in params.items() if name != "contact"}
    with DAG("serialised") as dag:
        start = kind.partial(task_id="start", **fixed).expand(contact=[CONTACT, "79160000000"])
        call_control.CallApiTagCallOperator.partial(task_id="tag", tag_id=36).expand(
            call_session_id=start.output
        )

    loaded = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))

    assert loaded.get_task("start").is_mapped
    assert loaded.get_task("tag").upstream_task_ids == {"start"}


@pytest.mark.parametrize("method", ALL)
def test_the_constructor_of_an_operator_reads_no_connection_and_opens_no_socket(method, monkeypatch):
    def forbidden(*_: Any, **__: Any) -> Any:
        raise AssertionError("a DAG file is parsed every few seconds")

    monkeypatch.setattr(CallApiHook, "get_connection", forbidden)
    monkeypatch.setattr("requests.Session.send", forbidden)
    monkeypatch.setattr("socket.socket.connect", forbidden)

    make(method)


@pytest.mark.parametrize(
    "changes",
    [{"delivery": "twice"}, {"require_answer": True}, {"tags": {"answered": 36}}, {"recording_link": True}],
)
def test_contradictory_parameters_are_refused_when_the_dag_is_parsed(changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        make("start.informer_call", **changes)


def test_no_parameter_of_an_operator_has_the_name_of_an_airflow_parameter():
    """A method's field must not overwrite an attribute that Airflow reads, e.g. ``operator`` or ``queue``."""
    own = {name for name in inspect.signature(BaseOperator.__init__).parameters if name != "self"}
    for kind, params in ALL.values():
        clash = own & set(params)
        assert not clash, f"{kind.__name__}: {clash}"


def test_execution_timeout_and_retries_reach_the_base_operator(desk):
    operator = make("start.informer_call", execution_timeout=timedelta(seconds=5), retries=3)

    assert (operator.retries, operator.execution_timeout) == (3, timedelta(seconds=5))
