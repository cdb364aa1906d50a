"""The record of a call outlasts JSON and other versions, and a damaged one stops a try before a request."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from placing_world import EARLIER, KEY, World, world_after

from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.single_call.call_record import Record, Stage

records = st.builds(
    Record,
    stage=st.sampled_from(Stage),
    fingerprint=st.text(alphabet="0123456789abcdef", min_size=12, max_size=12),
    generation=st.integers(-1, 99),
    attempt=st.integers(0, 99),
    external_id=st.text(max_size=64),
    intended_at=st.floats(0, 4e9),
    call=st.none() | st.integers(1, 2**40).map(lambda number: Outcome(number, tags=(1, 2)).to_xcom()),
    before=st.none() | st.deferred(lambda: records),
)


@given(records)
def test_a_record_comes_back_from_json_as_it_was(record: Record) -> None:
    through_json = json.loads(json.dumps(record.to_json(), allow_nan=False))
    assert Record.from_json(through_json) == record
    assert isinstance(Record.from_json(through_json).stage, Stage)


@given(
    record=records,
    earlier=records,
    unknown=st.dictionaries(st.text("abc_", min_size=1), st.none() | st.text()),
)
def test_fields_of_a_newer_version_are_ignored(
    record: Record, earlier: Record, unknown: dict[str, str | None]
) -> None:
    unknown = {f"new_{name}": value for name, value in unknown.items()}
    record = replace(record, before=earlier, earlier=(earlier,))
    value = record.to_json()
    call = value["call"] and {**value["call"], **unknown}
    before, others = {**value["before"], **unknown}, [{**value["earlier"][0], **unknown}]
    read = Record.from_json({**value, **unknown, "call": call, "before": before, "earlier": others})
    assert replace(read, call=record.call) == record
    assert read.call is None or read.outcome == record.outcome


@pytest.mark.parametrize(
    "damage",
    [
        {"stage": "of a newer version"},
        {"stage": None},
        {"call": {"call_session_id": EARLIER, "status": "of a newer version"}},
        {"call": {}},
        {"call": 7},
        {"others": 7},
        {"earlier": [{"stage": "of a newer version"}]},
        {"earlier": [7]},
        {"before": {"stage": "of a newer version"}},
    ],
    ids=str,
)
def test_a_record_that_cannot_be_read_stops_the_try_before_a_request_and_says_what_to_do(
    damage: dict[str, object],
) -> None:
    world = world_after(Stage.REDIAL)
    stored = world.disk.get(KEY)
    world.disk.set(KEY, {**stored, **damage})
    advice = rf"sends no start request.*newer version.*clear this task.*external_id {stored['external_id']};"
    with pytest.raises(ValueError, match=advice):
        world.place()
    assert world.sent == []


@pytest.mark.parametrize("stored", [7, "damaged", [7], {"stage": "nothing"}, {"attempt": 1}], ids=str)
def test_a_record_that_is_none_stops_the_try_before_a_request(stored: object) -> None:
    world = World()
    world.disk.set(KEY, stored)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="sends no start request"):
        world.place()
    assert world.sent == []
