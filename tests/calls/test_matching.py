"""Which calls with the external_id of a lost one can be the lost one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pendulum
import pytest

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.matching import matches_lost_call

MOSCOW = "Europe/Moscow"
ANNA, BORIS = "79260000011", "79260000012"
PLACED = pendulum.datetime(2026, 3, 2, 9, 0, tz="UTC").timestamp()


@dataclass(frozen=True)
class Sought:
    contact: str | None = ANNA
    since: float | None = PLACED

    def is_found(self, **call: Any) -> bool:
        """By either service: both tell the same of it."""
        told = {"contact_phone_number": ANNA, "start_time": "2026-03-02 12:00:01", **call}
        answers = {
            matches_lost_call(found, contact=self.contact, since=self.since, timezone=MOSCOW)
            for found in (CallSession(call_session_id=1, **told), CallReport(id=1, **told))
        }
        (answer,) = answers
        return answer


def test_a_call_to_the_contact_from_the_time_on_can_be_it() -> None:
    assert Sought().is_found()


def test_a_call_to_somebody_else_is_not() -> None:
    assert not Sought().is_found(contact_phone_number=BORIS)
    assert Sought(contact=None).is_found(contact_phone_number=BORIS)


@pytest.mark.parametrize(
    ("start_time", "is_it"),
    [("2026-03-02 11:50:00", True), ("2026-03-02 11:49:59", False), ("2026-03-01 12:00:01", False)],
)
def test_the_services_clock_may_be_ten_minutes_behind(start_time: str, is_it: bool) -> None:
    assert Sought().is_found(start_time=start_time) is is_it
    assert Sought(since=None).is_found(start_time=start_time)


@pytest.mark.parametrize(
    "untold", [{"contact_phone_number": None}, {"start_time": None}, {"start_time": "noon"}]
)
def test_what_is_not_told_rules_nothing_out(untold: dict[str, Any]) -> None:
    assert Sought().is_found(**untold)
