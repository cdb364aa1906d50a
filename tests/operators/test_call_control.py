"""Operators that control or list active calls, against the exchange."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow_fakes import CONTACT, VNUMBER
from request_operators import CONTROLS, SESSION, context, make
from strange_answers import add_unreadable_entry

from airflow_provider_callapi.api.methods import METHODS
from airflow_provider_callapi.emulator import Fault, Role, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble, CallUnresolved

pytest_plugins = ["airflow_desk"]

NEVER_REPEATED = [m for m in CONTROLS if METHODS[m].repeat.name == "NEVER"]
IDEMPOTENT = [m for m in CONTROLS if METHODS[m].repeat.name == "IDEMPOTENT"]


def talk(desk: Any, **script: Any) -> int:
    """An employee and a contact who talk until a request ends the call."""
    desk.exchange.script(CONTACT, Script(**{"rings": 1, "employee_rings": 1, "talks": None, **script}))
    result = make("start.employee_call", early_switching=None, switch_at_once=None, dtmf_string=None).execute(
        context(desk)
    )
    desk.clock.advance(5)
    session: int = result["call_session_id"]
    return session


def test_the_operators_control_a_whole_talk(desk):
    session = talk(desk)
    desk.exchange.script("79260000077", Script(rings=1, talks=None))

    def do(method: str, **changes: Any) -> Any:
        result = make(method, call_session_id=session, **changes).execute(context(desk))
        desk.clock.advance(5)
        return result

    call = desk.exchange.call(session)
    assert do("tag.call") == {"call_session_id": session, "already": False}
    assert list(call.tags) == [36]
    assert do("record.call") == {"call_session_id": session, "already": False}
    assert call.recorded
    do("send.dtmf")
    assert call.dtmf == ["5"]
    do("call.talk_option")
    assert list(call.tags) == [36, 254]
    do("hold.call")
    do("unhold.call")
    do("hold.call")
    do("make.call")
    assert desk.exchange.rings("79260000077") == 1
    do("restore.talk")
    do("hold.call")
    do("make.call")
    do("transfer.talk")
    do("add.coach")
    assert desk.exchange.rings("79260000009") == 1
    do("block.contact")
    assert CONTACT in desk.exchange.account.blacklist
    leg = call.leg(Role.CONTACT)
    assert leg is not None
    do("disconnect.leg", leg_id=leg.leg_id)
    assert not call.active


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("tag.call", {}),
        ("record.call", {"action": "on"}),
        ("record.call", {"action": "off"}),
        ("block.contact", {}),
        ("release.call", {}),
    ],
)
def test_a_control_request_that_is_already_fulfilled_succeeds(desk, method, changes):
    session = talk(desk)

    def do() -> Any:
        return make(method, call_session_id=session, **changes).execute(context(desk))

    first = do()

    assert first == {"call_session_id": session, "already": changes.get("action") == "off"}
    assert do() == {"call_session_id": session, "already": True}


def test_a_control_method_on_an_ended_call_fails_without_retries(desk):
    desk.connect(extra={"data_api": False})
    for method in CONTROLS:
        if method != "release.call":
            with pytest.raises(CallApiFailure, match="call_session_not_found"):
                make(method, call_session_id=SESSION + 1).execute(context(desk))


@pytest.mark.parametrize("ended", [False, True])
def test_the_log_names_the_tag_and_whether_the_data_api_set_it(desk, capsys, ended):
    session = talk(desk, talks=3 if ended else 60)
    desk.clock.advance(10)

    make("tag.call", call_session_id=session).execute(context(desk))

    log = capsys.readouterr().out
    assert f"tag.call (tag 36) done, call session {session}" in log
    assert ("the Data API sets the tag" in log) is ended


@pytest.mark.parametrize("lag", [0.0, 45.0])
def test_an_ended_call_is_tagged_through_the_data_api_once_it_has_a_report(desk, lag):
    desk.exchange.report_lag = lag
    session = talk(desk, talks=3)
    desk.clock.advance(10)

    result = make("tag.call", call_session_id=session).execute(context(desk))

    assert result == {"call_session_id": session, "already": False}
    assert list(desk.exchange.call(session).tags) == [36]
    again = make("tag.call", call_session_id=session).execute(context(desk))
    assert again == {"call_session_id": session, "already": True}


@pytest.mark.parametrize("as_text", [dict, str, json.dumps])
@pytest.mark.parametrize(("external_id", "is_tagged"), [("334otr01", True), (None, True), ("order-8", False)])
def test_an_ended_call_with_another_external_id_is_not_tagged(desk, as_text, external_id, is_tagged):
    """The Data API of another account may use the same session ids."""
    session = talk(desk, talks=3)
    desk.clock.advance(10)
    call = as_text({"call_session_id": session, "external_id": external_id})

    with nullcontext() if is_tagged else pytest.raises(CallApiFailure, match="belongs to another call"):
        make("tag.call", call_session_id=call).execute(context(desk))

    assert list(desk.exchange.call(session).tags) == ([36] if is_tagged else [])


def test_a_missing_report_leaves_the_tag_to_a_retry(desk):
    desk.exchange.report_lag = 1000.0
    session = talk(desk, talks=3)
    desk.clock.advance(10)
    started = desk.clock()

    with pytest.raises(CallApiTrouble, match="no report"):
        make("tag.call", call_session_id=session, report_timeout=60).execute(context(desk))

    assert 50 <= desk.clock() - started <= 75


@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.DROP_BEFORE, Fault.HANG, Fault.INTERNAL_ERROR])
@pytest.mark.parametrize("method", NEVER_REPEATED)
def test_a_control_request_that_must_not_be_repeated_is_unresolved_after_a_lost_answer(desk, method, fault):
    session = talk(desk)
    desk.exchange.fault(fault, method=method)

    with pytest.raises(CallUnresolved, match="may have been carried out") as failure:
        make(method, call_session_id=session).execute(context(desk))

    assert isinstance(failure.value, AirflowFailException)
    assert sum(e.kind == "fault" for e in desk.exchange.journal) == 1
    assert desk.exchange.requests(method) <= 1
    assert desk.slept == []


@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.DROP_BEFORE, Fault.GARBAGE, Fault.INTERNAL_ERROR])
@pytest.mark.parametrize("method", IDEMPOTENT)
def test_an_idempotent_control_request_is_repeated_after_a_lost_answer(desk, method, fault):
    session = talk(desk)
    desk.exchange.fault(fault, method=method)

    result = make(method, call_session_id=session).execute(context(desk))

    assert result == {"call_session_id": session, "already": fault.carried_out}
    assert len(desk.slept) == 1


def test_the_lists_of_idempotent_and_other_control_methods_are_complete():
    assert set(IDEMPOTENT) == {"tag.call", "release.call", "record.call", "block.contact"}
    assert set(NEVER_REPEATED) == CONTROLS.keys() - set(IDEMPOTENT)


def test_list_calls_returns_plain_json_with_the_numbers_of_people_shortened(desk):
    session = talk(desk)

    calls = make("list.calls", direction="in").execute(context(desk))

    (call,) = json.loads(json.dumps(calls))
    assert call["call_session_id"] == session
    assert call["contact_phone_number"] == "7916…4567"
    assert call["virtual_phone_number"] == VNUMBER, "the account's own number is nobody's secret"
    assert [leg["is_operator"] for leg in call["legs"]] == [True, False]
    assert CONTACT not in json.dumps(calls)
    assert "79260000001" not in json.dumps(calls)


def test_list_calls_shortens_numbers_in_unknown_fields(desk, monkeypatch):
    talk(desk)
    board = desk.exchange._switchboard
    listing = type(board.calls[min(board.calls)]).listing

    def newer(call: Any) -> dict[str, Any]:
        row = listing(call)
        row["legs"][0]["diverted_from"] = {"phones": [CONTACT]}
        return {**row, "contact_full_number": f"+{CONTACT}"}

    monkeypatch.setattr(type(board.calls[min(board.calls)]), "listing", newer)

    calls = make("list.calls", direction="in").execute(context(desk))

    assert "contact_full_number" in calls[0]
    assert CONTACT not in json.dumps(calls)


@pytest.mark.parametrize(
    "value",
    [int(CONTACT), float(CONTACT), [int(CONTACT)], {CONTACT: True}],
    ids=lambda value: type(value).__name__,
)
def test_list_calls_shortens_a_phone_number_that_a_new_field_holds_as_a_number_or_a_name(
    desk, monkeypatch, value
):
    talk(desk)
    call_type = type(desk.exchange.calls[0])
    listing = call_type.listing
    ids = {"chat_id": int(CONTACT), "chat_ids": [int(CONTACT)]}
    monkeypatch.setattr(call_type, "listing", lambda call: {**listing(call), "numa": value, **ids})

    (call,) = make("list.calls", direction="in").execute(context(desk))

    assert {name: call.pop(name) for name in ids} == ids
    assert "numa" in call
    assert CONTACT not in json.dumps(call)


def test_list_calls_returns_the_calls_that_can_be_read(desk, monkeypatch):
    add_unreadable_entry(monkeypatch)
    session = desk.start()

    calls = make("list.calls").execute(context(desk))

    assert [call["call_session_id"] for call in calls] == [session]


def test_list_calls_returns_complete_numbers_only_with_include_phone_numbers(desk):
    talk(desk)

    (call,) = make("list.calls", direction="in", include_phone_numbers=True).execute(context(desk))

    assert call["contact_phone_number"] == CONTACT


def test_list_talk_options_returns_plain_json(desk):
    options = make("list.talk_options").execute(context(desk))

    assert json.loads(json.dumps(options)) == options
    assert options[0] == {
        "button": "1",
        "mnemonic": "tag_call",
        "name": "Проставить тег",
        "button_value": {"id": 254, "value": "Целевой"},
    }
