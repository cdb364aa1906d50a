"""The main journeys, with the service of the vendor's document and with the service that was observed.

The verdicts are the same under both profiles. A difference is a bug, or a limit that the documentation
states.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

import pytest
from airflow_fakes import (
    CONTACT,
    VNUMBER,
    Task,
    informer_task,
    installed_task_state,
)
from copied_examples import EXAMPLES
from failing_callbacks import (
    ON_DUTY,
    SECOND,
    SYNC_AND_ASYNC,
    THIRD,
    notifier,
    of_dag,
    rung,
    without_airflows_database,
)
from required_answers import OPERATOR, simple_task, try_often

from airflow_provider_callapi.calls.outcomes.finish_reasons import finish_reasons
from airflow_provider_callapi.calls.watching import answer_witness
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.emulator import Profile, Script
from airflow_provider_callapi.exceptions import CallNotAnswered
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator
from airflow_provider_callapi.triggers.call_events import CallApiEventTrigger

pytest_plugins = ["airflow_desk"]

REASONS_OF_LEGS = sorted(reason.mnemonic for reason in finish_reasons().values() if reason.of_leg)
"""Every finish reason that the vendor documents for a leg. The operator's leg fails with each of them."""
UNREACHED = {"busy": Script.busy(4), "no answer": Script.no_answer(25)}

profiles = pytest.mark.parametrize("callapi_profile", ["document", "seen"])
every_sessions_reason = pytest.mark.parametrize(
    "callapi_profile",
    [
        "document",
        "seen",
        pytest.param(
            Profile.named("seen").model_copy(update={"session_reason": "operator"}), id="seen-operator"
        ),
        pytest.param(
            Profile.named("seen").model_copy(update={"session_reason": "contact"}), id="seen-contact"
        ),
    ],
)
ways = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferral"])


# --- start operators ---


@ways
@every_sessions_reason
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_contact_who_answered_is_rung_once_after_any_failure_of_the_operators_leg(desk, deferrable):
    desk.exchange.account.day_limit = desk.exchange.account.minute_limit = 100_000
    rings_and_answers = {}
    for number, reason in enumerate(REASONS_OF_LEGS):
        contact = f"7916000{number:04}"
        desk.exchange.script(contact, Script.operator_fails(reason, rings=3, employee_rings=2))
        result = try_often(simple_task(desk, contact=contact, external_id=reason, deferrable=deferrable), 3)
        rings_and_answers[reason] = (desk.exchange.rings(contact), result and result["answered"])

    assert {reason: seen for reason, seen in rings_and_answers.items() if seen != (1, True)} == {}
    assert len(rings_and_answers) > 60


@ways
@profiles
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_contact_whose_phone_never_rang_is_called_by_the_retry(desk, deferrable):
    desk.exchange.script(OPERATOR, Script(rings=1, fails_with="sip_offline"))
    desk.exchange.script(CONTACT, Script(rings=3, talks=20))
    calling = simple_task(desk, first_call="operator", deferrable=deferrable)

    with pytest.raises(CallNotAnswered):
        calling.run()
    assert desk.exchange.rings(CONTACT) == 0
    desk.exchange.script(OPERATOR, Script(rings=1))

    assert calling.retry()["answered"] is True
    assert desk.exchange.rings(CONTACT) == 1


@ways
@profiles
@pytest.mark.needs_airflow("3.3", "task state")
def test_an_informer_call_that_is_heard_to_its_end_is_answered_and_rings_once(desk, deferrable):
    desk.exchange.script(CONTACT, Script(rings=3, talks=20))

    result = try_often(informer_task(desk, require_answer=True, deferrable=deferrable), 3)

    assert (result["answered"], desk.exchange.rings(CONTACT)) == (True, 1)


@pytest.mark.parametrize(
    "callapi_profile",
    ["document", "seen", pytest.param(Profile(operator_leg_is_operator=False), id="operators-unmarked")],
)
@pytest.mark.parametrize("story", [*UNREACHED, "answered", "operator fails"])
@pytest.mark.parametrize("first_call", ["contact", "operator"])
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_started_call_that_the_account_counts_as_inbound_has_the_same_outcome(desk, first_call, story):
    scripts = {"answered": Script(rings=3, talks=60), "operator fails": Script.operator_fails("sip_offline")}
    desk.exchange.script(CONTACT, {**UNREACHED, **scripts}[story])
    outcomes = []
    for direction in ("out", "in"):
        calling = simple_task(
            desk,
            first_call=first_call,
            direction=direction,
            external_id=direction,
            show_virtual_phone_number=False,
        )
        earlier = desk.exchange.rings(CONTACT)
        result = try_often(calling, 3)
        outcomes.append((result and result["answered"], desk.exchange.rings(CONTACT) - earlier))

    assert outcomes[0] == outcomes[1]
    assert story in UNREACHED or first_call == "operator" or outcomes[0] == (True, 1)


@ways
@profiles
@pytest.mark.parametrize("story", UNREACHED)
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_contact_who_was_not_reached_is_called_by_the_retry(desk, story, deferrable):
    desk.exchange.script(CONTACT, UNREACHED[story])
    calling = simple_task(desk, deferrable=deferrable)

    with pytest.raises(CallNotAnswered):
        calling.run()
    desk.exchange.script(CONTACT, Script(rings=3, talks=20))

    assert calling.retry()["answered"] is True
    assert desk.exchange.rings(CONTACT) == 2


@ways
@profiles
def test_a_call_with_a_talk_gets_the_tags_of_an_answer_and_of_the_end(desk, deferrable):
    desk.exchange.script(CONTACT, Script(rings=3, talks=60))
    calling = simple_task(desk, tags={"answered": 36, "ended": 38}, deferrable=deferrable)

    assert sorted(calling.run()["tags"]) == [36, 38]
    (call,) = desk.exchange.calls
    assert sorted(call.tags) == [36, 38]


@ways
@profiles
def test_a_connection_with_a_login_reaches_both_services(desk, deferrable):
    desk.connect(login=True)
    desk.exchange.script(CONTACT, Script(rings=3, talks=20))

    result = informer_task(desk, require_answer=True, deferrable=deferrable).run()

    assert (result["answered"], desk.exchange.rings(CONTACT)) == (True, 1)


@pytest.mark.parametrize("callapi_profile", ["comagic", "novofon", "callgear"])
def test_a_connection_that_names_the_host_of_a_brand_reaches_both_services(desk):
    """The host of the Data API follows from the host of the Call API."""
    fields = {
        "conn_type": "callapi",
        "host": desk.exchange.profile.call_api_host,
        "password": desk.exchange.account.key,
        "extra": {"data_api": True, "timezone": desk.exchange.account.timezone},
    }
    desk.monkeypatch.setenv("AIRFLOW_CONN_CALLAPI_DEFAULT", json.dumps(fields))
    desk.exchange.script(CONTACT, Script(rings=3, talks=20))

    assert simple_task(desk, tags={"answered": 36}).run()["answered"] is True
    assert desk.exchange.calls[0].tags == {36: "Answered"}


# --- an example DAG in a real Airflow ---


@pytest.fixture
def hurry(monkeypatch):
    """Divide the pauses between polls by 50, and let the second witness ask the Data API at each poll."""
    pause = Snapshot.pause
    monkeypatch.setattr(Snapshot, "pause", lambda snapshot, interval: pause(snapshot, interval / 50))
    monkeypatch.setattr(answer_witness, "REPORT_INTERVAL", 0.1)


@profiles
@pytest.mark.timeout(180)
@pytest.mark.usefixtures("hurry")
def test_the_example_tags_an_answered_call_and_watches_it_to_its_end(run_dag, exchange):
    exchange.script(CONTACT, Script(rings=0.2, employee_rings=0.2, talks=8))

    run = run_dag(EXAMPLES / "start_wait_tag_branch.py", conf={"contact": CONTACT})

    assert run.state == "success", run.states
    assert (run.states["thank"], run.states["another_way"]) == ("success", "skipped")
    assert exchange.calls[0].tags == {36: "Answered"}
    assert exchange.rings(CONTACT) == 1


# --- campaigns ---


@every_sessions_reason
def test_a_campaign_rings_every_answered_person_once_and_redials_the_unreached(desk, sqlite_ledger):
    exchange = desk.exchange
    people = [f"7916000{number:04}" for number in range(200)]
    unreached = people[::10]
    for number, phone in enumerate(people):
        reason = REASONS_OF_LEGS[number % len(REASONS_OF_LEGS)]
        exchange.script(phone, Script.busy() if phone in unreached else Script.operator_fails(reason))
    operator = CallApiCampaignOperator(
        task_id="call",
        campaign="spring",
        contacts=[{"phone": phone} for phone in people],
        call={
            "method": "start.simple_call",
            "virtual_phone_number": VNUMBER,
            "operator": OPERATOR,
            "first_call": "contact",
        },
        redial={"busy": 600, "not_reached": 600},
        max_attempts=2,
        ledger_conn_id="ledger" if installed_task_state() is None else None,
        deferrable=False,
    )

    Task(desk, lambda: operator).run()

    assert Counter(exchange.rings(phone) for phone in people if phone not in unreached) == {1: 180}
    assert Counter(exchange.rings(phone) for phone in unreached) == {2: 20}


# --- alerts ---


@profiles
@SYNC_AND_ASYNC
def test_an_alert_calls_the_next_person_only_until_a_person_has_answered(desk, monkeypatch, ring):
    without_airflows_database(desk, monkeypatch)
    desk.exchange.script(ON_DUTY, Script.busy(4))
    desk.exchange.script(SECOND, Script(rings=3, talks=15))

    ring(notifier([ON_DUTY, SECOND, THIRD]), of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]


# --- events ---


@profiles
@pytest.mark.usefixtures("connection")
def test_an_inbound_call_with_a_talk_has_the_three_events_once_each(exchange, monkeypatch):
    monkeypatch.setattr(answer_witness, "REPORT_INTERVAL", 0.1)
    exchange.script(CONTACT, Script(employee_rings=0.5, talks=4))
    trigger = CallApiEventTrigger(events=("started", "answered", "ended"), poll_interval=0.2)

    async def first_events() -> list[Any]:
        payloads: list[Any] = []
        events = trigger.run()
        while len(payloads) < 3:
            next_event = asyncio.ensure_future(anext(events))
            if not payloads and not exchange.calls:
                while exchange.requests("list.calls") < 2:  # noqa: ASYNC110 - the first poll shows no call
                    await asyncio.sleep(0.02)
                exchange.inbound(CONTACT)
            payloads.append((await asyncio.wait_for(next_event, 20)).payload)
        await events.aclose()
        return payloads

    assert [payload["event"] for payload in asyncio.run(first_events())] == ["started", "answered", "ended"]
