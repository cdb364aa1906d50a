"""When a campaign's worker may be given away, and when it has to be back."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_callapi.calls.calling_hours.hours import NEVER
from airflow_provider_callapi.calls.campaign.rules import Rules
from airflow_provider_callapi.calls.campaign.run.deferral_rule import may_defer_until
from airflow_provider_callapi.calls.campaign.run.runner import NextStep

NOW = 1000.0
HOUR = 3600.0


@dataclass
class State:
    """A campaign and its runner, as far as the decision depends on them."""

    dial_at: float = NOW + 2 * HOUR
    has_unconfirmed_calls: bool = False
    last_poll_failed: bool = False
    has_answered_call_to_tag: bool = False
    tags_due: bool = False
    tag_at: float = NOW
    needs_reports: bool = False
    has_late_reports: bool = False
    report_at: float = NOW
    active: dict[int, Any] = field(default_factory=dict)
    has_data_api: bool = True
    preparation: float = 0.0
    paused: str | None = None

    @property
    def until(self) -> float | None:
        campaign = SimpleNamespace(
            rules=Rules(report_timeout=300.0 if self.has_data_api else None),
            has_unconfirmed_calls=self.has_unconfirmed_calls,
            tags=SimpleNamespace(
                has_answered_call_to_tag=self.has_answered_call_to_tag,
                has_finished_call_to_tag=self.tags_due,
            ),
            dial_queue=SimpleNamespace(paused=self.paused),
            watched_calls=SimpleNamespace(by_session=lambda: self.active),
            reports=SimpleNamespace(needed=self.needs_reports, has_late=lambda now: self.has_late_reports),
        )
        runner: Any = SimpleNamespace(
            campaign=campaign,
            last_poll_failed=self.last_poll_failed,
            next_tag_at=self.tag_at,
            next_report_at=self.report_at,
        )
        next_step = NextStep(1.0, dial_at=self.dial_at)
        return may_defer_until(runner, next_step, NOW, preparation=self.preparation)


def test_the_worker_comes_back_when_the_next_person_is_dialled_and_after_an_hour_at_the_latest() -> None:
    assert State(dial_at=NOW + 600).until == NOW + 600
    assert State(dial_at=NOW + 2 * HOUR).until == NOW + HOUR


def test_a_wait_under_a_minute_causes_no_deferral() -> None:
    assert State(dial_at=NOW + 59).until is None
    assert State(dial_at=NOW + 60).until == NOW + 60


@pytest.mark.parametrize(
    "reason",
    ["has_unconfirmed_calls", "last_poll_failed", "has_answered_call_to_tag", "has_late_reports"],
)
def test_a_worker_with_work_to_do_now_is_not_deferred(reason: str) -> None:
    assert State(**{reason: True}).until is None


def test_tags_that_are_due_bring_the_worker_back() -> None:
    assert State(tags_due=True, tag_at=NOW + 59).until is None
    assert State(tags_due=True, tag_at=NOW + 300).until == NOW + 300


def test_reports_bring_the_worker_back_less_often_if_the_list_takes_long_to_read() -> None:
    assert State(needs_reports=True, report_at=NOW + 20).until == NOW + 20
    assert State(needs_reports=True, report_at=NOW + 20, preparation=30).until == NOW + 300


def test_active_calls_bring_the_worker_back_for_their_reports() -> None:
    assert State(active={7: "a watch"}).until == NOW + 300
    assert State(active={7: "a watch"}, has_data_api=False).until == NOW + HOUR


def test_a_paused_campaign_comes_back_soon_to_read_the_next_wish() -> None:
    assert State(dial_at=NEVER, paused="anna paused the campaign").until == NOW + 120
    assert State(dial_at=NEVER, paused="anna paused the campaign", preparation=60.0).until == NOW + 600
