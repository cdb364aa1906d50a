"""A real Airflow in its own folder, a real exchange over HTTP, and DAGs that run through ``dag.test()``."""

from __future__ import annotations

import atexit
import functools
import gc
import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from copied_examples import EXAMPLES
from hypothesis import settings
from packaging.version import Version

from airflow_provider_callapi.calls.watching.host_snapshots import FOLDER_PREFIX
from airflow_provider_callapi.calls.watching.snapshot import Snapshot

REPO = Path(__file__).parents[1]
HOME = Path(tempfile.mkdtemp(prefix="callapi-airflow-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

TEST_DAGS = HOME / "dags"
TEST_DAGS.mkdir()
# ``dag.test()`` parses the bundles in this order until it finds its DAG. Few tests need the examples.
BUNDLES = {"tests": TEST_DAGS, "examples": EXAMPLES}
# Airflow reads these variables on its first import, which happens after this line.
os.environ.update(
    AIRFLOW_HOME=str(HOME),
    TMPDIR=str(HOME),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__EXECUTOR="LocalExecutor",
    AIRFLOW__LOGGING__LOGGING_LEVEL="INFO",
    AIRFLOW__CORE__FERNET_KEY="",
    AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST=json.dumps(
        [
            {
                "name": name,
                "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
                "kwargs": {"path": str(path)},
            }
            for name, path in BUNDLES.items()
        ]
    ),
)


tempfile.tempdir = str(HOME)

AIRFLOW = Version(version("apache-airflow-core"))

# A busy machine needs longer for an example, above all for the first one, which loads libraries.
settings.register_profile("any_machine", deadline=None)
settings.load_profile("any_machine")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "needs_airflow(version, what): skip the test if an older Airflow lacks the named feature"
    )
    config.addinivalue_line("markers", "example: runs an example, a page or the README in a real Airflow")


def pytest_collection_finish() -> None:
    """Let the garbage collector skip the modules and tests, which live until the end: this saves CPU time."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs_airflow"):
        needed, what = marker.args
        if Version(needed) > AIRFLOW:
            pytest.skip(f"Airflow {AIRFLOW} has no {what}, {needed} has")


@pytest.fixture(autouse=True)
def no_shared_snapshots() -> Iterator[None]:
    """Let no test read the snapshots that an earlier test has left for the tasks of this host."""
    yield
    shutil.rmtree(HOME / f"{FOLDER_PREFIX}{os.geteuid()}", ignore_errors=True)


@pytest.fixture(autouse=True)
def no_shortest_deferral(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let triggers fire at once: in most tests, no scheduler has to read the end of a worker before."""
    monkeypatch.setattr("airflow_provider_callapi.triggers.shortest_deferral.SHORTEST_DEFERRAL", 0.0)


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Divide the interval between two polls by 50."""
    pause = Snapshot.pause
    monkeypatch.setattr(Snapshot, "pause", lambda snapshot, interval: pause(snapshot, interval / 50))


@dataclass
class Run:
    """The states and XComs of a finished DAG run."""

    state: str
    states: dict[str, str | None]
    """Task id (``task_id[map_index]`` if mapped) → state."""
    xcoms: dict[str, Any]
    """Task id, with the map index if mapped → the task's return value."""
    dag_id: str
    run_id: str


@pytest.fixture(scope="session")
def airflow_db() -> None:
    """Create and migrate the metadata database of this session's Airflow."""
    from airflow.utils.db import initdb

    initdb()
    if Version("3.3") > AIRFLOW:
        from airflow.sdk.execution_time import supervisor

        # Share one API server between all tasks, as Airflow 3.3 does. Otherwise ``dag.test()`` builds an API
        # server for each task, which takes two seconds.
        supervisor.in_process_api_server = functools.cache(supervisor.in_process_api_server)


@pytest.fixture
def exchange(callapi_emulator: Any) -> Any:
    """Return the exchange of the emulator to which ``callapi_default`` connects."""
    return callapi_emulator.exchange


@pytest.fixture
def connection(callapi_emulator: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Point ``callapi_default`` to the emulator, and return a function that changes the connection."""

    def set_connection(**changes: Any) -> None:
        fields = callapi_emulator.connection()
        fields["extra"] = {**fields["extra"], **changes.pop("extra", {})}
        monkeypatch.setenv("AIRFLOW_CONN_CALLAPI_DEFAULT", json.dumps({**fields, **changes}))

    set_connection()
    return set_connection


@pytest.fixture
def sqlite_ledger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Point the connection ``ledger`` to a new SQLite database."""
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", f"sqlite:///{tmp_path}/ledger.sqlite")


@pytest.fixture
def dag_bag(airflow_db: None) -> Callable[[Path], Any]:
    """Parse a folder of DAG files as the DAG processor does."""

    def parse(folder: Path) -> Any:
        if Version("3.2") > AIRFLOW:
            from airflow.models.dagbag import DagBag

            return DagBag(str(folder), bundle_path=folder)
        from airflow.dag_processing.dagbag import DagBag

        return DagBag(str(folder), bundle_path=folder, bundle_name="examples")

    return parse


@pytest.fixture
def run_dag(airflow_db: None, connection: Any) -> Callable[..., Run]:
    """Return a function that runs a DAG with its triggers through ``dag.test()`` against the emulator.

    The function takes a file or its source. ``dag.test()`` runs no retries.
    """
    return _run_dag


def _run_dag(source: Path | str, *, conf: dict[str, Any] | None = None, **test_kwargs: Any) -> Run:
    path = source
    if isinstance(source, str):
        path = TEST_DAGS / f"dag_{abs(hash(source))}.py"
        path.write_text(source)
    assert isinstance(path, Path)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    from airflow.sdk import DAG

    dag = next(value for value in vars(module).values() if isinstance(value, DAG))
    try:
        dag_run = dag.test(run_conf=conf, **test_kwargs)
    finally:
        if isinstance(source, str):
            path.unlink()
    return _left_behind(dag_run)


@pytest.fixture
def left_behind() -> Callable[[Any], Run]:
    """Return a function that reads the states and XComs of a finished DAG run."""
    return _left_behind


def _left_behind(dag_run: Any) -> Run:
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    def name(row: Any) -> str:
        return row.task_id if row.map_index < 0 else f"{row.task_id}[{row.map_index}]"

    with create_session() as session:
        tasks = session.scalars(select(TaskInstance).where(TaskInstance.run_id == dag_run.run_id))
        states = {name(ti): ti.state for ti in tasks if ti.dag_id == dag_run.dag_id}
        rows = session.scalars(
            select(XComModel).where(
                XComModel.run_id == dag_run.run_id,
                XComModel.dag_id == dag_run.dag_id,
                XComModel.key == "return_value",
            )
        )
        xcoms = {name(row): XComModel.deserialize_value(row) for row in rows}
    return Run(str(dag_run.state), states, xcoms, dag_run.dag_id, dag_run.run_id)
