"""Earlier calls of an alert in the Data API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from failing_callbacks import (
    ON_DUTY,
    SECOND,
    SYNC_AND_ASYNC,
    Variables,
    notifier,
    of_dag,
    of_deadline,
    of_task,
    rung,
)

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.calls.account_reports import AccountReports
from airflow_provider_callapi.emulator import Script

pytest_plugins = ["airflow_desk"]


def test_a_call_that_ended_is_found_in_the_data_api(desk):
    desk.exchange.default_script = Script.busy()
    notifier()(of_deadline())
    desk.sleep(600)
    notifier()(of_dag())

    assert rung(desk) == [ON_DUTY]


def test_a_call_is_found_in_the_data_api_however_long_an_alert_is_quiet(desk, monkeypatch):
    """A report covers at most three months, and the Data API refuses a longer period."""
    monkeypatch.setattr(Variables, "broken", True)
    desk.exchange.default_script = Script.busy()
    for context in (of_deadline(), of_dag()):
        notifier(quiet_for=timedelta(days=300))(context)
        desk.sleep(600)

    assert rung(desk) == [ON_DUTY]


@SYNC_AND_ASYNC
def test_a_start_time_in_an_unknown_format_does_not_silence_the_alert(desk, monkeypatch, ring):
    of_call = AccountReports.of_call

    def odd(reports, *args, **kwargs):
        report = of_call(reports, *args, **kwargs) or CallReport(id=1)
        return report.model_copy(update={"start_time": "23.11.2026 22:00", "finish_time": "23.11.2026 22:01"})

    monkeypatch.setattr(AccountReports, "of_call", odd)
    desk.exchange.script(ON_DUTY, Script.busy())
    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]


def test_a_call_that_the_data_api_reports_silences_others_only_for_quiet_for(desk):
    desk.exchange.default_script = Script.busy()
    for at, rings in ((0, 1), (890, 1), (1770, 2)):
        desk.sleep(max(0, 1_760_000_000 + at - desk.clock()))
        Variables.values.clear() if at == 890 else None  # e.g. a user deletes the Variable
        notifier(quiet_for=900)(of_task(task_id=f"load_{at}"))
        assert len(rung(desk)) == rings


@pytest.mark.parametrize("login", [False, True])
@pytest.mark.parametrize("contacts", [[ON_DUTY], [ON_DUTY, SECOND]])
def test_slow_services_leave_a_callback_of_20_seconds_the_time_to_ring(desk, monkeypatch, login, contacts):
    desk.connect(login=login)
    began, send = desk.clock(), desk.exchange.handle_bytes

    def send_slowly(*args, **named):
        desk.sleep(2.5)
        return send(*args, **named)

    monkeypatch.setattr(desk.exchange, "handle_bytes", send_slowly)
    notifier(contacts)(of_task())

    assert rung(desk)[0] == ON_DUTY
    first = next(entry.time for entry in desk.exchange.journal if entry.kind == "ring")
    assert 8 < first - began < 20


@SYNC_AND_ASYNC
def test_an_active_call_is_found_in_list_calls_if_no_variable_shows_it(desk, monkeypatch, ring):
    monkeypatch.setattr(Variables, "broken", True)
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script(talks=600)
    for context in (of_deadline(), of_dag()):
        ring(notifier([ON_DUTY, SECOND]), context)

    assert rung(desk) == [ON_DUTY]
