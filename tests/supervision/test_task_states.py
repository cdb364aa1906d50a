"""Task state through the metadata database."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_callapi.calls.campaign.wishes import Wish, WishKind
from airflow_provider_callapi.ledgers.keyed_supervision import KeyedSupervision
from airflow_provider_callapi.supervision import task_states as states

pytest_plugins = ["campaigns_seen"]
pytestmark = pytest.mark.needs_airflow("3.3", "task state")


def test_a_task_reads_the_wish_that_is_written_from_outside(autumn: Any) -> None:
    owner = ("autumn_dag", "manual__1", "call", "-1")
    wish = Wish(WishKind.PAUSE, "anna", 1.5)

    states.write_wish([owner], wish)

    stored = dict(states.read_values("callapi_campaign_wish"))[owner]
    store: Any = {"callapi_campaign_wish": stored}
    assert KeyedSupervision(store).read_wish("spring") == wish
    assert [found for _, found in states.find_campaigns()] == [wish]


def test_the_index_of_calls_takes_no_place_of_a_journal(
    task_states: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keys of a task that places several calls: `callapi_call`, `callapi_call_2`, and `callapi_calls`."""
    keys = ("callapi_call", "callapi_call_2", "callapi_calls")
    task_states("calls_of_a_function", {key: {"key": key} for key in keys})
    monkeypatch.setattr(states, "_NEWEST", 2)

    found = states.read_values("callapi_call", numbered=True)

    assert sorted(value["key"] for _, value in found) == ["callapi_call", "callapi_call_2"]
