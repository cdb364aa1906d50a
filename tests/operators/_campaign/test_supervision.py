"""A campaign's task that a user pauses, resumes or stops, with each kind of ledger."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from campaign_desk import PEOPLE, campaign, in_seconds

from airflow_provider_callapi.calls.campaign.wishes import Wish, WishKind
from airflow_provider_callapi.calls.stores import MemoryStore
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.ledgers.keyed_supervision import KeyedSupervision
from airflow_provider_callapi.ledgers.sql_supervision import SqlSupervision, open_sql_supervision
from airflow_provider_callapi.operators._campaign.supervision import Supervision
from airflow_provider_callapi.task_context.state_keys import PROGRESS_KEY, WISH_KEY

pytest_plugins = ["airflow_desk", "campaign_desk"]
IN_TASK_STATE = pytest.param(None, marks=pytest.mark.needs_airflow("3.3", "task state"))


@pytest.fixture
def desk(desk):
    desk.exchange.default_script = Script(rings=3, talks=60)
    return desk


def rings(desk: Any) -> int:
    return sum(desk.exchange.rings(phone) for phone in PEOPLE)


def raises(error: Exception) -> Any:
    raise error


def ask(task: Any, ledger: str | None, kind: WishKind, by: str = "anna") -> None:
    """Ask something of the campaign, from outside its process."""
    wish = Wish(kind, by, task.desk.clock())
    if ledger is None:
        task.state.set(WISH_KEY, wish.to_json())
    else:
        open_sql_supervision(ledger).write_wish("spring", wish)


@pytest.mark.parametrize("ledger", [IN_TASK_STATE, "ledger"])
def test_a_paused_campaign_dials_no_one_and_continues_after_a_resume(desk, capsys, ledger):
    task = campaign(desk, ledger_conn_id=ledger, max_active_calls=2)
    counted: list[int] = []
    ask(task, ledger, WishKind.PAUSE)
    in_seconds(desk, 1200, lambda: counted.append(rings(desk)))
    in_seconds(desk, 1200, lambda: ask(task, ledger, WishKind.RESUME, "boris"))

    summary = task.run()

    assert counted == [0]
    assert summary["results"]["answered"] == 12
    log = capsys.readouterr().out
    assert (log.count("anna paused the campaign: "), log.count("boris resumed")) == (1, 1)


@pytest.mark.parametrize("ledger", [IN_TASK_STATE, "ledger"])
def test_a_paused_campaign_frees_its_worker_and_logs_the_pause_once(desk, capsys, ledger):
    task = campaign(desk, ledger_conn_id=ledger, deferrable=True)
    counted: list[int] = []
    ask(task, ledger, WishKind.PAUSE)
    wait = task.trigger

    def resume_after_the_third_wait(trigger: Any) -> Any:
        event = wait(trigger)
        counted.append(rings(desk))
        if len(counted) == 3:
            ask(task, ledger, WishKind.RESUME, "boris")
        return event

    task.trigger = resume_after_the_third_wait  # type: ignore[method-assign]

    summary = task.run()

    assert counted[:3] == [0, 0, 0]
    assert summary["results"]["answered"] == 12
    log = capsys.readouterr().out
    assert (log.count("anna paused the campaign: "), log.count("boris resumed")) == (1, 1)


@pytest.mark.parametrize("ledger", [IN_TASK_STATE, "ledger"])
def test_a_stopped_campaign_ends_after_its_calls_and_its_task_fails_without_a_retry(desk, capsys, ledger):
    task = campaign(desk, ledger_conn_id=ledger, max_active_calls=3)
    in_seconds(desk, 30, lambda: ask(task, ledger, WishKind.STOP))

    with pytest.raises(CallApiFailure, match="The campaign was stopped: anna stopped the campaign"):
        task.run()

    assert rings(desk) == 3
    assert task.ti.xcoms["return_value"]["results"]["answered"] == 3
    assert capsys.readouterr().out.count("anna stopped the campaign: ") == 1


@pytest.mark.parametrize("ledger", [IN_TASK_STATE, "ledger"])
def test_a_cleared_task_of_a_stopped_campaign_calls_the_rest_only_after_a_resume(desk, ledger):
    task = campaign(desk, ledger_conn_id=ledger, max_active_calls=3)
    in_seconds(desk, 30, lambda: ask(task, ledger, WishKind.STOP))
    for again in (task.run, task.clear):
        with pytest.raises(CallApiFailure, match="anna stopped the campaign"):
            again()
    assert rings(desk) == 3

    ask(task, ledger, WishKind.RESUME)

    assert task.clear()["results"]["answered"] == 12
    assert rings(desk) == 12


@pytest.mark.parametrize("ledger", [IN_TASK_STATE, "ledger"])
def test_a_campaign_publishes_its_progress_next_to_its_ledger(desk, ledger, tmp_path):
    task = campaign(desk, ledger_conn_id=ledger, shard="1/1", report=f"file://{tmp_path}/report.html")
    task.run()

    if ledger is None:
        published = task.state.get(PROGRESS_KEY)
    else:
        (progress,) = open_sql_supervision("ledger").list_progress()
        published = progress.to_json()

    assert published["owner"] == ["dag", "run", "call", "-1"]
    assert (published["campaign"], published["shard"]) == ("spring", "1/1")
    assert (published["connection"], published["files"]) == (
        "callapi_default",
        [f"file://{tmp_path}/report.html"],
    )
    assert (published["doing"], published["people"], published["finished"]) == ("over", 12, 12)


def test_the_last_wish_stays_in_force_if_the_store_fails(caplog) -> None:
    store = MemoryStore()
    wish = Wish(WishKind.PAUSE, "anna", 1.0)
    store.set(WISH_KEY, wish.to_json())
    supervision = Supervision("spring", lambda: KeyedSupervision(store), logging.getLogger("supervision"))
    assert supervision.read_wish() == wish

    store.set(WISH_KEY, {"kind": "nonsense of 79161234567"})

    assert [supervision.read_wish(), supervision.read_wish()] == [wish, wish]
    assert caplog.text.count("goes on as before") == 1
    resume = Wish(WishKind.RESUME, "anna", 2.0)
    store.set(WISH_KEY, resume.to_json())
    assert supervision.read_wish() == resume


@pytest.mark.parametrize("ledger", [IN_TASK_STATE, "ledger"])
def test_a_paused_campaign_dials_no_one_in_a_try_that_cannot_read_the_pause(desk, monkeypatch, ledger):
    task = campaign(desk, ledger_conn_id=ledger)
    ask(task, ledger, WishKind.PAUSE)

    with monkeypatch.context() as outage:
        for store in (KeyedSupervision, SqlSupervision):
            outage.setattr(store, "read_wish", lambda *_: raises(OSError("away, said 79161234567")))
        with pytest.raises(CallApiTrouble, match="paused or stopped it: OSError: away, said 7916…4567"):
            task.run()

    assert rings(desk) == 0


def test_a_store_that_cannot_be_opened_is_tried_again() -> None:
    stores = iter([OSError("away"), KeyedSupervision(MemoryStore())])

    def open_store() -> Any:
        store = next(stores)
        if isinstance(store, Exception):
            raise store
        return store

    supervision = Supervision("spring", open_store, logging.getLogger("supervision"))

    with pytest.raises(CallApiTrouble, match="OSError: away"):
        supervision.read_wish()
    assert supervision.read_wish() is None
