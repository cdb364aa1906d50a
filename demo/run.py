"""Run a real Airflow that places four phone calls at a telephone exchange on this machine.

The demo gives Airflow a new database, and runs the DAG
``airflow_provider_callapi/example_dags/start_wait_tag_branch.py`` once for each of four people. The demo
prints what the DAG knows of each call next to the facts at the exchange. At the end, the demo deletes all
files that it made. The exit code is 0 if every call and every run met the expectation, otherwise 1.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

from airflow_provider_callapi.emulator import Call, Emulator, Exchange, Fault, ManualClock, Script

REPO = Path(__file__).resolve().parents[1]
DAG_FILE = REPO / "airflow_provider_callapi" / "example_dags" / "start_wait_tag_branch.py"
START = "start.employee_call"
POLL_INTERVAL = 0.5
"""Seconds between two polls. The example's interval of 5 s would slow down the demo."""
CLOCK_STEP = 0.05
"""Seconds between two moves of the exchange's clock."""
LOG_LINES_ON_FAILURE = 40
"""How many of the last lines of Airflow's log the demo prints after a failure."""


@dataclass(frozen=True)
class Person:
    """One person whom the demo calls.

    :ivar reaction: what the person does, as a phrase that completes "a person who …".
    :ivar script: what the person's phone does at the exchange.
    :ivar branch: the task that the DAG must reach.
    :ivar fault: the fault of the start request. None: no fault.
    """

    reaction: str
    phone: str
    script: Script
    branch: str
    fault: Fault | None = None


PEOPLE = (
    Person(
        "answers and talks",
        "79160000001",
        Script(rings=1, employee_rings=0.5, talks=2),
        branch="thank",
    ),
    Person("is busy", "79160000002", Script.busy(rings=1), branch="another_way"),
    Person(
        "hangs up at once",
        "79160000003",
        Script(rings=1, employee_rings=0, talks=0),  # no poll can see a talk of 0 s
        branch="another_way",
    ),
    Person(
        "answers; the reply to start.* is lost",
        "79160000004",
        Script(rings=1, employee_rings=0.5, talks=2),
        branch="thank",
        fault=Fault.DROP_AFTER,
    ),
)


@dataclass(frozen=True)
class Result:
    """What one run of the demo's DAG shows: the state of the run, the branch taken, and the call."""

    state: str
    branch: str | None
    known: dict[str, Any]


def main() -> int:
    """Run the demo. Return 0 if each phone rang once and each run took the right branch, otherwise 1."""
    screen = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    console = Console(file=screen, highlight=False, width=None if screen.isatty() else 100)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="callapi-demo-", ignore_cleanup_errors=True) as folder:
        log = Path(folder) / "airflow.log"
        with _output_to(log):
            try:
                problems = _demo(console, Path(folder))
            except Exception:
                traceback.print_exc()
                problems = ["the demo raised an exception"]
        if problems:
            console.print(f"\n… the end of Airflow's log:\n{_tail(log)}\n", markup=False, style="dim")
    for problem in problems:
        console.print(f"FAILED: {problem}", style="bold red")
    console.print(f"{time.monotonic() - began:.0f} s", style="dim")
    return 1 if problems else 0


def _demo(console: Console, home: Path) -> list[str]:
    """Run the DAG for each person and print the results. Return one text for each problem."""
    clock = ManualClock(time.time())
    exchange = Exchange(clock)
    with Emulator(exchange) as emulator, _moving(clock, exchange):
        os.environ.update(
            AIRFLOW_HOME=str(home),
            AIRFLOW__CORE__DAGS_FOLDER=str(home / "dags"),
            AIRFLOW__CORE__LOAD_EXAMPLES="False",
            AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{home}/airflow.db",
            AIRFLOW_CONN_CALLAPI_DEFAULT=json.dumps(_without_data_api(emulator.connection())),
        )
        with _spinner(console, "Creating a database for Airflow"):
            dag = _prepare_airflow(home / "dags")
        console.print(f"\nThe telephone exchange is {emulator.url}, the DAG {DAG_FILE.name}\n")
        results = []
        for person in PEOPLE:
            exchange.script(person.phone, person.script)
            if person.fault:
                exchange.fault(person.fault, method=START)
            with _spinner(console, f"Calling a person who {person.reaction}"):
                results.append(_run_dag(dag, person))
        console.print(_table(exchange, results))
        console.print(
            "not known: a poll of the active calls can prove an answer, but not a missing answer",
            style="dim",
        )
        rang = sum(exchange.rings(person.phone) for person in PEOPLE)
        console.print(
            f"requests: {exchange.requests(START)} {START}, {exchange.requests('list.calls')} list.calls, "
            f"{exchange.requests('tag.call')} tag.call; contacts' phones rang {rang} times"
        )
        return list(_problems(exchange, results))


@contextmanager
def _moving(clock: ManualClock, exchange: Exchange) -> Iterator[None]:
    """Move the exchange's clock like real time inside a ``with`` block, but not while a talk has no tag.

    The DAG tags each talk that it has seen. However slow the machine is, the DAG therefore sees each talk.
    """

    def move() -> None:
        while not stop.wait(CLOCK_STEP):
            calls = exchange.active_calls
            if not calls:
                clock.advance(max(0.0, time.time() - clock()))
            elif all(call.tags or call.talked_at is None for call in calls):
                clock.advance(CLOCK_STEP)

    stop = threading.Event()
    thread = threading.Thread(target=move, name="demo-clock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _without_data_api(connection: dict[str, Any]) -> dict[str, Any]:
    """Return a connection that does not use the Data API: the demo shows what polls alone can prove."""
    return {**connection, "extra": {**connection["extra"], "data_api": False}}


def _spinner(console: Console, text: str) -> Live:
    # console.status() would replace sys.stdout and show Airflow's log
    return Live(
        Spinner("dots", text), console=console, transient=True, redirect_stdout=False, redirect_stderr=False
    )


def _prepare_airflow(dags: Path) -> Any:
    """Create Airflow's database, copy the example's file into the folder of DAGs, and return the DAG."""
    from airflow.utils.db import initdb  # noqa: PLC0415 - reads AIRFLOW_HOME when it is imported

    dags.mkdir()
    initdb()
    spec = importlib.util.spec_from_file_location(DAG_FILE.stem, shutil.copy(DAG_FILE, dags))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for task in module.dag.tasks:
        if hasattr(task, "poke_interval"):
            task.poke_interval = POLL_INTERVAL
    return module.dag


def _run_dag(dag: Any, person: Person) -> Result:
    """Run the DAG for one person. Return what its XComs and states show after the run."""
    from airflow.models.xcom import XComModel  # noqa: PLC0415 - see _prepare_airflow
    from airflow.utils.session import create_session  # noqa: PLC0415
    from sqlalchemy import select  # noqa: PLC0415

    run = dag.test(run_conf={"contact": person.phone})
    states = {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
    rows = select(XComModel).where(XComModel.run_id == run.run_id, XComModel.key == "return_value")
    with create_session() as session:
        xcoms = {row.task_id: XComModel.deserialize_value(row) for row in session.scalars(rows)}
    branch = next((task for task in ("thank", "another_way") if states[task] == "success"), None)
    known = xcoms.get("ended") or xcoms.get("answered") or {}
    return Result(str(run.state), branch, known)


def _table(exchange: Exchange, results: list[Result]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("the contact …")
    for column in ("answered", "branch"):
        table.add_column(f"DAG:\n{column}", no_wrap=True)
    for column in ("rang", "what happened", "tag"):
        table.add_column(f"fact:\n{column}", no_wrap=True, style="cyan")
    for person, result in zip(PEOPLE, results, strict=True):
        calls = [call for call in exchange.calls if call.contact == person.phone]
        table.add_row(
            person.reaction,
            {True: "[green]yes", False: "[red]no", None: "[yellow]not known"}[result.known.get("answered")],
            result.branch or f"[red]{result.state}",
            str(exchange.rings(person.phone)),
            "\n".join(map(_fact, calls)) or "nothing",
            ", ".join(tag for call in calls for tag in call.tags.values()) or "–",
        )
    return table


def _fact(call: Call) -> str:
    """Return what the exchange knows of a call: ``talked 2.0 s``, or the reason of the end without a talk."""
    if call.talked_at is None or call.ended_at is None:
        return call.finish_reason or call.state.value
    return f"talked {call.ended_at - call.talked_at:.1f} s"


def _problems(exchange: Exchange, results: list[Result]) -> Iterator[str]:
    """Yield a text for each run and each phone that did not do what the demo expects."""
    for person, result in zip(PEOPLE, results, strict=True):
        if result.state != "success" or result.branch != person.branch:
            yield f"the person who {person.reaction}: the run is {result.state}, its branch {result.branch}"
        if (rings := exchange.rings(person.phone)) != 1:
            yield f"the person who {person.reaction}: the phone rang {rings} times"


@contextmanager
def _output_to(log: Path) -> Iterator[None]:
    """Redirect stdout and stderr of the whole process to a file, inside a ``with`` block."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-LOG_LINES_ON_FAILURE:])


if __name__ == "__main__":
    sys.exit(main())
