"""Who is dialled now: not the excluded, not outside the calling hours, no one after a refusal for all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from campaign_world import RULES, START, World, no_phone_rang
from known_numbers import ANNA, BORIS, VNUMBER
from memory_ledger import MemoryLedger

from airflow_provider_callapi.api.errors import (
    CallApiError,
    InvalidParameters,
)
from airflow_provider_callapi.api.models import StartedCall
from airflow_provider_callapi.api.request import Component
from airflow_provider_callapi.calls.calling_hours.days import CallingDays
from airflow_provider_callapi.calls.calling_hours.hours import CallingHours, read_hours
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.emulator import Profile, Script


def test_an_excluded_sip_number_in_another_case_is_not_dialled() -> None:
    world = World(["Sip25@X.ru"])
    world.excluded = {"sip25@x.ru"}
    assert world.run().over
    assert world.exchange.calls == []
    assert set(world.results().values()) == {Result.DO_NOT_CALL}


def test_dialling_pauses_while_the_do_not_call_list_is_unknown_and_the_log_names_the_reason() -> None:
    world = World([ANNA, BORIS], replace(RULES, max_active=1))
    world.exchange.default_script = Script(talks=100)
    world.run(20)
    world.excluded = None
    world.run(600)
    assert len(world.exchange.calls) == 1
    assert Result.ANSWERED in world.results().values(), "what is active is followed to its end"
    assert any("dialling waits for the do_not_call list" in line for line in world.log)
    world.excluded = set()
    world.run()
    assert set(world.results().values()) == {Result.ANSWERED}


def test_no_person_is_dialled_outside_the_calling_hours_of_their_time_zone() -> None:
    monday_noon_utc = 1_778_500_800.0  # 2026-05-11T12:00Z: 18:00 in Omsk, 05:00 in Los Angeles
    world = World(
        [ANNA, BORIS],
        replace(RULES, hours=CallingHours(*read_hours(("09:00", "17:00")), CallingDays.of(["mon", "tue"]))),
        start=monday_noon_utc,
    )
    world.rows[0]["timezone"], world.rows[1]["timezone"] = "Asia/Omsk", "America/Los_Angeles"
    next_step = world.process().step()
    assert (next_step.why, next_step.dial_at) == ("the calling hours", monday_noon_utc + 4 * 3600)
    world.run()

    assert 4 * 3600 <= world.ring_times(BORIS)[0] - monday_noon_utc < 4 * 3600 + 60
    assert 15 * 3600 <= world.ring_times(ANNA)[0] - monday_noon_utc < 15 * 3600 + 60


@pytest.mark.parametrize("slow", ["take_snapshot", "reports", "claim"])
def test_no_person_is_dialled_after_the_calling_hours_if_a_step_is_slow(slow: str) -> None:
    noon = 1_778_500_800.0
    closing = noon + 300
    rules = replace(RULES, hours=CallingHours(*read_hours(("09:00", "12:05"))), timezone="UTC", max_active=2)
    world = World([f"792600001{n:02d}" for n in range(40)], rules, start=noon)
    for row in world.rows:
        row["timezone"] = "UTC"
    world.exchange.default_script = Script(rings=2, talks=3)

    def slowly(what: Any) -> Any:
        def answer(*given: Any) -> Any:
            result = what(*given)
            world.clock.advance(29)
            return result

        return answer

    if slow == "claim":
        ledger = MemoryLedger()
        ledger.claim = slowly(ledger.claim)  # type: ignore[method-assign]
        world.new_ledger = lambda: ledger
    else:
        world.overrides[slow] = slowly(getattr(world.gateway(), slow))
    world.process()
    world.run(3600)

    rung = [event.time for event in world.exchange.journal if event.kind == "ring"]
    assert closing - 60 < max(rung) < closing
    world.run(86_400)
    assert set(world.results().values()) == {Result.ANSWERED}, "the next day goes on"


def test_a_campaign_calls_no_one_after_its_time_and_ends() -> None:
    world = World([ANNA, BORIS], replace(RULES, max_active=1, dial_until=1_760_000_000.0 + 300))
    world.exchange.default_script = Script(talks=290)
    assert world.run().over
    assert world.clock() < 1_760_000_000.0 + 1800
    assert sorted(world.results().values()) == [Result.ANSWERED, Result.NOT_CALLED]


def test_a_campaign_does_not_wait_for_a_person_whose_calling_hours_open_after_its_end() -> None:
    """Their calling hours open after the end. A campaign that waits for days would not report that."""
    noon = 1_778_500_800.0
    rules = replace(RULES, hours=CallingHours(*read_hours(("09:00", "10:00"))), dial_until=noon + 3600)
    world = World(rules=rules, start=noon)
    assert world.run(10).over
    assert world.results() == {ANNA: Result.NOT_CALLED}


def test_a_refusal_of_a_personal_parameter_makes_the_row_invalid() -> None:
    world = World([ANNA, BORIS])
    world.rows[0]["name"] = "A" * 2_000
    world.process()
    world.run()
    assert world.results() == {ANNA: Result.INVALID, BORIS: Result.ANSWERED}


@pytest.mark.parametrize(
    ("field", "is_personal"),
    [
        ("contact_message", True),
        ("contact_message.value", True),
        ("[contact_message]", True),
        ("[contact_message.value, contact]", True),
        ("[contact_message, virtual_phone_number]", False),
        ("virtual_phone_number", False),
        (None, False),
    ],
)
def test_only_a_refusal_of_a_parameter_that_all_calls_share_stops_the_campaign(
    field: str | None, is_personal: bool
) -> None:
    world = World([ANNA, BORIS])

    def start(requests: Any) -> list[Any]:
        refused = InvalidParameters("refused", field=field)
        return [refused if each.contact == ANNA else world.started(each) for each in requests]

    world.overrides["start"] = start
    world.process()
    assert world.run().over
    assert (world.campaign.dial_queue.stopped is None) is is_personal
    assert (world.results()[ANNA] is Result.INVALID) is is_personal


@pytest.mark.parametrize("shows_ids", [True, False])
def test_an_answer_that_names_the_persons_call_before_counts_as_no_answer(shows_ids: bool) -> None:
    world = World(profile=Profile(external_id_is_listed=shows_ids))
    world.exchange.script(ANNA, Script.busy(rings=0))
    sessions: list[int] = []

    def start(requests: Any) -> list[Any]:
        [placed] = map(world.started, requests)
        sessions.append(placed.call_session_id)
        world.exchange.script(ANNA, Script(rings=3, talks=60))
        return [StartedCall(call_session_id=sessions[0])]

    world.overrides["start"] = start
    world.process()
    assert world.run().over
    assert world.results() == {ANNA: Result.ANSWERED}, "the search has found the second call"
    assert world.exchange.rings(ANNA) == 2


def test_a_refusal_without_a_field_stops_the_campaign_and_names_the_row() -> None:
    refused = InvalidParameters("Invalid parameters", method=START, mnemonic="invalid_parameters")
    world = World([ANNA, BORIS])
    world.overrides["start"] = lambda requests: [refused for _ in requests]
    world.process()
    assert world.run().over
    assert "row 1 of the list" in str(world.campaign.dial_queue.stopped)


def _blocked() -> Any:
    from airflow_provider_callapi.emulator import Key

    return Key(blocked=True)


def all_people_are_refused(world: World, what: str) -> None:
    account = world.exchange.account
    if what == "number":
        account.virtual_numbers.clear()
    elif what == "rights":
        account.forbidden_methods.add(START)
    elif what == "component":
        component = world.template.request_type.component
        assert isinstance(component, Component)
        account.components_off.add(component)
    else:
        account.keys["demo-key"] = account.keys.get("demo-key") or _blocked()


@pytest.mark.parametrize("what", ["number", "rights"])
def test_a_refusal_that_concerns_all_people_stops_the_campaign_and_is_logged(what: str) -> None:
    world = World([ANNA, BORIS], replace(RULES, at_once=1))
    all_people_are_refused(world, what)
    assert world.run().over
    assert world.campaign.dial_queue.stopped
    assert any("Dialling has stopped" in line for line in world.log)
    assert world.exchange.requests(START) == 1
    assert world.results() == {ANNA: Result.NOT_CALLED, BORIS: Result.NOT_CALLED}

    world.exchange.account.virtual_numbers.add(VNUMBER)
    world.exchange.account.forbidden_methods.clear()
    world.process()
    world.run()
    assert set(world.results().values()) == {Result.ANSWERED}, "put right and begun again, it goes on"


@pytest.mark.parametrize("what", ["component", "key"])
def test_a_service_that_denies_access_ends_the_try(what: str) -> None:
    world = World()
    all_people_are_refused(world, what)
    if what == "component":
        world.exchange.account.components_off.update(Component)
    with pytest.raises(CallApiError):
        world.run()
    assert world.exchange.calls == []


@pytest.mark.parametrize("reason", ["not_enough_money", "component_is_inactive"])
def test_a_call_that_ends_for_lack_of_money_stops_the_campaign(reason: str) -> None:
    world = World([ANNA, BORIS], replace(RULES, max_active=1))
    reports = world.reports
    world.overrides["reports"] = lambda *wanted: [no_phone_rang(call, reason) for call in reports(*wanted)]
    world.exchange.default_script = Script.busy()
    world.process()
    assert world.run().over
    assert reason in str(world.campaign.dial_queue.stopped)
    called = len(world.exchange.calls)
    assert set(world.results().values()) <= {Result.ACCOUNT, Result.NOT_CALLED}

    del world.overrides["reports"]
    world.exchange.default_script = Script()
    world.process()
    world.run()
    assert set(world.results().values()) == {Result.ANSWERED}
    assert len(world.exchange.calls) == called + 2, "no attempt is used up by the account's trouble"
