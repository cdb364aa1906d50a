"""Every network fault with and without retries, deferral and Data API: the task's result and the rings.

The Airflow operators, the trigger and HTTP are real. The test replaces only the scheduler. A sleep takes no
time: it moves the clock of both sides. With ``CALLAPI_FAULT_MATRIX=path``, the test writes the measured
table to that file.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow_fakes import CONTACT, TTS, VNUMBER, Desk, Task, TaskInstance

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.retrying_client import RetryingClient
from airflow_provider_callapi.api.transport.bounded_http import BoundedSession
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc
from airflow_provider_callapi.emulator import Emulator, Exchange, Fault, ManualClock, Script
from airflow_provider_callapi.exceptions import CallUnresolved
from airflow_provider_callapi.hooks import callapi as hooks_module
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

pytest_plugins = ["airflow_desk"]

START = "start.informer_call"
RETRY_DELAY = 300.0
REPORT_LAG = 20.0
HANG_UP = 0.3
"""The seconds of real time after which a client gives up if the exchange hangs."""
PEOPLE = {
    "talks for half a minute": Script(rings=3, talks=30),
    "is busy at once": Script.busy(rings=0),
}
"""A person whose call list.calls shows, and a person whose call ends before the first poll."""
PROVES_NOT_PLACED = {Fault.REFUSE, Fault.TOO_MANY_REQUESTS}
"""The faults that prove that no call was placed. The client sends the request again."""


class BorrowedClock:
    """The clock of the current test. The emulator serves several tests and needs a clock of its own."""

    def __init__(self) -> None:
        self.clock = ManualClock(1_760_000_000.0)

    def __call__(self) -> float:
        return self.clock()


@dataclass
class Wire:
    """A desk that reaches its exchange over real HTTP."""

    desk: Desk
    emulator: Emulator

    def spoil(self, fault: Fault, method: str, times: int = 1) -> None:
        if fault is Fault.REFUSE:
            self._refuse_until_the_first_sleep()
        else:
            self.desk.exchange.fault(fault, method=method, times=times)

    def _refuse_until_the_first_sleep(self) -> None:
        refusing = ExitStack()
        refusing.enter_context(self.emulator.refusing())
        sleep = self.desk.sleep

        def sleep_and_open(seconds: float) -> None:
            sleep(seconds)
            refusing.close()

        def retrying_client(client: Client, **options: Any) -> RetryingClient:
            return RetryingClient(client, **{**options, "sleep": sleep_and_open})

        self.desk.monkeypatch.setattr(hooks_module, "RetryingClient", retrying_client)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(Exchange(clock=BorrowedClock())) as running:
        yield running


@pytest.fixture
def wire(desk: Desk, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Wire:
    exchange = emulator.exchange
    assert isinstance(exchange.clock, BorrowedClock)
    exchange.clock.clock = desk.clock
    exchange.reset()
    exchange.report_lag = REPORT_LAG
    desk.exchange = exchange
    monkeypatch.setitem(JsonRpc.__init__.__kwdefaults__, "new_session", lambda: BoundedSession({}))
    return Wire(desk, emulator)


class Setup(NamedTuple):
    """The setup of a task."""

    deferrable: bool
    retries: int
    data_api: bool

    def __str__(self) -> str:
        return "-".join(
            [
                "deferred" if self.deferrable else "in the worker",
                f"{self.retries} retries",
                "Data API" if self.data_api else "no Data API",
            ]
        )


class Ending(NamedTuple):
    """The final state of a task, with its number of tries, its value and its error."""

    state: str
    tries: int
    value: Any
    error: Exception | None


def play_airflow(task: Task, retries: int) -> Ending:
    """Run the tries of a task as Airflow does: retry after each error except AirflowFailException."""
    task.ti.max_tries = retries
    run: Callable[[], Any] = task.run
    while True:
        try:
            value = run()
        except AirflowFailException as error:
            return Ending("failed", task.ti.try_number, None, error)
        except Exception as error:
            if task.ti.try_number > retries:
                return Ending("failed", task.ti.try_number, None, error)
            task.desk.clock.advance(RETRY_DELAY)
            run = task.retry
        else:
            return Ending("success", task.ti.try_number, value, None)


def make_task(
    wire: Wire,
    setup: Setup,
    *,
    login: bool = False,
    client_timeout: float = 20.0,
    **parameters: Any,
) -> Task:
    extra = {"data_api": setup.data_api, "data_api_host": wire.emulator.url, "timeout": client_timeout}
    wire.desk.connect(login=login, port=wire.emulator.port, extra=extra)

    def make() -> CallApiStartInformerCallOperator:
        return CallApiStartInformerCallOperator(
            task_id="call",
            virtual_phone_number=VNUMBER,
            contact=CONTACT,
            contact_message=TTS,
            wait_for_completion=True,
            deferrable=setup.deferrable,
            retries=setup.retries,
            **parameters,
        )

    return Task(wire.desk, make, TaskInstance())


# --- what is expected, and what was measured ---


def is_certain(fault: Fault | None, person: str, data_api: bool) -> bool:
    """Return whether the provider can find out for certain what happened to the request."""
    if fault is None or fault in PROVES_NOT_PLACED:
        return True
    if not fault.carried_out:
        return False  # no call exists, but the absence of a call proves nothing
    return data_api or person == "talks for half a minute"


measured: dict[tuple[str, str, bool], set[tuple[int, str, str]]] = {}
"""(fault, person, data_api) → {(rings, final state, delivery)}: the same for all other parameters."""


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    yield
    if path := os.environ.get("CALLAPI_FAULT_MATRIX"):
        Path(path).write_text(as_markdown())


def note(cell: tuple[str, str, bool], delivery: str, ending: Ending, rings: int) -> None:
    state = "success" if ending.state == "success" else type(ending.error).__name__
    measured.setdefault(cell, set()).add((rings, state, delivery))


def as_markdown() -> str:
    def cell(fault: str, person: str, data_api: bool, delivery: str) -> str:
        cells = measured.get((fault, person, data_api), set())
        return " / ".join(f"{state}, {rings}" for rings, state, how in sorted(cells) if how == delivery)

    columns = [
        (person, data_api, delivery)
        for delivery in ("at_most_once", "at_least_once")
        for person in PEOPLE
        for data_api in (False, True)
    ]
    head = ["the person " + p + ("; Data API" if d else "") + f"; {how}" for p, d, how in columns]
    lines = [["fault on the start request", "carried out", *head], ["---"] * (len(columns) + 2)]
    for fault in (None, *Fault):
        name = fault.label if fault else "none"
        done = "yes" if fault is None or fault.carried_out else "no"
        lines.append([name, done, *(cell(name, *column) for column in columns)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


faults = pytest.mark.parametrize("fault", [None, *Fault], ids=lambda f: f.label if f else "none")
persons = pytest.mark.parametrize("person", PEOPLE)
setups = pytest.mark.parametrize(
    "setup", [Setup(*setup) for setup in itertools.product([False, True], [0, 3], [False, True])], ids=str
)


def run_cell(
    wire: Wire,
    fault: Fault | None,
    person: str,
    setup: Setup,
    delivery: str = "at_most_once",
) -> tuple[Ending, int, Task]:
    wire.desk.exchange.script(CONTACT, PEOPLE[person])
    patience = HANG_UP if fault is Fault.HANG else 20.0
    task = make_task(wire, setup, client_timeout=patience, delivery=delivery)
    if fault is not None:
        wire.spoil(fault, START)
    ending = play_airflow(task, setup.retries)
    rings = wire.desk.exchange.rings(CONTACT)
    note((fault.label if fault else "none", person, setup.data_api), delivery, ending, rings)
    return ending, rings, task


@faults
@persons
@setups
def test_the_phone_rings_at_most_once_after_any_fault_of_the_start_request(
    wire: Wire, fault: Fault | None, person: str, setup: Setup
) -> None:
    ending, rings, task = run_cell(wire, fault, person, setup)
    assert rings <= 1
    assert ending.tries == 1, "a lost answer is no reason for another try"
    if is_certain(fault, person, setup.data_api):
        assert (ending.state, rings) == ("success", 1), ending
        (call,) = wire.desk.exchange.calls
        assert ending.value["call_session_id"] == call.call_session_id
        assert ending.value["external_id"] == call.external_id
        assert ending.value["status"] == "ended"
        answered = person == "talks for half a minute"
        assert ending.value["answered"] is (answered if answered or setup.data_api else None)
        return
    assert type(ending.error) is CallUnresolved
    assert fault is not None
    assert rings == fault.carried_out, (
        "the exchange knows the number of rings; the task reports that it does not"
    )
    text = str(ending.error)
    assert START in text, "the error names the request"
    assert "The call may have been placed, so it is not placed again" in text
    assert "clear this task to place a new call" in text
    assert CONTACT not in text
    if task.state is not None:
        assert f"external_id {task.journal['external_id']}" in text
        assert task.journal["stage"] == "unresolved"


@faults
@persons
@pytest.mark.parametrize("setup", [Setup(d, 3, r) for d in (False, True) for r in (False, True)], ids=str)
def test_at_least_once_rings_after_any_fault_of_one_start_request(
    wire: Wire, fault: Fault | None, person: str, setup: Setup
) -> None:
    ending, rings, _ = run_cell(wire, fault, person, setup, "at_least_once")
    assert ending.state == "success", ending
    placed_unnoticed = (
        fault is not None and fault.carried_out and not is_certain(fault, person, setup.data_api)
    )
    assert rings == (2 if placed_unnoticed else 1), "only an unnoticed call leads to a second ring"


# --- after unresolved ---


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize(
    "fault", [fault for fault in Fault if fault not in PROVES_NOT_PLACED], ids=lambda f: f.label
)
@pytest.mark.needs_airflow("3.3", "task state")
def test_only_a_clear_by_a_user_makes_the_phone_ring_after_an_unresolved_call(
    wire: Wire, fault: Fault, deferrable: bool
) -> None:
    ending, rings, task = run_cell(wire, fault, "is busy at once", Setup(deferrable, 3, data_api=False))
    assert type(ending.error) is CallUnresolved
    with pytest.raises(CallUnresolved):
        task.retry()  # as if the scheduler had lost the worker's last report
    assert wire.desk.exchange.rings(CONTACT) == rings
    call = task.clear()
    assert wire.desk.exchange.rings(CONTACT) == rings + 1
    assert (call["attempt"], call["status"]) == (2, "ended")
    assert call["external_id"].endswith("-2")


# --- faults of the other requests ---


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize("method", ["list.calls", "get.calls_report", "login.user"])
@pytest.mark.parametrize(
    "fault", [fault for fault in Fault if fault is not Fault.REFUSE], ids=lambda f: f.label
)
def test_a_fault_of_another_request_neither_loses_nor_repeats_the_call(
    wire: Wire, fault: Fault, method: str, deferrable: bool
) -> None:
    wire.desk.exchange.script(CONTACT, PEOPLE["talks for half a minute"])
    patience = HANG_UP if fault is Fault.HANG else 20.0
    task = make_task(wire, Setup(deferrable, 0, data_api=True), login=True, client_timeout=patience)
    wire.spoil(fault, method, times=2)
    ending = play_airflow(task, 0)
    assert (ending.state, wire.desk.exchange.rings(CONTACT)) == ("success", 1), ending
    assert ending.value["answered"] is True


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_retry_places_the_call_if_the_service_is_down_during_a_whole_try(
    wire: Wire, deferrable: bool
) -> None:
    wire.desk.exchange.script(CONTACT, PEOPLE["talks for half a minute"])
    task = make_task(wire, Setup(deferrable, 3, data_api=False))
    with wire.emulator.refusing(), pytest.raises(Exception, match="could not connect"):
        task.run()
    assert task.journal["stage"] == "nothing"
    assert task.retry()["attempt"] == 1
    assert wire.desk.exchange.rings(CONTACT) == 1


# --- an author's external_id that is not unique ---


@pytest.mark.parametrize(
    ("other_contact", "hours"),
    [(CONTACT, 12.0), ("79169999999", 0.0)],
    ids=["12 h earlier", "another contact"],
)
def test_another_call_with_the_same_external_id_is_not_adopted_as_the_unconfirmed_call(
    wire: Wire, other_contact: str, hours: float
) -> None:
    wire.desk.exchange.script(CONTACT, PEOPLE["talks for half a minute"])
    task = make_task(wire, Setup(deferrable=False, retries=0, data_api=True), external_id="campaign-7")
    other = wire.desk.start(other_contact, external_id="campaign-7")
    wire.desk.clock.advance(60 + hours * 3600)
    assert not wire.desk.exchange.call(other).active
    rang = wire.desk.exchange.rings(CONTACT)
    wire.spoil(Fault.DROP_BEFORE, START)
    ending = play_airflow(task, 0)
    assert type(ending.error) is CallUnresolved, f"session {other} was adopted: {ending}"
    assert wire.desk.exchange.rings(CONTACT) == rang
