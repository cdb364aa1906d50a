"""Calls on two hosts, without any fault."""

from __future__ import annotations

import pytest
from rows import BOTH_WORKERS, DAGS
from two_hosts import TwoHosts

pytestmark = pytest.mark.timeout(400, method="signal")


def test_both_workers_place_calls_and_each_phone_rings_once(hosts: TwoHosts) -> None:
    contacts = DAGS[BOTH_WORKERS]["contacts"]
    hosts.exchange.script(contacts, rings=1.0, talks=2.0)
    hosts.run(BOTH_WORKERS)
    tasks = hosts.await_end(BOTH_WORKERS)
    assert [task["state"] for task in tasks] == ["success"] * len(contacts)
    assert hosts.rings_of(contacts) == [1] * len(contacts)
    assert all(hosts.lines(BOTH_WORKERS).values()), "only one worker placed calls"
