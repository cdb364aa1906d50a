"""A campaign of 2000 people in four shards while the test kills its workers at random; and the example."""

from __future__ import annotations

import csv
import json
import os
import random
import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from deployment import OVER, Deployment, eventually, seconds_of
from measured_rows import Row

pytestmark = pytest.mark.timeout(900, method="signal")

EXAMPLE = Path(__file__).parents[1] / "airflow_provider_callapi" / "example_dags" / "campaign_sharded.py"
SHARDS = 4
KILLS = 20
AT_ONCE = 8
"""The calls that a shard dials at the same time. A kill interrupts at most this number of requests."""
PATIENCE = 600.0

PEOPLE = [f"7999{number:07}" for number in range(2000)]
BUSY, SILENT = PEOPLE[0::10], PEOPLE[5::10]
"""The people whose line is always busy, and the people who never pick up: a tenth of the list each."""
PHONE = re.compile(r"7999\d{7}")

EXCHANGE = """
import signal, sys
from airflow_provider_callapi.emulator import Emulator, Exchange
exchange = Exchange()
exchange.account.minute_limit = 3000
with Emulator(exchange, port=int(sys.argv[-1])):
    signal.pause()
"""


def of_shard(name: str, number: int, suffix: str) -> str:
    """Return the name of the file that a shard writes. The first shard has the number 0."""
    return f"{name}-{number + 1}-of-{SHARDS}.{suffix}"


class WithCampaign(Deployment):
    """A deployment with a list of 2000 people, a database for ledgers, and an account that can call them."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, {}, other_dags=2)
        shutil.copy(EXAMPLE, home / "dags")
        self.results = home / "results"
        self.results.mkdir()
        self._environment["AIRFLOW_CONN_CALLAPI_LEDGER"] = json.dumps(self.new_database("ledger"))
        self.in_ledger("CREATE TABLE people (phone TEXT, name TEXT)")
        rows = ", ".join(f"('{phone}', 'Anna')" for phone in PEOPLE)
        self.in_ledger(f"INSERT INTO people VALUES {rows}")
        options = {
            "contacts": {"conn_id": "callapi_ledger", "sql": "SELECT phone, name FROM people"},
            "call": {
                "method": "start.informer_call",
                "virtual_phone_number": "74993720692",
                "contact_message": {"type": "tts", "value": "Hello {{ contact.name }}"},
            },
            "shard": [f"{number}/{SHARDS}" for number in range(1, SHARDS + 1)],
            "campaign": "killed",
            "ledger_conn_id": "callapi_ledger",
            "calling_hours": None,
            "redial": {"busy": 3, "not_reached": 3},
            "max_attempts": 2,
            "max_active_calls": 60,
            "poll_interval": 1.0,
            "appear_timeout": 10.0,
            "report_timeout": 30.0,
            "results": {"conn_id": "callapi_ledger", "table": "results"},
            "report": f"file://{self.results}/report.html",
            "retries": 100,
            "retry_delay": 1.0,
        }
        (home / "dags" / "campaign_shards.json").write_text(json.dumps(options), "utf-8")

    def _start(self, name: str, *arguments: object) -> Any:
        """Start a component. The emulator needs a script: its command cannot set the points per minute."""
        return super()._start(name, *(("-c", EXCHANGE, arguments[-1]) if name == "emulator" else arguments))

    def calls(self) -> list[dict[str, Any]]:
        """Return every call that the exchange has placed."""
        calls: list[dict[str, Any]] = requests.get(f"{self.exchange.url}/emulator/calls", timeout=30).json()
        return calls

    def summary(self, shard: int) -> dict[str, Any]:
        """Return the summary that a shard returned."""
        path = (
            f"dags/campaign_shards/dagRuns/run/taskInstances/call/xcomEntries/return_value?map_index={shard}"
        )
        returned: dict[str, Any] = self.api("GET", f"{path}&deserialize=true")["value"]
        return returned

    def in_ledger(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement in the ledger's database, and return its rows."""
        return self.query(statement, database="ledger")

    def shard_runs(self, shard: int) -> dict[str, int] | None:
        """Return the process ids of a shard's task and its worker, or None if the task does not run."""
        scheduler = self._processes["scheduler"].pid
        try:
            pids: dict[str, int] = json.loads((self.kills / f"shard-{shard}").read_text())
            process = psutil.Process(pids["task"])
            family = [parent.pid for parent in process.parents()]
            runs = process.status() != psutil.STATUS_ZOMBIE
        except (OSError, psutil.Error):
            return None
        return pids if runs and family[:1] == [pids["worker"]] and scheduler in family else None


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WithCampaign]:
    deployment = WithCampaign(tmp_path_factory.mktemp("campaign"))
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.stop()


def kill_at_random(deployment: WithCampaign, chance: random.Random) -> list[str]:
    """Kill a random shard's task twenty times, a quarter of the times with its worker. Return the victims."""
    done: list[str] = []
    deadline = time.monotonic() + PATIENCE
    while len(done) < KILLS:
        time.sleep(chance.uniform(0.5, 6.0))
        with_worker = chance.random() < 0.25
        pids = deployment.shard_runs(chance.randrange(SHARDS))
        if pids is None:
            assert time.monotonic() < deadline, f"the campaign was over after {len(done)} kills"
            continue
        for victim in (["worker"] if with_worker else []) + ["task"]:
            os.kill(pids[victim], signal.SIGKILL)
        done.append("worker" if with_worker else "task")
    return done


def test_a_campaign_of_2000_people_in_four_shards_survives_twenty_kills(
    deployment: WithCampaign, measured: Callable[[Row], None]
) -> None:
    exchange = deployment.exchange
    exchange.script(PEOPLE, rings=0.5, talks=3.0)
    exchange.script(BUSY, rings=0.5, answer="busy")
    exchange.script(SILENT, rings=3.0, answer="no_answer")
    deployment.run("campaign_shards")
    eventually("the first phone rings", deployment.calls, within=120)
    began = time.time()
    kills = kill_at_random(deployment, random.Random(4))
    killed_for = time.time() - began
    dialled_by_then = len(deployment.calls())
    tasks = eventually("all shards end", lambda: ended(deployment), within=PATIENCE, every=2)
    took = max(seconds_of(task["end_date"]) for task in tasks) - began

    assert [task["state"] for task in tasks] == ["success"] * SHARDS
    rows = deployment.in_ledger(
        "SELECT person, attempt, status, result, call_session_id, external_id FROM callapi_campaign_call "
        "WHERE campaign = 'killed'"
    )
    unresolved = [row for row in rows if row[3] == "unresolved"]
    tries = sum(task["try_number"] for task in tasks)
    print(  # noqa: T201 - figures for a run with -s
        f"\n{took:.0f} s, {len(kills)} kills ({Counter(kills)}) in {killed_for:.0f} s, {tries} tries, "
        f"{dialled_by_then} calls by the last kill, {len(deployment.calls())} calls, {len(rows)} attempts, "
        f"{len(unresolved)} unresolved; {Counter(entry['method'] for entry in exchange.journal())}"
    )

    # every row is finished, and each attempt was dialled once
    assert {person for person, *_ in rows} == set(PEOPLE)
    assert {status for _, _, status, *_ in rows} == {"finished"}
    placed = {
        (call["external_id"], call["contact_phone_number"], call["call_session_id"])
        for call in deployment.calls()
    }
    known = {(external_id, person, session) for person, _, _, _, session, external_id in rows if session}
    assert placed == known, "the exchange and the ledger contain different calls"
    rings = Counter(entry["phone"] for entry in exchange.journal() if entry["kind"] == "ring")
    assert rings == Counter(person for person, _, _, _, session, _ in rows if session)

    # no unresolved attempt rang a phone: the campaign found every unconfirmed call that rang
    assert len(unresolved) <= KILLS * AT_ONCE
    assert not [row for row in unresolved if row[4]]
    doubtful = {person for person, *_ in unresolved}

    # each person's result matches the person's behaviour
    last = {person: (attempt, result) for person, attempt, _, result, *_ in sorted(rows)}
    assert {person: outcome for person, outcome in last.items() if person not in doubtful} == expected_of(
        set(PEOPLE) - doubtful
    )

    # ledger, table of results, summaries
    counts = Counter(result for _, result in last.values())
    listed = deployment.in_ledger(
        "SELECT person, attempt, status, result, call_session_id, external_id FROM results "
        "WHERE campaign = 'killed'"
    )
    assert sorted(map(repr, listed)) == sorted(map(repr, rows))
    summaries = [deployment.summary(number) for number in range(SHARDS)]
    assert sum((Counter(summary["results"]) for summary in summaries), Counter()) == counts
    assert sum(summary["calls"] for summary in summaries) == len(placed)
    assert all((deployment.results / of_shard("report", number, "html")).exists() for number in range(SHARDS))

    # logs, XComs and reports contain no phone number
    texts = [*(deployment.home / "logs").rglob("*.log"), *deployment.results.glob("*.html")]
    assert not [path for path in texts if PHONE.search(path.read_text("utf-8", "replace"))]
    assert not PHONE.search(str(summaries))
    measured(
        Row(
            f"{len(PEOPLE)} people in {SHARDS} shards; {KILLS} kills at random, "
            f"{Counter(kills)['worker']} of them of the whole worker",
            f"{len(placed)}, once for each attempt",
            f"success × {SHARDS}",
            f"{tries} tries, {len(unresolved)} unresolved",
            took,
        )
    )


def ended(deployment: WithCampaign) -> list[dict[str, Any]] | None:
    return deployment.tasks("campaign_shards") if deployment.has_ended("campaign_shards") else None


def expected_of(people: set[str]) -> dict[str, tuple[int, str]]:
    """Return person → the number of the last attempt and its result."""
    busy, silent = set(BUSY), set(SILENT)
    return {
        person: (2, "busy") if person in busy else (2, "not_reached") if person in silent else (1, "answered")
        for person in people
    }


def read_csv(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


# --- the example ---

READING = 5.0
"""The seconds that a person needs to read the approval."""
NEIGHBOURS = [f"7998{number:07}" for number in range(10)]


class Example:
    """A run of the example."""

    def __init__(self, deployment: WithCampaign, run_id: str) -> None:
        self.deployment = deployment
        self.run_id = run_id
        self.run_path = f"dags/callapi_campaign_sharded/dagRuns/{run_id}"
        people = deployment.home / "neighbours.csv"
        people.write_text("phone;name\n" + "".join(f"{phone};Anna\n" for phone in NEIGHBOURS), "utf-8-sig")
        folder = f"file://{deployment.results}"
        conf = {"people": f"file://{people}", "folder": folder, "opens": "00:00", "closes": "24:00"}
        body = {"dag_run_id": run_id, "logical_date": None, "conf": conf}
        deployment.api("POST", "dags/callapi_campaign_sharded/dagRuns", body)

    def answer(self, option: str) -> dict[str, Any]:
        """Choose an option of the approval, as a person does. Return the approval's details."""
        path = f"{self.run_path}/taskInstances/approve/-1/hitlDetails"
        eventually(
            "the approval waits for a person",
            lambda: self.states().get("approve") == ["awaiting_input"],
            within=90,
        )
        asked: dict[str, Any] = self.deployment.api("GET", path)
        # Airflow fails the task if the answer comes before the executor has reported that the task waits
        time.sleep(READING)
        self.deployment.api("PATCH", path, {"chosen_options": [option], "params_input": {}})
        return asked

    def end(self) -> str:
        """Wait for the run's end. Return its state."""
        return eventually("the example's run ends", self._ended, within=180)

    def states(self) -> dict[str, list[str]]:
        """Return task id → the states of its instances."""
        found: dict[str, list[str]] = {}
        for task in self.deployment.api("GET", f"{self.run_path}/taskInstances")["task_instances"]:
            found.setdefault(task["task_id"], []).append(task["state"])
        return found

    def returned(self, task_id: str) -> Any:
        path = f"{self.run_path}/taskInstances/{task_id}/xcomEntries/return_value?deserialize=true"
        return self.deployment.api("GET", path)["value"]

    def _ended(self) -> str | None:
        state = self.deployment.run_state("callapi_campaign_sharded", self.run_id)
        return state if state in OVER else None


def test_the_example_calls_no_one_before_the_approval_and_no_one_again_in_a_second_run(
    deployment: WithCampaign,
) -> None:
    exchange = deployment.exchange
    exchange.script(NEIGHBOURS, rings=1.0, talks=3.0)
    example = Example(deployment, "first")
    asked = example.answer("Approve")

    assert asked["subject"] == "Call 10 people?"
    assert "* people on the list: 10, to be called: 10" in asked["body"]
    assert "* points needed for the first calls: about 10" in asked["body"]
    assert "* minutes needed for them: at least 1" in asked["body"]
    assert example.end() == "success", example.states()
    assert [exchange.rings(phone) for phone in NEIGHBOURS] == [1] * 10
    assert example.returned("total")["answered"] == 10
    files = [deployment.results / of_shard("first", number, "csv") for number in range(SHARDS)]
    listed = [row for file in files for row in read_csv(file, delimiter=";")]  # the separator of the list
    assert sorted(row["phone"] for row in listed) == NEIGHBOURS

    again = Example(deployment, "by_mistake")
    assert again.answer("Reject")["subject"] == "Call 0 people?"
    assert again.end() == "success"
    assert set(again.states()["call_them"]) == {"skipped"}
    assert [exchange.rings(phone) for phone in NEIGHBOURS] == [1] * 10
