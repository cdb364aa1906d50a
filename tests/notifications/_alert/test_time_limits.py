"""An alert within the time that Airflow allows a callback."""

from __future__ import annotations

import pytest
from airflow.sdk.execution_time.context import set_current_context
from failing_callbacks import (
    ALL_CONTACTS,
    DEADLINE,
    ON_DUTY,
    Killed,
    Variables,
    killed_after_a_call,
    notifier,
    of_dag,
    of_deadline,
    of_task,
    rung,
)

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.errors import Unanswered
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.notifications._alert import ringing

pytest_plugins = ["airflow_desk"]


@pytest.fixture
def hangs(desk, monkeypatch):
    """Return a function that delays the answers to a method of the API, in seconds of desk time."""
    send, slow = Client._send, {}

    def takes_time(client, request, token, time_limit):
        seconds = slow.get(request.method, 0.0)
        desk.sleep(min(seconds, client.rpc.timeout))
        if seconds > client.rpc.timeout:
            raise Unanswered("Read timed out", method=request.method)
        return send(client, request, token, time_limit)

    monkeypatch.setattr(Client, "_send", takes_time)
    return lambda method, seconds=3600.0: slow.update({method: seconds})


@pytest.fixture
def variables_take(desk, monkeypatch):
    """Return a function that delays each access to Variables, and optionally lets it fail then."""

    def slow_down(seconds, *, fails=False):
        def delayed(name, access):
            def act(*args, **options):
                desk.sleep(seconds)
                if not fails:
                    return access(*args, **options)
                if name == "get":  # Airflow's SDK hides the failure
                    return options["default"]
                raise RuntimeError("the API server does not answer")

            return act

        for name in ("get", "set", "keys"):
            monkeypatch.setattr(Variables, name, delayed(name, getattr(Variables, name)))

    return slow_down


@pytest.mark.parametrize("fails", [False, True], ids=["slow", "down"])
@pytest.mark.parametrize("seconds", [0.1, 1, 2, 2.4, 2.5, 3, 4, 5, 8, 8.4, 15])
def test_a_callback_rings_in_time_although_airflows_api_server_is_slow_or_down(
    desk, limited, variables_take, seconds, fails
):
    variables_take(seconds, fails=fails)

    limited.run(notifier())

    assert rung(desk) == [ON_DUTY]


@pytest.mark.parametrize(("part", "warned"), [(0.5, False), (0.75, True), (1, True), (1.2, True)])
def test_a_callback_rings_in_time_although_settle_is_too_long_for_it(desk, log, limited, part, warned):
    settle = min(part * limited.seconds, 60)

    assert not limited.run(notifier(settle=settle))

    assert rung(desk) == [ON_DUTY]
    warning = f"settle={settle:g} is too long, because Airflow ends this callback after {limited.seconds} s"
    assert (f"{warning}: it waits {limited.seconds / 2:g} s" in log()) is warned


def test_a_deadline_may_settle_for_a_minute(desk, log):
    began = desk.clock()

    notifier(settle=60)({**of_dag(), **DEADLINE})

    assert rung(desk) == [ON_DUTY]
    assert "is too long" not in log()
    assert desk.clock() - began < 90


@pytest.mark.parametrize("context", [of_task(), of_dag()], ids=["task", "dag"])
@pytest.mark.parametrize("seconds", [3600.0, 2.5])
def test_slow_searches_leave_time_for_the_call(desk, hangs, context, seconds):
    hangs("list.calls", seconds)
    hangs("get.calls_report", seconds)
    began = desk.clock()

    notifier(ALL_CONTACTS[:1] if context.get("ti") else ALL_CONTACTS)(context)

    assert rung(desk)[0] == ON_DUTY
    first = next(entry.time for entry in desk.exchange.journal if entry.kind == "ring")
    assert first - began < 16


def test_a_deadline_waits_for_a_slow_search(desk, hangs):
    desk.exchange.default_script = Script(talks=600)
    notifier()(of_dag())
    hangs("list.calls", 20)
    Variables.values.clear()
    notifier()(of_deadline())

    assert rung(desk) == [ON_DUTY]


@pytest.mark.parametrize(
    ("context", "people", "warned"),
    [
        (of_task(), 2, True),
        (of_task(), 1, False),
        (of_dag(), 2, False),
        (of_dag(), 3, True),
        (DEADLINE, 3, False),
    ],
)
def test_the_log_warns_if_the_time_limit_is_too_short_for_all_contacts(desk, log, context, people, warned):
    notifier(ALL_CONTACTS[:people])(context)

    assert ("Airflow ends this callback after" in log()) is warned


def test_a_running_task_has_time_to_ring_each_person(desk, log):
    context = of_task("ring_everybody")
    desk.exchange.default_script = Script.busy(0)

    with set_current_context(context):
        notifier(ALL_CONTACTS)(context)

    assert rung(desk) == ALL_CONTACTS
    assert "Airflow ends this callback after" not in log()


@pytest.mark.parametrize("calls", [1, 2])
def test_a_retry_of_a_killed_task_that_rings_calls_only_the_people_who_are_left(desk, monkeypatch, calls):
    context = of_task("ring_everybody")
    desk.exchange.default_script = Script.busy(0)
    wait, waits = ringing.wait_for_acknowledgement, []

    async def killed_in_the_last_wait(*arguments):
        waits.append(1)
        if len(waits) == calls:
            raise Killed
        return await wait(*arguments)

    monkeypatch.setattr(ringing, "wait_for_acknowledgement", killed_in_the_last_wait)
    with set_current_context(context):
        with pytest.raises(Killed):
            notifier(ALL_CONTACTS)(context)
        assert rung(desk) == ALL_CONTACTS[:calls]
        notifier(ALL_CONTACTS)(context)

    assert rung(desk) == ALL_CONTACTS


@pytest.mark.parametrize("data_api", [True, False])
def test_a_retry_of_a_task_whose_alert_was_acknowledged_calls_no_one(desk, data_api):
    desk.connect(extra={"data_api": data_api})
    context = of_task("ring_everybody")
    desk.exchange.script(ON_DUTY, Script.busy(0))
    desk.exchange.default_script = Script(rings=5, talks=20)
    with set_current_context(context):
        notifier(ALL_CONTACTS)(context)
        assert rung(desk) == ALL_CONTACTS[:2]
        desk.sleep(120)
        notifier(ALL_CONTACTS)(context)

    assert rung(desk) == ALL_CONTACTS[:2]


@pytest.mark.parametrize("attribute", ["dag_id", "run_id"])
def test_the_same_task_of_another_dag_or_run_continues_only_when_the_killed_one_is_given_up(
    desk, monkeypatch, attribute
):
    """An author's own external_id lets both share one alert."""
    first, second = of_task("ring_everybody"), of_task("ring_everybody")
    setattr(second["ti"], attribute, "another")
    desk.exchange.default_script = Script.busy(0)

    with set_current_context(first):
        killed_after_a_call(monkeypatch, notifier(ALL_CONTACTS, external_id="alert"), first)
    killed_at = desk.clock()
    with set_current_context(second):
        notifier(ALL_CONTACTS, external_id="alert")(second)

    rings = [entry.time for entry in desk.exchange.journal if entry.kind == "ring"]
    assert rung(desk) == ALL_CONTACTS
    assert rings[1] > killed_at + 60


def test_another_task_of_the_run_that_rings_the_same_people_does_not_continue(desk):
    first, second = of_task("ring_everybody"), of_task("ring_again")
    desk.exchange.default_script = Script.busy(0)
    for context in (first, second):
        with set_current_context(context):
            notifier(ALL_CONTACTS)(context)

    assert rung(desk) == ALL_CONTACTS


def test_a_retry_of_the_task_that_rings_continues_behind_the_person_who_was_rung(desk):
    context = of_task("ring_everybody")
    desk.exchange.default_script = Script.busy(0)

    with set_current_context(context):
        notifier(ALL_CONTACTS[:1], external_id="alert")(context)
        notifier(ALL_CONTACTS, external_id="alert")(context)

    assert rung(desk) == ALL_CONTACTS
