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

    stored = states.read_values("callapi_campaign_wish")[owner]
    store: Any = {"callapi_campaign_wish": stored}
    assert KeyedSupervision(store).read_wish("spring") == wish
    assert [found for _, found in states.find_campaigns()] == [wish]
