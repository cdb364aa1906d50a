"""Calls with equal names: of two deployments on one account, and of two tasks with one external_id."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from airflow_fakes import CONTACT, Task, TaskInstance, informer_task
from failing_callbacks import notifier, of_task

from airflow_provider_callapi.calls.deployment import Deployment
from airflow_provider_callapi.deployment_settings import read_deployment
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import CallUnresolved

pytest_plugins = ["airflow_desk"]

START = "start.informer_call"


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that makes the tested code belong to another deployment."""

    def enter(name: str) -> None:
        monkeypatch.setenv("AIRFLOW__API__BASE_URL", f"https://{name}.example")
        monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", f"key of {name}")
        read_deployment.cache_clear()

    yield enter
    read_deployment.cache_clear()


def test_an_alert_of_another_deployment_on_the_account_rings_too(desk, deployment):
    for name in ("staging", "production"):
        deployment(name)
        notifier(contact=CONTACT, quiet_for=3600)(of_task())
    assert desk.exchange.rings(CONTACT) == 2


def test_a_task_does_not_adopt_the_call_of_an_equal_task_of_another_deployment(desk, deployment):
    desk.exchange.script(CONTACT, Script(rings=1, talks=3000))
    deployment("staging")
    own = {"external_id": None, "wait_for_completion": False}
    first = informer_task(desk, **own).run()
    deployment("production")
    desk.exchange.fault(Fault.DROP_BEFORE, method=START)

    with pytest.raises(CallUnresolved):
        informer_task(desk, **own).run()

    assert desk.exchange.rings(CONTACT) == 1
    assert desk.exchange.call(first["call_session_id"]).active


def order_task(desk: Any, task_id: str, **changes: Any) -> Task:
    task = informer_task(
        desk, external_id="order-7", contact_message={"type": "tts", "value": task_id}, **changes
    )
    task.ti = TaskInstance(task_id=task_id)
    return task


LATER: dict[str, Callable[[Any], object]] = {
    "while the first call is active": lambda desk: desk.clock.advance(5),
    "soon after the first call": lambda desk: desk.clock.advance(60),
    "after the report of the first call": lambda desk: desk.clock.advance(400),
}


@pytest.mark.parametrize("later", LATER)
@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize("data_api", [False, True])
def test_a_lost_start_request_does_not_adopt_the_call_of_another_task_for_the_same_order(
    desk, later, deferrable, data_api
):
    desk.connect(extra={"data_api": data_api})
    desk.exchange.script(CONTACT, Script(rings=1, talks=30))
    order_task(desk, "confirm", wait_for_completion=False).run()
    LATER[later](desk)
    desk.exchange.fault(Fault.DROP_BEFORE, method=START)

    with pytest.raises(CallUnresolved):
        order_task(desk, "deliver", deferrable=deferrable).run()

    assert desk.exchange.rings(CONTACT) == 1


@pytest.mark.parametrize("later", LATER)
def test_an_unconfirmed_call_is_found_next_to_the_call_of_another_task_for_the_same_order(desk, later):
    desk.exchange.script(CONTACT, Script(rings=1, talks=30))
    first = order_task(desk, "confirm", wait_for_completion=False).run()
    LATER[later](desk)
    desk.exchange.fault(Fault.DROP_AFTER, method=START)

    second = order_task(desk, "deliver").run()

    assert second["call_session_id"] != first["call_session_id"]
    assert desk.exchange.rings(CONTACT) == 2


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize(("keys", "rings"), [("new,old", 1), ("new", 1), ("", 1)])
def test_a_new_secret_key_does_not_make_a_retry_ring_again(desk, monkeypatch, keys, rings):
    desk.exchange.script(CONTACT, Script(rings=1, talks=300))
    task = informer_task(desk, timeout=30)
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "old")
    read_deployment.cache_clear()
    with pytest.raises(Exception, match="still active"):
        task.run()
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", keys)
    read_deployment.cache_clear()

    try:
        assert "." in task.journal["fingerprint"]
        desk.clock.advance(300)
        task.retry()
    finally:
        read_deployment.cache_clear()

    assert desk.exchange.rings(CONTACT) == rings


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_journal_does_not_reveal_the_number_without_the_secret_key(desk, deployment):
    deployment("production")
    task = informer_task(desk, external_id=None, wait_for_completion=False)
    task.run()

    stored = json.dumps(task.state.values)
    owner = (task.ti.dag_id, task.ti.run_id, task.ti.task_id, str(task.ti.map_index))
    guess = (*owner, CONTACT)
    assert read_deployment().is_fingerprint_of(task.journal["fingerprint"], *guess) is True
    for keys in ((), (b"",), (b"a guess",)):
        thief = Deployment(name="https://production.example", keys=keys)
        assert thief.is_fingerprint_of(task.journal["fingerprint"], *guess) is None
    for digest in (hashlib.sha256, hashlib.sha1, hashlib.md5):
        assert digest("\n".join(guess).encode()).hexdigest()[:12] not in stored
        assert digest(CONTACT.encode()).hexdigest()[:12] not in stored
    assert CONTACT not in stored
