"""The notifier as each of Airflow's callers uses it: who is rung, how often, and what the log says."""

from __future__ import annotations

import asyncio
import copy
import importlib
import json
import logging
import multiprocessing
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.metadata import version
from types import SimpleNamespace
from typing import ClassVar

import pytest
import structlog
from airflow.sdk import DAG
from airflow_fakes import VNUMBER
from packaging.version import Version
from structlog.testing import capture_logs

from airflow_provider_callapi import observability
from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.errors import Unanswered
from airflow_provider_callapi.api.methods import Component
from airflow_provider_callapi.api.retrying_client import RetryingClient
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.emulator import Emulator, Exchange, Fault, Script
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.notifications import callapi
from airflow_provider_callapi.notifications._alert import alert_lock
from airflow_provider_callapi.notifications._alert.failure import Failure, speakable
from airflow_provider_callapi.notifications.callapi import CallApiNotifier
from airflow_provider_callapi.triggers._loop import shared_poll

pytest_plugins = ["airflow_desk"]

ON_DUTY, SECOND, THIRD = "79160000001", "79160000002", "79160000003"
EVERYBODY = [ON_DUTY, SECOND, THIRD]
RUN = "scheduled__2026-11-23T22:00:00+00:00"
PATH = "airflow_provider_callapi.notifications.callapi.CallApiNotifier"


class Variables:
    """The Variables of an Airflow without a database."""

    values: ClassVar[dict[str, str]] = {}
    broken = read_only = False

    @classmethod
    def get(cls, key, default):
        if cls.broken:
            raise RuntimeError("403")
        return cls.values.get(key, default)

    @classmethod
    def set(cls, key, value, description):
        assert not cls.read_only, "this would hang: Airflow does not answer a write here"
        cls.values[key] = value

    @classmethod
    def keys(cls, prefix):
        return [key for key in cls.values if key.startswith(prefix)]

    @classmethod
    def delete(cls, key):
        del cls.values[key]


@pytest.fixture
def log(caplog, capfd):
    """All that was logged so far: by logging, and by Airflow's own loggers, which print."""
    printed = []
    caplog.set_level(logging.DEBUG, logger="airflow_provider_callapi")

    def text():
        printed.extend(capfd.readouterr())
        return caplog.text + "".join(printed)

    return text


@pytest.fixture(autouse=True)
def airflow(desk, monkeypatch):
    """The desk's clock in the notifier, and Variables."""
    fake_time = SimpleNamespace(time=desk.clock, sleep=desk.sleep)
    monkeypatch.setattr(callapi, "time", fake_time)
    monkeypatch.setattr(alert_lock, "Variable", Variables)
    monkeypatch.setattr(Variables, "values", {})
    return desk


def of_task(task_id="load", run_id=RUN, **more):
    """The context of a task's callback."""
    ti = SimpleNamespace(dag_id="sales", task_id=task_id, run_id=run_id, map_index=-1)
    return {"dag": DAG("sales"), "ti": ti, "run_id": run_id, "exception": RuntimeError("no"), **more}


def of_dag():
    """The context of a DAG's callback in the DAG processor, where no task is known."""
    return {"dag": DAG("sales"), "run_id": RUN, "reason": "task_failure"}


DEADLINE = {
    "dag_run": {"dag_id": "sales", "dag_run_id": RUN},
    "deadline": {"id": "1", "deadline_time": "2026-11-23T23:00:00Z"},
}


def of_deadline():
    """The context of a deadline's callback: plain JSON."""
    if Version(version("apache-airflow-core")) < Version("3.1"):
        pytest.skip("this Airflow has no deadlines, 3.1 has")
    return copy.deepcopy(DEADLINE)


CONTEXTS = [
    pytest.param(of_task(), id="task"),
    pytest.param(of_dag(), id="dag"),
    pytest.param(DEADLINE, id="deadline", marks=pytest.mark.needs_airflow("3.1", "deadlines")),
]


def notifier(contact=ON_DUTY, **changes):
    return CallApiNotifier(**{"contact": contact, "virtual_phone_number": VNUMBER, **changes})


def rung(desk):
    """The numbers in the order in which they rang."""
    return [entry.phone for entry in desk.exchange.journal if entry.kind == "ring"]


# --- who rings it ---


@pytest.mark.parametrize("context", CONTEXTS)
def test_one_person_is_rung_and_not_waited_for(desk, context):
    began = desk.clock()

    notifier()(context)

    assert rung(desk) == [ON_DUTY]
    assert desk.clock() - began <= 4.0  # the claim's time, in a task's callback


@pytest.mark.needs_airflow("3.2", "CallbackTrigger, which runs a deadline's callback")
def test_a_deadlines_async_callback_rings(desk):
    from airflow.triggers.callback import CallbackTrigger

    trigger = CallbackTrigger(
        PATH, {"contact": ON_DUTY, "virtual_phone_number": VNUMBER, "context": of_deadline()}
    )

    events = asyncio.run(all_of(trigger))

    assert rung(desk) == [ON_DUTY]
    assert events[-1]["state"] == "success"


@pytest.mark.needs_airflow("3.3", "deadline callbacks in the worker")
def test_a_deadlines_sync_callback_rings(desk):
    from airflow.sdk.execution_time.callback_supervisor import execute_callback

    kwargs = {"contact": ON_DUTY, "virtual_phone_number": VNUMBER, "context": of_deadline()}

    success, error = execute_callback(PATH, kwargs, "", None, structlog.get_logger())

    assert (success, error, rung(desk)) == (True, None, [ON_DUTY])


async def all_of(trigger):
    return [event.payload async for event in trigger.run()]


# --- escalation ---


def sync(notify, context):
    notify(context)


def in_the_triggerer(notify, context):
    async def wait():
        await notify

    notify.context = context
    asyncio.run(wait())


BOTH_WAYS = pytest.mark.parametrize("ring", [sync, in_the_triggerer])


@BOTH_WAYS
def test_who_does_not_answer_is_followed_by_the_next_and_who_does_is_not(desk, ring):
    desk.exchange.script(ON_DUTY, Script.no_answer())
    desk.exchange.script(SECOND, Script(rings=5, talks=30))

    ring(notifier(EVERYBODY), of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]


@BOTH_WAYS
def test_a_busy_person_is_followed_at_once(desk, ring):
    desk.exchange.script(ON_DUTY, Script.busy(rings=2))
    began = desk.clock()

    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]
    assert desk.clock() - began < 20


@BOTH_WAYS
def test_without_the_data_api_an_answer_that_nobody_saw_is_none(desk, ring):
    desk.connect(extra={"data_api": False})
    desk.exchange.script(ON_DUTY, Script(rings=0.1, talks=0.1))

    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]


@BOTH_WAYS
def test_the_data_api_knows_of_an_answer_that_nobody_saw(desk, ring):
    desk.exchange.script(ON_DUTY, Script(rings=0.1, talks=0.1))

    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [ON_DUTY]


@BOTH_WAYS
def test_who_may_not_be_called_is_followed_by_the_next(desk, ring):
    desk.exchange.account.blacklist.add(ON_DUTY)

    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [SECOND]


@BOTH_WAYS
def test_that_nobody_may_be_called_is_said_in_a_sentence(desk, log, ring):
    desk.exchange.account.blacklist.add(ON_DUTY)

    ring(notifier(), of_dag())

    lines = [line for line in log().splitlines() if "Nobody was rung for" in line]
    assert lines
    for line in lines:
        assert re.search(
            r"Nobody was rung for dag sales, run \S+: no contact could be called; see above", line
        )


@BOTH_WAYS
def test_a_lost_answer_is_searched_for_and_the_person_not_rung_twice(desk, ring):
    desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")

    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [ON_DUTY]


@BOTH_WAYS
def test_one_persons_call_is_not_taken_for_the_lost_one_of_the_next(desk, monkeypatch, ring):
    desk.exchange.script(ON_DUTY, Script.busy())
    watch = CallApiNotifier._watch

    def and_the_next_start_is_lost(*args):
        desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")
        return watch(*args)

    monkeypatch.setattr(CallApiNotifier, "_watch", and_the_next_start_is_lost)
    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]


@BOTH_WAYS
def test_a_call_of_which_nobody_knows_is_followed_by_the_next_person(desk, ring):
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")

    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [SECOND]


@BOTH_WAYS
def test_the_last_person_is_called_again_after_a_search_in_vain(desk, ring):
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")

    ring(notifier(), of_dag())

    assert rung(desk) == [ON_DUTY]


def test_a_call_that_cannot_be_followed_is_not_known_to_be_answered(desk):
    desk.exchange.account.components_off.add(Component.MANAGEMENT)

    notifier([ON_DUTY, SECOND])(of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]


def test_several_people_may_stand_in_one_text(desk):
    desk.exchange.default_script = Script.busy()

    notifier(f"{ON_DUTY}, {SECOND}\n{THIRD},")(of_dag())

    assert rung(desk) == EVERYBODY


@pytest.mark.parametrize("contact", ["{{ duty }}", ON_DUTY, int(ON_DUTY), f"{ON_DUTY},{SECOND}"])
def test_a_number_that_a_native_template_makes_a_number_of_is_one(desk, contact):
    context = of_task(dag=DAG("sales", render_template_as_native_obj=True), duty=ON_DUTY)

    notifier(contact)(context)

    assert rung(desk)[0] == ON_DUTY


def test_a_typing_error_in_one_number_does_not_silence_the_others(desk, log):
    notifier(["12", SECOND])(of_dag())

    assert rung(desk) == [SECOND]
    assert "Somebody cannot be rung for dag sales" in log()


# --- an escalation that a restart of the triggerer interrupts ---


@pytest.fixture(params=["with the Data API", "without it", "without Variables"])
def restart(request, desk, monkeypatch):
    """Ring for a deadline, and stop the triggerer once it waits for the first person's answer."""
    desk.connect(extra={"data_api": request.param == "with the Data API"})
    monkeypatch.setattr(Variables, "broken", request.param == "without Variables")

    def act(contact):
        with monkeypatch.context() as stopped:
            stopped.setattr(CallApiNotifier, "_watch", lambda *_: (_ for _ in ()).throw(SystemExit))
            with pytest.raises(SystemExit):
                in_the_triggerer(notifier(contact), of_deadline())

    return act


def test_after_a_restart_a_call_in_progress_is_watched_and_then_the_next_person_rung(desk, restart):
    desk.exchange.script(ON_DUTY, Script.no_answer())
    restart(EVERYBODY)
    desk.sleep(5)
    in_the_triggerer(notifier(EVERYBODY), of_deadline())

    assert rung(desk) == [ON_DUTY, SECOND]


def test_after_a_restart_who_answers_is_not_followed_by_the_next(desk, restart):
    desk.exchange.script(ON_DUTY, Script(rings=10, talks=60))
    restart(EVERYBODY)
    in_the_triggerer(notifier(EVERYBODY), of_deadline())

    assert rung(desk) == [ON_DUTY]


@pytest.mark.parametrize("restart", ["with the Data API", "without it"], indirect=True)
def test_after_a_restart_whose_call_is_over_is_followed_by_the_next(desk, restart):
    desk.exchange.script(ON_DUTY, Script.busy())
    restart(EVERYBODY)
    desk.sleep(120)
    in_the_triggerer(notifier(EVERYBODY), of_deadline())

    assert rung(desk) == [ON_DUTY, SECOND]


@pytest.mark.parametrize("restart", ["with the Data API"], indirect=True)
def test_the_data_api_knows_who_answered_during_a_restart(desk, restart):
    desk.exchange.script(ON_DUTY, Script(rings=5, talks=20))
    restart(EVERYBODY)
    desk.sleep(120)
    in_the_triggerer(notifier(EVERYBODY), of_deadline())

    assert rung(desk) == [ON_DUTY]


def test_after_a_restart_nothing_is_left_to_do_if_the_last_one_was_rung(desk, restart):
    desk.exchange.default_script = Script.no_answer()
    restart([ON_DUTY, SECOND])
    desk.sleep(5)
    for _ in range(2):
        in_the_triggerer(notifier([ON_DUTY, SECOND]), of_deadline())

    assert rung(desk) == [ON_DUTY, SECOND]


# --- once ---


@pytest.mark.parametrize("data_api", [True, False])
def test_the_failures_of_a_run_ring_once(desk, data_api):
    desk.connect(extra={"data_api": data_api})
    desk.exchange.default_script = Script.busy()
    for number in range(5):
        notifier()(of_task(f"load_{number}"))
        desk.sleep(30)  # the call is over

    assert rung(desk) == [ON_DUTY]


def test_what_one_callback_rang_for_another_need_not(desk):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script(talks=600)
    notifier()(of_task())
    notifier()(of_deadline())
    in_the_triggerer(notifier(), of_deadline())
    notifier()(of_dag())

    assert rung(desk) == [ON_DUTY]


def test_the_variable_remembers_a_call_that_is_over_whoever_asks(desk):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script.busy()
    for context in (of_task(), of_dag(), of_deadline()):
        notifier()(context)
        desk.sleep(60)
    in_the_triggerer(notifier(), of_deadline())

    assert rung(desk) == [ON_DUTY]


@pytest.mark.parametrize("ring", [of_dag, of_deadline])
def test_whoever_rings_first_is_remembered(desk, ring):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script.busy()
    in_the_triggerer(notifier(), ring())
    desk.sleep(60)
    notifier()(of_task())

    assert rung(desk) == [ON_DUTY]


def test_a_deadlines_sync_callback_writes_no_variable(desk, monkeypatch):
    """Airflow's callback supervisor drops a message that it does not know, and whoever sent it waits."""
    monkeypatch.setattr(Variables, "read_only", True)

    notifier()(of_deadline())

    assert rung(desk) == [ON_DUTY]


def test_runs_that_fail_in_turns_do_not_make_each_other_forget(desk):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script.busy()
    for task in ("a", "b", "c"):
        for run_id in ("manual__1", "manual__2"):
            notifier()(of_task(task, run_id=run_id))
            desk.sleep(20)

    assert rung(desk) == [ON_DUTY, ON_DUTY]


def test_variables_of_alerts_whose_time_is_over_are_removed_by_the_next_ring(desk):
    Variables.values |= {"callapi_alert_contacts": '{"load": "79160000001"}', "callapi_alert_on": "yes"}
    authors = set(Variables.values)
    for number in range(30):
        notifier()(of_task(run_id=f"manual__{number}"))
        desk.sleep(120)

    claims = set(Variables.values) - authors
    assert authors <= set(Variables.values)
    assert 1 < len(claims) <= 15 * 60 / 120 + 2


def test_an_airflow_that_cannot_list_variables_keeps_them(desk, monkeypatch):
    monkeypatch.delattr(Variables, "keys")

    notifier()(of_task())

    assert rung(desk) == [ON_DUTY]
    assert len(Variables.values) == 1


def test_the_data_api_knows_a_call_that_is_over(desk):
    desk.exchange.default_script = Script.busy()
    notifier()(of_deadline())
    desk.sleep(600)
    notifier()(of_dag())

    assert rung(desk) == [ON_DUTY]


def test_after_quiet_for_the_same_alert_rings_again(desk):
    desk.exchange.default_script = Script.busy()
    notifier()(of_task())
    desk.sleep(15 * 60 + 1)
    notifier()(of_task())

    assert rung(desk) == [ON_DUTY, ON_DUTY]


@pytest.mark.parametrize("quiet_for", [0, timedelta(0)])
def test_without_quiet_for_every_failure_rings(desk, quiet_for):
    notifier(quiet_for=quiet_for)(of_task("a"))
    notifier(quiet_for=quiet_for)(of_task("b"))

    assert rung(desk) == [ON_DUTY, ON_DUTY]


def test_another_run_rings(desk):
    notifier()(of_task(run_id="manual__1"))
    desk.sleep(30)
    notifier()(of_task(run_id="manual__2"))

    assert rung(desk) == [ON_DUTY, ON_DUTY]


def test_an_id_of_ones_own_says_what_is_quiet_together(desk):
    desk.exchange.default_script = Script.busy()
    for run_id in ("manual__1", "manual__2"):
        notifier(external_id="sales-{{ ti.dag_id }}")(of_task(run_id=run_id))
        desk.sleep(30)

    assert rung(desk) == [ON_DUTY]
    assert desk.exchange.calls[0].external_id == "sales-sales-1"


def test_a_winner_who_can_ring_nobody_leaves_it_to_the_next(desk):
    desk.exchange.account.blacklist.add(ON_DUTY)
    began = desk.clock()
    notifier()(of_task("a"))
    notifier(SECOND)(of_task("b"))

    assert rung(desk) == [SECOND]
    assert desk.clock() - began < 12  # two claims; nobody waited for the first to ring


def test_where_variables_cannot_be_used_it_rings_all_the_same(desk, monkeypatch, log):
    monkeypatch.setattr(Variables, "broken", True)

    notifier()(of_task())

    assert rung(desk) == [ON_DUTY]
    assert "Ringing without a claim" in log()


def _fails(barrier, path):
    """One of fifty processes, each with one failing task."""

    class File(Variables):
        @classmethod
        def get(cls, key, default):
            return path.read_text() if path.exists() else default

        @classmethod
        def set(cls, key, value, description):
            mine = path.with_suffix(f".{multiprocessing.current_process().pid}")
            mine.write_text(value)
            mine.replace(path)

    alert_lock.Variable = File
    barrier.wait(60)
    notifier(settle=3.0)(of_task())


def test_fifty_processes_that_fail_in_the_same_second_ring_once_over_http(monkeypatch, tmp_path):
    monkeypatch.undo()  # real time, and a real connection
    forked = multiprocessing.get_context("fork")
    importlib.import_module("airflow_provider_callapi.hooks.callapi")
    with Emulator(Exchange()) as emulator:
        monkeypatch.setenv("AIRFLOW_CONN_CALLAPI_DEFAULT", json.dumps(emulator.connection()))
        barrier = forked.Barrier(50)
        processes = [
            forked.Process(target=_fails, args=(barrier, tmp_path / "variable"), daemon=True)
            for _ in range(50)
        ]
        try:
            for process in processes:
                process.start()
            until = time.monotonic() + 90
            for process in processes:
                process.join(max(until - time.monotonic(), 0))
            assert [process.exitcode for process in processes] == [0] * 50
        finally:
            for process in processes:
                process.kill()

        assert emulator.exchange.rings(ON_DUTY) == 1


# --- in the time that Airflow allows ---


@pytest.fixture
def hangs(desk, monkeypatch):
    """Let a method hang, or be slow, in the desk's time."""
    send, slow = Client._send, {}

    def takes_time(client, request, token):
        seconds = slow.get(request.method, 0.0)
        desk.sleep(min(seconds, client.rpc.timeout))
        if seconds > client.rpc.timeout:
            raise Unanswered("Read timed out", method=request.method)
        return send(client, request, token)

    monkeypatch.setattr(Client, "_send", takes_time)
    return lambda method, seconds=3600.0: slow.update({method: seconds})


@pytest.mark.parametrize("context", [of_task(), of_dag()], ids=["task", "dag"])
@pytest.mark.parametrize("seconds", [3600.0, 2.5])
def test_answers_that_hang_or_are_slow_leave_time_for_the_ring(desk, hangs, context, seconds):
    hangs("list.calls", seconds)
    hangs("get.calls_report", seconds)
    began = desk.clock()

    notifier(EVERYBODY[:1] if context.get("ti") else EVERYBODY)(context)

    assert rung(desk)[0] == ON_DUTY
    first = next(entry.time for entry in desk.exchange.journal if entry.kind == "ring")
    assert first - began < 16


def test_a_deadline_waits_for_slow_answers(desk, hangs):
    desk.exchange.default_script = Script(talks=600)
    notifier()(of_dag())
    hangs("list.calls", 20)
    Variables.values.clear()
    notifier()(of_deadline())

    assert rung(desk) == [ON_DUTY]


# --- what is said ---


@pytest.mark.parametrize(
    ("context", "text"),
    [
        (
            of_task("load_orders.eu"),
            "Внимание! Ошибка в Airflow. Задача load orders eu, даг sales, "
            "запуск scheduled 23.11.2026 22:00.",
        ),
        (of_dag(), "Внимание! Ошибка в Airflow. Даг sales, запуск scheduled 23.11.2026 22:00."),
        (
            of_task(reason="task_failure"),
            "Внимание! Ошибка в Airflow. Даг sales, запуск scheduled 23.11.2026 22:00.",
        ),
        (DEADLINE, "Внимание! В Airflow просрочен даг sales, запуск scheduled 23.11.2026 22:00."),
    ],
    ids=["task", "dag", "dag with its last task", "deadline"],
)
def test_the_default_text_names_what_failed(context, text):
    assert Failure.read(context).text == text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("load_orders-v2", "load orders v2"),
        ("manual__2026-01-02T03:04:05.678+03:00_x7", "manual 02.01.2026 03:04 x7"),
        ("", ""),
        ("отчёт__за.день", "отчёт за день"),
    ],
)
def test_ids_are_words_to_a_voice(name, words):
    assert speakable(name) == words


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        ("{{ ti.task_id }} упала", {"type": "tts", "value": "load упала"}),
        ({"type": "media", "value": "2034"}, {"type": "media", "value": "2034"}),
    ],
)
def test_the_message_is_a_template_or_a_media_file(desk, monkeypatch, message, sent):
    seen = []
    monkeypatch.setattr(callapi.StartInformerCall, "read", lambda values: seen.append(values) or 1 / 0)

    notifier(message=message)(of_task())

    assert seen[0]["contact_message"] == sent


@pytest.fixture
def said(desk, monkeypatch):
    """The messages of the calls that were placed."""
    heard = []
    call = CallApiHook.call

    def listens(hook, request, **options):
        answer = call(hook, request, **options)
        if isinstance(request, callapi.StartInformerCall):
            heard.append(request.contact_message.value)
        return answer

    monkeypatch.setattr(CallApiHook, "call", listens)
    return heard


@BOTH_WAYS
@pytest.mark.parametrize(
    "message",
    ["{{ nonsense( }}", "{{ ti.task_id.oops }}", "{{ 1 / 0 }}", "", " ", {"type": "video", "value": "1"}],
)
def test_a_message_that_cannot_be_rendered_or_said_is_the_default_text(desk, said, log, message, ring):
    ring(notifier(message=message), of_deadline())

    assert said == [Failure.read(of_deadline()).text]
    assert "the default text is said" in log()


@pytest.mark.parametrize("seconds", ["", "{{ '' }}", "{{ None }}", "{{ 1 / 0 }}", "half a minute", 0, 150])
def test_a_dialing_timeout_that_cannot_be_used_is_the_services_own(desk, seconds):
    desk.exchange.script(ON_DUTY, Script.busy())

    notifier([ON_DUTY, SECOND], dialing_timeout=seconds)(of_task())

    assert rung(desk) == [ON_DUTY, SECOND]


def test_an_id_that_cannot_be_rendered_is_that_of_the_run(desk):
    notifier(external_id="{{ nothing.at.all }}")(of_task())
    notifier()(of_task("another"))

    assert rung(desk) == [ON_DUTY]


def test_a_text_longer_than_the_tariff_allows_is_cut_and_the_person_rung_once(desk, said, log):
    desk.exchange.account.tts_max_length = 20

    notifier(message="{{ exception }}")(of_task(exception="x" * 6000))

    assert (said, rung(desk)) == (["x" * 20], [ON_DUTY])
    assert "tts_text_exceeded" in log()


def test_a_media_file_that_is_not_there_is_the_default_text_cut_to_the_tariffs_length(desk, said):
    desk.exchange.account.tts_max_length = 20

    notifier(message={"type": "media", "value": "999999"})(of_dag())

    assert said == ["Внимание! Ошибка в A"]


def test_a_notifier_of_many_tasks_renders_its_templates_for_each(desk):
    """Airflow renders in place, and default_args give one notifier to every task."""
    shared = notifier("7916000000{{ ti.task_id }}", quiet_for=0)

    shared(of_task("1"))
    shared(of_task("2"))

    assert rung(desk) == [ON_DUTY, SECOND]


def test_the_context_that_others_use_is_left_as_it_is(desk):
    context = of_task()
    notifier()(context)

    assert "contact" not in context


# --- what takes its time, and what cannot be read ---


def test_who_needs_longer_than_others_wait_for_does_not_ring_as_well(desk, monkeypatch):
    """The Data API hangs for a deadline; meanwhile a task of the same run fails, and rings."""
    others = []

    def hangs(hook, **_):
        if not others:
            others.append(notifier())
            desk.sleep(20)  # then the claim is void
            others[0](of_task())
        raise Unanswered("no answer")

    monkeypatch.setattr(CallApiHook, "call_report", hangs)
    in_the_triggerer(notifier(), of_deadline())

    assert rung(desk) == [ON_DUTY]


def test_who_waits_for_points_and_was_overtaken_does_not_ring_as_well(desk, monkeypatch):
    desk.connect(extra={"data_api": False})
    desk.exchange.account.minute_limit = 0
    sleep, others = desk.sleep, []

    def waits(seconds):
        sleep(seconds)
        if seconds > 19 and not others:
            desk.exchange.account.minute_limit = 1000
            others.append(notifier())
            others[0](of_task())

    monkeypatch.setitem(RetryingClient.__init__.__kwdefaults__, "sleep", waits)
    in_the_triggerer(notifier(), of_deadline())

    assert len(others) == 1
    assert rung(desk) == [ON_DUTY]


@pytest.mark.needs_airflow("3.3", "a cache that can be told to forget")
def test_what_another_has_written_is_read_past_airflows_cache(monkeypatch):
    """The DAG processor caches Variables for minutes where [secrets] use_cache is on."""
    from airflow.sdk.execution_time.cache import SecretCache

    forgotten = []
    monkeypatch.setattr(SecretCache, "invalidate_variable", forgotten.append)
    notifier()(of_dag())

    assert forgotten
    assert {*forgotten} == {*Variables.values}


@BOTH_WAYS
def test_a_time_in_a_form_that_is_not_known_stops_no_alarm(desk, monkeypatch, ring):
    call_report = CallApiHook.call_report

    def odd(hook, *args, **kwargs):
        report = call_report(hook, *args, **kwargs) or CallReport(id=1)
        return report.model_copy(update={"start_time": "23.11.2026 22:00", "finish_time": "23.11.2026 22:01"})

    monkeypatch.setattr(CallApiHook, "call_report", odd)
    desk.exchange.script(ON_DUTY, Script.busy())
    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]


@BOTH_WAYS
def test_what_ends_an_escalation_is_told_as_that(desk, monkeypatch, log, results, ring):
    def fails(*_):
        raise RuntimeError("no watch")

    monkeypatch.setattr(CallApiNotifier, "_watch", fails)
    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert results() == ["rang"]
    assert "A phone was rung for dag sales" in log()
    assert "Nobody was rung" not in log()


def test_alerts_that_ask_the_data_api_keep_no_thread_from_the_polls(monkeypatch):
    asking, asked = threading.Semaphore(0), threading.Event()

    def hangs(*_):
        asking.release()
        return asked.wait(10)

    async def main():
        workers = min(32, (os.cpu_count() or 1) + 4)
        waits = [
            asyncio.create_task(notifier()._answers_async(None, Outcome(number))) for number in range(workers)
        ]
        for _ in waits:  # a look takes a thread of the loop's pool, as this does
            assert await asyncio.wait_for(asyncio.to_thread(asking.acquire, timeout=5), 5)
        asked.set()
        await asyncio.gather(*waits)

    @asynccontextmanager
    async def nobody(*_):
        async def next_snapshot():
            raise RuntimeError("cannot be followed")

        yield next_snapshot

    monkeypatch.setattr(shared_poll, "subscribe", nobody)
    monkeypatch.setattr(CallApiNotifier, "_answered", hangs)
    asyncio.run(main())


# --- what whoever runs Airflow is told ---


@pytest.fixture
def results(monkeypatch):
    """The results that were counted."""
    counted = []
    send = SimpleNamespace(incr=lambda name, *, tags=None: tags and counted.append((name, tags["result"])))
    monkeypatch.setattr(observability, "_stats", lambda: send)
    return lambda: [result for name, result in counted if name == "callapi.alerts"]


@BOTH_WAYS
@pytest.mark.parametrize(
    ("contact", "script", "result"),
    [
        (ON_DUTY, Script(), "rang"),
        ([ON_DUTY, SECOND], Script(rings=5, talks=30), "answered"),
        ([ON_DUTY, SECOND], Script.busy(), "rang"),
        ("12", Script(), "nobody"),
        ("{{ nonsense( }}", Script(), "nobody"),
    ],
)
def test_every_alert_is_counted_once_by_its_result(desk, results, *, contact, script, result, ring):
    desk.exchange.default_script = script
    ring(notifier(contact), of_dag())

    assert results() == [result]


def test_an_alert_that_need_not_ring_is_counted_as_quiet(desk, results):
    notifier()(of_task("a"))
    notifier()(of_task("b"))

    assert results() == ["rang", "quiet"]


@BOTH_WAYS
def test_what_is_seen_of_an_alerts_calls_is_told_as_of_every_call(desk, ring):
    desk.exchange.script(ON_DUTY, Script.busy())
    desk.exchange.script(SECOND, Script(rings=5, talks=30))
    with capture_logs() as lines:
        ring(notifier(EVERYBODY, external_id="night"), of_dag())

    told = [(line["event"], line["external_id"]) for line in lines if line.get("logger_name") == "callapi"]
    assert ("call ended", "night-1") in told
    assert told[-1] == ("call answered", "night-2")


# --- what never happens ---


def test_alerts_that_wait_for_their_turn_do_not_keep_each_other_or_the_polls_waiting(monkeypatch, log):
    together = threading.Barrier(3, timeout=10)

    def waits(*_):
        together.wait()
        raise alert_lock.AlertSuppressed("there were three of them")

    async def three():
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        await asyncio.gather(*(notifier(context=of_deadline()).async_notify(of_deadline()) for _ in range(3)))

    monkeypatch.setattr(CallApiNotifier, "_begin", waits)
    asyncio.run(three())

    assert log().count("there were three of them") == 3


@pytest.mark.parametrize("deadline", [None, "1", {}, {"id": None}])
def test_a_deadline_without_an_id_rings_all_the_same(desk, deadline):
    in_the_triggerer(notifier(), {**of_deadline(), "deadline": deadline})

    assert rung(desk) == [ON_DUTY]


@pytest.mark.parametrize(
    "changes",
    [
        {"contact": "{{ nonsense( }}"},
        {"contact": "12"},
        {"contact": []},
        {"virtual_phone_number": "1"},
        {"callapi_conn_id": "not_there"},
    ],
    ids=lambda changes: next(iter(changes)),
)
@pytest.mark.parametrize("context", CONTEXTS)
@BOTH_WAYS
def test_a_callback_does_not_fail_and_the_log_says_that_nobody_was_rung(desk, log, changes, context, ring):
    ring(notifier(**changes), context)

    assert rung(desk) == []
    assert "Nobody was rung for" in log()
    assert "sales" in log()


def test_no_error_holds_a_whole_number(desk, monkeypatch, log):
    def fails(*args):
        raise ValueError(f"what about {ON_DUTY}")

    monkeypatch.setattr(CallApiNotifier, "_people", fails)
    notifier()(of_task())

    assert "ValueError: what about 7916…0001" in log()


def test_no_log_holds_a_whole_number(desk, log):
    desk.exchange.account.blacklist.add(ON_DUTY)
    desk.exchange.script(SECOND, Script.busy())
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")

    notifier(EVERYBODY)(of_task())
    notifier([ON_DUTY])(of_task(run_id="another"))

    assert "7916…0002" in log()
    for number in (*EVERYBODY, VNUMBER):
        assert number not in log()
    assert not any(number in value for number in EVERYBODY for value in Variables.values.values())


@pytest.mark.parametrize(
    ("context", "people", "warned"),
    [
        (of_task(), 2, True),
        (of_task(), 1, False),
        (of_dag(), 2, False),
        (of_dag(), 3, True),
        (DEADLINE, 3, False),
    ],
)
def test_the_log_warns_where_airflow_allows_too_little_time_for_everybody(desk, log, context, people, warned):
    notifier(EVERYBODY[:people])(context)

    assert ("Airflow ends this callback after" in log()) is warned


def test_parsing_a_dag_with_a_notifier_loads_no_http():
    code = f"import sys; import {PATH.rpartition('.')[0]}; print('requests' in sys.modules)"
    before = (
        "import sys; from airflow.providers.common.compat.sdk import BaseNotifier, Variable, conf; "
        "print('requests' in sys.modules)"
    )
    loaded = [
        subprocess.run(
            [sys.executable, "-c", c], capture_output=True, text=True, timeout=60, check=True
        ).stdout
        for c in (before, code)
    ]

    assert loaded[1] == loaded[0]
