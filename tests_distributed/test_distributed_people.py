"""Many tasks on two hosts call the same people: a sharded campaign, and the alert of many failures."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
import requests
from deployment import eventually, seconds_of
from measured_rows import Row
from rows import ALERTED, CAMPAIGN, LEDGER, RUNS, SHARDS, SMALL_ACCOUNT, name_of
from two_hosts import PATIENCE, TwoHosts

from airflow_provider_callapi.emulator import Emulator, Exchange

pytestmark = [pytest.mark.timeout(1200, method="signal"), pytest.mark.parametrize("run", RUNS)]
Measured = Callable[[Row], None]
MINUTE_LIMIT = 150
"""The points per minute of the account that the campaign shares with a stranger."""


class Stranger(threading.Thread):
    """Another program that spends points of the account: two polls a second until the ``with`` block ends."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url, self._stop_now = url, threading.Event()
        self.polls = 0

    def run(self) -> None:
        body = {"jsonrpc": "2.0", "id": 1, "method": "list.calls", "params": {"access_token": "demo-key"}}
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        while not self._stop_now.wait(0.5):
            requests.post(f"{self._url}/v4.0", data=json.dumps(body), headers=headers, timeout=10)
            self.polls += 1

    def __enter__(self) -> Stranger:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_now.set()
        self.join()


def test_a_campaign_in_four_shards_with_a_stranger_on_the_points_rings_no_phone_twice(
    hosts: TwoHosts, run: int, measured: Measured
) -> None:
    exchange = Exchange()
    exchange.account.minute_limit = MINUTE_LIMIT
    people: list[str] = CAMPAIGN["contacts"]
    with Emulator(exchange) as emulator, Stranger(emulator.url) as stranger:
        (hosts.vault / SMALL_ACCOUNT).write_text(json.dumps(emulator.connection()), "utf-8")
        (hosts.vault / LEDGER).write_text(json.dumps(hosts.ledger()), "utf-8")
        began = time.time()
        body = {"dag_run_id": f"run{run}", "logical_date": None}
        hosts.api("POST", "dags/campaign_shards/dagRuns", body)
        tasks = hosts.await_end("campaign_shards", run_id=f"run{run}")
    assert [task["state"] for task in tasks] == ["success"] * SHARDS
    journal = exchange.journal
    assert Counter(entry.phone for entry in journal if entry.kind == "ring") == Counter(people)
    sent = [entry for entry in journal if entry.kind == "request"]
    refused = Counter(entry.mnemonic for entry in sent if entry.mnemonic)
    measured(
        Row(
            f"campaign of {len(people)} people in {SHARDS} shards, a stranger on the same points",
            f"{len(people)}, once each",
            f"success × {SHARDS}",
            f"{len(sent)} requests, {stranger.polls} of them of the stranger; {refused.total()} refused",
            max(seconds_of(task["end_date"]) for task in tasks) - began,
        )
    )


def test_twenty_tasks_that_fail_at_once_on_both_workers_ring_once(
    hosts: TwoHosts, run: int, measured: Measured
) -> None:
    dag_id = name_of("alert", run)
    began = time.time()
    hosts.run(dag_id)
    tasks = hosts.await_end(dag_id)
    assert [task["state"] for task in tasks] == ["failed"] * 20
    eventually("the alert rings", lambda: any(hosts.rings_of(ALERTED[dag_id])), within=PATIENCE)
    time.sleep(10)  # for another alert
    assert hosts.rings_of(ALERTED[dag_id]) == [1]
    assert all(hosts.lines(dag_id).values()), "only one worker ran the tasks"
    measured(
        Row(
            "20 tasks with one alert fail at once on both workers",
            "1",
            "failed × 20",
            "–",
            max(seconds_of(task["end_date"]) for task in tasks) - began,
        )
    )
