"""Fakes for unit tests of the Airflow layer: a clock that the test moves, and an Airflow without a database.

The fixture ``desk`` is in airflow_desk.py. The exchange and the tested code share one clock. A sleep only
moves this clock, so a wait of an hour takes milliseconds, and every poll happens at an exact second.
"""

from __future__ import annotations

import asyncio
import copy
import importlib
import json
import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.exceptions import AirflowRescheduleException, TaskDeferred
from airflow.sdk.execution_time import context as airflow_context
from json_store import JsonStore
from known_numbers import VNUMBER

from airflow_provider_callapi.emulator import Exchange, ManualClock

CONTACT = "79161234567"
PHONE = re.compile(r"\d{10,}")
"""A complete phone number in a text."""
RETRIES = 2
"""The retries of each task; a clear of a task adds tries."""
TTS = {"type": "tts", "value": "Hello"}


def start_informer_call(exchange: Exchange, contact: str = CONTACT, **params: Any) -> int:
    """Start an informer call at an exchange, outside any task, and return the call's session id."""
    body = {
        "jsonrpc": "2.0",
        "id": "1",
        "method": "start.informer_call",
        "params": {
            "access_token": exchange.account.key,
            "virtual_phone_number": VNUMBER,
            "contact": contact,
            "contact_message": TTS,
            **params,
        },
    }
    session: int = exchange.handle(body)["result"]["data"]["call_session_id"]
    return session


@dataclass
class Desk:
    """An emulated exchange whose clock moves only during sleeps, and an Airflow connection to the exchange.

    Requests reach the exchange through its in-process session. `requests` and all layers above it are real.
    """

    exchange: Exchange
    clock: ManualClock
    monkeypatch: pytest.MonkeyPatch
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(max(seconds, 0))

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)
        await asyncio.sleep(0)

    def connect(self, *, login: bool = False, **changes: Any) -> None:
        """Make the Airflow connection ``callapi_default`` lead to the emulator.

        :param login: True: the connection has login and password. False: the connection has the key.
        :param changes: fields of the connection that replace the default values.
        """
        account = self.exchange.account
        extra = {"data_api": True, "data_api_host": "http://127.0.0.1:9", "timezone": account.timezone}
        fields: dict[str, Any] = {"conn_type": "callapi", "host": "http://127.0.0.1", "port": 9}
        fields |= (
            {"login": account.login, "password": account.password} if login else {"password": account.key}
        )
        fields["extra"] = {**extra, **changes.pop("extra", {})}
        self.monkeypatch.setenv("AIRFLOW_CONN_CALLAPI_DEFAULT", json.dumps({**fields, **changes}))

    def connect_another_account(self) -> str:
        """Add a second account to the exchange. Return the id of the Airflow connection to this account."""
        account = copy.deepcopy(self.exchange.account)
        account.key = "the-key-of-another-account"
        self.exchange.accounts.append(account)
        fields = json.loads(os.environ["AIRFLOW_CONN_CALLAPI_DEFAULT"])
        self.monkeypatch.setenv("AIRFLOW_CONN_OTHER", json.dumps({**fields, "password": account.key}))
        return "other"

    def renew_key(self, seconds: float, **changes: Any) -> None:
        """In some seconds, give the account a new key, and store the key in the Airflow connection.

        :param changes: other fields of the connection that change at the same time.
        """
        renewed_at, advance = self.clock() + seconds, self.clock.advance

        def advance_and_renew(by: float) -> None:
            advance(by)
            if self.clock() >= renewed_at and self.exchange.account.key != "renewed-key":
                self.exchange.account.key = "renewed-key"
                self.connect(**changes)

        self.monkeypatch.setattr(self.clock, "advance", advance_and_renew)

    def lose_connection(self, seconds: float, error: Exception) -> None:
        """Make the triggerer's look-up of the Airflow connection fail for some seconds."""
        from airflow_provider_callapi.hooks.callapi import CallApiHook

        back_at = self.clock() + seconds
        read = CallApiHook.aget_connection

        async def down(conn_id: str) -> Any:
            if self.clock() < back_at:
                raise error
            return await read(conn_id)

        self.monkeypatch.setattr(CallApiHook, "aget_connection", down)

    def sent(self, *, but: tuple[str, ...] = ("list.calls",)) -> list[str]:
        """Return the methods of the requests that reached the exchange, in order, without ``but``."""
        return [e.method or "" for e in self.exchange.journal if e.kind == "request" and e.method not in but]

    def start(self, contact: str = CONTACT, **params: Any) -> int:
        """Start an informer call outside any task, and return the call's session id."""
        return start_informer_call(self.exchange, contact, **params)


class TaskState(JsonStore):
    """A fake of Airflow's task state, which outlives a try of the task."""

    def set(self, key: str, value: Any, *, retention: timedelta | None = None) -> None:
        super().set(key, value)


def refuse_stage(monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    """Let task state refuse to store the journal of a call in this stage, as if the API server was down."""
    monkeypatch.setattr(TaskState, "refuses", (stage,))


def installed_task_state() -> TaskState | None:
    """Return a fake task state if the installed Airflow has task state (from 3.3), otherwise None."""
    return TaskState() if hasattr(airflow_context, "NEVER_EXPIRE") else None


@dataclass
class TaskInstance:
    """A fake of Airflow's running task instance, with the attributes that the provider uses."""

    task_id: str = "call"
    dag_id: str = "dag"
    run_id: str = "run"
    map_index: int = -1
    try_number: int = 1
    max_tries: int = RETRIES
    start_date: datetime | None = None
    first_reschedule: datetime | None = None
    xcoms: dict[str, Any] = field(default_factory=dict)
    _ti_context_from_server: Any = None

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = json.loads(json.dumps(value, allow_nan=False))

    def xcom_pull(self, *, task_ids: str, key: str) -> Any:
        return self.xcoms.get(key)

    def get_task_states(self, *, dag_id: str, task_ids: list[str], run_ids: list[str]) -> Any:
        return {run_ids[0]: {f"{task_ids[0]}_{self.map_index}": "running"}}

    def get_first_reschedule_date(self, context: Any) -> datetime | None:
        return self.first_reschedule


@dataclass
class Task:
    """One task over its tries, as Airflow runs it: every start and resume uses a new Airflow operator.

    ``make`` builds the Airflow operator, as parsing the DAG file does.
    """

    desk: Desk
    make: Callable[[], Any]
    ti: TaskInstance = field(default_factory=TaskInstance)
    state: TaskState | None = field(default_factory=installed_task_state)
    run_after: datetime | None = None
    params: dict[str, Any] = field(default_factory=dict)
    operator: Any = None
    deferrals: list[TaskDeferred] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    reschedules: int = 0
    run_clears: int = 0
    more_context: dict[str, Any] = field(default_factory=dict)
    is_dag_test: bool = False  # `dag.test()` resumes a task with the event alone

    @property
    def context(self) -> dict[str, Any]:
        self.ti.start_date = self.ti.start_date or self.now
        self.run_after = self.run_after or self.now
        context: dict[str, Any] = {
            "ti": self.ti,
            "dag_run": SimpleNamespace(run_after=self.run_after, clear_number=self.run_clears),
            "params": self.params,
            "task": SimpleNamespace(retries=RETRIES),
            **self.more_context,
        }
        if self.state is not None:
            context["task_state_store"] = self.state
        return context

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.desk.clock(), UTC)

    @property
    def journal(self) -> dict[str, Any]:
        assert self.state is not None
        record: dict[str, Any] = self.state.get("callapi_call") or {}
        return record

    def run(self) -> Any:
        """Run one try of the task: execute and resume the task until the try returns a result or fails."""
        method, kwargs = "execute", {}
        while True:
            self.operator = self.make()
            self.ti.task_id = self.operator.task_id
            next_method = None if method == "execute" else method
            left = [] if next_method else [key for key in self.ti.xcoms if key.startswith("callapi_start_")]
            for key in left:  # Airflow deletes the XComs when a try begins
                del self.ti.xcoms[key]
            self.ti._ti_context_from_server = SimpleNamespace(
                next_method=next_method, xcom_keys_to_clear=left
            )
            try:
                if method == "execute":
                    return self.operator.execute(self.context)
                return self.operator.resume_execution(method, kwargs, self.context)
            except AirflowRescheduleException as pause:
                self.reschedules += 1
                self.ti.first_reschedule = self.ti.first_reschedule or self.now
                self.desk.sleep(pause.reschedule_date.timestamp() - self.desk.clock())
            except TaskDeferred as deferred:
                self.deferrals.append(deferred)
                kept = {} if self.is_dag_test else deferred.kwargs or {}
                method, kwargs = deferred.method_name, dict(kept)
                kwargs["event"] = self.trigger(deferred.trigger)
                self.events.append(kwargs["event"])

    def trigger(self, trigger: Any) -> Any:
        """Rebuild a trigger from JSON and run the trigger, as in the triggerer; return the event as JSON."""
        path, arguments = trigger.serialize()
        if path.endswith("TimeDeltaTrigger") or path.endswith("DateTimeTrigger"):
            wait = arguments["moment"].timestamp() - datetime.now(UTC).timestamp()
            self.desk.clock.advance(math.ceil(wait))  # real time has passed since the trigger was made
            return None
        rebuilt = rebuild(path, arguments)
        (event,) = asyncio.run(events_of(rebuilt))
        return json.loads(json.dumps(event, allow_nan=False))

    def retry(self) -> Any:
        """Run the task's next try in the same DAG run, as Airflow does after a failed try."""
        self.ti.try_number += 1
        self.ti.start_date = self.ti.first_reschedule = None
        return self.run()

    def clear(self) -> Any:
        """Clear the task, as a user does: Airflow increases ``max_tries`` and runs another try."""
        self.ti.max_tries += 1
        self.run_clears += 1
        return self.retry()


def informer_task(desk: Any, **changes: Any) -> Task:
    """Return a task that places an informer call and waits for its end."""
    from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

    def make() -> Any:
        return CallApiStartInformerCallOperator(
            **{
                "task_id": "call",
                "virtual_phone_number": VNUMBER,
                "contact": CONTACT,
                "contact_message": TTS,
                "external_id": "order-7",
                "wait_for_completion": True,
                **changes,
            }
        )

    return Task(desk, make)


def rebuild(path: str, arguments: dict[str, Any]) -> Any:
    """Return the trigger that a row of Airflow's database describes: class path and arguments."""
    module, _, name = path.rpartition(".")
    plain = json.loads(json.dumps(arguments, allow_nan=False))
    return getattr(importlib.import_module(module), name)(**plain)


async def events_of(trigger: Any) -> list[Any]:
    """Return the payloads of all events that a trigger yields."""
    return [event.payload async for event in trigger.run()]
