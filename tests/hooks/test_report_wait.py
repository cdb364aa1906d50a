"""`wait_for_report` on a clock that only the test moves: when it asks the Data API, and when it stops."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.errors import Unanswered
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.hooks.report_wait import wait_for_report

CALL = Outcome(call_session_id=5, status="ended")
REPORTED = Outcome(call_session_id=5, status="ended", answered=True)
LOG = logging.getLogger("task")


class Reports:
    """A Data API that reports the call at `ready_at`, seconds from the beginning, and fails at `failing`."""

    def __init__(self, ready_at: float, failing: tuple[float, ...] = ()) -> None:
        self.now, self.ready_at, self.failing = 0.0, ready_at, failing
        self.requests: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def final_outcome(self, call: Outcome, until: float, *, operations: bool) -> tuple[Outcome, None] | None:
        self.requests.append(self.now)
        if self.now in self.failing:
            raise Unanswered("no answer")
        return (REPORTED, None) if self.now >= self.ready_at else None


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Any:
    def wait(reports: Reports, until: float, **options: Any) -> Outcome | None:
        monkeypatch.setattr(system_clock, "now", lambda: reports.now)
        monkeypatch.setattr(system_clock, "sleep", reports.sleep)
        hook = cast(CallApiHook, SimpleNamespace(reports=reports))
        return wait_for_report(hook, CALL, until, LOG, **options)

    return wait


def test_the_wait_ends_with_the_report(wait):
    reports = Reports(ready_at=5.0)
    assert wait(reports, until=60.0) == REPORTED
    assert reports.requests == [0.0, 3.0, 6.0]


@pytest.mark.parametrize(("until", "requests"), [(-9.0, [0.0]), (0.0, [0.0]), (8.0, [0.0, 3.0, 6.0, 8.0])])
def test_without_a_report_the_last_request_is_sent_when_the_time_is_up(wait, until, requests):
    reports = Reports(ready_at=float("inf"))
    assert wait(reports, until=until) is None
    assert reports.requests == requests


@pytest.mark.parametrize(("retry_errors", "result", "asked"), [(False, None, 1), (True, REPORTED, 2)])
def test_a_failed_request_ends_the_wait_unless_errors_are_retried(wait, caplog, retry_errors, result, asked):
    reports = Reports(ready_at=0.0, failing=(0.0,))
    assert wait(reports, until=60.0, retry_errors=retry_errors) == result
    assert len(reports.requests) == asked
    assert "The Data API did not report call session 5" in caplog.text
