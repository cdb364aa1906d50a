"""One call per alert: which failures are one alert, and when an alert rings again."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from airflow.sdk.execution_time.context import set_current_context
from failing_callbacks import (
    ON_DUTY,
    SECOND,
    Variables,
    in_the_triggerer,
    notifier,
    of_dag,
    of_deadline,
    of_task,
    rung,
    waiting_for_a_decision,
)

from airflow_provider_callapi.emulator import Fault, Script

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


def test_another_run_rings_separately(desk):
    notifier()(of_task(run_id="manual__1"))
    desk.sleep(30)
    notifier()(of_task(run_id="manual__2"))

    assert rung(desk) == [ON_DUTY, ON_DUTY]


def test_runs_that_fail_alternately_have_separate_claims(desk):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script.busy()
    for task in ("a", "b", "c"):
        for run_id in ("manual__1", "manual__2"):
            notifier()(of_task(task, run_id=run_id))
            desk.sleep(20)

    assert rung(desk) == [ON_DUTY, ON_DUTY]


def test_runs_with_the_same_external_id_ring_once(desk):
    desk.exchange.default_script = Script.busy()
    for run_id in ("manual__1", "manual__2"):
        notifier(external_id="sales-{{ ti.dag_id }}")(of_task(run_id=run_id))
        desk.sleep(30)

    assert rung(desk) == [ON_DUTY]
    assert desk.exchange.calls[0].external_id == "sales-sales-1"


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


def test_a_callback_that_places_no_call_lets_the_next_one_ring_at_once(desk):
    desk.exchange.account.blacklist.add(ON_DUTY)
    began = desk.clock()
    notifier()(of_task("a"))
    notifier(SECOND)(of_task("b"))

    assert rung(desk) == [SECOND]
    assert desk.clock() - began < 12  # two claims; the second callback did not wait for the first to ring


@pytest.mark.parametrize("deadline", [None, "1", {}, {"id": None}])
def test_a_deadline_without_an_id_rings(desk, deadline):
    in_the_triggerer(notifier(), {**of_deadline(), "deadline": deadline})

    assert rung(desk) == [ON_DUTY]


def test_an_alert_whose_people_have_all_been_called_says_so(desk, log):
    context = of_task("ring_everybody")
    for _ in range(2):
        with set_current_context(context):
            notifier([ON_DUTY])(context)

    assert rung(desk) == [ON_DUTY]
    assert "every person has been called before" in log()


def test_a_configuration_that_cannot_be_read_does_not_prevent_the_alert(desk, monkeypatch, capsys):
    def fail():
        raise RuntimeError(f"no secret of {SECOND}")

    monkeypatch.setattr("airflow_provider_callapi.notifications._alert.alert_lock.read_deployment", fail)
    notifier()(of_task())

    assert rung(desk) == [ON_DUTY]
    log = capsys.readouterr().out
    assert "Other callbacks may ring too, because the configuration cannot be read: no secret of" in log
    assert SECOND not in log


def test_an_acknowledgement_is_stored_as_soon_as_the_variable_can_be_written_again(desk, monkeypatch):
    store, failures = Variables.set.__func__, ["acknowledged"] * 2

    def fail_twice(cls, key, value, description):
        if json.loads(value)["acknowledged"] and failures:
            failures.pop()
            raise RuntimeError("503")
        store(cls, key, value, description)

    monkeypatch.setattr(Variables, "set", classmethod(fail_twice))
    desk.exchange.default_script = Script(rings=1, talks=20)
    in_the_triggerer(notifier([ON_DUTY, SECOND]), of_deadline())

    assert rung(desk) == [ON_DUTY]
    (claim,) = map(json.loads, Variables.values.values())
    assert claim["acknowledged"] is True
    assert failures == []
