"""Times in the lines of a task's log."""

from __future__ import annotations

from airflow_provider_callapi.calls.time_texts import local_time


def test_a_time_is_shown_in_its_time_zone() -> None:
    assert local_time(1_760_000_000.0, "Europe/Moscow") == "2025-10-09 11:53:20 Europe/Moscow"
