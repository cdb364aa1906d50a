"""The manual clock."""

from __future__ import annotations

import time

import pytest

from airflow_provider_callapi.emulator import ManualClock


def test_a_manual_clock_does_not_go_back(clock):
    with pytest.raises(ValueError, match="cannot go back"):
        clock.advance(-1)


def test_a_manual_clock_begins_with_the_present_time():
    before = time.time()

    assert before <= ManualClock()() <= time.time()
