"""The stored texts of ``list.calls`` never differ from the calls, and only changed calls cost anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from emulator_client import CONTACT, CONTROLS, STARTS, THIRD_PARTY, EmulatorClient, start_params
from hypothesis import given, settings
from hypothesis import strategies as st
from profile_story import PROFILES

from airflow_provider_callapi.emulator import Exchange, ManualClock, Profile, Script
from airflow_provider_callapi.emulator.calls import entry_texts
from airflow_provider_callapi.emulator.calls.listing import is_listed, list_entry
from airflow_provider_callapi.emulator.services.report_columns import communication_offset

ACTIONS = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([0.5, 1.0, 3.0, 20.0])),
    st.tuples(st.just("start"), st.sampled_from(sorted(STARTS))),
    st.tuples(st.just("control"), st.sampled_from(sorted(CONTROLS))),
    st.tuples(st.just("disconnect"), st.just(None)),
    st.tuples(st.just("receive"), st.just(None)),
    st.tuples(st.just("tag"), st.sampled_from(["set.tag_communications", "unset.tag_communications"])),
    st.tuples(st.just("rename"), st.sampled_from(["Anna", "Boris"])),
    st.tuples(st.just("zone"), st.sampled_from(["Asia/Omsk", "Europe/Berlin"])),
)


def act(api: EmulatorClient, action: str, value: Any, number: int) -> None:
    exchange, account = api.exchange, api.exchange.account
    calls = exchange.active_calls
    call = calls[number % len(calls)] if calls else None
    if action == "wait":
        api.clock.advance(value)
    elif action == "start":
        api.send(value, **start_params(value, external_id=f"call-{number}"))
    elif action == "receive":
        exchange.inbound(CONTACT)
    elif action == "rename":
        account.employees[25].full_name = value
    elif action == "zone":
        account.timezone = value
    elif call is None:
        pass
    elif action == "control":
        api.send(value, call_session_id=call.call_session_id, **CONTROLS[value])
    elif action == "disconnect":
        api.send("disconnect.leg", call_session_id=call.call_session_id, leg_id=call.legs[-1].leg_id)
    else:
        tag(api, value, call.call_session_id)


def tag(api: EmulatorClient, method: str, call_session_id: int) -> dict[str, Any]:
    """Send a request for a tag to the Data API."""
    communication_id = call_session_id + communication_offset(api.exchange.profile)
    params = {"access_token": api.key, "communication_id": communication_id, "tag_id": 36}
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return api.exchange.handle(body, version="v2.0")


@settings(max_examples=100)
@given(PROFILES, st.lists(ACTIONS, min_size=5, max_size=25))
def test_the_texts_show_the_calls_as_they_are(profile: Profile, actions: list[tuple[str, Any]]) -> None:
    clock = ManualClock(1_760_000_000.0)
    profile = profile.model_copy(update={"allowed_ips": None, "minute_limit": 1000, "day_limit": 1000})
    exchange = Exchange(clock, profile=profile)
    exchange.default_script = Script(rings=1, talks=30)
    exchange.script(THIRD_PARTY, Script(rings=1, talks=5))
    api = EmulatorClient(exchange, clock)
    exchange.inbound(CONTACT)
    clock.advance(4)
    for number, (action, value) in enumerate(actions):
        act(api, action, value, number)
        now = [list_entry(c, profile) for c in exchange.active_calls if is_listed(c, profile, clock())]
        assert api.data("list.calls") == now


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The session ids of the calls whose texts were made, in order."""
    ids: list[int] = []

    def make(call: Any, profile: Profile) -> dict[str, Any]:
        ids.append(call.call_session_id)
        return list_entry(call, profile)

    monkeypatch.setattr(entry_texts, "list_entry", make)
    return ids


def test_a_poll_makes_only_the_texts_of_the_calls_that_may_have_changed(
    api: EmulatorClient, made: list[int]
) -> None:
    api.exchange.default_script = Script(talks=None)
    first, second = (api.exchange.inbound(CONTACT) for _ in range(2))
    api.clock.advance(5)
    for _ in range(3):
        assert len(api.data("list.calls")) == 2
    assert made == [first, second]
    api.data("tag.call", call_session_id=second, tag_id=36)
    for _ in range(3):
        api.data("list.calls")
    assert made == [first, second, second]


def test_a_tag_of_the_data_api_changes_the_entry(api: EmulatorClient) -> None:
    session = api.exchange.inbound(CONTACT)
    tags = []
    for method in ("set.tag_communications", "unset.tag_communications"):
        api.data("list.calls")
        assert "error" not in tag(api, method, session)
        tags.append([one["tag_id"] for one in api.data("list.calls")[0]["tags"]])
    assert tags == [[36], []]


def test_the_answer_over_http_is_the_json_text_of_the_answer(api: EmulatorClient) -> None:
    for _ in range(2):
        api.exchange.inbound(CONTACT)
    body = {"jsonrpc": "2.0", "id": "req1", "method": "list.calls", "params": {"access_token": api.key}}
    answer = api.exchange.session().post("https://callapi.comagic.ru/v4.0", json=body, headers=JSON)
    assert answer.text == json.dumps(api.send("list.calls"), ensure_ascii=False)
    assert len(answer.json()["result"]["data"]) == 2


JSON = {"Content-Type": "application/json; charset=UTF-8"}
