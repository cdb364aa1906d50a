"""Without a journal, a retry calls nobody whom an earlier try may have called."""

from __future__ import annotations

from typing import Any

import pytest
from airflow_fakes import CONTACT, Task
from ways_to_wait import waiting_task

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import CallUnresolved
from airflow_provider_callapi.hooks.callapi import CallApiHook

pytest_plugins = ["airflow_desk"]
START = "start.informer_call"


class WorkerDied(BaseException):
    """Ends a try as a lost worker does: no code of the provider runs."""


lost = pytest.mark.parametrize("lost", ["durable=False", "Airflow before 3.3"])


@pytest.fixture(autouse=True)
def without_data_api(desk: Any) -> None:
    desk.connect(extra={"data_api": False})


def task(desk: Any, lost: str, **changes: Any) -> Task:
    calling = waiting_task(desk, "worker", durable=lost != "durable=False", **changes)
    if lost != "durable=False":
        calling.state = None
    return calling


def die_in(method: str, calling: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a try whose worker dies when the try calls a method of the hook."""

    def die(*args: Any, **kwargs: Any) -> Any:
        raise WorkerDied

    with monkeypatch.context() as dying:
        dying.setattr(CallApiHook, method, die)
        with pytest.raises(WorkerDied):
            calling.run()


def die_in_the_wait(calling: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    die_in("watch_session", calling, monkeypatch)
    calling.desk.clock.advance(600)  # the call has ended


@lost
def test_a_retry_rings_nobody_after_a_worker_died_with_its_call(desk, monkeypatch, lost):
    desk.exchange.script(CONTACT, Script(rings=2, talks=5))
    calling = task(desk, lost)
    die_in_the_wait(calling, monkeypatch)

    for _ in range(2):  # also if Airflow retries once more
        with pytest.raises(CallUnresolved, match="An earlier try ended, and may have placed the call"):
            calling.retry()

    assert desk.exchange.rings(CONTACT) == 1


@lost
@pytest.mark.parametrize(("data_api", "talks"), [(True, 5), (False, 2000)])
def test_a_retry_finds_the_call_that_is_active_or_reported(desk, monkeypatch, lost, data_api, talks):
    desk.connect(extra={"data_api": data_api})
    desk.exchange.script(CONTACT, Script(rings=2, talks=talks))
    calling = task(desk, lost)
    die_in_the_wait(calling, monkeypatch)

    assert calling.retry()["answered"]
    assert desk.exchange.rings(CONTACT) == 1


@lost
def test_a_clear_or_at_least_once_calls_again(desk, monkeypatch, lost):
    cleared = task(desk, lost)
    die_in_the_wait(cleared, monkeypatch)
    cleared.clear()
    assert desk.exchange.rings(CONTACT) == 2

    urgent = task(desk, lost, delivery="at_least_once", external_id="order-8")
    die_in_the_wait(urgent, monkeypatch)
    urgent.retry()
    assert desk.exchange.rings(CONTACT) == 4


@lost
@pytest.mark.parametrize("external_id", [None, "order-8"])
def test_a_retry_dials_if_no_start_request_was_carried_out(desk, lost, external_id):
    desk.exchange.fault(Fault.REFUSE, method=START, times=5)
    calling = task(desk, lost, external_id=external_id)
    with pytest.raises(CallApiError):
        calling.run()

    calling.retry()

    assert desk.exchange.rings(CONTACT) == 1


@lost
@pytest.mark.parametrize("external_id", [None, "order-8"])
def test_no_retry_forgets_the_mark_of_the_try_before(desk, monkeypatch, lost, external_id):
    calling = task(desk, lost, external_id=external_id)
    die_in_the_wait(calling, monkeypatch)
    calling.ti.try_number += 1
    die_in("call_gateway", calling, monkeypatch)  # before the search

    with pytest.raises(CallUnresolved):
        calling.retry()

    assert desk.exchange.rings(CONTACT) == 1
