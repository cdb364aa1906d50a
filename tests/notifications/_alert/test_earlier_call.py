"""Earlier calls of an alert in the Data API."""

from __future__ import annotations

from datetime import timedelta

from failing_callbacks import (
    ON_DUTY,
    SECOND,
    SYNC_AND_ASYNC,
    Variables,
    notifier,
    of_dag,
    of_deadline,
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
