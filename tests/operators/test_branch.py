"""Routing on the outcome of a call: only a proven refusal and an observed answer have their routes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow_fakes import CONTACT, TTS, VNUMBER, Task
from packaging.version import Version

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.calls.outcomes.marks import Mark
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.emulator import Exchange, Fault, Profile, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallUnresolved
from airflow_provider_callapi.operators.branch import CallApiBranchOperator, route_of
from airflow_provider_callapi.operators.start_call import (
    CallApiStartEmployeeCallOperator,
    CallApiStartInformerCallOperator,
    CallApiStartScenarioCallOperator,
)

pytestmark = pytest.mark.usefixtures("hurry")

pytest_plugins = ["airflow_desk"]


def call(**known: Any) -> dict[str, Any]:
    return Outcome(206597836, status="ended", **known).to_xcom()


AIRFLOW = Version(version("apache-airflow-core"))
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
            poll_interval=300,  # the fixture `hurry` makes 6 s of it
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


# --- a refusal as a result ---


def start(desk: Any, **changes: Any) -> Task:
    def make() -> CallApiStartInformerCallOperator:
        return CallApiStartInformerCallOperator(
            **{
                "task_id": "call",
                "virtual_phone_number": VNUMBER,
                "contact": CONTACT,
                "contact_message": TTS,
                "refused_as_result": True,
                **changes,
            }
        )

    return Task(desk, make)


def test_a_refused_call_is_a_result_of_the_usual_shape_without_a_session_or_a_phone_number(desk):
    desk.exchange.account.blacklist.add(CONTACT)

    result = start(desk).run()

    assert result == {
        **Outcome(0).to_xcom(),
        "call_session_id": None,
        "external_id": result["external_id"],
        "status": "refused",
        "answered": False,
        "finish_reason": "contact_in_blacklist",
    }
    assert result["external_id"].endswith("-1")
    assert CONTACT not in json.dumps(result)
    assert desk.exchange.rings(CONTACT) == 0


def test_a_refused_call_fails_without_refused_as_result(desk):
    desk.exchange.account.blacklist.add(CONTACT)

    with pytest.raises(CallApiFailure, match="contact_in_blacklist"):
        start(desk, refused_as_result=False).run()


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_clear_places_a_refused_call(desk):
    desk.exchange.account.blacklist.add(CONTACT)
    task = start(desk)
    assert task.run()["status"] == "refused"
    desk.exchange.account.blacklist.clear()

    result = task.clear()

    assert (result["status"], result["attempt"]) == ("started", 1)
    assert desk.sent() == ["start.informer_call"] * 2


@pytest.mark.needs_airflow("3.3", "task state")
def test_an_unconfirmed_call_stays_unresolved_even_if_a_repeat_would_be_refused(desk):
    desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")
    desk.exchange.script(CONTACT, Script.busy(0))
    desk.connect(extra={"data_api": False})
    task = start(desk)
    with pytest.raises(CallUnresolved):
        task.run()
    desk.exchange.account.blacklist.add(CONTACT)

    with pytest.raises(CallUnresolved):
        task.retry()

    assert desk.exchange.rings(CONTACT) == 1


def test_a_refusal_in_a_retry_without_a_journal_is_a_failure(desk):
    desk.connect(extra={"data_api": False})
    task = start(desk, durable=False)
    desk.exchange.script(CONTACT, Script.busy(0))
    task.run()
    desk.exchange.account.blacklist.add(CONTACT)

    with pytest.raises(CallApiFailure, match="contact_in_blacklist"):
        task.retry()


@pytest.mark.parametrize("broken", ["another number", "key", "points"])
def test_an_error_of_the_request_or_the_account_is_no_refusal_of_the_contact(desk, broken):
    changes: dict[str, Any] = {}
    if broken == "another number":
        changes["virtual_phone_number"] = "74950000000"
    elif broken == "key":
        desk.connect(password="another key")
    else:
        desk.exchange.account.day_limit = 0

    with pytest.raises((CallApiError, CallApiFailure)) as failure:
        start(desk, **changes).run()

    assert "blacklist" not in str(failure.value)
    assert desk.exchange.rings(CONTACT) == 0


def test_refused_as_result_is_not_allowed_with_at_least_once():
    with pytest.raises(ValueError, match="at_most_once"):
        CallApiStartInformerCallOperator(
            task_id="call",
            virtual_phone_number=VNUMBER,
            contact=CONTACT,
            contact_message=TTS,
            delivery="at_least_once",
            refused_as_result=True,
        )


# --- in a real Airflow ---


BRANCHED = """
from airflow.sdk import DAG, TaskGroup
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow_provider_callapi.operators.branch import CallApiBranchOperator
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

with DAG("branched") as dag:
    start = CallApiStartInformerCallOperator(
        task_id="start",
        virtual_phone_number="74993720692",
        contact="79161234567",
        contact_message={"type": "tts", "value": "Hello"},
        wait_for_completion=True,
        deferrable=True,
        appear_timeout=2,
        report_timeout=1,
        refused_as_result=True,
    )
    branch = CallApiBranchOperator(
        task_id="branch",
        call=CALL,
        if_answered="thank",
        if_not_answered=["write", "note"],
        if_refused="forget",
        if_unknown="UNKNOWN",
        routes={"tag:999": "MARKED"},
        trigger_rule="RULE",
    )
    start >> branch >> [EmptyOperator(task_id=name) for name in ("thank", "write", "note", "forget")]
    with TaskGroup("person") as person:
        EmptyOperator(task_id="look") >> EmptyOperator(task_id="decide")
    branch >> person
"""
EVERYTHING = {"thank", "write", "note", "forget", "person.look", "person.decide"}
XCOM, TEMPLATE = "start.output", "\"{{ ti.xcom_pull(task_ids='start') }}\""


def branched(call: str = XCOM, rule: str = "all_done", unknown: str = "person", marked: str = "thank") -> str:
    dag = BRANCHED.replace("CALL,", f"{call},").replace("RULE", rule)
    return dag.replace("UNKNOWN", unknown).replace("MARKED", marked)


@contextmanager
def hanging_up_when_seen(exchange: Exchange) -> Iterator[None]:
    """End each talk inside a ``with`` block as soon as a poll has shown it, however late the poll is."""

    def hang_up() -> None:
        while not stop.wait(0.05):
            polls = [entry.time for entry in exchange.journal if entry.method == "list.calls"]
            for call in exchange.active_calls:
                if call.talked_at is not None and polls and polls[-1] > call.talked_at:
                    params = {"access_token": exchange.account.key, "call_session_id": call.call_session_id}
                    exchange.handle({"jsonrpc": "2.0", "id": 1, "method": "release.call", "params": params})

    stop = threading.Event()
    thread = threading.Thread(target=hang_up, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("given", [XCOM, TEMPLATE], ids=["xcom", "template"])
@pytest.mark.parametrize(
    ("what", "followed"),
    [
        ("answers", {"thank"}),
        ("busy", {"write", "note"}),
        ("busy, list.calls only", {"person.look", "person.decide"}),
        ("blacklisted", {"forget"}),
        ("direction", {"forget"}),
        ("lost", {"person.look", "person.decide"}),
    ],
)
def test_a_dag_continues_on_the_route_of_the_calls_outcome(
    run_dag, exchange, connection, *, what, followed, given
):
    exchange.script(CONTACT, Script(rings=0.3, talks=None) if what == "answers" else Script.busy(0))
    connection(extra={"data_api": what in ("answers", "busy")})
    if what == "blacklisted":
        exchange.account.blacklist.add(CONTACT)
    elif what == "direction":
        exchange.account.forbidden_prefixes.add("7916")
    elif what == "lost":
        exchange.fault(Fault.DROP_AFTER, method="start.informer_call")

    with hanging_up_when_seen(exchange):
        run = run_dag(branched(given))

    assert run.states["start"] == ("failed" if what == "lost" else "success")
    assert {name for name in EVERYTHING if run.states[name] == "success"} == followed
    assert {name for name in EVERYTHING if run.states[name] == "skipped"} == EVERYTHING - followed
    assert exchange.rings(CONTACT) == (0 if followed == {"forget"} else 1)


def test_a_failed_start_selects_no_route_with_the_default_trigger_rule(run_dag, exchange, connection):
    connection(password="another key")

    run = run_dag(branched(rule="all_success"))

    assert run.states["branch"] == "upstream_failed"
    assert {run.states[name] for name in EVERYTHING} == {"upstream_failed"}


@pytest.mark.parametrize(
    "wrong", [{"unknown": "persno"}, {"unknown": "start"}, {"unknown": "person.decide"}, {"marked": "persno"}]
)
def test_a_wrong_task_id_of_an_unused_route_fails_the_branch_too(run_dag, exchange, wrong):
    exchange.account.blacklist.add(CONTACT)  # the route is known, and quickly

    run = run_dag(branched(**wrong))

    assert (run.states["start"], run.states["branch"]) == ("success", "failed")


MAPPED = """
from airflow.sdk import DAG, task, task_group
from airflow_provider_callapi.operators.branch import CallApiBranchOperator
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator as Informer

TTS = {"type": "tts", "value": "Hi"}

with DAG("mapped", default_args={"virtual_phone_number": "74993720692", "contact_message": TTS}) as dag:
    @task
    def calls():
        call = {"call_session_id": 5, "status": "ended"}
        return [{**call, "answered": True}, {**call, "answered": False}]

    branch = CallApiBranchOperator.partial(task_id="branch", if_not_answered="again").expand(call=calls())
    branch >> Informer.partial(task_id="again").expand(contact=["79160000001", "79160000002"])

    to_one = CallApiBranchOperator.partial(task_id="to_one", if_not_answered="one").expand(call=calls())
    to_one >> Informer(task_id="one", contact="79160000003")

    @task_group
    def person(call):
        branch = CallApiBranchOperator(task_id="branch", call=call, if_not_answered="person.again")
        branch >> Informer(task_id="again", contact="7916000001{{ ti.map_index }}")

    person.expand(call=calls())
"""


def test_a_mapped_branch_calls_no_one_whose_route_it_did_not_take(run_dag, exchange):
    run = run_dag(MAPPED)

    rung = [f"7916000000{digit}" for digit in (1, 2, 3) if exchange.rings(f"7916000000{digit}")]
    assert (rung, exchange.rings("79160000010")) == (["79160000002"], 0)
    assert run.states["to_one[0]"] == run.states["to_one[1]"] == "failed"
    works_in_groups = Version("3.2") > AIRFLOW
    assert run.states["person.branch[1]"] == ("success" if works_in_groups else "failed")
    assert exchange.rings("79160000011") == works_in_groups


TO_MAPPED = """
from airflow.sdk import DAG, task, task_group
from airflow_provider_callapi.operators.branch import CallApiBranchOperator
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator as Informer

TTS = {"type": "tts", "value": "Hi"}
ANSWERED = {"call_session_id": 5, "status": "ended", "answered": True}

with DAG("to_mapped", default_args={"virtual_phone_number": "74993720692", "contact_message": TTS}) as dag:
    @task
    def people():
        return ["79160000001", "79160000002"]

    @task_group
    def person(contact):
        Informer(task_id="call", contact=contact)

    CallApiBranchOperator(task_id="to_xcom", call=ANSWERED, if_not_answered="again") >> Informer.partial(
        task_id="again"
    ).expand(contact=people())
    CallApiBranchOperator(task_id="to_list", call=ANSWERED, if_not_answered="both") >> Informer.partial(
        task_id="both"
    ).expand(contact=["79160000001", "79160000002"])
    CallApiBranchOperator(task_id="to_group", call=ANSWERED, if_not_answered="person") >> person.expand(
        contact=["79160000001", "79160000002"]
    )
"""


def test_a_branch_before_mapped_tasks_calls_no_one_whose_route_it_did_not_take(run_dag, exchange):
    run = run_dag(TO_MAPPED)

    assert (exchange.rings("79160000001"), exchange.rings("79160000002")) == (0, 0)
    assert run.states["to_xcom"] == "success"
    skips_lists = "success" if Version("3.2") <= AIRFLOW else "failed"
    assert run.states["to_list"] == run.states["to_group"] == skips_lists
