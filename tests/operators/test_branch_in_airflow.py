"""A branch on the outcome of a call in a real Airflow, also before and in mapped tasks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

import pytest
from airflow_fakes import CONTACT
from packaging.version import Version

from airflow_provider_callapi.emulator import Exchange, Fault, Script

pytestmark = pytest.mark.usefixtures("hurry")


AIRFLOW = Version(version("apache-airflow-core"))


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
