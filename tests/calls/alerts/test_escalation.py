"""An alert's calls: what is said where the service does not take the message."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.calls.alerts.escalation import fitting

CALL = StartInformerCall(
    virtual_phone_number="74993720692",
    contact="79160000001",
    contact_message={"type": "tts", "value": "a long text"},
)


def refuses(mnemonic, allowed, *, field=None, **params):
    """A service that says only these texts; and what it was sent."""
    sent = []

    def send(request):
        sent.append(request.contact_message.value)
        if sent[-1] not in allowed:
            raise InvalidParameters("no", mnemonic=mnemonic, field=field, params=params)
        return sent

    return send, sent


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"tts_message_max_length": 6}, "a long"),
        ({"tts_message_max_length": "6"}, "a long"),
        ({"tts_message_max_length": 0}, "default"),
        ({"tts_message_max_length": "few"}, "default"),
        ({}, "default"),
    ],
)
def test_a_text_is_cut_to_the_length_that_is_told_and_else_replaced(params, said):
    send, sent = refuses("tts_text_exceeded", [said], **params)

    fitting(send, "default", lambda text: None)(CALL)

    assert sent == ["a long text", said]


def test_a_service_that_counts_otherwise_than_we_do_is_told_the_default_text():
    send, sent = refuses("tts_text_exceeded", ["default"], tts_message_max_length=11)  # as long as it is

    fitting(send, "default", lambda text: None)(CALL)

    assert sent == ["a long text", "default"]


def test_whatever_the_service_refuses_about_the_message_another_may_be_said():
    send, sent = refuses("invalid_parameter_value", ["default"], field="contact_message.value")

    fitting(send, "default", lambda text: None)(CALL)

    assert sent == ["a long text", "default"]


@pytest.mark.parametrize("mnemonic", ["tts_text_exceeded", "media_file_not_found"])
def test_a_service_that_takes_no_message_is_not_asked_for_ever(mnemonic):
    send, sent = refuses(mnemonic, [])

    with pytest.raises(InvalidParameters):
        fitting(send, "default", lambda text: None)(CALL)

    assert sent == ["a long text", "default"]


def test_another_refusal_is_no_reason_to_say_something_else():
    send, sent = refuses("virtual_phone_number_not_found", [])

    with pytest.raises(InvalidParameters):
        fitting(send, "default", lambda text: None)(CALL)

    assert sent == ["a long text"]
