"""Calls of an alert: the replacements of a message that the service rejects."""

from __future__ import annotations

import math

import pytest
from known_numbers import VNUMBER

from airflow_provider_callapi.api.errors import AccessDenied, CallRefused, InvalidParameters
from airflow_provider_callapi.api.methods import Message, StartInformerCall, StartScenarioCall
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.alerts.claims import Progress
from airflow_provider_callapi.calls.alerts.escalation import (
    Escalation,
    with_message_fallback,
    with_scenario_fallback,
)

CALL = StartInformerCall(
    virtual_phone_number=VNUMBER,
    contact="79160000001",
    contact_message={"type": "tts", "value": "a long text"},
)

MENU = StartScenarioCall(
    virtual_phone_number=VNUMBER,
    contact="79160000001",
    contact_message={"type": "tts", "value": "a long text"},
    external_id="alert-1",
    scenario_id=7,
    first_call="contact",
)


def rejects(mnemonic, allowed, *, field=None, **params):
    """Return a ``send`` that accepts only these texts, and the list of the texts that it received."""
    sent = []

    def send(request):
        sent.append(request.contact_message.value)
        if sent[-1] not in allowed:
            raise InvalidParameters("no", mnemonic=mnemonic, field=field, params=params)
        return sent

    return send, sent


@pytest.mark.parametrize(
    ("params", "spoken"),
    [
        ({"tts_message_max_length": 6}, "a long"),
        ({"tts_message_max_length": "6"}, "a long"),
        ({"tts_message_max_length": 0}, "default"),
        ({"tts_message_max_length": "few"}, "default"),
        ({"tts_message_max_length": math.inf}, "default"),
        ({}, "default"),
    ],
)
def test_a_text_is_cut_to_the_length_that_the_service_states_or_replaced_by_the_default(params, spoken):
    send, sent = rejects("tts_text_exceeded", [spoken], **params)

    with_message_fallback(send, "default", lambda text: None)(CALL)

    assert sent == ["a long text", spoken]


@pytest.mark.parametrize("text", ["🚨🚨🚨 a long text", "    a text", "None of the tables is loaded"])
def test_the_default_text_replaces_a_text_of_which_the_cut_leaves_nothing_speakable(text):
    send, sent = rejects("tts_text_exceeded", ["default"], tts_message_max_length=4 if "None" in text else 3)
    request = CALL.model_copy(update={"contact_message": Message(type="tts", value=text)})

    with_message_fallback(send, "default", lambda text: None)(request)

    assert sent == [text, "default"]


def test_the_default_text_replaces_a_cut_text_that_the_service_rejects():
    send, sent = rejects("tts_text_exceeded", ["default"], tts_message_max_length=11)  # as long as it is

    with_message_fallback(send, "default", lambda text: None)(CALL)

    assert sent == ["a long text", "default"]


def test_every_rejection_of_the_message_leads_to_a_replacement():
    send, sent = rejects("invalid_parameter_value", ["default"], field="contact_message.value")

    with_message_fallback(send, "default", lambda text: None)(CALL)

    assert sent == ["a long text", "default"]


@pytest.mark.parametrize("mnemonic", ["tts_text_exceeded", "media_file_not_found"])
def test_each_replacement_is_sent_once(mnemonic):
    send, sent = rejects(mnemonic, [])

    with pytest.raises(InvalidParameters):
        with_message_fallback(send, "default", lambda text: None)(CALL)

    assert sent == ["a long text", "default"]


def test_a_rejection_for_another_reason_is_raised():
    send, sent = rejects("virtual_phone_number_not_found", [])

    with pytest.raises(InvalidParameters):
        with_message_fallback(send, "default", lambda text: None)(CALL)

    assert sent == ["a long text"]


def rejects_scenarios(error):
    sent = []

    def send(request):
        sent.append(request)
        if isinstance(request, StartScenarioCall):
            raise error
        return request

    return send, sent


@pytest.mark.parametrize(
    "error",
    [
        InvalidParameters("no", mnemonic="scenario_not_found", field="scenario_id"),
        InvalidParameters("no", mnemonic="invalid_parameter_value", field="scenario_id"),
        AccessDenied("no", mnemonic="component_disabled"),
    ],
)
def test_a_rejected_scenario_leads_to_a_call_that_speaks_the_message(error):
    send, sent = rejects_scenarios(error)
    warned = []

    with_scenario_fallback(send, warned.append)(MENU)

    assert sent == [MENU, CALL.model_copy(update={"external_id": "alert-1"})]
    assert "scenario" in warned[0]


@pytest.mark.parametrize(
    "error",
    [
        InvalidParameters("no", mnemonic="virtual_phone_number_not_found", field="virtual_phone_number"),
        CallRefused("no", mnemonic="contact_in_blacklist", field="contact"),
    ],
)
def test_a_rejection_that_the_scenario_does_not_cause_is_raised(error):
    send, sent = rejects_scenarios(error)

    with pytest.raises(type(error)):
        with_scenario_fallback(send, pytest.fail)(MENU)

    assert sent == [MENU]


@pytest.mark.parametrize(
    ("number", "is_found"),
    [
        ("79160000001", True),
        ("9160000001", True),
        ("89160000001", True),
        ("7916***0001", True),
        ("", True),
        (None, True),
        ("79160000002", False),
    ],
)
def test_an_active_call_of_the_alert_is_found_with_its_number_in_any_form(number, is_found):
    escalation = Escalation("alert", [CALL], None, 60.0, None, None)
    [_, (person, call_id)] = escalation.call_ids
    listed = CallSession(call_session_id=7, external_id=call_id, contact_phone_number=number)
    assert escalation.newest_of([listed]) == (Progress(person, 7) if is_found else None)


@pytest.mark.parametrize("spell", [str.upper, str.lower, " {} ".format])
def test_an_active_call_of_the_alert_is_found_with_its_id_in_any_spelling(spell):
    """A search for an unconfirmed call takes these spellings for one id, too."""
    escalation = Escalation("Night-ETL", [CALL], None, 60.0, None, None)
    call_id = spell("Night-ETL-1")
    listed = CallSession(call_session_id=7, external_id=call_id, contact_phone_number=CALL.contact)
    assert escalation.newest_of([listed]) == Progress(1, 7)


def test_an_active_call_of_the_alert_with_a_cut_id_is_found_by_its_contact():
    alert_id = f"af-alert-{'0' * 32}"
    boris = CALL.model_copy(update={"contact": "79160000002"})
    escalation = Escalation(alert_id, [CALL, boris], None, 60.0, None, None)
    cut = {"call_session_id": 7, "external_id": alert_id[:30]}
    assert escalation.newest_of([CallSession(**cut, contact_phone_number=CALL.contact)]) == Progress(1, 7)
    assert escalation.newest_of([CallSession(**cut, contact_phone_number=boris.contact)]) == Progress(2, 7)
    assert escalation.newest_of([CallSession(**cut, contact_phone_number="79160000003")]) is None
