"""The exchange accepts every example request of the vendor's document and answers in its shape."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airflow_provider_callapi.api.methods import METHODS
from airflow_provider_callapi.emulator import Exchange, ManualClock, Role, State

EXAMPLES = Path(__file__).parents[2] / "data" / "call-api"

TOKEN = "2fRN4g217ca0b4224a67988aff3e584f91964a692045415f36fa66146f5a3c1ae1f6093d"

STEPS_BEFORE = {
    "unhold.call": ["hold.call"],
    "make.call": ["hold.call"],
    "transfer.talk": ["hold.call", "make.call"],
    "restore.talk": ["hold.call", "make.call"],
}

pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason="the vendor's examples are missing")


def example(method, kind):
    path = EXAMPLES / f"{method}.{kind}.json"
    if not path.exists():
        path = EXAMPLES / "examples" / path.name
    return json.loads(path.read_text("utf-8"))


@pytest.fixture
def exchange():
    exchange = Exchange(clock=ManualClock(1_760_000_000.0))
    exchange.account.login, exchange.account.password = "your_login", "your_password"
    exchange.account.key = TOKEN
    return exchange


def prepare_session(exchange, request):
    """Create the session that the example names, in the state that its method needs."""
    method, session = request["method"], request["params"]["call_session_id"]
    exchange.inbound("79160000001")
    exchange.clock.advance(3)
    call = exchange.calls[0]
    assert call.state is State.TALK
    steps = [example(step, "request") for step in STEPS_BEFORE.get(method, [])]
    for step in steps:
        step["params"]["call_session_id"] = call.call_session_id
        assert "result" in exchange.handle(step)
    active = exchange._switchboard.active
    active[session] = active.pop(call.call_session_id)
    call.call_session_id = session
    if method == "disconnect.leg":
        call.leg(Role.OPERATOR).leg_id = request["params"]["leg_id"]


def shape(value):
    """Return names and types without values. The first entry stands for a list."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


@pytest.mark.parametrize("method", METHODS)
def test_the_example_is_accepted_and_answered_in_the_shape_of_its_response(exchange, method):
    request = example(method, "request")
    if method == "start.vnumber_call":
        # the method's table does not contain this parameter
        del request["params"]["show_virtual_phone_number"]
    if "call_session_id" in request["params"]:
        prepare_session(exchange, request)
    answer = exchange.handle(request)
    assert "error" not in answer, answer
    shown = example(method, "response")
    del answer["result"]["metadata"]
    assert shape(answer) == shape(shown) or method == "list.calls"
    if "success" in shown["result"]["data"]:
        assert answer == shown


def test_a_listed_call_has_the_shape_of_the_example(exchange):
    session = exchange.inbound("74959268686", "74951045771")
    exchange.clock.advance(5)
    tag = {"access_token": TOKEN, "call_session_id": session, "tag_id": 254}
    exchange.handle({"jsonrpc": "2.0", "id": 1, "method": "tag.call", "params": tag})
    shown = example("list.calls", "response")["result"]["data"][0]
    shown["external_id"] = None
    (listed,) = exchange.handle(example("list.calls", "request"))["result"]["data"]
    assert shape(listed) == shape(shown)


def test_the_two_deviations_of_the_examples_are_known(exchange):
    request = example("start.vnumber_call", "request")
    error = exchange.handle(request)["error"]["data"]
    assert (error["mnemonic"], error["field"]) == (
        "unexpected_parameters",
        "show_virtual_phone_number",
    )
    request = example("start.simple_call", "request")
    request["params"]["operator"] = "79260000001"
    assert "result" in exchange.handle(request)
