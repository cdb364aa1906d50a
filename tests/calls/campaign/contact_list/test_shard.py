"""The shards of a campaign: parts of one contact list, without gaps or overlaps."""

from __future__ import annotations

import pytest
from contact_rows import anna, plan_of
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.calls.campaign.contact_list.shard import (
    Shard,
    own_list,
    read_shard,
    refuse_incomplete,
)


@settings(max_examples=40)
@given(numbers=st.lists(st.integers(0, 60), max_size=40), shards=st.integers(1, 6))
def test_shards_divide_a_list_without_gaps_or_overlaps(numbers: list[int], shards: int) -> None:
    """Each person is in one shard, even with several rows. Each bad row is reported by one shard."""
    rows = [anna(f"792600000{n:02d}") if n < 50 else {"phone": f"bad {n}"} for n in numbers]
    whole = plan_of(rows)
    parts = [plan_of(rows, shard=Shard(which, shards)) for which in range(1, shards + 1)]

    assert sorted(p.contact for part in parts for p in part.people) == sorted(p.contact for p in whole.people)
    assert sorted(s.line for part in parts for s in part.invalid) == [s.line for s in whole.invalid]
    assert sum(len(part.duplicates) for part in parts) == len(whole.duplicates)


@pytest.mark.parametrize("text", ["0/4", "5/4", "2", "a/b", "1/2/3"])
def test_a_shard_is_written_as_its_number_and_the_number_of_shards(text: str) -> None:
    assert read_shard("2/4") == Shard(2, 4)
    assert read_shard(None) == Shard(1, 1)
    with pytest.raises(ValueError, match="shard"):
        read_shard(text)


@pytest.mark.parametrize(
    ("shard", "map_index", "number"),
    [(None, 3, 3), ("", 0, 0), ("1/1", 3, 3), ("2/4", 1, None), (None, -1, None), ("1/1", -1, None)],
)
def test_mapped_tasks_have_a_list_each_unless_they_are_shards(
    shard: str | None, map_index: int, number: int | None
) -> None:
    assert own_list(shard, map_index) == number


@pytest.mark.parametrize("shards", [[None], ["1/1"], ["2/2", "1/2"], [f"{n}/12" for n in range(1, 13)]])
def test_a_list_is_complete_if_each_of_its_shards_is_called_once(shards: list[str | None]) -> None:
    refuse_incomplete(shards)


@pytest.mark.parametrize(
    "shards", [["1/2"], ["1/1", "1/1"], ["1/2", "1/3"], ["1/2", "1/2"], [None, "1/2"], ["1/3", "3/3"]]
)
def test_shards_that_leave_people_out_or_call_them_twice_are_refused(shards: list[str | None]) -> None:
    with pytest.raises(ValueError, match=r'shard: .*Map the operator over "1/n", "2/n", … "n/n"'):
        refuse_incomplete(shards)
