"""The YAML examples: dag-factory builds their DAGs, and the DAGs run against the exchange over HTTP."""

from __future__ import annotations

import importlib.util
import json
import socket
import textwrap
from pathlib import Path

import pytest
from copied_examples import EXAMPLES

from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.notifications.callapi import CallApiNotifier
from airflow_provider_callapi.triggers.call_events import CallApiEventTrigger

pytestmark = pytest.mark.usefixtures("hurry")

FOLDER = EXAMPLES / "dag_factory"
CONTACT = "79161234567"


@pytest.fixture(autouse=True)
def no_usage_data(airflow_db, monkeypatch):
    """Disable dag-factory's usage data: by default it reports every run of its DAGs over the network."""
    monkeypatch.setattr("dagfactory.settings.do_not_track", True)


@pytest.fixture
def dag_of(airflow_db):
    """Return a function that loads the DAG of a YAML file by the file's name."""

    def load(name):
        spec = importlib.util.spec_from_file_location("yaml_examples", FOLDER / "load.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return getattr(module, f"callapi_yaml_{name}")

    return load


@pytest.fixture
def run_yaml(dag_of, connection, left_behind):
    """Return a function that runs the DAG of a YAML file and returns the states and XComs of its tasks.

    Its parameter ``hurried`` maps a task id to attributes of the task, with shorter times than the YAML's.
    """

    def run(name, hurried=None, **conf):
        dag = dag_of(name)
        for task_id, shorter in (hurried or {}).items():
            vars(dag.get_task(task_id)).update(shorter)
        return left_behind(dag.test(run_conf=conf))

    return run


def test_every_yaml_file_becomes_a_dag_without_an_error_and_without_the_network(monkeypatch, dag_bag):
    def no_network(self, address):
        raise AssertionError(f"a connection to {address} while DAGs are parsed")

    monkeypatch.setattr(socket.socket, "connect", no_network)

    bag = dag_bag(FOLDER)

    assert bag.import_errors == {}
    assert set(bag.dags) == {f"callapi_yaml_{file.stem}" for file in FOLDER.glob("*.yml")}
    assert len(bag.dags) == 9
    for dag in bag.dags.values():
        assert dag.schedule is None
        assert dag.doc_md.startswith("### ")


def test_an_error_in_a_yaml_file_is_an_import_error_not_a_missing_dag(tmp_path, dag_bag):
    (tmp_path / "load.py").write_text((FOLDER / "load.py").read_text())
    wrong = (FOLDER / "informer_call.yml").read_text().replace("wait_for_completion", "wait_for_competion")
    (tmp_path / "informer_call.yml").write_text(wrong)

    bag = dag_bag(tmp_path)

    (error,) = bag.import_errors.values()
    assert "wait_for_competion" in error


@pytest.fixture
def yaml_folder(tmp_path):
    """Return a folder with the loader, a correct YAML file and two with an error."""
    loader = (FOLDER / "load.py").read_text()
    good = (FOLDER / "informer_call.yml").read_text()
    (tmp_path / "load.py").write_text(loader)
    (tmp_path / "good.yml").write_text(good)
    for name, wrong in (("argument", "wait_for_competion"), ("syntax", "wait: [")):
        text = good.replace("callapi_yaml_informer_call", name).replace("wait_for_completion", wrong)
        (tmp_path / f"{name}.yml").write_text(text)
    return tmp_path


def test_one_import_error_names_each_yaml_file_that_has_an_error(yaml_folder, dag_bag):
    (error,) = dag_bag(yaml_folder).import_errors.values()

    assert "argument.yml: TypeError: " in error
    assert "wait_for_competion" in error
    assert "syntax.yml: " in error
    assert "good.yml" not in error


def test_an_error_in_a_yaml_file_does_not_remove_the_dags_of_a_yaml_file_with_its_own_loader(
    yaml_folder, dag_bag
):
    (yaml_folder / "good.py").write_text((yaml_folder / "load.py").read_text())

    bag = dag_bag(yaml_folder)

    assert set(bag.dags) == {"callapi_yaml_informer_call"}
    (error_file,) = bag.import_errors
    assert Path(error_file).name == "load.py"


@pytest.mark.parametrize(
    "name",
    [
        "confirm_by_key",
        "informer_call",
        "missed_calls",
        "ring_on_failure",
        "start_wait_tag_branch",
        "text_from_function",
    ],
)
def test_a_yaml_pipeline_equals_the_python_example_of_the_same_name(dag_of, name):
    spec = importlib.util.spec_from_file_location(name, FOLDER.parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def edges(dag):
        return {(task.task_id, after) for task in dag.tasks for after in task.downstream_task_ids}

    yaml, python = dag_of(name), module.dag

    assert set(yaml.task_ids) == set(python.task_ids)
    # the Python examples pass XComs, and each XCom adds an edge
    assert edges(yaml) <= edges(python)
    assert set(yaml.params) == set(python.params)


def test_the_informer_call_calls_the_contact_of_the_form(run_yaml, exchange):
    exchange.script("79160000007", Script(rings=0.2, talks=2))

    run = run_yaml("informer_call", contact="79160000007", text="Ваш заказ готов")

    assert run.state == "success"
    assert exchange.rings("79160000007") == 1
    assert (run.xcoms["call"]["status"], run.xcoms["call"]["answered"]) == ("ended", True)


@pytest.mark.parametrize("answers", [True, False])
def test_the_call_is_tagged_and_followed_if_a_poll_shows_its_answer(
    run_yaml, exchange, answers, talks_until_tagged
):
    talks_until_tagged(CONTACT)
    if not answers:
        exchange.script(CONTACT, Script.busy(rings=6))

    run = run_yaml("start_wait_tag_branch", contact=CONTACT)

    assert run.state == "success", run.states
    followed, skipped = ("thank", "another_way") if answers else ("another_way", "thank")
    assert (run.states[followed], run.states[skipped]) == ("success", "skipped")
    assert sorted(exchange.calls[0].tags) == ([36] if answers else [])


@pytest.mark.parametrize(
    ("what", "followed"),
    [
        ("answers", {"done"}),
        ("busy", {"write"}),
        ("busy, list.calls only", {"write", "look"}),
        ("blacklisted", {"forget"}),
    ],
)
def test_a_reminder_takes_the_branch_of_its_outcome(run_yaml, exchange, connection, *, what, followed):
    exchange.script(CONTACT, Script(rings=0.2, talks=2) if what == "answers" else Script.busy(0.5))
    connection(extra={"data_api": what == "busy"})
    if what == "blacklisted":
        exchange.account.blacklist.add(CONTACT)

    run = run_yaml("remind_and_branch", contact=CONTACT)

    assert run.state == "success", run.states
    routes = {"done", "write", "forget", "look"}
    assert {name for name in routes if run.states[name] == "success"} == followed
    assert {name for name in routes if run.states[name] == "skipped"} == routes - followed


@pytest.mark.parametrize(
    ("key", "followed"), [("1", "confirmed"), ("2", "call_later"), ("3", "cancelled"), ("", "look")]
)
def test_a_phone_key_decides_about_the_branch(run_yaml, exchange, key, followed):
    exchange.script(CONTACT, Script.presses(key, rings=0.2, talks=3))

    run = run_yaml("confirm_by_key", contact=CONTACT)

    assert run.state == "success", run.states
    routes = {"confirmed", "call_later", "cancelled", "look"}
    assert {name for name in routes if run.states[name] == "success"} == {followed}
    assert exchange.rings(CONTACT) == 1


def test_a_start_that_fails_for_another_reason_takes_the_branch_unknown(run_yaml, exchange):
    exchange.fault(Fault.INTERNAL_ERROR, method="start.informer_call")
    exchange.account.day_limit = 0

    run = run_yaml("remind_and_branch", contact=CONTACT, hurried={"remind": {"appear_timeout": 5.0}})

    assert run.states["remind"] == "failed"
    assert (run.states["look"], run.states["forget"]) == ("success", "skipped")


@pytest.mark.parametrize(("fails", "state", "rings"), [(True, "failed", 1), (False, "success", 0)])
def test_the_failed_tasks_of_a_run_ring_once(run_yaml, exchange, monkeypatch, *, fails, state, rings):
    kwdefaults = {**CallApiNotifier.__init__.__kwdefaults__, "settle": 0.1}  # no other task competes here
    monkeypatch.setattr(CallApiNotifier.__init__, "__kwdefaults__", kwdefaults)

    run = run_yaml("ring_on_failure", contact="79160000007", fails=fails)

    assert run.states == {"load_orders": state, "load_prices": state}
    assert exchange.rings("79160000007") == rings


def test_a_watcher_can_be_written_as_a_schedule(tmp_path, dag_bag):
    """Test the schedule that the documentation shows, word for word."""
    page = (Path(__file__).parents[2] / "docs" / "operators" / "yaml.md").read_text()
    schedule = page.partition("```yaml\nschedule:")[2].partition("```")[0]
    (tmp_path / "load.py").write_text((FOLDER / "load.py").read_text())
    task = "{task_id: done, operator: airflow.providers.standard.operators.empty.EmptyOperator}"
    dag = f"schedule:{schedule}start_date: 2026-01-01\ntasks: [{task}]\n"
    (tmp_path / "watching.yml").write_text("watching:\n" + textwrap.indent(dag, "  "))

    bag = dag_bag(tmp_path)

    assert bag.import_errors == {}
    (watcher,) = bag.dags["watching"].schedule.watchers
    assert watcher.trigger.serialize() == CallApiEventTrigger(events="started", direction="in").serialize()


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_campaign_calls_everyone_on_the_files_list(run_yaml, exchange, tmp_path):
    exchange.default_script = Script(rings=0.2, talks=3)
    people = tmp_path / "people.csv"
    people.write_text(f"phone,name\n+{CONTACT},Anna\n8 916 000-00-08,Boris\n12,Vera\n", "utf-8")

    conf = {"people": people.as_uri(), "folder": tmp_path.as_uri(), "opens": "00:00", "closes": "24:00"}
    conf["holiday"] = "2000-01-01"
    run = run_yaml("campaign", hurried={"tell_them": {"poll_interval": 0.5}}, **conf)

    assert run.state == "success", run.states
    assert (exchange.rings(CONTACT), exchange.rings("79160000008")) == (1, 1)
    results = run.xcoms["tell_them"]["results"]
    assert (results["answered"], results["invalid"]) == (2, 1)
    assert (tmp_path / f"{run.run_id}.csv").exists()


def test_a_function_next_to_the_yaml_files_returns_the_text_of_a_call(run_yaml, dag_of, exchange):
    exchange.script("79160000007", Script(rings=0.2, talks=2))

    run = run_yaml("text_from_function", contact="79160000007", rows=0)

    assert (run.states, exchange.rings("79160000007")) == ({"report": "success"}, 1)
    function = dag_of("text_from_function").get_task("report").python_callable
    assert function({"rows": 0}) == "Ночная загрузка не нашла ни одной строки."


def test_a_pipeline_turns_a_report_into_a_list_of_call_backs_with_sql(
    run_yaml, dag_of, exchange, warehouse, missed_calls
):
    contacts = json.dumps(dag_of("missed_calls").get_task("call_back").contacts)
    contacts = contacts.replace("(hours=1)", "(hours=0)").replace("(hours=23)", "(hours=24)")  # at any hour
    call_back = {"calling_hours": None, "poll_interval": 0.5, "contacts": json.loads(contacts)}

    run = run_yaml("missed_calls", {"call_back": call_back})

    assert run.state == "success", run.states
    assert run.xcoms["missed"]["rows"] == 3
    assert warehouse("SELECT person, result FROM call_backs ORDER BY person") == [
        (phone, "answered") for phone in missed_calls
    ]
    assert [exchange.rings(phone) for phone in missed_calls] == [1, 1]


@pytest.mark.needs_airflow("3.3", "task state")
def test_people_who_objected_are_not_called_and_new_objectors_join_the_blacklist(
    run_yaml, exchange, warehouse
):
    agrees, objects, has_objected, blocked, elsewhere = (f"7916000000{n}" for n in range(1, 6))
    manager = "79260000009"
    for phone, key in ((agrees, "1"), (objects, "3")):
        exchange.script(phone, Script.presses(key, rings=0.2, talks=3))
    exchange.script(manager, Script(rings=0.2, talks=2))
    exchange.account.blacklist.add(blocked)
    warehouse("CREATE TABLE customers (phone TEXT, city TEXT)")
    warehouse("CREATE TABLE objections (phone TEXT)")
    warehouse(f"INSERT INTO objections VALUES ('+{has_objected}')")
    for phone in (agrees, objects, has_objected, blocked, elsewhere):
        warehouse(f"INSERT INTO customers VALUES ('{phone}', '{'Tomsk' if phone == elsewhere else 'Omsk'}')")
    conf = {"opens": "00:00", "closes": "24:00", "manager": manager}

    run = run_yaml("customers", hurried={"call_customers": {"poll_interval": 0.5}}, **conf)

    assert run.state == "success", run.states
    assert warehouse("SELECT person, attempt, result FROM calls ORDER BY person") == [
        (agrees, 1, "answered"),
        (objects, 1, "answered"),
        (has_objected, 0, "do_not_call"),
        (blocked, 0, "do_not_call"),
        (manager, 1, "answered"),
    ]
    assert [exchange.rings(phone) for phone in (has_objected, blocked, elsewhere)] == [0, 0, 0]
    assert exchange.account.blacklist == {blocked, objects}
