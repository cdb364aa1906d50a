"""Workers and servers of a distributed Airflow end while calls are placed: no phone rings twice."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from deployment import eventually, seconds_of
from measured_rows import Row
from rows import AT_EACH_POINT, POINTS, RUNS, contacts_of, name_of
from two_hosts import PATIENCE, SLOTS, TwoHosts

pytestmark = [
    pytest.mark.timeout(
        1200, method="signal"
    ),  # after a timeout, the fixtures must still end their processes
    pytest.mark.parametrize("run", RUNS),
]
Measured = Callable[[Row], None]
UNRESOLVED, NOT_STORED = "CallUnresolved", "the phone rings or has rung"
"""What the log of a failed task contains if its call was lost, or if its session id could not be stored."""
TALKS = {"rings": 1.0, "talks": 5.0}


def row_of(
    title: str, began: float, tasks: list[dict[str, Any]], *, rings: list[int], logged: str = ""
) -> Row:
    """Return the row of a DAG whose tasks have ended."""
    states = ", ".join(
        f"{state} × {count}" for state, count in Counter(task["state"] for task in tasks).items()
    )
    last = max(seconds_of(task["end_date"]) for task in tasks)
    return Row(title, str(sum(rings)), states, logged, last - began)


def test_both_workers_place_calls_and_each_phone_rings_once(
    hosts: TwoHosts, run: int, measured: Measured
) -> None:
    contacts, dag_id = contacts_of("both_workers", run), name_of("both_workers", run)
    hosts.exchange.script(contacts, **TALKS)
    began = time.time()
    hosts.run(dag_id)
    tasks = hosts.await_end(dag_id)
    assert [task["state"] for task in tasks] == ["success"] * len(contacts)
    assert hosts.rings_of(contacts) == [1] * len(contacts)
    assert all(hosts.lines(dag_id).values()), "only one worker placed calls"
    measured(row_of("no fault", began, tasks, rings=hosts.rings_of(contacts)))


def test_workers_killed_at_every_instant_on_both_hosts_ring_no_phone_twice(
    hosts: TwoHosts, run: int, measured: Measured
) -> None:
    rows = {point: f"killed {point}" for point in POINTS}
    began = time.time()
    for row in rows.values():
        hosts.exchange.script(contacts_of(row, run), rings=1.0, talks=15.0)
        hosts.run(name_of(row, run))
    for point, row in rows.items():
        dag_id = name_of(row, run)
        tasks, rings = hosts.await_end(dag_id), hosts.rings_of(contacts_of(row, run))
        assert rings == [POINTS[point]] * AT_EACH_POINT, f"{point}: {rings}"
        killed = [hosts.kill_of(f"{dag_id}-{number}") for number in range(AT_EACH_POINT)]
        assert all(killed), f"{point}: a worker was not killed"
        expected = "success" if POINTS[point] else "failed"
        assert [task["state"] for task in tasks] == [expected] * AT_EACH_POINT, point
        lines = [line for of_host in hosts.lines(dag_id).values() for line in of_host]
        unresolved = sum(UNRESOLVED in line for line in lines)
        assert bool(unresolved) == (not POINTS[point]), point
        tries = sum(task["try_number"] for task in tasks)
        title = f"{AT_EACH_POINT} workers killed with SIGKILL: {point}"
        measured(row_of(title, began, tasks, rings=rings, logged=f"{tries} tries"))


def test_calls_of_a_worker_that_dies_go_on_in_the_other_worker(
    hosts: TwoHosts, run: int, measured: Measured
) -> None:
    contacts, dag_id = contacts_of("worker_dies", run), name_of("worker_dies", run)
    hosts.exchange.script(contacts, rings=1.0, talks=None)
    hosts.run(dag_id)
    eventually("twenty people talk", lambda: sum(hosts.rings_of(contacts)) == 2 * SLOTS, within=PATIENCE)
    began = time.time()
    hosts.end("worker", "south")
    hosts.run_component("worker", "south")

    eventually("another worker goes on", lambda: hosts.states(dag_id)["running", 2], within=PATIENCE)
    for contact in contacts:
        hosts.exchange.hang_up(contact)
    tasks = hosts.await_end(dag_id)
    assert [task["state"] for task in tasks] == ["success"] * len(contacts)
    assert hosts.rings_of(contacts) == [1] * len(contacts)
    moved = sum(task["try_number"] == 2 for task in tasks)
    title = "one of two workers killed with all its tasks, while 20 tasks wait in both"
    measured(
        row_of(
            title,
            began,
            tasks,
            rings=hosts.rings_of(contacts),
            logged=f"{moved} tasks needed a second try",
        )
    )


def test_restarts_of_redis_and_postgresql_under_twenty_starts_ring_no_phone_twice(
    hosts: TwoHosts, run: int, measured: Measured
) -> None:
    contacts, dag_id = contacts_of("servers_restart", run), name_of("servers_restart", run)
    hosts.exchange.script(contacts, **TALKS)
    began = time.time()
    hosts.run(dag_id)
    eventually("the first phone rings", lambda: any(hosts.rings_of(contacts)), within=PATIENCE)
    hosts.restart_redis(down_for=3.0)
    eventually("more phones ring", lambda: sum(hosts.rings_of(contacts)) >= 5, within=PATIENCE)
    hosts.restart_database(down_for=3.0)
    tasks = hosts.await_end(dag_id)
    judge(hosts, dag_id, contacts, tasks)
    title = "Redis and PostgreSQL restarted, 3 s each, under 20 starts"
    revived = f"components that ended with the database and were started again: {hosts.revived or 'none'}"
    measured(row_of(title, began, tasks, rings=hosts.rings_of(contacts), logged=revived))


def test_an_api_server_that_is_down_while_an_intent_or_an_answer_is_stored_rings_no_phone_twice(
    hosts: TwoHosts, run: int, measured: Measured
) -> None:
    rows = {"no_api_for_intent": "an intent is stored", "no_api_for_answer": "an answer is stored"}
    for row in rows:
        hosts.exchange.script(contacts_of(row, run), **TALKS)
        hosts.run(name_of(row, run))
    ids = [f"{name_of(row, run)}-{number}" for row in rows for number in range(SLOTS)]
    kills = eventually(
        "twenty tasks are about to store",
        lambda: kills if all(kills := [hosts.kill_of(each) for each in ids]) else None,
        within=PATIENCE,
    )
    began = time.time()
    hosts.end("api-server")
    for kill in kills:
        for pid in kill["pids"]:
            os.kill(pid, signal.SIGCONT)
    time.sleep(3)
    hosts.run_component("api-server")
    hosts.await_api()
    down_for = time.time() - began
    for row, moment in rows.items():
        contacts, dag_id = contacts_of(row, run), name_of(row, run)
        tasks = hosts.await_end(dag_id)
        judge(hosts, dag_id, contacts, tasks)
        lines = [line for of_host in hosts.lines(dag_id).values() for line in of_host]
        if row == "no_api_for_answer":
            assert sum("the call is placed" in line for line in lines) >= SLOTS, "a session id is in no log"
        not_stored = sum(NOT_STORED in line for line in lines)
        title = f"API server down for {down_for:.0f} s while {moment}, 10 calls"
        measured(
            row_of(title, began, tasks, rings=hosts.rings_of(contacts), logged=f"{not_stored} not stored")
        )


def judge(hosts: TwoHosts, dag_id: str, contacts: list[str], tasks: list[dict[str, Any]]) -> None:
    """Check that no phone rang twice, and that the log of a failed task explains the ring."""
    rings = hosts.rings_of(contacts)
    states = [task["state"] for task in tasks]
    lines = [line for of_host in hosts.lines(dag_id).values() for line in of_host]
    story = f"rings: {rings}, states: {states}, log:\n" + "\n".join(lines)
    assert max(rings) == 1, story
    assert all(ring == 1 for ring, state in zip(rings, states, strict=True) if state == "success"), story
    rang_and_failed = sum(ring and state == "failed" for ring, state in zip(rings, states, strict=True))
    assert rang_and_failed <= sum(UNRESOLVED in line or NOT_STORED in line for line in lines), story
