"""Calls of an alert: the replacements of a message that the service rejects."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.alerts.election import Progress
from airflow_provider_callapi.calls.alerts.escalation import Escalation, with_message_fallback

CALL = StartInformerCall(
    virtual_phone_number="74993720692",
    contact="79160000001",
    contact_message={"type": "tts", "value": "a long text"},
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
        ({}, "default"),
    ],
)
def test_a_text_is_cut_to_the_length_that_the_service_states_or_else_replaced(params, spoken):
    send, sent = rejects("tts_text_exceeded", [spoken], **params)

    with_message_fallback(send, "default", lambda text: None)(CALL)

    assert sent == ["a long text", spoken]


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
def test_an_active_call_of_the_alert_is_found_in_whatever_form_its_number_is_listed(number, is_found):
    escalation = Escalation("alert", [CALL], None, 60.0, None, None)
    [_, (person, call_id)] = escalation.call_ids
    listed = CallSession(call_session_id=7, external_id=call_id, contact_phone_number=number)
    assert escalation.newest_of([listed]) == (Progress(person, 7) if is_found else None)
