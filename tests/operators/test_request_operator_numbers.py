"""The numbers of single calls: read as a campaign reads them, or refused before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from airflow_fakes import TTS, VNUMBER, Task

from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.operators.call_control import (
    CallApiAddCoachOperator,
    CallApiMakeCallOperator,
)
from airflow_provider_callapi.operators.start_call import (
    CallApiStartEmployeeCallOperator,
    CallApiStartInformerCallOperator,
    CallApiStartSimpleCallOperator,
)

pytest_plugins = ["airflow_desk"]


def start(desk, contact: Any, **changes: Any) -> Any:
    return CallApiStartInformerCallOperator(
        task_id="call",
        **{"virtual_phone_number": VNUMBER, "contact": contact, "contact_message": TTS, **changes},
    ).execute(Task(desk, lambda: None).context)


@pytest.mark.parametrize(
    "contact",
    ["89260000001", "9260000001", "8 926 000-00-01", "7.926.000.00.01", "8-926-000-00-01", 79260000001.0],
)
def test_a_start_operator_rings_the_person_for_every_spelling_of_the_number(desk, contact):
    start(desk, contact)

    assert [call.contact for call in desk.exchange.calls] == ["79260000001"]


@pytest.mark.parametrize("contact", ["8-926-000-00-01", "7.926.000.00.01", "89260000001", "+7 926 0000001"])
def test_an_unconfirmed_call_is_found_for_every_spelling_of_the_number(desk, contact):
    """The service lists only the digits of a number, so a search for the author's text would find no call."""
    desk.exchange.script("79260000001", Script(rings=3, talks=60))
    desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")

    result = start(desk, contact, delivery="at_least_once", external_id="order-7")

    (call,) = desk.exchange.calls
    assert result["call_session_id"] == call.call_session_id
    assert desk.exchange.rings("79260000001") == 1


@pytest.mark.parametrize(
    "contact",
    [
        "+79260000001 +79260000002",
        "7926000000179260000002",
        "+436641234567.0",
        "+49 30 123456 (2)",
        "4.3664E11",
        "+8 (495) 123-45-67",
        "79260000001x5",
        "79260000001, 79260000002",
        "8 926 000-00-0",
        "8_926_000_00_01",
        "7926",
        101,
    ],
)
def test_a_start_operator_sends_no_request_for_an_ambiguous_number(desk, contact):
    with pytest.raises(CallApiFailure, match="contact: ") as caught:
        start(desk, contact)

    assert desk.sent() == []
    assert "926" not in str(caught.value)


def test_the_region_is_an_option_of_the_operator(desk):
    start(desk, "0664 1234567", region="AT")
    with pytest.raises(CallApiFailure, match="region: 'Austria'"):
        start(desk, "0664 1234567", region="Austria")

    assert [call.contact for call in desk.exchange.calls] == ["436641234567"]


@pytest.mark.parametrize(
    ("operator", "field"),
    [
        (CallApiMakeCallOperator(task_id="a", call_session_id=1, to="+7 926 000-00-01"), "to"),
        (CallApiAddCoachOperator(task_id="a", call_session_id=1, phone_number="89260000001"), "phone_number"),
        (
            CallApiStartSimpleCallOperator(
                task_id="a",
                virtual_phone_number=VNUMBER,
                contact="8 (926) 0000002",
                first_call="operator",
                operator={"phone_number": "8-926-000-00-01"},
            ),
            "operator",
        ),
    ],
)
def test_every_number_of_a_request_is_read(operator, field):
    assert operator.make_request().params[field] == "79260000001"


def test_the_number_of_an_employee_is_converted_and_an_extension_is_unchanged():
    def employee(number: str) -> Any:
        return CallApiStartEmployeeCallOperator(
            task_id="a",
            virtual_phone_number="+7 (499) 372-06-92",
            contact="79260000002",
            first_call="employee",
            employee={"id": 25, "phone_number": number},
        ).make_request()

    assert employee("8 926 000-00-01").params["employee"]["phone_number"] == "79260000001"
    assert employee("101").params["employee"]["phone_number"] == "101"
    assert employee("101").params["virtual_phone_number"] == VNUMBER
    with pytest.raises(CallApiFailure, match=r"employee\.phone_number: "):
        employee("8 926 000-00-0")
