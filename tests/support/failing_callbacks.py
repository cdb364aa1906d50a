"""Contexts with which Airflow calls failure callbacks, a notifier, and Variables without a database."""

from __future__ import annotations

import asyncio
import copy
from importlib.metadata import version
from types import SimpleNamespace
from typing import ClassVar

import pytest
from airflow.sdk import DAG
from airflow_fakes import VNUMBER
from packaging.version import Version

from airflow_provider_callapi.notifications._alert import (
    ringing,
    variable_store,
)
from airflow_provider_callapi.notifications.callapi import CallApiNotifier

ON_DUTY, SECOND, THIRD = "79160000001", "79160000002", "79160000003"
ALL_CONTACTS = [ON_DUTY, SECOND, THIRD]
RUN = "scheduled__2026-11-23T22:00:00+00:00"
PATH = "airflow_provider_callapi.notifications.callapi.CallApiNotifier"


class Variables:
    """A fake of Airflow's Variables that needs no database."""

    values: ClassVar[dict[str, str]] = {}
    broken = read_only = False

    @classmethod
    def get(cls, key, default):
        if cls.broken:
            raise RuntimeError("403")
        return cls.values.get(key, default)

    @classmethod
    def set(cls, key, value, description):
        assert not cls.read_only, "this callback would hang: Airflow does not answer its write"
        cls.values[key] = value

    @classmethod
    def keys(cls, prefix):
        return [key for key in cls.values if key.startswith(prefix)]

    @classmethod
    def delete(cls, key):
        del cls.values[key]


class HITLOperator:
    """Stands for Airflow's operator, which exists from Airflow 3.1 on."""


class ApprovalOperator(HITLOperator):
    """Stands for a subclass of Airflow's operator."""


def waiting_for_a_decision(task_id="approve", **more):
    """Return the context that Airflow's human-in-the-loop operators pass to their notifiers."""
    context = of_task(task_id, task=ApprovalOperator())
    del context["exception"]
    return {**context, **more}


def of_task(task_id="load", run_id=RUN, **more):
    """Return the context that Airflow passes to the failure callback of a task."""
    ti = SimpleNamespace(dag_id="sales", task_id=task_id, run_id=run_id, map_index=-1)
    return {"dag": DAG("sales"), "ti": ti, "run_id": run_id, "exception": RuntimeError("no"), **more}


def of_dag():
    """Return the context that the DAG processor passes to the failure callback of a DAG, without a task."""
    return {"dag": DAG("sales"), "run_id": RUN, "reason": "task_failure"}


DEADLINE = {
    "dag_run": {"dag_id": "sales", "dag_run_id": RUN},
    "deadline": {"id": "1", "deadline_time": "2026-11-23T23:00:00Z"},
}


def of_deadline():
    """Return the context that Airflow passes to the callback of a missed deadline: plain JSON."""
    if Version(version("apache-airflow-core")) < Version("3.1"):
        pytest.skip("this Airflow has no deadlines, 3.1 has")
    return copy.deepcopy(DEADLINE)


CONTEXTS = [
    pytest.param(of_task(), id="task"),
    pytest.param(of_dag(), id="dag"),
    pytest.param(DEADLINE, id="deadline", marks=pytest.mark.needs_airflow("3.1", "deadlines")),
]


def notifier(contact=ON_DUTY, **changes):
    """Return a notifier that calls the person on duty. ``changes`` replace parameters of the notifier."""
    return CallApiNotifier(**{"contact": contact, "virtual_phone_number": VNUMBER, **changes})


class Killed(BaseException):
    """The end of a process or callback that Airflow kills."""


def killed_after_a_call(monkeypatch, notify, context):
    """Run a notifier that Airflow kills while the notifier waits for the answer to its first call."""

    async def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(ringing, "wait_for_acknowledgement", killed)
        with pytest.raises(Killed):
            notify(context)


def rung(desk):
    """Return the numbers of all phones that rang at the exchange, in the order of the rings."""
    return [entry.phone for entry in desk.exchange.journal if entry.kind == "ring"]


def sync(notify, context):
    """Run a notifier as a synchronous callback."""
    notify(context)


def in_the_triggerer(notify, context):
    """Run a notifier as an asynchronous callback, as the triggerer does."""

    async def wait():
        await notify

    notify.context = context
    asyncio.run(wait())


SYNC_AND_ASYNC = pytest.mark.parametrize("ring", [sync, in_the_triggerer])


def without_airflows_database(desk, monkeypatch):
    """Give the notifier Variables without a database."""
    monkeypatch.setattr(variable_store, "Variable", Variables)
    monkeypatch.setattr(Variables, "values", {})
