"""A try with another connection than the earlier try: it takes no active call for ended."""

from __future__ import annotations

from typing import Any

import pytest
from airflow_fakes import CONTACT, Task
from ways_to_wait import lose_the_first_try, waiting_task, ways

from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import (
    CallApiFailure,
    CallStillActive,
)

pytest_plugins = ["airflow_desk"]


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize("changes", [{}, {"absence_proven_after": 300}], ids=["at most once", "proof"])
def test_a_try_with_another_connection_does_not_search_for_the_call_of_an_earlier_try(
    desk, monkeypatch, changes
):
    desk.exchange.script(CONTACT, Script(rings=1, talks=60))
    desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")
    options: dict[str, Any] = dict(changes)
    calling = Task(desk, lambda: waiting_task(desk, **options).make())
    lose_the_first_try(calling, monkeypatch)

    options["callapi_conn_id"] = desk.connect_another_account()
    with pytest.raises(CallApiFailure, match=r"external_id af-\S+-1 may .* connection callapi_default,"):
        calling.retry()
    options["callapi_conn_id"] = "callapi_default"

    assert calling.retry()["answered"]
    assert desk.exchange.rings(CONTACT) == 1


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_try_with_another_connection_does_not_take_an_active_call_for_ended(desk, way):
    desk.exchange.script(CONTACT, Script(rings=1, talks=3000))
    options: dict[str, Any] = {"timeout": 30}
    calling = Task(desk, lambda: waiting_task(desk, way, **options).make())
    with pytest.raises(CallStillActive):
        calling.run()

    options["callapi_conn_id"] = desk.connect_another_account()
    with pytest.raises(CallApiFailure, match=r"call session \d+ was placed through connection callapi_def"):
        calling.retry()
    assert desk.exchange.rings(CONTACT) == 1


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_resumed_task_with_another_connection_does_not_take_an_active_call_for_ended(desk, monkeypatch):
    desk.exchange.script(CONTACT, Script(rings=1, talks=3000))
    options: dict[str, Any] = {"tags": {"answered": 36}}
    calling = Task(desk, lambda: waiting_task(desk, "deferral", **options).make())
    trigger = calling.trigger

    def change_the_connection(given):
        event = trigger(given)
        options["callapi_conn_id"] = desk.connect_another_account()
        return event

    monkeypatch.setattr(calling, "trigger", change_the_connection)
    with pytest.raises(CallApiFailure, match=r"call session \d+ was placed through connection callapi_def"):
        calling.run()


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_new_call_may_use_another_connection_than_the_last_call(desk):
    options: dict[str, Any] = {}
    calling = Task(desk, lambda: waiting_task(desk, **options).make())
    calling.run()

    options["callapi_conn_id"] = desk.connect_another_account()
    assert calling.retry()["attempt"] == 1, "a retry returns the finished call"
    assert calling.clear()["attempt"] == 2


@pytest.mark.needs_airflow("3.3", "task state")
def test_an_alert_that_must_ring_may_use_another_connection(desk, monkeypatch):
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")
    options: dict[str, Any] = {"delivery": "at_least_once"}
    calling = Task(desk, lambda: waiting_task(desk, **options).make())
    lose_the_first_try(calling, monkeypatch)

    options["callapi_conn_id"] = desk.connect_another_account()
    assert calling.retry()["answered"]
    assert desk.exchange.rings(CONTACT) == 1
