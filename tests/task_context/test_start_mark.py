"""What a try without task state learns of the tries before it: whether one of them may have placed a call."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.single_call.call_record import RECORD_KEY, Stage
from airflow_provider_callapi.task_context.start_mark import MarkingStore, StartMark

steps = st.lists(st.sampled_from([Stage.STARTING, Stage.STARTED, Stage.NOTHING, "deferral"]), max_size=5)
"""What a try does, in order. With ``NOTHING``, it knows that it has placed no call."""


@given(st.lists(steps, min_size=1, max_size=4), st.integers(0, 2), st.booleans())
def test_a_try_knows_of_each_call_that_a_try_since_the_clear_may_have_placed(
    tries: list[list[Any]], cleared_after: int, is_deleted: bool
) -> None:
    keys: set[str] = set()
    may_have_placed = False

    def new_store(left: set[str], number: int, *, is_resumed: bool) -> tuple[StartMark, MarkingStore]:
        mark = StartMark(
            lambda key, value: keys.add(key),
            left,
            try_number=number,
            cleared_after=cleared_after,
            is_resumed=is_resumed,
        )
        return mark, MarkingStore(mark)

    for number, did in enumerate(tries, start=1):
        left = set(keys)
        if is_deleted:  # Airflow 3.0 deletes no XComs of mapped tasks
            keys.clear()
        if number == cleared_after + 1:
            may_have_placed = False

        mark, store = new_store(left, number, is_resumed=False)
        assert mark.is_left or not may_have_placed
        certain = all("deferral" not in done and done.count(Stage.NOTHING) <= 1 for done in tries)
        if certain and is_deleted and number > cleared_after:
            assert mark.is_left is may_have_placed
        placed_now = False
        for step in did:
            if step == "deferral":
                _, store = new_store(set(), number, is_resumed=True)
                continue
            store.set(RECORD_KEY, {"stage": step})
            placed_now = step != Stage.NOTHING
        may_have_placed |= placed_now and number > cleared_after


def test_a_store_that_fails_lets_no_start_request_pass() -> None:
    def refuse(**pushed: Any) -> None:
        raise ConnectionError

    mark = StartMark(refuse, (), try_number=1, cleared_after=0, is_resumed=False)
    store = MarkingStore(mark)
    with pytest.raises(ConnectionError):
        store.set(RECORD_KEY, {"stage": Stage.STARTING})

    assert store.get(RECORD_KEY) is None
