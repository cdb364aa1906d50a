"""The Data API reports finished calls after a delay, and tags them."""

from __future__ import annotations

import pytest
from emulator_client import CONTACT, data_api_client

from airflow_provider_callapi.api import data_api
from airflow_provider_callapi.api.account import GetTags
from airflow_provider_callapi.api.credentials import AccessKey, LoginSession
from airflow_provider_callapi.api.data_api import (
    GetCallLegsReport,
    GetCallsReport,
    SetTagCommunications,
    UnsetTagCommunications,
    equals,
)
from airflow_provider_callapi.api.errors import AccessDenied, InvalidParameters, TokenInvalid
from airflow_provider_callapi.api.methods import ListCalls
from airflow_provider_callapi.api.report_rows import LegRows
from airflow_provider_callapi.emulator import Operation, Script

REPORT_FIELDS = [*data_api.REPORT_FIELDS, "is_lost", "total_duration"]


def test_a_call_is_reported_only_after_its_end_and_the_lag(api, exchange, clock, client, dates):
    exchange.report_lag = 30
    call = api.start("start.informer_call", external_id="order-1")
    request = GetCallsReport(**dates, fields=REPORT_FIELDS, filter=equals("call_api_external_id", "order-1"))
    assert client.call(request) == []
    clock.advance(42)
    assert client.call(request) == []
    clock.advance(1)
    (report,) = client.call(request)
    assert report.id == call.call_session_id
    assert report.communication_id != report.id
    assert (report.finish_reason, report.is_lost) == ("success_finish", False)
    assert (report.talk_duration, report.total_duration) == (10, 13)


def test_a_call_that_no_one_answered_is_reported_as_lost(api, exchange, clock, client, dates):
    exchange.script(CONTACT, Script.busy())
    call = api.start()
    clock.advance(60)
    request = GetCallsReport(**dates, fields=REPORT_FIELDS, filter=equals("id", call.call_session_id))
    (report,) = client.call(request)
    assert (report.finish_reason, report.is_lost) == ("subscriber_busy", True)
    (leg,) = [
        leg
        for leg in client.call(
            GetCallLegsReport(**dates, filter=equals("call_session_id", call.call_session_id))
        )
        if not leg.is_operator
    ]
    assert leg.connect_time is None


def test_an_inbound_call_has_a_documented_source(exchange, clock, client, dates):
    session = exchange.inbound(CONTACT)
    clock.advance(60)
    request = GetCallsReport(**dates, fields=["id", "source"], filter=equals("id", session))
    (report,) = client.call(request)
    assert report.source == "va"


def test_ongoing_calls_are_reported_on_request(api, client, dates):
    api.start()
    assert client.call(GetCallsReport(**dates)) == []
    (report,) = client.call(GetCallsReport(**dates, include_ongoing_calls=True))
    assert not report.finished


@pytest.mark.parametrize(
    ("changes", "mnemonic"),
    [
        ({"filter": equals("start_time", "x")}, "filter_prohibited"),
        ({"sort": [{"field": "id"}]}, "sort_prohibited"),
        ({"sort": [{"field": "colour"}]}, "sort_prohibited"),
        ({"filter": equals("colour", "x")}, "unexpected_parameters"),
        ({"filter": {"field": "id", "operator": "~", "value": 1}}, "invalid_parameter_value"),
        ({"fields": ["colour"]}, "unexpected_parameters"),
        ({"date_from": "yesterday"}, "invalid_parameter_value"),
        ({"date_from": "2020-01-01 00:00:00"}, "date_interval_limit_reached"),
    ],
)
def test_a_wrong_report_request_is_an_error(client, dates, changes, mnemonic):
    with pytest.raises(InvalidParameters) as caught:
        client.call(GetCallsReport(**{**dates, **changes}))
    assert caught.value.mnemonic == mnemonic


def test_a_finished_call_is_tagged_by_its_communication(api, exchange, clock, client, dates):
    api.start()
    clock.advance(60)
    (report,) = client.call(GetCallsReport(**dates))
    tag = {"communication_id": report.communication_id, "tag_id": 36}
    client.call(SetTagCommunications(**tag))
    assert exchange.calls[0].tags == {36: "Answered"}
    assert client.call(SetTagCommunications(**tag)).already
    client.call(UnsetTagCommunications(**tag))
    assert exchange.calls[0].tags == {}
    with pytest.raises(InvalidParameters):
        client.call(SetTagCommunications(communication_id=5, tag_id=36))


def test_tagging_answers_with_an_empty_object(api, exchange):
    call = api.start()
    params = {
        "access_token": "demo-key",
        "communication_id": call.call_session_id + 1_000_000_000,
        "communication_type": "call",
        "tag_id": 36,
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": "set.tag_communications", "params": params}
    assert exchange.handle(body, version="v2.0")["result"] == {}


def test_the_tags_of_the_account(client):
    assert [(tag.id, tag.name) for tag in client.call(GetTags(limit=2))] == [
        (36, "Answered"),
        (37, "Not answered"),
    ]


def test_the_data_api_has_its_own_points_and_logins(exchange, client):
    client.call(GetTags())
    assert client.limits.minute_remaining == 999
    assert exchange.limits()["minute_remaining"] == 1000
    session = LoginSession("demo", "demo-password")
    data_api_client(exchange, session).call(GetTags())
    token = session.forget()
    call_api = data_api_client(exchange, AccessKey(token), "https://callapi.comagic.ru/v4.0")
    with pytest.raises(TokenInvalid):
        call_api.call(ListCalls())


def test_an_address_that_is_not_listed_is_denied(exchange, client):
    exchange.account.data_api_whitelist.clear()
    with pytest.raises(AccessDenied):
        client.call(GetTags())


# --- scenarios with phone keys ---

MENU = 23457


def operations(client, dates, fields=("id", "scenario_operations", "tags")):
    (report,) = client.call(GetCallsReport(**dates, fields=list(fields)))
    return report.operations, [tag.tag_id for tag in report.tags or ()]


def press(api, keys, **script):
    api.exchange.script(CONTACT, Script(keys=keys, **script))
    return api.start("start.scenario_call", scenario_id=MENU, first_call="contact")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("", (("Меню",), [])),
        ("1", (("Меню", "Подтверждено"), [254])),
        ("2", (("Меню", "Перезвонить"), [])),
        ("31", (("Меню", "Отказ", "Подтверждено"), [254])),
        ("9", (("Меню",), [])),
    ],
)
def test_each_key_of_a_scenario_leads_to_its_operation_and_its_tag(api, client, dates, keys, expected):
    call = press(api, keys)
    api.clock.advance(60)

    assert operations(client, dates) == expected
    assert (call.finish_reason, api.exchange.rings(CONTACT)) == ("subscriber_disconnects", 1)
    assert [entry.detail for entry in api.exchange.journal if entry.kind == "key"] == list(keys)


def test_a_key_after_the_end_of_the_talk_is_not_pressed(api, clock, client, dates):
    press(api, "12", talks=3)
    clock.advance(60)

    assert operations(client, dates) == (("Меню", "Подтверждено"), [254])


def test_a_contact_who_does_not_answer_passes_no_operation(api, clock, client, dates):
    press(api, "1", answer="no_answer")
    clock.advance(60)

    assert operations(client, dates) == ((), [])


def test_operations_are_sent_on_request_only(api, clock, client, dates):
    press(api, "1")
    clock.advance(60)

    assert operations(client, dates, ["id"])[0] is None


def test_a_scenario_with_an_employee_has_operations_too(api, clock, client, dates):
    api.exchange.account.scenarios[23456].keys["1"] = Operation(71, "Confirmed")
    api.exchange.script(CONTACT, Script.presses("1"))
    api.start("start.scenario_call", scenario_id=23456, first_call="contact")
    clock.advance(60)

    assert operations(client, dates) == (("Confirmed",), [])


def test_the_report_of_a_leg_contains_its_beginning(api, clock, client, dates):
    call = api.start("start.employee_call", first_call="employee", employee={"id": 25})
    clock.advance(60)
    request = GetCallLegsReport(
        **dates,
        fields=["id", "call_session_id", "start_time"],
        filter=equals("call_session_id", call.call_session_id),
        sort=[{"field": "start_time", "order": "desc"}],
    )
    contact, employee = [leg.model_extra["start_time"] for leg in client.call(request)]
    assert contact > employee


def test_the_total_duration_of_a_leg_begins_with_the_leg(api, clock, client, dates, exchange):
    exchange.script(CONTACT, Script(rings=4, talks=10))
    answered = api.start().call_session_id
    clock.advance(60)
    exchange.script(CONTACT, Script.no_answer(7))
    unanswered = api.start().call_session_id
    clock.advance(60)
    fields = ["id", "call_session_id", "duration", "total_duration"]
    legs = client.call(LegRows(**dates, fields=fields))
    seconds = {leg["call_session_id"]: (leg["duration"], leg["total_duration"]) for leg in legs}
    assert seconds == {answered: (10, 14), unanswered: (0, 7)}
