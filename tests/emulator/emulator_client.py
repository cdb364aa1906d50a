"""Clients of an exchange, with and without HTTP, and the data that the emulator's tests share."""

from __future__ import annotations

import json
from typing import Any

import requests
from known_numbers import VNUMBER

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.credentials import AccessKey, Credentials
from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc
from airflow_provider_callapi.emulator import Call, Emulator, Exchange, ManualClock, Role, Script, State

CONTACT = "79161234567"
EMPLOYEE_PHONE = "79260000001"
THIRD_PARTY = "79031112233"
COACH = "79260000009"
TTS = {"type": "tts", "value": "Привет"}

STARTS: dict[str, dict[str, Any]] = {
    "start.employee_call": {"first_call": "employee", "employee": {"id": 25}},
    "start.scenario_call": {"first_call": "employee", "scenario_id": 23456},
    "start.vnumber_call": {"first_call": "employee"},
    "start.informer_call": {"contact_message": TTS},
    "start.simple_call": {"first_call": "operator", "operator": "79260000055"},
}
"""Start method → its parameters besides the two numbers."""

CONTROLS: dict[str, dict[str, Any]] = {
    "hold.call": {"contact_message": {"type": "media", "value": "2034"}},
    "unhold.call": {},
    "make.call": {"to": THIRD_PARTY},
    "transfer.talk": {},
    "restore.talk": {},
    "add.coach": {},
    "call.talk_option": {"button": "2"},
    "tag.call": {"tag_id": 36},
    "record.call": {"action": "on"},
    "send.dtmf": {"dtmf_string": "5"},
    "block.contact": {},
    "release.call": {},
}
"""Control method → its parameters besides the session id."""

STEPS_TO_STATE: dict[State, list[str] | None] = {
    State.SESSION: None,
    State.TALK: [],
    State.CALL_COACH: ["add.coach"],
    State.HOLD: ["hold.call"],
    State.WAITING_INPUT: ["transfer option"],
    State.DIALING: ["hold.call", "make.call"],
    State.TRANSFERRING: ["hold.call", "make.call", "transfer.talk"],
    State.OPERATOR_TALK: ["hold.call", "make.call", "third answers"],
    State.POST_TALK: ["operator leaves"],
    State.PLAYING: None,
}
"""State → methods and events that lead there from a talk; None: the state is before the talk."""


def start_params(method: str, **changes: Any) -> dict[str, Any]:
    """Return the parameters of a start request."""
    return {"virtual_phone_number": VNUMBER, "contact": CONTACT, **STARTS[method], **changes}


def informer_call(contact: str = CONTACT) -> StartInformerCall:
    """Return a typed start request."""
    return StartInformerCall(virtual_phone_number=VNUMBER, contact=contact, contact_message=TTS)


def http_client(emulator: Emulator, credentials: Credentials | None = None) -> Client:
    """Return the package's own client, connected over HTTP."""
    rpc = JsonRpc(f"{emulator.url}/v4.0", timeout=5)
    return Client(rpc, credentials or AccessKey("demo-key"), clock=emulator.exchange.clock)


def post(emulator: Emulator, method: str, **options: Any) -> requests.Response:
    """Send a request over HTTP without the package's own client."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"access_token": "demo-key"}}
    headers = {"Content-Type": "application/json; charset=UTF-8"}
    options.setdefault("timeout", 5)
    return requests.post(f"{emulator.url}/v4.0", data=json.dumps(body), headers=headers, **options)


class EmulatorClient:
    """A client with the permanent key of the exchange's first account."""

    def __init__(self, exchange: Exchange, clock: ManualClock) -> None:
        self.exchange = exchange
        self.clock = clock
        self.key = exchange.account.key

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request and return the whole answer."""
        params.setdefault("access_token", self.key)
        body = {"jsonrpc": "2.0", "id": "req1", "method": method, "params": params}
        return self.exchange.handle(body)

    def data(self, method: str, **params: Any) -> Any:
        """Send a request that must succeed and return its data."""
        answer = self.send(method, **params)
        assert "result" in answer, f"{method} failed: {answer['error']}"
        return answer["result"]["data"]

    def error(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request that must fail and return the error object."""
        answer = self.send(method, **params)
        assert "error" in answer, f"{method} did not fail: {answer['result']}"
        error: dict[str, Any] = answer["error"]
        return error

    def mnemonic(self, method: str, **params: Any) -> str:
        """Send a request that must fail and return the mnemonic of its error."""
        return str(self.error(method, **params)["data"]["mnemonic"])

    def start(self, method: str = "start.employee_call", **params: Any) -> Call:
        """Start a call."""
        data = self.data(method, **start_params(method, **params))
        return self.exchange.call(data["call_session_id"])

    def start_talk(self, **script: Any) -> Call:
        """Start a call and advance the clock until contact and employee talk. The talk has no end."""
        self.exchange.script(CONTACT, Script(**{"talks": None, **script}))
        call = self.start()
        self.clock.advance(5)
        return self.exchange.call(call.call_session_id)

    def bring_to(self, state: State) -> Call:
        """Start a call and bring it into a state by the methods and events that lead there."""
        self.exchange.script(THIRD_PARTY, Script(rings=4, talks=7))
        if state is State.SESSION:
            return self.start()
        if state is State.PLAYING:
            self.start("start.informer_call")
            self.clock.advance(3)
            return self.exchange.calls[-1]
        call = self.start_talk()
        for step in STEPS_TO_STATE[state] or []:
            self._take_step(call, step)
        assert self.exchange.call(call.call_session_id).state is state
        return call

    def _take_step(self, call: Call, step: str) -> None:
        session = call.call_session_id
        if step == "third answers":
            self.clock.advance(4)
        elif step == "transfer option":
            self.data("call.talk_option", call_session_id=session, button="4")
        elif step == "operator leaves":
            leg = call.leg(Role.OPERATOR)
            assert leg is not None
            self.data("disconnect.leg", call_session_id=session, leg_id=leg.leg_id)
        else:
            self.data(step, call_session_id=session, **CONTROLS[step])

    def leg_states(self) -> list[list[str]]:
        """Return the states of the legs in list.calls, session by session."""
        return [[leg["state"] for leg in call["legs"]] for call in self.data("list.calls")]


def data_api_client(
    exchange: Exchange, credentials: Credentials | None = None, url: str = "https://dataapi.comagic.ru/v2.0"
) -> Client:
    rpc = JsonRpc(url, new_session=exchange.session)
    return Client(rpc, credentials or AccessKey("demo-key"), clock=exchange.clock)
