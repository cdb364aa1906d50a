"""What a start operator and a campaign make of a report that lacks the contact's leg."""

from __future__ import annotations

from typing import Any

import pytest
from airflow_fakes import VNUMBER, Task
from campaign_desk import campaign

from airflow_provider_callapi.api.data_api import GetCallLegsReport
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.exceptions import CallOutcomeUnknown
from airflow_provider_callapi.operators.start_call import CallApiStartSimpleCallOperator

pytest_plugins = ["airflow_desk", "campaign_desk"]

CONTACT, OPERATOR = "79160000001", "74951234567"
CALL = {"virtual_phone_number": VNUMBER, "first_call": "contact", "operator": OPERATOR}


@pytest.fixture
def _without_contacts_leg(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each report of legs lack the legs of contacts, and each contact's leg of an active call, too."""
    read = GetCallLegsReport.convert_answer

    def convert(self: GetCallLegsReport, data: Any) -> Any:
        for leg in data:
            leg["connect_time"], leg["is_talked"] = None, False
        data[:] = [leg for leg in data if leg["called_phone_number"] != CONTACT]
        return read(self, data)

    monkeypatch.setattr(GetCallLegsReport, "convert_answer", convert)


@pytest.mark.usefixtures("_without_contacts_leg")
def test_a_contact_who_was_called_first_is_not_rung_again(desk, campaign_desk):
    for exchange in {desk.exchange, campaign_desk.exchange}:
        exchange.script(CONTACT, Script(rings=0.1, talks=5))
        exchange.script(OPERATOR, Script.no_answer(rings=0.1))

    with pytest.raises(CallOutcomeUnknown):
        Task(
            desk,
            lambda: CallApiStartSimpleCallOperator(
                task_id="call",
                contact=CONTACT,
                wait_for_completion=True,
                require_answer=True,
                poll_interval=60,
                **CALL,
            ),
        ).run()
    assert desk.exchange.rings(CONTACT) == 1


@pytest.mark.usefixtures("_without_contacts_leg")
@pytest.mark.parametrize(("first_call", "calls", "rings"), [("contact", 1, 1), ("operator", 2, 0)])
def test_a_campaign_does_not_redial_a_contact_who_was_called_first(campaign_desk, first_call, calls, rings):
    campaign_desk.exchange.script(CONTACT, Script(rings=0.1, talks=5))
    campaign_desk.exchange.script(OPERATOR, Script.no_answer(rings=0.1))
    task = campaign(
        campaign_desk,
        contacts=[CONTACT],
        call={"method": "start.simple_call", **CALL, "first_call": first_call},
        max_attempts=2,
        redial={"our_side_did_not_answer": 60},
        poll_interval=60,
    )

    assert task.run()["calls"] == calls
    assert campaign_desk.exchange.rings(CONTACT) == rings
