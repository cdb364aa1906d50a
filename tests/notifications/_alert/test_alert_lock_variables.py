"""Alerts whose Variable cannot be used, is deleted, or keeps no claim: someone rings all the same."""

from __future__ import annotations

import json
import logging

import pytest
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

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.calls.alerts.claims import Progress
from airflow_provider_callapi.calls.alerts.election import Candidate
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.notifications._alert import ringing, variable_store
from airflow_provider_callapi.notifications._alert.alert_lock import AlertLock
from airflow_provider_callapi.notifications._alert.variable_store import VariableStore

pytest_plugins = ["airflow_desk"]


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
    candidate = Candidate(
        VariableStore(), "callapi_alert_run_1", "me", 900.0, 4.0, desk.clock, desk.clock, desk.sleep
    )
    lock = AlertLock("run 1", logging.getLogger("airflow_provider_callapi"), candidate)
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


def test_a_deadlines_sync_callback_writes_no_variable(desk, monkeypatch):
    """Airflow's callback supervisor drops the request to write a Variable, and its sender waits forever."""
    monkeypatch.setattr(Variables, "read_only", True)

    notifier()(of_deadline())

    assert rung(desk) == [ON_DUTY]


def test_a_callback_calls_everybody_although_a_user_deletes_its_variable_and_a_task_fails(desk, monkeypatch):
    desk.exchange.default_script = Script.no_answer(25)
    wait, once = ringing.wait_for_acknowledgement, iter([True])

    async def waits(*args):
        if next(once, False):
            Variables.values.clear()
            notifier(ALL_CONTACTS)(of_task())
        return await wait(*args)

    monkeypatch.setattr(ringing, "wait_for_acknowledgement", waits)
    in_the_triggerer(notifier(ALL_CONTACTS), of_deadline())

    assert rung(desk) == ALL_CONTACTS


def test_a_callback_that_has_waited_does_not_begin_anew_if_its_variable_is_deleted(desk, monkeypatch):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script.no_answer(25)
    killed_after_a_call(monkeypatch, notifier(ALL_CONTACTS), of_task())
    sleep, deletes = desk.sleep, iter([True])

    def sleeps(seconds):
        sleep(seconds)
        if desk.clock() - began > 40 and next(deletes, False):
            Variables.values.clear()

    began = desk.clock()
    monkeypatch.setattr(system_clock, "sleep", sleeps)
    in_the_triggerer(notifier(ALL_CONTACTS), of_deadline())

    assert rung(desk) == ALL_CONTACTS


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

    in_the_triggerer(notifier(ALL_CONTACTS), of_deadline())

    assert rung(desk) == ALL_CONTACTS
    assert desk.clock() - began < 180


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
    in_the_triggerer(notifier(ALL_CONTACTS), of_deadline())

    (claim,) = Variables.values.values()
    assert json.loads(claim)["acknowledged"]
    assert rung(desk) == [ON_DUTY]
