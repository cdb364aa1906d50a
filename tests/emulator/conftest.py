"""An exchange whose clock the test moves, asked without a wire or over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_callapi.emulator import Call, Emulator, Exchange, ManualClock, Script

VNUMBER = "74993720692"
CONTACT = "79161234567"
EMPLOYEE_PHONE = "79260000001"
TTS = {"type": "tts", "value": "Привет"}

STARTS: dict[str, dict[str, Any]] = {
    "start.employee_call": {"first_call": "employee", "employee": {"id": 25}},
    "start.scenario_call": {"first_call": "employee", "scenario_id": 23456},
    "start.vnumber_call": {"first_call": "employee"},
    "start.informer_call": {"contact_message": TTS},
    "start.simple_call": {"first_call": "operator", "operator": "79260000055"},
}
"""What each start method needs besides the two numbers."""


class Desk:
    """Somebody with a key who sends requests to the exchange."""

    def __init__(self, exchange: Exchange, clock: ManualClock) -> None:
        self.exchange = exchange
        self.clock = clock
        self.key = exchange.account.key

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        params.setdefault("access_token", self.key)
        body = {"jsonrpc": "2.0", "id": "req1", "method": method, "params": params}
        return self.exchange.handle(body)

    def ask(self, method: str, **params: Any) -> Any:
        """The data of an answer that must be a success."""
        answer = self.send(method, **params)
        assert "result" in answer, f"{method} was refused: {answer['error']}"
        return answer["result"]["data"]

    def refused(self, method: str, **params: Any) -> dict[str, Any]:
        """The error of an answer that must be a refusal."""
        answer = self.send(method, **params)
        assert "error" in answer, f"{method} was not refused: {answer['result']}"
        error: dict[str, Any] = answer["error"]
        return error

    def mnemonic(self, method: str, **params: Any) -> str:
        return str(self.refused(method, **params)["data"]["mnemonic"])

    def start(self, method: str = "start.employee_call", **params: Any) -> Call:
        numbers = {"virtual_phone_number": VNUMBER, "contact": CONTACT}
        data = self.ask(method, **{**numbers, **STARTS[method], **params})
        return self.exchange.call(data["call_session_id"])

    def talking(self, **script: Any) -> Call:
        """A call in which contact and employee talk until somebody ends it."""
        self.exchange.script(CONTACT, Script(**{"talks": None, **script}))
        call = self.start()
        self.clock.advance(5)
        return self.exchange.call(call.call_session_id)

    def leg_states(self) -> list[list[str]]:
        """What list.calls shows, session by session."""
        return [[leg["state"] for leg in call["legs"]] for call in self.ask("list.calls")]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def exchange(clock: ManualClock) -> Exchange:
    return Exchange(clock=clock)


@pytest.fixture
def emulator(exchange: Exchange) -> Iterator[Emulator]:
    """That exchange over HTTP; the test moves its clock."""
    with Emulator(exchange) as running:
        yield running


@pytest.fixture
def desk(exchange: Exchange, clock: ManualClock) -> Desk:
    return Desk(exchange, clock)
