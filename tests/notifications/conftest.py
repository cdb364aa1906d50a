"""Fixtures of the notifier's tests."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from failing_callbacks import Killed, of_dag, of_task, without_airflows_database

from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.observability import metrics


@pytest.fixture
def log(caplog, capfd):
    """Return a function that returns the log so far, of Python's loggers and of Airflow's, which print."""
    printed = []
    caplog.set_level(logging.DEBUG, logger="airflow_provider_callapi")

    def text():
        printed.extend(capfd.readouterr())
        return caplog.text + "".join(printed)

    return text


@pytest.fixture(autouse=True)
def airflow(desk, monkeypatch):
    """Give the notifier the desk's clock, and Variables without a database."""
    without_airflows_database(desk, monkeypatch)
    return desk


@pytest.fixture(params=[(20, of_task), (50, of_dag)], ids=["task", "dag"])
def limited(request, desk, monkeypatch):
    """Return a callback of a task or a DAG, which Airflow kills after ``seconds``, its default time limit.

    ``run`` runs a notifier in this callback, and returns whether it was killed.
    """
    seconds, context = request.param

    def run(notify):
        ends, advance = desk.clock() + seconds, desk.clock.advance

        def until_the_end(step):
            advance(min(step, max(ends - desk.clock(), 0)))
            if desk.clock() >= ends:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(desk.clock, "advance", until_the_end)
            try:
                notify(context())
            except Killed:
                return True
        return False

    return SimpleNamespace(seconds=seconds, run=run)


@pytest.fixture
def results(monkeypatch):
    """Return a function that returns the counted results of alerts, in order."""
    counted = []
    send = SimpleNamespace(incr=lambda name, *, tags=None: tags and counted.append((name, tags["result"])))
    monkeypatch.setattr(metrics, "_stats", lambda: send)
    return lambda: [result for name, result in counted if name == "callapi.alerts"]


@pytest.fixture
def spoken(desk, monkeypatch):
    """Collect the messages of the placed calls."""
    messages = []
    call = CallApiHook.call

    def records(hook, request, **options):
        answer = call(hook, request, **options)
        if isinstance(request, StartInformerCall):
            messages.append(request.contact_message.value)
        return answer

    monkeypatch.setattr(CallApiHook, "call", records)
    return messages
