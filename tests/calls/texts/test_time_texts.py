"""Times in the lines of a task's log, and in data."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.calls.texts.time_texts import iso_second, iso_time, local_time


def test_a_time_is_shown_in_its_time_zone() -> None:
    assert local_time(1_760_000_000.0, "Europe/Moscow") == "2025-10-09 11:53:20 Europe/Moscow"


@pytest.mark.parametrize(
    ("at", "text", "second"),
    [
        (1_772_442_000, "2026-03-02T09:00:00Z", "2026-03-02T09:00:00Z"),
        (1_772_442_000.25, "2026-03-02T09:00:00.250000Z", "2026-03-02T09:00:00Z"),
        (1_772_442_000.9999999, "2026-03-02T09:00:01Z", "2026-03-02T09:00:01Z"),
    ],
)
def test_a_time_as_iso_text_has_microseconds_only_if_it_has_a_fraction(
    at: float, text: str, second: str
) -> None:
    assert (iso_time(at), iso_second(at)) == (text, second)
