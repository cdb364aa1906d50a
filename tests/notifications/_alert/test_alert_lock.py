"""One call per alert, for any callbacks in any order."""

from __future__ import annotations

import importlib
import json
import logging
import math
import multiprocessing
import threading
import time
from datetime import timedelta

import pytest
from airflow.sdk.execution_time.context import set_current_context
from failing_callbacks import (
    ON_DUTY,
    SECOND,
    THIRD,
    Variables,
    in_the_triggerer,
    killed_after_a_call,
    notifier,
    of_dag,
    of_deadline,
    of_task,
    rung,
    waiting_for_a_decision,
)

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.errors import Unanswered
from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.api.retrying_client import RetryingClient
from airflow_provider_callapi.calls.account_reports import AccountReports
from airflow_provider_callapi.calls.alerts.election import Progress
from airflow_provider_callapi.calls.deployment import NO_DEPLOYMENT
from airflow_provider_callapi.emulator import Emulator, Exchange, Fault, Script
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.notifications._alert import alert_lock, ringing, variable_store
from airflow_provider_callapi.notifications._alert.alert_lock import AlertLock

pytest_plugins = ["airflow_desk"]


@pytest.mark.parametrize("data_api", [True, False])
def test_the_failures_of_a_run_ring_once(desk, data_api):
    desk.connect(extra={"data_api": data_api})
    desk.exchange.default_script = Script.busy()
    for number in range(5):
        notifier()(of_task(f"load_{number}"))
        desk.sleep(30)  # the call is over

    assert rung(desk) == [ON_DUTY]


def test_an_active_call_of_one_callback_suppresses_the_others(desk):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script(talks=600)
    notifier()(of_task())
    notifier()(of_deadline())
    in_the_triggerer(notifier(), of_deadline())
    notifier()(of_dag())

    assert rung(desk) == [ON_DUTY]


def test_the_variable_suppresses_every_kind_of_callback_after_the_call_ended(desk):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script.busy()
    for context in (of_task(), of_dag(), of_deadline()):
        notifier()(context)
        desk.sleep(60)
    in_the_triggerer(notifier(), of_deadline())

    assert rung(desk) == [ON_DUTY]


@pytest.mark.parametrize("ring", [of_dag, of_deadline])
def test_the_call_of_a_dag_or_a_deadline_suppresses_the_one_of_a_task(desk, ring):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script.busy()
    in_the_triggerer(notifier(), ring())
    desk.sleep(60)
    notifier()(of_task())

    assert rung(desk) == [ON_DUTY]


def test_a_deadlines_sync_callback_writes_no_variable(desk, monkeypatch):
    """Airflow's callback supervisor drops the request to write a Variable, and its sender waits forever."""
    monkeypatch.setattr(Variables, "read_only", True)

    notifier()(of_deadline())

    assert rung(desk) == [ON_DUTY]


def test_runs_that_fail_alternately_have_separate_claims(desk):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script.busy()
    for task in ("a", "b", "c"):
        for run_id in ("manual__1", "manual__2"):
            notifier()(of_task(task, run_id=run_id))
            desk.sleep(20)

    assert rung(desk) == [ON_DUTY, ON_DUTY]


@pytest.mark.parametrize("external_id", [None, "night"])
def test_people_on_duty_for_different_tasks_of_one_run_are_both_rung(desk, external_id):
    desk.exchange.default_script = Script.busy()
    for contact in (ON_DUTY, SECOND, f"+{ON_DUTY}", [SECOND]):
        notifier(contact, external_id=external_id)(of_task(f"for {contact}"))
        desk.sleep(30)

    assert rung(desk) == [ON_DUTY, SECOND], "each of them once, however the number is written"


def test_a_call_about_a_decision_does_not_suppress_the_call_about_a_failure(desk):
    desk.exchange.default_script = Script.busy()
    asking = waiting_for_a_decision()
    with set_current_context(asking):
        notifier()(asking)
    desk.sleep(30)
    notifier()(of_task())

    assert rung(desk) == [ON_DUTY, ON_DUTY]


def test_the_same_alert_rings_again_after_quiet_for(desk):
    desk.exchange.default_script = Script.busy()
    notifier()(of_task())
    desk.sleep(15 * 60 + 1)
    notifier()(of_task())

    assert rung(desk) == [ON_DUTY, ON_DUTY]


@pytest.mark.parametrize("quiet_for", [0, timedelta(0)])
def test_every_failure_rings_without_quiet_for(desk, quiet_for):
    notifier(quiet_for=quiet_for)(of_task("a"))
    notifier(quiet_for=quiet_for)(of_task("b"))

    assert rung(desk) == [ON_DUTY, ON_DUTY]


@pytest.mark.parametrize("own_id", [None, "night-load"])
@pytest.mark.parametrize("talks", [3, 60], ids=["ended", "active"])
def test_without_quiet_for_an_alert_whose_start_is_lost_is_not_taken_for_an_earlier_alert(
    desk, own_id, talks
):
    desk.connect(extra={"data_api": True})
    desk.exchange.default_script = Script(rings=1, talks=talks)
    notifier(quiet_for=0, external_id=own_id)(of_task("a"))
    desk.sleep(30)
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")

    notifier(quiet_for=0, external_id=own_id)(of_task("b"))

    assert rung(desk) == [ON_DUTY, ON_DUTY]


@pytest.mark.parametrize("own_id", [None, "night-load"])
@pytest.mark.parametrize("quiet_for", [30, 300])
def test_after_quiet_for_an_alert_whose_start_is_lost_is_not_taken_for_the_earlier_alert(
    desk, own_id, quiet_for
):
    desk.connect(extra={"data_api": True})
    desk.exchange.default_script = Script(rings=1, talks=3)
    notifier(quiet_for=quiet_for, external_id=own_id)(of_task("a"))
    desk.sleep(quiet_for + 20)
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")

    notifier(quiet_for=quiet_for, external_id=own_id)(of_task("b"))

    assert rung(desk) == [ON_DUTY, ON_DUTY]


def test_another_run_rings_separately(desk):
    notifier()(of_task(run_id="manual__1"))
    desk.sleep(30)
    notifier()(of_task(run_id="manual__2"))

    assert rung(desk) == [ON_DUTY, ON_DUTY]


def test_runs_with_the_same_external_id_ring_once(desk):
    desk.exchange.default_script = Script.busy()
    for run_id in ("manual__1", "manual__2"):
        notifier(external_id="sales-{{ ti.dag_id }}")(of_task(run_id=run_id))
        desk.sleep(30)

    assert rung(desk) == [ON_DUTY]
    assert desk.exchange.calls[0].external_id == "sales-sales-1"


def test_a_callback_that_places_no_call_lets_the_next_one_ring_at_once(desk):
    desk.exchange.account.blacklist.add(ON_DUTY)
    began = desk.clock()
    notifier()(of_task("a"))
    notifier(SECOND)(of_task("b"))

    assert rung(desk) == [SECOND]
    assert desk.clock() - began < 12  # two claims; the second callback did not wait for the first to ring


def test_an_alert_rings_if_variables_cannot_be_used(desk, monkeypatch, log):
    monkeypatch.setattr(Variables, "broken", True)

    notifier()(of_task())

    assert rung(desk) == [ON_DUTY]
    assert "Ringing without a claim" in log()


@pytest.mark.parametrize("data_api", [True, False])
def test_failures_in_a_row_ring_once_without_variables_while_the_call_can_be_found(
    desk, monkeypatch, data_api
):
    """Failures in the same second may each ring, which the page about alerts states."""
    desk.connect(extra={"data_api": data_api})
    monkeypatch.setattr(Variables, "broken", True)
    desk.exchange.default_script = Script(rings=5, talks=60)
    for number in range(20):
        notifier()(of_task(f"load_{number}"))
        desk.sleep(2)

    assert rung(desk) == [ON_DUTY]


def test_an_error_of_the_variable_after_the_claim_is_logged_and_not_raised(desk, monkeypatch, log):
    lock = AlertLock(
        alert="run 1",
        key="callapi_alert_run_1",
        about="task load",
        candidate_id="me",
        quiet_for=900.0,
        settle=4.0,
        abandoned_after=math.inf,
        may_write=True,
        clock=desk.clock,
        timer=desk.clock,
        sleep=desk.sleep,
        log=logging.getLogger("airflow_provider_callapi"),
    )
    assert lock.acquire() is None

    monkeypatch.setattr(Variables, "broken", True)
    lock.check_right()
    lock.withdraw()
    monkeypatch.setattr(Variables, "broken", False)
    monkeypatch.delattr(Variables, "delete")
    Variables.values["callapi_alert_old"] = json.dumps({"alert": "old", "by": "x", "at": 0.0, "until": 1.0})
    lock.record_call(Progress(1, 7))
    lock.delete_expired()
    monkeypatch.setattr(Variables, "read_only", True)
    lock.record_call(Progress(2, 8))

    shown = log()
    assert "Other callbacks may ring too, because the Airflow Variable cannot be used: 403" in shown
    assert "Other callbacks wait for this one, because the Airflow Variable cannot be used: 403" in shown
    assert "Expired Variables callapi_alert_… are not deleted" in shown
    assert "Other callbacks may ring too, because the Airflow Variable cannot be used" in shown


@pytest.mark.parametrize("deadline", [None, "1", {}, {"id": None}])
def test_a_deadline_without_an_id_rings(desk, deadline):
    in_the_triggerer(notifier(), {**of_deadline(), "deadline": deadline})

    assert rung(desk) == [ON_DUTY]


def test_a_callback_whose_search_outlasts_its_claim_does_not_ring_after_a_rival(desk, monkeypatch):
    """The Data API hangs for a deadline's callback. Meanwhile a task of the same run fails and rings."""
    rivals = []

    def hangs(reports, **_):
        if not rivals:
            rivals.append(notifier())
            desk.sleep(20)  # then the lease of the claim is over
            rivals[0](of_task())
        raise Unanswered("no answer")

    monkeypatch.setattr(AccountReports, "of_call", hangs)
    in_the_triggerer(notifier(), of_deadline())

    assert rung(desk) == [ON_DUTY]


def test_a_callback_that_waited_for_points_does_not_ring_after_a_rival(desk, monkeypatch):
    desk.connect(extra={"data_api": False})
    desk.exchange.account.minute_limit = 0
    sleep, rivals = desk.sleep, []

    def waits(seconds):
        sleep(seconds)
        if seconds > 19 and not rivals:
            desk.exchange.account.minute_limit = 1000
            rivals.append(notifier())
            rivals[0](of_task())

    monkeypatch.setattr(
        "airflow_provider_callapi.hooks.callapi.RetryingClient",
        lambda client, **options: RetryingClient(client, **{**options, "sleep": waits}),
    )
    in_the_triggerer(notifier(), of_deadline())

    assert len(rivals) == 1
    assert rung(desk) == [ON_DUTY]


def test_a_callback_without_a_claim_that_waited_for_points_does_not_ring_after_a_rival(desk, monkeypatch):
    """Variables fail for a moment, so the election fails. They work again while the callback waits."""
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script.busy()
    desk.exchange.account.minute_limit = 0
    monkeypatch.setattr(Variables, "broken", True)
    sleep, rivals = desk.sleep, []

    def waits(seconds):
        if not rivals:
            rivals.append(notifier())
            monkeypatch.setattr(Variables, "broken", False)
            desk.exchange.account.minute_limit = 1000
            rivals[0](of_task())
        sleep(seconds)

    monkeypatch.setattr(
        "airflow_provider_callapi.hooks.callapi.RetryingClient",
        lambda client, **options: RetryingClient(client, **{**options, "sleep": waits}),
    )
    in_the_triggerer(notifier(), of_deadline())

    assert len(rivals) == 1
    assert rung(desk) == [ON_DUTY]


PEOPLE = [ON_DUTY, SECOND, THIRD]


def after_the_first_start(monkeypatch, desk, then, *, seconds=0):
    """Let the answer to the first start request take some seconds. Then do something else before it comes."""
    call, first = CallApiHook.call, iter([True])

    def slow(hook, request, **options):
        try:
            return call(hook, request, **options)
        finally:
            if isinstance(request, StartInformerCall) and next(first, False):
                desk.sleep(seconds)
                then()

    monkeypatch.setattr(CallApiHook, "call", slow)


@pytest.mark.parametrize("lost", [False, True])
def test_a_callback_that_finds_the_call_of_a_slow_one_does_not_stop_it(desk, monkeypatch, lost):
    """The other callback has won the election, because the claim of the slow one was too old."""
    desk.exchange.default_script = Script.no_answer(60)
    if lost:
        desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")
    after_the_first_start(monkeypatch, desk, lambda: notifier(PEOPLE)(of_task()), seconds=16)

    in_the_triggerer(notifier(PEOPLE), of_deadline())

    assert rung(desk) == PEOPLE


def test_a_callback_calls_everybody_although_a_user_deletes_its_variable_and_a_task_fails(desk, monkeypatch):
    desk.exchange.default_script = Script.no_answer(25)
    wait, once = ringing.wait_for_acknowledgement, iter([True])

    async def waits(*args):
        if next(once, False):
            Variables.values.clear()
            notifier(PEOPLE)(of_task())
        return await wait(*args)

    monkeypatch.setattr(ringing, "wait_for_acknowledgement", waits)
    in_the_triggerer(notifier(PEOPLE), of_deadline())

    assert rung(desk) == PEOPLE


def test_old_variables_are_deleted_after_the_last_call_and_not_before_the_answer_is_awaited(
    desk, monkeypatch
):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script(rings=5, talks=15)
    for number in range(30):
        old = {"by": "x", "at": 0.0, "until": 1.0}
        Variables.values[f"callapi_alert_{number}"] = json.dumps(old)
    monkeypatch.setattr(
        Variables, "delete", staticmethod(lambda key: (desk.sleep(2), Variables.values.pop(key)))
    )

    in_the_triggerer(notifier([ON_DUTY, SECOND]), of_deadline())

    assert rung(desk) == [ON_DUTY]
    assert len(Variables.values) == 11, "20 of the 30 old Variables are deleted"


def test_a_callback_that_waited_for_a_killed_one_calls_the_people_who_are_left(desk, monkeypatch):
    desk.exchange.default_script = Script.no_answer(25)
    find, once = ringing.find_earlier_call, iter([True])

    def finds(*args, **named):
        found = find(*args, **named)
        if next(once, False):
            desk.sleep(20)  # the search outlasts the claim
            killed_after_a_call(monkeypatch, notifier(PEOPLE), of_task())
        return found

    monkeypatch.setattr(ringing, "find_earlier_call", finds)
    in_the_triggerer(notifier(PEOPLE), of_deadline())

    assert rung(desk) == PEOPLE


def test_a_callback_that_cannot_write_does_not_continue_beside_the_one_that_rings(desk, monkeypatch):
    desk.exchange.default_script = Script.no_answer(25)
    after_the_first_start(monkeypatch, desk, lambda: notifier(PEOPLE)(of_deadline()), seconds=1)

    context = of_task("ring_everybody")
    with set_current_context(context):
        notifier(PEOPLE)(context)

    assert rung(desk) == PEOPLE


def test_two_processes_of_one_callback_call_everybody_once(desk, monkeypatch):
    """Airflow moves the trigger to another triggerer while the start request of the first one is slow."""
    desk.exchange.default_script = Script.no_answer(25)
    after_the_first_start(
        monkeypatch, desk, lambda: thread_of(in_the_triggerer, notifier(PEOPLE), of_deadline()), seconds=5
    )

    in_the_triggerer(notifier(PEOPLE), of_deadline())

    assert rung(desk) == PEOPLE


def always_claimed_by_a_rival(desk, monkeypatch, *, seconds=math.inf):
    """Let each reading give a claim of a rival that does not ring, and is killed after some seconds."""
    rival, ends = {"by": "x", "until": desk.clock() + 900}, desk.clock() + seconds

    def read(*_, **__):
        return json.dumps({**rival, "at": min(desk.clock(), ends)})

    monkeypatch.setattr(Variables, "get", read)


def test_an_alert_without_time_limit_rings_after_a_minute_if_no_callback_wins(desk, monkeypatch, log):
    always_claimed_by_a_rival(desk, monkeypatch)
    began = desk.clock()

    in_the_triggerer(notifier(), of_deadline())

    assert rung(desk) == [ON_DUTY]
    assert 60 <= desk.clock() - began < 90
    assert "Ringing without a claim, because no callback has won the election within a minute" in log()


def test_a_callback_that_airflow_ends_soon_leaves_the_alert_to_the_one_that_has_the_claim(
    desk, monkeypatch, log, limited
):
    """It ends early enough to say so."""
    always_claimed_by_a_rival(desk, monkeypatch)

    assert not limited.run(notifier())

    assert rung(desk) == []
    assert "does not ring: another callback is about to ring, and this one cannot wait longer" in log()


def test_the_time_in_which_a_callback_reads_the_configuration_counts(desk, monkeypatch, limited):
    def slowly():
        desk.sleep(10)
        return NO_DEPLOYMENT

    monkeypatch.setattr(alert_lock, "read_deployment", slowly)
    always_claimed_by_a_rival(desk, monkeypatch)

    assert not limited.run(notifier())


def test_a_callback_that_airflow_ends_soon_rings_without_a_claim_rather_than_not_at_all(
    desk, monkeypatch, log, limited
):
    """The claim of a killed callback expires so late that no time is left for an election."""
    always_claimed_by_a_rival(desk, monkeypatch, seconds=limited.seconds - 24.5)

    assert not limited.run(notifier())

    assert rung(desk) == [ON_DUTY]
    assert "Ringing without a claim, because no time is left for an election" in log()


class Shadowed(Variables):
    """Variables that a custom secrets backend hides: it has a value of its own for each Variable."""

    shadow = ""

    @classmethod
    def get(cls, key, default):
        return cls.shadow


SHADOWS = pytest.mark.parametrize("shadow", ["", "default", {"a": 1}, b"no", 0], ids=repr)


@SHADOWS
def test_a_callback_rings_in_time_although_its_variable_does_not_keep_its_claim(
    desk, monkeypatch, log, limited, shadow
):
    monkeypatch.setattr(variable_store, "Variable", Shadowed)
    monkeypatch.setattr(Shadowed, "shadow", shadow)

    assert not limited.run(notifier())

    assert rung(desk) == [ON_DUTY]
    assert "Ringing without a claim, because the store does not keep a claim" in log()


@SHADOWS
@pytest.mark.parametrize("data_api", [True, False])
def test_an_alert_calls_everybody_although_its_variable_does_not_keep_its_calls(
    desk, monkeypatch, shadow, data_api
):
    desk.connect(extra={"data_api": data_api})
    desk.exchange.default_script = Script.no_answer(25)
    monkeypatch.setattr(variable_store, "Variable", Shadowed)
    monkeypatch.setattr(Shadowed, "shadow", shadow)
    began = desk.clock()

    in_the_triggerer(notifier(PEOPLE), of_deadline())

    assert rung(desk) == PEOPLE
    assert desk.clock() - began < 180


def test_a_callback_that_has_waited_does_not_begin_anew_if_its_variable_is_deleted(desk, monkeypatch):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script.no_answer(25)
    killed_after_a_call(monkeypatch, notifier(PEOPLE), of_task())
    sleep, deletes = desk.sleep, iter([True])

    def sleeps(seconds):
        sleep(seconds)
        if desk.clock() - began > 40 and next(deletes, False):
            Variables.values.clear()

    began = desk.clock()
    monkeypatch.setattr(system_clock, "sleep", sleeps)
    in_the_triggerer(notifier(PEOPLE), of_deadline())

    assert rung(desk) == PEOPLE


def test_a_person_whose_start_got_no_answer_is_not_rung_again_after_an_election(desk, monkeypatch):
    """A rival writes a claim during the search for the call, and is killed before it rings."""
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script(rings=0, talks=1)
    desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")
    rival = {"alert": "run 1", "by": "rival", "at": desk.clock() + 30, "until": desk.clock() + 900}

    def claims():
        Variables.values[next(iter(Variables.values))] = json.dumps(rival)

    after_the_first_start(monkeypatch, desk, claims, seconds=20)
    in_the_triggerer(notifier([ON_DUTY, SECOND]), of_deadline())

    assert rung(desk) == [ON_DUTY, SECOND]


@pytest.mark.parametrize("fails", [1, 4])
def test_an_acknowledgement_is_stored_although_the_variable_cannot_be_written_at_once(
    desk, monkeypatch, fails
):
    desk.exchange.default_script = Script(rings=1, talks=60)
    store = Variables.set
    failures = iter([RuntimeError("503")] * 2 * fails)  # each writing is repeated once

    def sometimes(key, value, description):
        if json.loads(value).get("acknowledged"):
            for failure in failures:
                raise failure
        store(key, value, description)

    monkeypatch.setattr(Variables, "set", sometimes)
    in_the_triggerer(notifier(PEOPLE), of_deadline())

    (claim,) = Variables.values.values()
    assert json.loads(claim)["acknowledged"]
    assert rung(desk) == [ON_DUTY]


def thread_of(function, *args):
    """Run a function to its end in a thread, because an event loop cannot run another one."""
    thread = threading.Thread(target=function, args=args)
    thread.start()
    thread.join(60)


def _fails(barrier, path):
    """The body of one process: one failing task, with Variables in a file."""

    class File(Variables):
        @classmethod
        def get(cls, key, default):
            return path.read_text() if path.exists() else default

        @classmethod
        def set(cls, key, value, description):
            mine = path.with_suffix(f".{multiprocessing.current_process().pid}")
            mine.write_text(value)
            mine.replace(path)

        @classmethod
        def keys(cls, prefix):
            return [prefix] if path.exists() else []

    variable_store.Variable = File
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


@pytest.mark.parametrize("then", ["deadline", "last task"])
def test_a_killed_callback_keeps_no_alert_without_time_limit_from_calling_the_others(desk, monkeypatch, then):
    """Airflow ends the callback of a task after 20 seconds. Nobody has acknowledged, and one is left."""
    desk.exchange.default_script = Script.no_answer(30)

    killed_after_a_call(monkeypatch, notifier([ON_DUTY, SECOND]), of_task())
    desk.sleep(20)
    if then == "deadline":
        in_the_triggerer(notifier([ON_DUTY, SECOND]), of_deadline())
    else:
        context = of_task("ring_everybody")
        with set_current_context(context):
            notifier([ON_DUTY, SECOND])(context)

    assert rung(desk) == [ON_DUTY, SECOND]


def test_a_callback_does_not_wait_longer_than_the_alert_is_quiet(desk, monkeypatch):
    """It would begin with the first person again, because the call of the other callback no longer counts."""
    desk.exchange.default_script = Script.no_answer(30)

    killed_after_a_call(monkeypatch, notifier([ON_DUTY, SECOND], quiet_for=60), of_task())
    began = desk.clock()
    in_the_triggerer(notifier([ON_DUTY, SECOND], quiet_for=60), of_deadline())

    assert rung(desk) == [ON_DUTY]
    assert desk.clock() - began < 30


def test_an_alert_whose_people_have_all_been_called_says_so(desk, log):
    context = of_task("ring_everybody")
    for _ in range(2):
        with set_current_context(context):
            notifier([ON_DUTY])(context)

    assert rung(desk) == [ON_DUTY]
    assert "every person has been called before" in log()
