"""The entry of a call in list.calls."""

from __future__ import annotations

from emulator_client import CONTACT, EMPLOYEE_PHONE, VNUMBER

from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.api.times import parse_time
from airflow_provider_callapi.emulator import Script


def test_a_call_is_listed_only_after_its_delay(api, exchange, clock):
    exchange.script(CONTACT, Script(listed_after=2))
    api.start()
    assert api.data("list.calls") == []
    clock.advance(2)
    assert len(api.data("list.calls")) == 1


def test_a_listed_call_has_the_fields_of_the_documents_example(api, clock):
    call = api.start(dtmf_string="...9.2.3.3", external_id="334otr01", direction="in")
    clock.advance(2)
    (listed,) = api.data("list.calls")
    operator, contact = listed.pop("legs")
    assert listed == {
        "call_session_id": call.call_session_id,
        "direction": "in",
        "start_time": "2025-10-09T11:53:20.000",
        "virtual_phone_number": VNUMBER,
        "contact_phone_number": CONTACT,
        "external_id": "334otr01",
        "tags": [],
    }
    assert contact["called_phone_number"] == f"{CONTACT}...9.2.3.3"
    assert not contact["is_operator"]
    assert contact["employee_id"] is contact["employee_full_name"] is None
    assert operator["is_operator"]
    assert operator["called_phone_number"] == EMPLOYEE_PHONE
    assert operator["employee_id"] == 25


def test_the_start_time_is_in_the_zone_of_the_account(api, clock):
    now = clock()
    api.exchange.account.timezone = "Asia/Vladivostok"
    api.start()
    session = CallSession.model_validate(api.data("list.calls")[0])
    assert parse_time(session.start_time or "", "Asia/Vladivostok").timestamp() == now
