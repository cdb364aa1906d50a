"""The example: a run fails in a real Airflow, and all people of a list are rung at the emulator."""

from __future__ import annotations

import pytest
from copied_examples import EXAMPLES

from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.notifications.callapi import CallApiNotifier

EXAMPLE = EXAMPLES / "ring_everybody.py"
PEOPLE = ["79161234567", "79161234568", "79161234569"]


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    """Shorten ``settle`` and the interval between two polls."""
    defaults = {**CallApiNotifier.__init__.__kwdefaults__, "settle": 0.1}
    monkeypatch.setattr(CallApiNotifier.__init__, "__kwdefaults__", defaults)
    pause = Snapshot.pause
    monkeypatch.setattr(Snapshot, "pause", lambda snapshot, interval: pause(snapshot, interval / 50))


def test_all_people_of_the_list_are_rung_and_the_run_is_failed(run_dag, exchange):
    exchange.default_script = Script.busy(0)

    run = run_dag(EXAMPLE)

    assert [exchange.rings(person) for person in PEOPLE] == [1, 1, 1]
    assert run.state == "failed"
    assert run.states["ring_everybody"] == "failed"


def test_no_one_is_rung_after_an_answer_and_the_run_still_fails(run_dag, exchange):
    exchange.default_script = Script.busy(0)
    exchange.script(PEOPLE[1], Script(rings=0.2, talks=2))

    run = run_dag(EXAMPLE)

    assert [exchange.rings(person) for person in PEOPLE] == [1, 1, 0]
    assert run.state == "failed"


def test_no_phone_rings_for_a_run_without_failures(run_dag, exchange):
    run = run_dag(EXAMPLE, conf={"fails": False})

    assert [exchange.rings(person) for person in PEOPLE] == [0, 0, 0]
    assert (run.state, run.states["ring_everybody"]) == ("success", "skipped")
