"""Runs whose call must end, and the odd answers that a run gets about the call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from known_numbers import VNUMBER
from verify_world import CONTACT, World

from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc, Reply
from airflow_provider_callapi.emulator import Fault, Profile, Script
from airflow_provider_callapi.verify.resume_file import ActiveCall, ResumeFile

Rows = list[dict[str, Any]]


@pytest.fixture
def new_world(tmp_path):
    """Return a function that creates a world without the Data API."""
    return lambda data_api=False, **profile: World(
        Profile(**profile), tmp_path / "state.json", data_api=data_api
    )


Ask = Callable[[], Reply]


def intercept_with(patch: pytest.MonkeyPatch, method: str, answer: Callable[[Ask], Reply]) -> None:
    send = JsonRpc.send

    def send_or_intercept(self, called, params, **options):
        def ask() -> Reply:
            return send(self, called, params, **options)

        return answer(ask) if called == method else ask()

    patch.setattr(JsonRpc, "send", send_or_intercept)


def rewrite_with(patch: pytest.MonkeyPatch, method: str, change: Callable[[Any], Any]) -> None:
    def answer(ask: Ask) -> Reply:
        reply = ask()
        return replace(reply, result={"data": change(reply.result["data"])}) if reply.result else reply

    intercept_with(patch, method, answer)


@pytest.fixture
def intercept(monkeypatch):
    """Return a function that lets a test answer each request to a method instead of the service."""
    return partial(intercept_with, monkeypatch)


@pytest.fixture
def rewrite(monkeypatch):
    """Return a function that changes the data in each answer to a method."""
    return partial(rewrite_with, monkeypatch)


def refusal(mnemonic: str) -> Reply:
    error = {"code": -32602, "message": "refused", "data": {"mnemonic": mnemonic}}
    return Reply(request_id="1", error=error)


def active_in_file(world: World) -> ActiveCall | None:
    return ResumeFile.open(world.file, "callapi_default", "0123").state.active


def lose_the_start_answer(world: World) -> None:
    world.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")


def interrupt_after_the_start(world: World, seconds: int) -> None:
    pauses = iter(range(1, 10_000))

    def count() -> None:
        if world.exchange.requests("start.informer_call") and next(pauses) == seconds:
            raise KeyboardInterrupt

    world.before_pause = count


def start_a_call(world: World, external_id: str | None) -> int:
    """Start a call as a process that was killed, or as another program of the account."""
    world.exchange.script(CONTACT, Script(rings=3, talks=None))
    params = {
        "contact": CONTACT,
        "virtual_phone_number": VNUMBER,
        "contact_message": {"type": "tts", "value": "Hello"},
    }
    named = {} if external_id is None else {"external_id": external_id}
    answer = world.gateway().call_api.send_once("start.informer_call", {**params, **named})
    return answer.data["call_session_id"]


def store_active(world: World, *, session_id: int | None = None, age: float = 0.0) -> None:
    """Store the record of a call whose start request was sent ``age`` seconds ago."""
    file = ResumeFile.open(world.file, "callapi_default", "0123")
    file.state.active = ActiveCall(
        external_id="verify-1", session_id=session_id, started_at=world.clock() - age
    )
    file.save()


def each(**fields: Any) -> Callable[[Rows], Rows]:
    return lambda rows: [{**row, **fields} for row in rows]


def without(*names: str) -> Callable[[Rows], Rows]:
    return lambda rows: [{name: row[name] for name in row if name not in names} for row in rows]


def ids_as_text(rows: Rows) -> Rows:
    return [{**row, "call_session_id": str(row["call_session_id"])} for row in rows]


def single_object(rows: Rows) -> Any:
    return rows[0] if len(rows) == 1 else rows


RECOGNISED: dict[str, Callable[[Rows], Any]] = {
    "as documented": lambda rows: rows,
    "ids as text": ids_as_text,
    "a single object": single_object,
    "no external_id": without("external_id"),
    "a null as the external_id": each(external_id=None),
    "an empty external_id": each(external_id=""),
    "an unreadable external_id": each(external_id={}),
    "no country code and no external_id": each(external_id=None, contact_phone_number="9161234567"),
    "another number and the external_id": each(contact_phone_number="74950000000"),
}
UNCLEAR: dict[str, Callable[[Rows], Any]] = {
    "a masked number and no external_id": each(external_id=None, contact_phone_number="7916***4567"),
    "neither number nor external_id": without("contact_phone_number", "external_id"),
    "a number without digits and no external_id": each(external_id=None, contact_phone_number="***"),
    "no session id": without("call_session_id"),
    "an unreadable session id": each(call_session_id="?"),
    "rows that are no objects": lambda rows: [str(row) for row in rows],
    "no list while a call is active": lambda rows: None if rows else rows,
    "a text while a call is active": lambda rows: "none" if rows else rows,
}


def fails_after_the_start(world: World, polls: int) -> Callable[[Ask], Reply]:
    """Return an answer to ``list.calls``: the first polls after the start fail."""
    left = iter(range(polls))

    def answer(ask: Ask) -> Reply:
        is_started = world.exchange.requests("start.informer_call")
        return refusal("internal_error") if is_started and next(left, None) is not None else ask()

    return answer


def knows_listed_calls_only(world: World) -> Callable[[Ask], Reply]:
    """Return an answer to ``release.call``: the service knows no call session that is not listed yet."""
    delay = world.exchange.profile.appear_delay

    def answer(ask: Ask) -> Reply:
        is_unlisted = any(world.clock() < call.started_at + delay for call in world.exchange.active_calls)
        return refusal("call_session_not_found") if is_unlisted else ask()

    return answer
