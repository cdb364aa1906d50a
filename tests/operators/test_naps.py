"""A worker's sleep by a clock that jumps."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.operators import _naps


@pytest.mark.parametrize(
    ("jump", "slept"),
    [
        pytest.param(0, 10, id="steady"),
        pytest.param(-3600, 10, id="set back"),
        pytest.param(3600, 3, id="suspended"),
    ],
)
def test_a_sleep_is_not_longer_than_asked_by_the_clock_or_by_the_worker(monkeypatch, jump, slept):
    clock = SimpleNamespace(now=1000.0, slept=0.0)

    def sleep(seconds):
        clock.slept += seconds
        clock.now += seconds + (jump if clock.slept == 3 else 0)

    monkeypatch.setattr(system_clock, "now", lambda: clock.now)
    monkeypatch.setattr(system_clock, "sleep", sleep)

    for _ in _naps.naps(10):
        assert clock.slept < 10

    assert clock.slept == slept
