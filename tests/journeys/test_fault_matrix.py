"""Every fault on the wire, with and without retries, deferral, Data API: what the task says, and what rang.

The operators, the trigger and HTTP are real; only the scheduler is played, and sleeping takes no
time: it moves the clock of both sides. With ``CALLAPI_FAULT_MATRIX=path`` the measured table is written
to that file.
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
import requests
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow_fakes import CONTACT, TTS, VNUMBER, Desk, Task, TaskInstance

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.jsonrpc import JsonRpc
from airflow_provider_callapi.api.retrying_client import RetryingClient
from airflow_provider_callapi.emulator import Emulator, Exchange, Fault, ManualClock, Script
from airflow_provider_callapi.exceptions import CallUnresolved
from airflow_provider_callapi.hooks import callapi as hooks_module
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

pytest_plugins = ["airflow_desk"]

START = "start.informer_call"
RETRY_DELAY = 300.0
REPORT_LAG = 20.0
HANG_UP = 0.3
"""Seconds of real time after which a client gives up, where the exchange hangs."""
PEOPLE = {
    "talks for half a minute": Script(rings=3, talks=30),
    "is busy at once": Script.busy(rings=0),
}
"""Somebody whom list.calls shows, and somebody whose call is over before anybody can look."""
NOTHING_LEFT = {Fault.REFUSE}
"""The faults that prove that nothing was placed: the request is sent again."""


class BorrowedClock:
    """The clock of the test that runs: the emulator outlives it."""

    def __init__(self) -> None:
        self.clock = ManualClock()

    def __call__(self) -> float:
        return self.clock()


@dataclass
class Wire:
    """A desk whose exchange is reached over real HTTP."""

    desk: Desk
    emulator: Emulator

    def spoil(self, fault: Fault, method: str, times: int = 1) -> None:
        if fault is Fault.REFUSE:
            self._refuse_until_somebody_waits()
        else:
            self.desk.exchange.fault(fault, method=method, times=times)

    def _refuse_until_somebody_waits(self) -> None:
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
    monkeypatch.setitem(JsonRpc.__init__.__kwdefaults__, "new_session", requests.Session)
    return Wire(desk, emulator)


class Way(NamedTuple):
    """How a task is set up."""

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
    """What a task came to."""

    state: str
    tries: int
    value: Any
    error: Exception | None


def play_airflow(task: Task, retries: int) -> Ending:
    """The tries of a task: again after a failure while there are retries, but for AirflowFailException."""
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
    way: Way,
    *,
    login: bool = False,
    client_timeout: float = 20.0,
    **parameters: Any,
) -> Task:
    extra = {"data_api": way.data_api, "data_api_host": wire.emulator.url, "timeout": client_timeout}
    wire.desk.connect(login=login, port=wire.emulator.port, extra=extra)

    def make() -> CallApiStartInformerCallOperator:
        return CallApiStartInformerCallOperator(
            task_id="call",
            virtual_phone_number=VNUMBER,
            contact=CONTACT,
            contact_message=TTS,
            wait_for_completion=True,
            deferrable=way.deferrable,
            retries=way.retries,
            **parameters,
        )

    return Task(wire.desk, make, TaskInstance())


# --- what is expected, and what was measured ---


def is_found(fault: Fault | None, person: str, data_api: bool) -> bool:
    """Whether somebody can say for certain what became of the request."""
    if fault is None or fault in NOTHING_LEFT:
        return True
    if not fault.carried_out:
        return False  # nothing is there to be found, and its absence proves nothing
    return data_api or person == "talks for half a minute"


measured: dict[tuple[str, str, bool], set[tuple[int, str, str]]] = {}
"""(fault, person, data_api) → {(rings, final state, delivery)}: one of each, whatever the rest."""


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
        seen = measured.get((fault, person, data_api), set())
        return " / ".join(f"{state}, {rings}" for rings, state, how in sorted(seen) if how == delivery)

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
ways = pytest.mark.parametrize(
    "way", [Way(*way) for way in itertools.product([False, True], [0, 3], [False, True])], ids=str
)


def run_cell(
    wire: Wire,
    fault: Fault | None,
    person: str,
    way: Way,
    delivery: str = "at_most_once",
) -> tuple[Ending, int, Task]:
    wire.desk.exchange.script(CONTACT, PEOPLE[person])
    patience = HANG_UP if fault is Fault.HANG else 20.0
    task = make_task(wire, way, client_timeout=patience, delivery=delivery)
    if fault is not None:
        wire.spoil(fault, START)
    ending = play_airflow(task, way.retries)
    rings = wire.desk.exchange.rings(CONTACT)
    note((fault.label if fault else "none", person, way.data_api), delivery, ending, rings)
    return ending, rings, task


@faults
@persons
@ways
def test_whatever_happens_to_the_request_the_phone_rings_once_at_most(
    wire: Wire, fault: Fault | None, person: str, way: Way
) -> None:
    ending, rings, task = run_cell(wire, fault, person, way)
    assert rings <= 1
    assert ending.tries == 1, "a lost answer is no reason for another try"
    if is_found(fault, person, way.data_api):
        assert (ending.state, rings) == ("success", 1), ending
        (call,) = wire.desk.exchange.calls
        assert ending.value["call_session_id"] == call.call_session_id
        assert ending.value["external_id"] == call.external_id
        assert ending.value["status"] == "ended"
        answered = person == "talks for half a minute"
        assert ending.value["answered"] is (answered if answered or way.data_api else None)
        return
    assert type(ending.error) is CallUnresolved
    assert fault is not None
    assert rings == fault.carried_out, "the exchange knows; the task says that nobody here does"
    text = str(ending.error)
    assert START in text, "which request it was"
    assert "The call may have been placed, so it is not placed again" in text
    assert "clear this task to place a new call" in text
    assert CONTACT not in text
    if task.state is not None:
        assert f"external_id {task.journal['external_id']}" in text
        assert task.journal["stage"] == "unresolved"


@faults
@persons
@pytest.mark.parametrize("way", [Way(d, 3, r) for d in (False, True) for r in (False, True)], ids=str)
def test_at_least_once_rings_whatever_happens_to_one_request(
    wire: Wire, fault: Fault | None, person: str, way: Way
) -> None:
    ending, rings, _ = run_cell(wire, fault, person, way, "at_least_once")
    assert ending.state == "success", ending
    placed_in_vain = fault is not None and fault.carried_out and not is_found(fault, person, way.data_api)
    assert rings == (2 if placed_in_vain else 1), "the second ring is the price, and is paid nowhere else"


# --- after unresolved ---


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize(
    "fault", [fault for fault in Fault if fault not in NOTHING_LEFT], ids=lambda f: f.label
)
@pytest.mark.needs_airflow("3.3", "task state")
def test_after_unresolved_nothing_but_a_persons_clear_makes_the_phone_ring(
    wire: Wire, fault: Fault, deferrable: bool
) -> None:
    ending, rings, task = run_cell(wire, fault, "is busy at once", Way(deferrable, 3, data_api=False))
    assert type(ending.error) is CallUnresolved
    with pytest.raises(CallUnresolved):
        task.retry()  # a scheduler that lost the worker's last word
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
def test_a_fault_on_any_other_request_costs_neither_the_call_nor_a_second_one(
    wire: Wire, fault: Fault, method: str, deferrable: bool
) -> None:
    wire.desk.exchange.script(CONTACT, PEOPLE["talks for half a minute"])
    patience = HANG_UP if fault is Fault.HANG else 20.0
    task = make_task(wire, Way(deferrable, 0, data_api=True), login=True, client_timeout=patience)
    wire.spoil(fault, method, times=2)
    ending = play_airflow(task, 0)
    assert (ending.state, wire.desk.exchange.rings(CONTACT)) == ("success", 1), ending
    assert ending.value["answered"] is True


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_service_that_is_down_for_longer_than_a_try_is_called_through_by_a_retry(
    wire: Wire, deferrable: bool
) -> None:
    wire.desk.exchange.script(CONTACT, PEOPLE["talks for half a minute"])
    task = make_task(wire, Way(deferrable, 3, data_api=False))
    with wire.emulator.refusing(), pytest.raises(Exception, match="could not connect"):
        task.run()
    assert task.journal["stage"] == "nothing"
    assert task.retry()["attempt"] == 1
    assert wire.desk.exchange.rings(CONTACT) == 1


# --- an author's external_id that is not unique ---


@pytest.mark.parametrize(
    ("other_contact", "hours"), [(CONTACT, 12.0), ("79169999999", 0.0)], ids=["12 h earlier", "somebody else"]
)
def test_another_call_with_the_same_external_id_is_not_taken_for_the_one_that_got_lost(
    wire: Wire, other_contact: str, hours: float
) -> None:
    wire.desk.exchange.script(CONTACT, PEOPLE["talks for half a minute"])
    task = make_task(wire, Way(deferrable=False, retries=0, data_api=True), external_id="campaign-7")
    other = wire.desk.start(other_contact, external_id="campaign-7")
    wire.desk.clock.advance(60 + hours * 3600)
    assert not wire.desk.exchange.call(other).active
    rang = wire.desk.exchange.rings(CONTACT)
    wire.spoil(Fault.DROP_BEFORE, START)
    ending = play_airflow(task, 0)
    assert type(ending.error) is CallUnresolved, f"session {other} was taken for this call: {ending}"
    assert wire.desk.exchange.rings(CONTACT) == rang
