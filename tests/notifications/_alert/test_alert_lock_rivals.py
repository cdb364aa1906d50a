"""Callbacks that compete for one alert: each person is called once, whoever is slow or killed."""

from __future__ import annotations

import importlib
import json
import math
import multiprocessing
import threading
import time

import pytest
from airflow.sdk.execution_time.context import set_current_context
from failing_callbacks import (
    ALL_CONTACTS,
    ON_DUTY,
    SECOND,
    Variables,
    in_the_triggerer,
    killed_after_a_call,
    notifier,
    of_deadline,
    of_task,
    rung,
)

from airflow_provider_callapi.api.errors import Unanswered
from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.api.retrying_client import RetryingClient
from airflow_provider_callapi.calls.account_reports import AccountReports
from airflow_provider_callapi.calls.deployment import NO_DEPLOYMENT
from airflow_provider_callapi.emulator import Emulator, Exchange, Fault, Script
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.notifications._alert import alert_lock, ringing, variable_store

pytest_plugins = ["airflow_desk"]


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


def let_requests_wait(monkeypatch, sleep):
    """Let each request that waits for points call a function with the seconds that it waits."""
    monkeypatch.setattr(
        "airflow_provider_callapi.hooks.callapi.RetryingClient",
        lambda client, **options: RetryingClient(client, **{**options, "sleep": sleep}),
    )


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

    let_requests_wait(monkeypatch, waits)
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

    let_requests_wait(monkeypatch, waits)
    in_the_triggerer(notifier(), of_deadline())

    assert len(rivals) == 1
    assert rung(desk) == [ON_DUTY]


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
    after_the_first_start(monkeypatch, desk, lambda: notifier(ALL_CONTACTS)(of_task()), seconds=16)

    in_the_triggerer(notifier(ALL_CONTACTS), of_deadline())

    assert rung(desk) == ALL_CONTACTS


def test_a_callback_that_cannot_write_does_not_continue_beside_the_one_that_rings(desk, monkeypatch):
    desk.exchange.default_script = Script.no_answer(25)
    after_the_first_start(monkeypatch, desk, lambda: notifier(ALL_CONTACTS)(of_deadline()), seconds=1)

    context = of_task("ring_everybody")
    with set_current_context(context):
        notifier(ALL_CONTACTS)(context)

    assert rung(desk) == ALL_CONTACTS


def thread_of(function, *args):
    """Run a function to its end in a thread, because an event loop cannot run another one."""
    thread = threading.Thread(target=function, args=args)
    thread.start()
    thread.join(60)


def test_two_processes_of_one_callback_call_everybody_once(desk, monkeypatch):
    """Airflow moves the trigger to another triggerer while the start request of the first one is slow."""
    desk.exchange.default_script = Script.no_answer(25)
    after_the_first_start(
        monkeypatch,
        desk,
        lambda: thread_of(in_the_triggerer, notifier(ALL_CONTACTS), of_deadline()),
        seconds=5,
    )

    in_the_triggerer(notifier(ALL_CONTACTS), of_deadline())

    assert rung(desk) == ALL_CONTACTS


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


def test_a_callback_that_waited_for_a_killed_one_calls_the_people_who_are_left(desk, monkeypatch):
    desk.exchange.default_script = Script.no_answer(25)
    find, once = ringing.find_earlier_call, iter([True])

    def finds(*args, **named):
        found = find(*args, **named)
        if next(once, False):
            desk.sleep(20)  # the search outlasts the claim
            killed_after_a_call(monkeypatch, notifier(ALL_CONTACTS), of_task())
        return found

    monkeypatch.setattr(ringing, "find_earlier_call", finds)
    in_the_triggerer(notifier(ALL_CONTACTS), of_deadline())

    assert rung(desk) == ALL_CONTACTS


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


def test_a_callback_that_airflow_ends_soon_rings_without_a_claim_rather_than_not_at_all(
    desk, monkeypatch, log, limited
):
    """The claim of a killed callback expires so late that no time is left for an election."""
    always_claimed_by_a_rival(desk, monkeypatch, seconds=limited.seconds - 24.5)

    assert not limited.run(notifier())

    assert rung(desk) == [ON_DUTY]
    assert "Ringing without a claim, because no time is left for an election" in log()


def test_the_time_in_which_a_callback_reads_the_configuration_counts(desk, monkeypatch, limited):
    def slowly():
        desk.sleep(10)
        return NO_DEPLOYMENT

    monkeypatch.setattr(alert_lock, "read_deployment", slowly)
    always_claimed_by_a_rival(desk, monkeypatch)

    assert not limited.run(notifier())


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
    notifier(settle=5.0)(of_task())  # other tests may slow fifty processes down


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
