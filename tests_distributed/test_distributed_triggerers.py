"""Two triggerers wait for calls: one poll each, and no call is released while its task waits."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Callable

import pytest
from deployment import eventually, seconds_of
from measured_rows import Row
from rows import RUNS, VAULT, contacts_of, name_of
from two_hosts import HOSTS, PATIENCE, TwoHosts

pytestmark = [pytest.mark.timeout(1200, method="signal"), pytest.mark.parametrize("run", RUNS)]
Measured = Callable[[Row], None]
NORTH, SOUTH = HOSTS
WINDOW = 16.0
"""The seconds for which polls are counted."""
STALLED_FOR = 25.0
"""Seconds, more than the time after which Airflow gives the waits of a triggerer to another one."""
VAULT_DOWN = 21.0
"""Seconds."""


def all_wait(hosts: TwoHosts, dag_id: str, contacts: list[str]) -> Counter[int | None]:
    """Wait until a triggerer waits for each call. Return id of a triggerer → the number of its tasks."""

    def waiting() -> Counter[int | None] | None:
        found = hosts.waits(dag_id)
        return found if found.total() == len(contacts) and None not in found else None

    return eventually(f"all tasks of {dag_id} wait in a triggerer", waiting, within=PATIENCE, every=1)


def wait_in_both(hosts: TwoHosts, dag_id: str, contacts: list[str]) -> Counter[int | None]:
    """Wait until both triggerers wait for calls. Return id of a triggerer → the number of its tasks.

    On a busy machine, one triggerer may take all waits. Half of them then move to the other triggerer, as
    Airflow moves waits.
    """
    spread = all_wait(hosts, dag_id, contacts)
    if len(spread) == 1:
        hosts.await_health()
        hosts.query(
            "UPDATE trigger SET triggerer_id = (SELECT id FROM job WHERE job_type = 'TriggererJob' "
            "AND id != %s ORDER BY latest_heartbeat DESC LIMIT 1) WHERE id IN (SELECT trigger_id "
            "FROM task_instance WHERE dag_id = %s AND map_index %% 2 = 1)",
            [*spread, dag_id],
        )
        time.sleep(10)  # the other triggerer starts its waits
        spread = all_wait(hosts, dag_id, contacts)
    assert len(spread) == 2, f"one triggerer has all waits: {spread}"
    return spread


def active(hosts: TwoHosts, contacts: list[str]) -> int:
    """Return how many of these people still talk."""
    ended = {call["contact_phone_number"] for call in hosts.calls() if call["ended_at"]}
    return len(set(contacts) - ended)


def polls_in_window(hosts: TwoHosts) -> int:
    """Count the polls of the next seconds."""
    before = hosts.exchange.polls()
    time.sleep(WINDOW)
    return hosts.exchange.polls() - before


def hang_up(hosts: TwoHosts, dag_id: str, contacts: list[str]) -> list[dict[str, object]]:
    """Let all people hang up. Check that each task succeeds in its first try, and return the tasks."""
    for contact in contacts:
        hosts.exchange.hang_up(contact)
    tasks = hosts.await_end(dag_id)
    assert Counter(task["state"] for task in tasks) == {"success": len(contacts)}
    assert {task["try_number"] for task in tasks} == {1}
    assert hosts.rings_of(contacts) == [1] * len(contacts)
    return tasks


def test_sixty_waits_over_two_triggerers_poll_with_one_loop_each_and_survive_a_kill(
    hosts: TwoHosts, run: int, measured: Measured
) -> None:
    contacts, dag_id = contacts_of("many_waits", run), name_of("many_waits", run)
    interval = 2.0
    hosts.exchange.script(contacts, rings=1.0, talks=None)
    hosts.await_health()
    hosts.run(dag_id)
    spread = wait_in_both(hosts, dag_id, contacts)
    in_two = polls_in_window(hosts)
    assert in_two <= 2 * (WINDOW / interval + 1), f"{in_two} polls in {WINDOW:g} s"
    began = time.time()
    hosts.end("triggerer", SOUTH)
    eventually("one triggerer has all waits", lambda: len(hosts.waits(dag_id)) == 1, within=PATIENCE)
    moved_after = time.time() - began
    in_one = polls_in_window(hosts)
    assert in_one <= WINDOW / interval + 1, f"{in_one} polls in {WINDOW:g} s"
    assert active(hosts, contacts) == len(contacts)
    hosts.run_component("triggerer", SOUTH)
    tasks = hang_up(hosts, dag_id, contacts)
    counts = " + ".join(str(count) for count in spread.values())
    measured(
        Row(
            f"60 waits ({counts}) over two triggerers; one is killed with SIGKILL",
            "60, once each",
            "success × 60",
            f"{in_two} polls in {WINDOW:g} s with two triggerers, {in_one} with one; the waits moved after "
            f"{moved_after:.0f} s",
            max(seconds_of(str(task["end_date"])) for task in tasks) - began,
        )
    )


def test_a_stalled_triggerer_releases_no_call_and_marking_the_run_failed_releases_all(
    hosts: TwoHosts, run: int, measured: Measured
) -> None:
    contacts, dag_id = contacts_of("stalled_triggerer", run), name_of("stalled_triggerer", run)
    hosts.exchange.script(contacts, rings=1.0, talks=None)
    hosts.await_health()
    hosts.run(dag_id)
    wait_in_both(hosts, dag_id, contacts)
    stalled_at = time.time()
    hosts.signal_all("triggerer", SOUTH, signal.SIGSTOP)
    eventually("the other triggerer has all waits", lambda: len(hosts.waits(dag_id)) == 1, within=PATIENCE)
    time.sleep(max(STALLED_FOR - (time.time() - stalled_at), 0))
    stalled_for = time.time() - stalled_at
    hosts.signal_all("triggerer", SOUTH, signal.SIGCONT)
    time.sleep(20)  # the stalled triggerer cancels its triggers, and asks Airflow about their tasks
    assert active(hosts, contacts) == len(contacts), "the triggerer that was stalled has released calls"
    began = time.time()
    hosts.api("PATCH", f"dags/{dag_id}/dagRuns/run", {"state": "failed"})
    eventually("all calls are released", lambda: not active(hosts, contacts), within=PATIENCE)
    released_after = time.time() - began
    assert hosts.rings_of(contacts) == [1] * len(contacts)
    measured(
        Row(
            f"triggerer suspended for {stalled_for:.0f} s while 40 tasks wait, cancel_on_kill=True; later "
            "the run is marked failed",
            "40, once each",
            "failed × 40",
            f"0 of 40 calls released by the triggerer that was suspended; 40 of 40 released within "
            f"{released_after:.0f} s after the mark",
            released_after,
        )
    )


def test_a_secrets_backend_that_is_down_while_triggers_start_ends_no_wait(
    hosts: TwoHosts, run: int, measured: Measured
) -> None:
    contacts, dag_id = contacts_of("vault_down", run), name_of("vault_down", run)
    hosts.exchange.script(contacts, rings=1.0, talks=None)
    (hosts.vault / VAULT).write_text(json.dumps(hosts.connection()), "utf-8")
    for host in HOSTS:
        hosts.signal_all("triggerer", host, signal.SIGSTOP)
    hosts.run(dag_id)
    eventually(
        "all tasks are deferred", lambda: hosts.waits(dag_id).total() == len(contacts), within=PATIENCE
    )
    (hosts.vault / "down").touch()
    for host in HOSTS:
        hosts.signal_all("triggerer", host, signal.SIGCONT)
    all_wait(hosts, dag_id, contacts)
    time.sleep(VAULT_DOWN)
    (hosts.vault / "down").unlink()
    began = time.time()
    time.sleep(5)
    assert hosts.waits(dag_id).total() == len(contacts), hosts.states(dag_id)
    tasks = hang_up(hosts, dag_id, contacts)
    measured(
        Row(
            f"secrets backend down for {VAULT_DOWN:g} s while 20 triggers start",
            "20, once each",
            "success × 20",
            "no wait ended",
            max(seconds_of(str(task["end_date"])) for task in tasks) - began,
        )
    )
