"""From the report to the call and back into a table, and from a notification to a run, in a deployment."""

from __future__ import annotations

import json
import shutil
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from deployment import OVER, Deployment, eventually

pytestmark = pytest.mark.timeout(600, method="signal")

EXAMPLES = Path(__file__).parents[1] / "airflow_provider_callapi" / "example_dags"
MISSED_CALLS, NOTIFIED, WATCHED = "callapi_missed_calls", "callapi_notified_call", "callapi_inbound_call"
CALLERS = [f"7997000000{number}" for number in range(1, 6)]
_RUNS_OF_A_CALL = """
    SELECT run.dag_id, extract(epoch FROM run.queued_at)
    FROM dag_run run
    JOIN dagrun_asset_event link ON link.dag_run_id = run.id
    JOIN asset_event event ON event.id = link.event_id
    WHERE event.extra -> 'payload' ->> 'call_session_id' = %s
"""
_EVENTS_AND_RUNS = """
    SELECT event.extra -> 'payload' ->> 'call_session_id', count(DISTINCT event.id), count(link.dag_run_id)
    FROM asset_event event
    LEFT JOIN dagrun_asset_event link ON link.event_id = event.id
    WHERE event.extra -> 'payload' ->> 'call_session_id' = ANY(%s)
    GROUP BY 1
"""
SECRET = "a long random secret"
NOTIFICATIONS = 10
REPEATS = 10
USUAL_HEALTH, SLOWEST_HEALTH = 5.0, 60.0
"""Seconds in which the API server must answer half of the health requests, and each of them. With twenty busy
processes on two cores, one answer took 35 s."""


class WithWarehouse(Deployment):
    """A deployment with the examples, a database for calls and results, and notifications of the exchange."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, {}, other_dags=3)
        example = (EXAMPLES / "missed_calls.py").read_text("utf-8")
        at_any_hour = example.replace("deferrable=True,", "calling_hours=None, deferrable=True,")
        assert at_any_hour != example
        (home / "dags" / "missed_calls.py").write_text(at_any_hour, "utf-8")
        for name in ("notified_call.py", "inbound_call.py"):
            shutil.copy(EXAMPLES / name, home / "dags")
        self._environment["AIRFLOW_CONN_DWH"] = json.dumps(self.new_database("warehouse"))
        self._environment["AIRFLOW_VAR_CALLAPI_NOTIFICATIONS_SECRET"] = SECRET
        self.receiver = f"http://127.0.0.1:{self._port}/callapi/notifications"

    def _start(self, name: str, *arguments: object) -> Any:
        notify = ("--notify", self.receiver, "--notify-secret", SECRET) if name == "emulator" else ()
        return super()._start(name, *arguments, *notify)

    def in_warehouse(self, statement: str) -> list[tuple[Any, ...]]:
        """Return rows of the warehouse."""
        return self.query(statement, database="warehouse")

    def session_of(self, contact: str) -> int:
        call = self.exchange.call_to(contact)
        assert call is not None
        session: int = call["call_session_id"]
        return session

    def ended(self, dag_id: str, run_id: str) -> str | None:
        state = self.run_state(dag_id, run_id)
        return state if state in OVER else None

    def runs_started_by(self, session: int) -> dict[str, float]:
        """Return dag id → when the run that an event of this call has started was queued, epoch seconds.

        The query reads Airflow's database, because the REST API fails while a run is queued and not started.
        """
        rows = self.query(_RUNS_OF_A_CALL, [str(session)])
        return {dag_id: float(queued_at) for dag_id, queued_at in rows}

    def events_and_runs_of(self, sessions: list[int]) -> dict[int, tuple[int, int]]:
        """Return session id → the numbers of asset events and of DAG runs that the call's notifications made.

        A call is missing until it has a run.
        """
        rows = self.query(_EVENTS_AND_RUNS, [[str(session) for session in sessions]])
        return {int(session): (events, runs) for session, events, runs in rows if runs}

    def events(self) -> int:
        """Return how many asset events Airflow has."""
        return int(self.query("SELECT count(*) FROM asset_event")[0][0])


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WithWarehouse]:
    deployment = WithWarehouse(tmp_path_factory.mktemp("warehouse"))
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.stop()


def test_missed_calls_are_called_back_once_and_a_second_run_calls_no_one(deployment: WithWarehouse) -> None:
    for caller in CALLERS:
        deployment.exchange.call_in(caller, rings=0.5, talks=1.0, employee_answer="busy", employee_rings=0.5)
    eventually(
        "the missed calls are over",
        lambda: all((deployment.exchange.call_to(caller) or {}).get("finish_reason") for caller in CALLERS),
        within=60,
    )
    time.sleep(1.0)  # the interval of the report ends with the whole second in which the run is due
    for caller in CALLERS:
        deployment.exchange.script([caller], rings=0.5, talks=12.0)  # long enough for a poll
    rings = [run_once(deployment, "first"), run_once(deployment, "second")]

    rows = deployment.in_warehouse("SELECT person, attempt, result FROM call_backs ORDER BY person")
    assert rows == [(caller, 1, "answered") for caller in CALLERS]
    assert deployment.in_warehouse("SELECT count(*) FROM missed_calls") == [(len(CALLERS),)]
    assert rings == [[1] * len(CALLERS)] * 2


def run_once(deployment: WithWarehouse, run_id: str) -> list[int]:
    """Run the example once. Return how often each caller's phone has rung so far."""
    body = {"dag_run_id": run_id, "logical_date": None}
    deployment.api("POST", f"dags/{MISSED_CALLS}/dagRuns", body)
    state = eventually("the run ends", lambda: deployment.ended(MISSED_CALLS, run_id), within=240)
    assert state == "success", deployment.output("scheduler")
    return [deployment.exchange.rings(caller) for caller in CALLERS]


def test_a_notification_starts_a_run_sooner_than_a_poll_and_a_replay_starts_none(
    deployment: WithWarehouse,
) -> None:
    eventually("the watcher polls", deployment.exchange.polls, within=90)
    notified, watched = [], []
    for number in range(NOTIFICATIONS):
        caller = f"7998000000{number}"
        began = time.time()
        deployment.exchange.call_in(caller, rings=0.5, talks=30.0)
        session = deployment.session_of(caller)
        runs = eventually(
            "both runs are there",
            lambda session=session: (
                (found := deployment.runs_started_by(session)).keys() >= {NOTIFIED, WATCHED} and found
            ),
            within=60,
            every=0.2,
        )
        notified.append(runs[NOTIFIED] - began)
        watched.append(runs[WATCHED] - began)
    body = {"secret": SECRET, "event": "started", "call_session_id": session}
    before = deployment.events()
    answers = [requests.post(deployment.receiver, json=body, timeout=10).status_code for _ in range(50)]
    wrong = requests.post(deployment.receiver, json={**body, "secret": "wrong"}, timeout=10).status_code
    large = requests.post(deployment.receiver, data=b"x" * 2_000_000, timeout=10).status_code
    print(  # noqa: T201 - figures for a run with -s
        f"\nfrom the call to the queued run: by notification median {statistics.median(notified):.1f} s, "
        f"largest {max(notified):.1f} s; by poll {statistics.median(watched):.1f} s, {max(watched):.1f} s"
    )

    assert statistics.median(notified) < statistics.median(watched)
    assert (set(answers), wrong, large) == ({204}, 403, 413)
    assert deployment.events() == before
    assert deployment.api("GET", "monitor/health")["metadatabase"]["status"] == "healthy"


def test_a_thousand_notifications_in_a_minute_start_no_run_twice_and_the_api_server_answers(
    deployment: WithWarehouse,
) -> None:
    """Ten requests at a time, and ten notifications of each of a hundred calls."""
    sessions = [700_000_000 + number for number in range(100)]
    bodies = [
        {"secret": SECRET, "event": "started", "call_session_id": session} for session in sessions * REPEATS
    ]
    health_seconds = []
    began = time.monotonic()
    with ThreadPoolExecutor(10) as pool:
        requested = [
            pool.submit(requests.post, deployment.receiver, json=body, timeout=60) for body in bodies
        ]
        while not all(request.done() for request in requested):
            asked = time.monotonic()
            assert deployment.api("GET", "monitor/health")["metadatabase"]["status"] == "healthy"
            health_seconds.append(time.monotonic() - asked)
            time.sleep(0.5)
    seconds = time.monotonic() - began
    answers = Counter(request.result().status_code for request in requested)
    started = eventually(
        "each call has its run",
        lambda: (found := deployment.events_and_runs_of(sessions)) and found.keys() >= {*sessions} and found,
        within=60,
    )
    print(  # noqa: T201 - figures for a run with -s
        f"\n{len(bodies)} notifications in {seconds:.0f} s: {dict(answers)}; "
        f"the health endpoint answered in {statistics.median(health_seconds):.1f} s (median), "
        f"{max(health_seconds):.1f} s (largest)"
    )

    assert answers.keys() <= {204, 429}  # 429: more than 600 at once, and 10 a second
    assert set(started.values()) == {(1, 1)}
    assert statistics.median(health_seconds) < USUAL_HEALTH
    assert max(health_seconds) < SLOWEST_HEALTH
