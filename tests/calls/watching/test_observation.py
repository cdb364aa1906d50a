"""An observation survives its way through JSON, and collects what snapshots show of one call."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.watching.observation import Observation
from airflow_provider_callapi.calls.watching.snapshot import Snapshot


@given(
    st.builds(
        Observation,
        listed=st.booleans(),
        answered_at=st.none() | st.floats(0, 4e9),
        missing_since=st.none() | st.floats(0, 4e9),
        misses=st.integers(0, 99),
        failures=st.integers(0, 99),
        external_id=st.none() | st.text(max_size=64),
        tags=st.lists(st.integers(1, 2**31)).map(tuple),
    )
)
def test_an_observation_comes_back_from_json_as_it_was(observation: Observation) -> None:
    assert (
        Observation.from_json(json.loads(json.dumps(observation.to_json(), allow_nan=False))) == observation
    )


def test_an_observation_stored_by_another_version_can_be_read() -> None:
    stored = Observation(listed=True, answered_at=5.0, tags=(36,)).to_json()
    older = {name: value for name, value in stored.items() if name not in ("failures", "tags")}
    assert Observation.from_json(older) == Observation(listed=True, answered_at=5.0)
    assert Observation.from_json({**stored, "talked_for": 12}) == Observation(True, 5.0, tags=(36,))


@given(st.booleans(), st.integers(0, 3))
def test_a_listed_call_of_another_task_counts_as_missing(listed: bool, misses: int) -> None:
    own = Observation(external_id="order-7", listed=listed, misses=misses)
    foreign = CallSession(call_session_id=5, external_id=f"af-{'0' * 32}-1")
    observed = own.with_snapshot(Snapshot(9.0, {5: foreign}), 5)
    assert observed == own.with_snapshot(Snapshot(9.0), 5)
    assert observed.misses == misses + 1


@pytest.mark.parametrize("shown", [None, "", "ORDER-7 ", "order&#45;7", "null"])
def test_a_listed_call_with_an_external_id_in_another_form_is_the_observed_call(shown: str | None) -> None:
    call = CallSession(call_session_id=5, external_id=shown)
    assert Observation(external_id="order-7").with_snapshot(Snapshot(9.0, {5: call}), 5).listed
