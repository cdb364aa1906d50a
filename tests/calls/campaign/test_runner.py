"""Campaigns on the emulator's exchange: who is called when, and what follows from each answer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from campaign_world import ANNA, BORIS, CLARA, RULES, World
from memory_ledger import MemoryLedger
from msgspec import structs

from airflow_provider_callapi.api.errors import (
    AccessDenied,
    CallApiError,
    InvalidParameters,
    LimitExceeded,
    Unanswered,
    rejection,
)
from airflow_provider_callapi.api.methods import Component
from airflow_provider_callapi.api.models import Limits
from airflow_provider_callapi.api.times import parse_time, report_time
from airflow_provider_callapi.calls.answers import FinishedCall
from airflow_provider_callapi.calls.calling_hours.days import CallingDays
from airflow_provider_callapi.calls.calling_hours.hours import CallingHours, read_hours
from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.redial import REDIAL_DELAYS, redial_table
from airflow_provider_callapi.calls.campaign.summary import Ending
from airflow_provider_callapi.calls.marks import Mark
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.reports.finished_calls import fetch_finished_calls
from airflow_provider_callapi.calls.watching.snapshot import Snapshot, take_snapshot
from airflow_provider_callapi.emulator import Fault, Profile, Script

START = "start.informer_call"


# --- results and redials ---


def test_a_busy_person_is_called_again_ten_minutes_after_the_calls_end() -> None:
    world = World()
    world.exchange.script(ANNA, Script.busy())
    world.run(300)
    world.exchange.script(ANNA, Script())
    assert world.run().over

    first, second = world.ring_times(ANNA)
    assert 601 <= second - first <= 615
    assert world.results() == {ANNA: Result.ANSWERED}


def test_no_person_is_called_more_often_than_max_attempts() -> None:
    world = World([ANNA, BORIS], replace(RULES, max_attempts=2))
    world.exchange.default_script = Script.no_answer()
    world.run()
    assert (world.exchange.rings(ANNA), world.exchange.rings(BORIS)) == (2, 2)
    assert world.results() == {ANNA: Result.NOT_REACHED, BORIS: Result.NOT_REACHED}


def test_a_call_without_a_report_has_an_unknown_result_and_is_not_redialled() -> None:
    world = World(rules=replace(RULES, report_timeout=None))
    world.exchange.script(ANNA, Script.busy())
    assert world.run().over
    assert world.results() == {ANNA: Result.UNKNOWN}
    assert world.exchange.rings(ANNA) == 1


def test_the_wait_for_a_missing_report_does_not_start_again_with_a_new_process() -> None:
    world = World()
    world.exchange.script(ANNA, Script.busy())
    world.exchange.report_lag = 1e9
    world.run(60)
    began = world.clock()
    while world.clock() < began + 3600:
        world.process()
        if world.run(15).over:
            break
    assert world.results() == {ANNA: Result.UNKNOWN}
    assert world.campaign.over
    assert world.clock() - began < 400


def with_report_fields(call: FinishedCall, **fields: Any) -> FinishedCall:
    return replace(call, report=call.report.model_copy(update=fields))


def no_phone_rang(call: FinishedCall, reason: str) -> FinishedCall:
    """The call ended with a reason before the contact's phone rang."""
    return with_report_fields(replace(call, answered=False, contact_finish_reason=None), finish_reason=reason)


def without_lines(world: World, phone: str) -> None:
    """The account has no free line: the call ends at once, and no phone has rung."""
    reports = world.reports

    def reported(*wanted: Any) -> Any:
        return [
            no_phone_rang(call, "no_resources") if call.report.contact_phone_number == phone else call
            for call in reports(*wanted)
        ]

    world.overrides["reports"] = reported
    world.process()


def test_a_call_without_a_free_line_does_not_count_as_an_attempt() -> None:
    world = World(rules=replace(RULES, max_attempts=1))
    without_lines(world, ANNA)
    world.exchange.script(ANNA, Script.busy())
    world.run(1000)
    assert len(world.exchange.calls) == 3, "five minutes later, and ten minutes after that"
    del world.overrides["reports"]
    world.process()
    world.run()
    history = list(world.new_ledger().load([ANNA]))
    assert [attempt.result for attempt in history] == [Result.CAPACITY] * 3 + [Result.BUSY]
    assert [attempt.unrung for attempt in history] == [0, 1, 2, 3]


def test_a_person_on_the_blacklist_of_the_service_is_not_redialled() -> None:
    world = World([ANNA, BORIS])
    world.exchange.account.blacklist.add(ANNA)
    world.run()
    assert world.results() == {ANNA: Result.REFUSED, BORIS: Result.ANSWERED}
    assert world.exchange.requests(START) == 2
    (refused,) = world.new_ledger().load([ANNA])
    assert refused.refused_with == "contact_in_blacklist"


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


def test_a_report_that_arrives_twice_is_one_call_and_causes_one_redial() -> None:
    """New calls shift the pages of the Data API while they are read."""
    world = World(rules=replace(RULES, max_attempts=2))
    world.exchange.script(ANNA, Script.busy())
    reports = world.reports
    world.overrides["reports"] = lambda *wanted: [report for report in reports(*wanted) for _ in range(2)]
    world.process()
    world.run()
    assert world.exchange.rings(ANNA) == 2
    assert [attempt.result for attempt in world.new_ledger().load([ANNA])] == [Result.BUSY] * 2
    assert world.campaign.finished_by_result[Result.BUSY] == 1


def test_each_call_without_a_free_line_doubles_the_pause_and_delays_the_next_person() -> None:
    world = World([ANNA, BORIS], replace(RULES, max_active=1))
    without_lines(world, ANNA)
    world.exchange.default_script = Script.busy(rings=1)
    world.run(86_400)
    calls = [call for call in world.exchange.calls if call.contact == ANNA]
    gaps = [later.started_at - earlier.started_at for earlier, later in pairwise(calls)]
    assert [round(gap / 300) for gap in gaps[:6]] == [1, 2, 4, 8, 16, 32]
    assert len(calls) < 20, "it costs points"
    first, next_one = world.exchange.calls[:2]
    assert next_one.contact == BORIS
    assert next_one.started_at - first.started_at >= 60


@pytest.mark.parametrize("hours", [-7, 7])
def test_a_report_with_a_wrong_clock_makes_no_redial_too_early_or_too_late(hours: int) -> None:
    world = World(rules=replace(RULES, max_attempts=2))
    world.exchange.script(ANNA, Script.busy(rings=1))
    reports = world.reports

    def reported(*wanted: Any) -> Any:
        for call in reports(*wanted):
            ended_at = parse_time(call.report.finish_time, RULES.timezone).timestamp() + 3600 * hours
            yield with_report_fields(call, finish_time=report_time(ended_at, RULES.timezone))

    world.overrides["reports"] = reported
    world.process()
    world.run()
    first, second = world.ring_times(ANNA)
    assert 600 <= second - first <= 700


# --- refusals that stop the campaign ---


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


def _blocked() -> Any:
    from airflow_provider_callapi.emulator import Key

    return Key(blocked=True)


@pytest.mark.parametrize("what", ["number", "rights"])
def test_a_refusal_that_concerns_all_people_stops_the_campaign_and_is_logged(what: str) -> None:
    world = World([ANNA, BORIS], replace(RULES, at_once=1))
    all_people_are_refused(world, what)
    assert world.run().over
    assert world.campaign.dial_queue.stopped
    assert any("Dialling has stopped" in line for line in world.log)
    assert world.exchange.requests(START) == 1
    assert world.results() == {ANNA: Result.NOT_CALLED, BORIS: Result.NOT_CALLED}

    world.exchange.account.virtual_numbers.add("74993720692")
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


def test_a_refusal_without_a_field_stops_the_campaign_and_names_the_row() -> None:
    refused = InvalidParameters("Invalid parameters", method=START, mnemonic="invalid_parameters")
    world = World([ANNA, BORIS])
    world.overrides["start"] = lambda requests: [refused for _ in requests]
    world.process()
    assert world.run().over
    assert "row 1 of the list" in str(world.campaign.dial_queue.stopped)


# --- who must not be called, and when ---


def test_a_person_who_joins_the_do_not_call_list_is_not_redialled() -> None:
    world = World()
    world.exchange.script(ANNA, Script.busy())
    world.run(120)
    world.excluded = {ANNA}
    assert world.run().over
    assert world.exchange.rings(ANNA) == 1
    assert world.results() == {ANNA: Result.BUSY}, "the result is that of the last call"


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


def test_a_stop_during_a_claim_prevents_the_start_request() -> None:
    world = World([ANNA, BORIS])

    class Stopping(MemoryLedger):
        def claim(self, intents: Any, changed: Any = ()) -> list[ClaimResult]:
            world.campaign.dial_queue.stop("the task was killed")
            return super().claim(intents, changed)

    ledger = Stopping()
    with_ledger(world, ledger)
    assert world.run().over
    assert world.exchange.requests(START) == 0
    assert {attempt.status for attempt in ledger.load([ANNA, BORIS])} == {Status.NOT_PLACED}


def test_a_redial_waits_for_the_calling_hours_too() -> None:
    noon = 1_778_500_800.0
    rules = replace(RULES, hours=CallingHours(*read_hours(("09:00", "12:05"))), timezone="UTC")
    world = World(rules=rules, start=noon)
    world.rows[0]["timezone"] = "UTC"
    world.process()
    world.exchange.script(ANNA, Script.busy())
    world.run()
    assert world.ring_times(ANNA)[1] - noon >= 21 * 3600


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


def test_a_person_whose_redial_no_longer_happens_keeps_the_last_result() -> None:
    world = World(rules=replace(RULES, dial_until=1_760_000_000.0 + 700))
    world.exchange.script(ANNA, Script.busy())
    world.run(500)
    world.exchange.account.minute_limit = 0
    world.run()
    assert world.exchange.requests(START) >= 2, "the redial was refused for want of points"
    assert world.exchange.rings(ANNA) == 1
    assert world.results() == {ANNA: Result.BUSY}


# --- how fast ---


def test_no_more_calls_are_active_than_are_allowed() -> None:
    world = World([f"792600001{n:02d}" for n in range(12)], replace(RULES, max_active=3))
    most = 0
    while not (next_step := world.runner.step()).over:
        most = max(most, len(world.exchange.active_calls))
        world.clock.advance(next_step.in_seconds)
    assert most == 3
    assert set(world.results().values()) == {Result.ANSWERED}


def test_a_campaign_that_waits_for_redials_logs_it_at_once_and_only_once() -> None:
    world = World([ANNA], replace(RULES, redial={**REDIAL_DELAYS, Result.BUSY: 600.0}))
    world.exchange.script(ANNA, Script.busy(2))
    world.run(30)
    assert re.search(r"dialling waits for the next redial \(0:09:\d\d\)$", "\n".join(world.log), re.MULTILINE)
    world.run(20)
    assert sum("the next redial" in line for line in world.log) == 1


def test_a_campaign_that_waits_only_for_reports_logs_it_at_once_and_only_once() -> None:
    world = World([ANNA, BORIS])
    world.exchange.report_lag = 45.0
    assert world.run().over
    waits = [line for line in world.log if "without the Data API's report" in line]
    assert len(waits) == 1
    assert re.match(r"0 of 2 people finished, 0 active calls, 0 waiting, 2 without the Data API's", waits[0])


@pytest.mark.parametrize("period", ["minute", "day"])
def test_a_campaign_without_points_pauses_until_the_reset_and_names_the_reason(period: str) -> None:
    world = World([ANNA, BORIS])
    setattr(world.exchange.account, f"{period}_limit", 0)
    world.runner.step()
    world.clock.advance(1)
    next_step = world.runner.step()
    limits = world.exchange.limits()

    assert next_step.why == f"the {period}'s points"
    assert next_step.dial_at == pytest.approx(world.clock() + limits[f"{period}_reset"], abs=2)
    setattr(world.exchange.account, f"{period}_limit", 1000)
    world.clock.advance(limits[f"{period}_reset"] + 2)
    world.run()
    assert set(world.results().values()) == {Result.ANSWERED}


def test_points_that_another_program_used_cause_one_refusal_and_cost_no_attempt() -> None:
    world = World()
    poll = world.runner._gateway.take_snapshot

    def poll_before_the_other() -> Any:
        snapshot = poll()
        world.exchange.account.minute_limit = 0
        return snapshot

    world.overrides["take_snapshot"] = poll_before_the_other
    world.process()
    world.run(20)
    assert world.exchange.requests(START) == 1
    del world.overrides["take_snapshot"]
    world.process()
    world.exchange.account.minute_limit = 100
    world.run()
    (attempt,) = world.new_ledger().load([ANNA])
    assert (attempt.attempt, attempt.result) == (1, Result.ANSWERED)


@pytest.mark.parametrize("people", [1, 40])
def test_the_campaign_polls_once_in_a_poll_interval_for_any_number_of_active_calls(people: int) -> None:
    world = World([f"792600001{n:02d}" for n in range(people)], replace(RULES, max_active=100))
    world.exchange.default_script = Script(talks=170)
    world.run()
    polls = [e.time for e in world.exchange.journal if e.kind == "request" and e.method == "list.calls"]
    assert len(polls) >= 15
    assert min(later - earlier for earlier, later in pairwise(polls)) >= 10


def test_refused_calls_are_paced_like_placed_calls() -> None:
    people = [f"7926000{n:04d}" for n in range(300)]
    world = World(people, replace(RULES, max_active=100))
    world.exchange.account.blacklist.update(people)
    world.exchange.account.minute_limit = 100
    world.run(5)
    assert 5 <= world.exchange.requests(START) <= 20, "no faster than the points would pay for, and no burst"


def test_a_report_frees_the_line_of_a_call_that_ended_between_two_polls() -> None:
    people = [f"7926000{n:04d}" for n in range(20)]
    world = World(people, replace(RULES, max_active=2))
    world.exchange.default_script = Script(rings=1, talks=2)
    world.exchange.report_lag = 5
    began = world.clock()
    world.run()
    assert world.clock() - began < 20 / 2 * 40, "not a minute each, within which a call must be listed"
    assert set(world.results().values()) == {Result.ANSWERED}


# --- lost answers ---


@pytest.mark.parametrize("has_data_api", [False, True])
def test_a_service_that_answers_no_start_request_costs_only_a_few_attempts(
    has_data_api: bool,
) -> None:
    people = [f"7926000{n:04d}" for n in range(200)]
    rules = replace(RULES, max_active=50, report_timeout=300.0 if has_data_api else None)
    world = World(people, rules)
    world.exchange.fault(Fault.BAD_GATEWAY, method=START, times=10_000)
    with pytest.raises(Unanswered):
        world.run()
    assert world.exchange.calls == []
    intended = list(world.new_ledger().load(people))
    assert len(intended) <= 8 + 10, "a batch, and then one after the other"
    assert world.log[0].endswith("(1 in a row; the try fails at 11)")


def test_dialling_continues_at_the_old_pace_after_failed_start_requests() -> None:
    people = [f"7926000{n:04d}" for n in range(60)]
    world = World(people, replace(RULES, max_active=50, at_once=4))
    world.exchange.fault(Fault.BAD_GATEWAY, method=START, times=6)
    assert world.run().over
    assert sorted(Counter(world.results().values()).items()) == [
        (Result.ANSWERED, 54),
        (Result.UNRESOLVED, 6),
    ]


def test_a_campaign_waits_for_a_service_that_is_unreachable_for_a_minute() -> None:
    world = World([ANNA, BORIS])
    began = world.clock()
    world.exchange.fault(Fault.REFUSE, method=START, times=5)
    world.run(60)
    assert world.exchange.requests(START) == 0
    assert len([line for line in world.log if "in a row" in line]) == 4, "later and later"
    world.run()
    assert set(world.results().values()) == {Result.ANSWERED}
    assert world.ring_times(ANNA)[0] - began < 200


def test_an_earlier_call_with_the_same_authors_id_is_not_the_unconfirmed_call() -> None:
    world = World()
    world.new_external_id = lambda person, attempt: "promo"
    world.process().step()
    world.run()
    assert world.results() == {ANNA: Result.ANSWERED}

    world.clock.advance(3600)
    world.pages.values.clear()  # another campaign
    world.exchange.fault(Fault.DROP_BEFORE, method=START)
    world.process()
    world.run()
    assert world.exchange.rings(ANNA) == 1
    assert world.results() == {ANNA: Result.UNRESOLVED}


@pytest.mark.parametrize("fault", [f for f in Fault if f not in (Fault.REFUSE, Fault.TOO_MANY_REQUESTS)])
def test_an_unconfirmed_call_is_searched_for_and_never_dialled_again(fault: Fault) -> None:
    world = World()
    world.exchange.default_script = Script(talks=30)
    world.exchange.fault(fault, method=START)
    assert world.run().over
    placed = fault.carried_out
    assert world.exchange.rings(ANNA) == int(placed)
    assert world.exchange.requests(START) == int(placed)
    assert world.results() == {ANNA: Result.ANSWERED if placed else Result.UNRESOLVED}


def test_a_start_that_a_busy_gateway_refused_is_sent_again() -> None:
    world = World()
    world.exchange.fault(Fault.TOO_MANY_REQUESTS, method=START, times=2)
    world.run()
    assert world.exchange.rings(ANNA) == 1
    assert world.results() == {ANNA: Result.ANSWERED}


def test_an_unconfirmed_call_that_ended_before_the_first_poll_is_found_in_the_report() -> None:
    world = World()
    world.exchange.default_script = Script(rings=1, talks=1)
    world.exchange.report_lag = 200
    world.exchange.fault(Fault.DROP_AFTER, method=START)
    world.run()
    assert world.results() == {ANNA: Result.ANSWERED}
    assert world.exchange.rings(ANNA) == 1


def test_an_unconfirmed_call_that_ended_before_the_first_poll_stays_unresolved_without_a_report() -> None:
    world = World(rules=replace(RULES, report_timeout=None))
    world.exchange.default_script = Script(rings=1, talks=1)
    world.exchange.fault(Fault.DROP_AFTER, method=START)
    world.run()
    assert world.results() == {ANNA: Result.UNRESOLVED}
    world.process()
    world.run()
    assert world.exchange.rings(ANNA) == 1


def test_a_request_that_was_not_sent_is_sent_later_as_the_same_attempt() -> None:
    world = World()
    world.exchange.fault(Fault.REFUSE, method=START)
    world.run()
    (attempt,) = world.new_ledger().load([ANNA])
    assert (attempt.attempt, attempt.result) == (1, Result.ANSWERED)


def test_unconfirmed_calls_with_the_same_authors_id_are_distinguished_by_their_number() -> None:
    world = World([ANNA, BORIS, CLARA])
    world.exchange.default_script = Script(talks=30)
    world.exchange.script(BORIS, Script.busy(rings=25))
    world.exchange.fault(Fault.DROP_AFTER, method=START, times=3)
    world.new_external_id = lambda person, attempt: f"promo-{attempt}"
    world.process()
    world.run(500)
    calls = {call.contact: call.call_session_id for call in world.exchange.calls}
    history = {who: next(iter(world.new_ledger().load([who]))) for who in (ANNA, BORIS, CLARA)}
    assert {who: known.call and known.call.call_session_id for who, known in history.items()} == calls
    assert history[BORIS].result is Result.BUSY


@pytest.mark.parametrize("seconds", [600, 20_000])
def test_no_call_counts_as_ended_or_unresolved_while_an_active_call_cannot_be_read(seconds: float) -> None:
    """An unconfirmed call may be the unreadable call, and so may a call that list.calls no longer shows."""
    world = World([ANNA, BORIS], rules=replace(RULES, report_timeout=None))
    world.exchange.default_script = Script(rings=1, talks=300)
    world.exchange.fault(Fault.DROP_BEFORE, method=START)
    unreadable_until = world.clock() + seconds

    def take() -> Snapshot:
        taken = take_snapshot(world.call_api, world.clock)
        return replace(taken, left_out=int(world.clock() < unreadable_until))

    world.overrides["take_snapshot"] = take
    world.process()
    world.run(seconds - 10 if seconds < 3600 else 3000)
    assert set(world.results().values()) == {Result.NOT_CALLED}, "no result is known yet"
    world.run()
    assert sorted(world.results().values()) == sorted([Result.UNRESOLVED, Result.ANSWERED])
    assert world.exchange.requests(START) == 1


@pytest.mark.parametrize("kind", ["fields", "filters", "dates", "every date", "needed field"])
def test_a_data_api_that_refuses_parts_of_a_report_stops_no_campaign(kind: str) -> None:
    world = World([ANNA, BORIS], rules=replace(RULES, report_timeout=60.0))
    world.exchange.script(BORIS, Script.busy())
    refused: dict[str, Callable[[Any], dict[str, Any] | None]] = {
        "fields": lambda request: _refusal("parameter_component_disabled", "tags", request.fields),
        "filters": lambda request: _refusal("filter_prohibited", "x", [] if not request.filter else ["x"]),
        "dates": lambda request: (
            _refusal("invalid_parameter_value", "date_from", ["date_from"])
            if request.date_from > report_time(world.clock() - 1.5 * 86_400, RULES.timezone)
            else None
        ),
        "every date": lambda request: _refusal("invalid_parameter_value", "date_from", ["date_from"]),
        "needed field": lambda request: _refusal("unexpected_parameters", "finish_time", request.fields),
    }

    class Refusing:
        def call(self, request: Any) -> Any:
            if error := refused[kind](request):
                raise rejection(error, method=request.method)
            return world.data_api.call(request)

    world.overrides["reports"] = lambda since, sessions: fetch_finished_calls(
        Refusing(), since=since, until=world.clock(), timezone=RULES.timezone, sessions=sessions
    )
    world.process()
    assert world.run().over
    is_reported = kind in ("fields", "filters", "dates")
    assert world.results() == {ANNA: Result.ANSWERED, BORIS: Result.BUSY if is_reported else Result.UNKNOWN}
    assert world.exchange.rings(ANNA) == 1
    assert world.exchange.rings(BORIS) == (3 if is_reported else 1)


def _refusal(mnemonic: str, name: str, where: Container[str]) -> dict[str, Any] | None:
    """Return an error that refuses a name, if the name is among the asked ones."""
    if name not in where:
        return None
    return {"code": -32602, "message": "no", "data": {"mnemonic": mnemonic, "field": name}}


@pytest.mark.parametrize("late", [0.0, 4200.0, 7200.0, 86_400.0])
@pytest.mark.parametrize("failures", [0, 1, 5])
def test_a_late_try_repeats_a_failed_request_for_reports(late: float, failures: int) -> None:
    world = World(rules=replace(RULES, max_attempts=1))
    world.exchange.script(ANNA, Script.no_answer())
    world.run(15)
    world.clock.advance(late)
    left = [failures]

    def reports(since: float, sessions: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise Unanswered("503")
        return World.reports(world, since, sessions)

    world.overrides["reports"] = reports
    world.process()
    assert world.run().over
    assert world.results() == {ANNA: Result.NOT_REACHED}


def test_a_late_try_gives_up_a_report_that_it_cannot_fetch_for_ten_minutes() -> None:
    world = World(rules=replace(RULES, max_attempts=1))
    world.exchange.script(ANNA, Script.no_answer())
    world.run(15)
    world.clock.advance(86_400.0)

    def reports(since: float, sessions: Any) -> Any:
        raise Unanswered("503")

    world.overrides["reports"] = reports
    world.process()
    began = world.clock()
    assert world.run().over
    assert 600 <= world.clock() - began < 900
    assert world.results() == {ANNA: Result.UNKNOWN}


# --- claims ---


class Shared(MemoryLedger):
    """A ledger that gives a test's answers first, each once."""

    def __init__(self, *answers: ClaimResult) -> None:
        super().__init__()
        self.answers = list(answers)

    def claim(self, intents: Any, changed: Any = ()) -> list[ClaimResult]:
        self.record(changed)
        return [self.answers.pop(0) if self.answers else super(Shared, self).claim([i])[0] for i in intents]


def with_ledger(world: World, ledger: MemoryLedger) -> World:
    world.new_ledger = lambda: ledger
    world.process()
    return world


def test_a_person_who_was_called_too_recently_is_called_after_the_gap() -> None:
    world = World()
    with_ledger(world, Shared(ClaimResult(granted=False, not_before=world.clock() + 7200)))
    began = world.clock()
    world.run()
    assert 7200 <= world.ring_times(ANNA)[0] - began < 7270
    assert world.results() == {ANNA: Result.ANSWERED}


def test_a_person_whose_gap_lasts_beyond_the_end_is_not_called() -> None:
    world = World(rules=replace(RULES, dial_until=1_760_000_000.0 + 3600))
    with_ledger(world, Shared(ClaimResult(granted=False, not_before=world.clock() + 7200)))
    assert world.run().over
    assert world.results() == {ANNA: Result.CALLED_RECENTLY}


def test_a_person_whose_gap_ends_after_the_last_calling_hours_was_called_recently() -> None:
    hour = 3600.0
    world = World(rules=replace(RULES, dial_until=1_760_000_000.0 + hour))
    with_ledger(world, Shared(ClaimResult(granted=False, not_before=world.clock() + hour - 10)))
    world.run(60)
    assert world.results() == {ANNA: Result.CALLED_RECENTLY}
    world.clock.advance(hour)
    assert world.run().over
    assert world.results() == {ANNA: Result.CALLED_RECENTLY}


def test_a_person_who_is_called_after_the_gap_was_not_called_recently() -> None:
    world = World()
    with_ledger(world, Shared(ClaimResult(granted=False, not_before=world.clock() + 60)))
    world.run(65)
    assert world.ring_times(ANNA)
    assert world.results() == {ANNA: Result.NOT_CALLED}


def test_a_person_who_was_busy_and_whose_redial_comes_too_soon_stays_busy() -> None:
    world = World(rules=replace(RULES, dial_until=1_760_000_000.0 + 3600))
    world.exchange.script(ANNA, Script.busy())
    ledger = Shared()
    with_ledger(world, ledger).run(300)
    ledger.answers.append(ClaimResult(granted=False, not_before=world.clock() + 7200))
    assert world.run().over
    assert world.results() == {ANNA: Result.BUSY}


def test_a_claim_that_was_refused_for_now_is_repeated_soon() -> None:
    world = with_ledger(World(), Shared(ClaimResult(granted=False)))
    began = world.clock()
    world.run()
    assert 30 <= world.ring_times(ANNA)[0] - began < 60


def test_a_call_that_another_process_placed_is_followed_and_not_placed_again() -> None:
    world = World()
    reply = world.call_api.call(world.template.request(world.campaign.plan.people[0], "elsewhere"))
    elsewhere = Attempt(
        ANNA,
        1,
        Status.ACTIVE,
        "elsewhere",
        world.clock(),
        call=Outcome(reply.call_session_id, "elsewhere", started_at=world.clock()),
    )
    ledger = Shared()
    ledger.claim([elsewhere])
    world.new_ledger = lambda: ledger
    world.replace_ledger(ledger)  # its campaign was planned before the other one's claim
    world.run()
    assert world.exchange.rings(ANNA) == 1
    assert world.results() == {ANNA: Result.ANSWERED}


def test_an_attempt_that_another_process_took_over_keeps_the_record_of_that_process() -> None:
    """This process did not find its call. Meanwhile another process dials the same attempt again."""
    world = World(rules=replace(RULES, report_timeout=None))
    world.exchange.fault(Fault.DROP_BEFORE, method=START)
    ledger = Shared()
    with_ledger(world, ledger)
    world.run(30)
    (ours,) = ledger.load([ANNA])
    theirs = structs.replace(ours, intended_at=ours.intended_at + 20)
    ledger.record([theirs])
    world.run(50)
    assert list(ledger.load([ANNA])) == [theirs]


def test_a_call_that_another_process_has_seen_to_its_end_is_finished_in_the_ledger() -> None:
    """This process searches for an unconfirmed call. Meanwhile another process dials the attempt again."""
    world = World(rules=replace(RULES, report_timeout=None, max_attempts=1))
    world.exchange.fault(Fault.DROP_BEFORE, method=START)
    ledger = Shared()
    with_ledger(world, ledger)
    world.run(30)
    (ours,) = ledger.load([ANNA])
    theirs = structs.replace(ours, intended_at=ours.intended_at + 20)
    busy = Outcome(1, "x", status="ended", answered=False, ended_at=world.clock(), source="data_api")
    ledger.record(
        [theirs.with_status(Status.ENDED, result=Result.BUSY, result_known_at=world.clock(), call=busy)]
    )
    world.run(50)
    assert [(a.status, a.result) for a in ledger.load([ANNA])] == [(Status.FINISHED, Result.BUSY)]
    assert world.results() == {ANNA: Result.BUSY}


# --- tags ---


def tag_rules(**tags: int) -> Any:
    return replace(RULES, tags=tags)


def test_finished_calls_are_tagged_by_their_outcome() -> None:
    tagged: list[int] = []
    world = World(
        [ANNA, BORIS],
        tag_rules(answered=36, not_answered=37, ended=38),
        tag_finished=lambda communication_id, tag_id: tagged.append(tag_id),
    )
    world.exchange.script(BORIS, Script.no_answer())
    world.run(600)
    assert sorted(tagged) == [36, 37, 38, 38]
    tags = {a.person: set(a.call.tags) for a in world.new_ledger().load([ANNA, BORIS]) if a.call}
    assert tags == {ANNA: {36, 38}, BORIS: {37, 38}}


def test_a_tag_that_cannot_be_set_is_given_up_and_not_recorded() -> None:
    class Refused(CallApiError):
        permanent = True

    def refuse(communication_id: int, tag_id: int) -> None:
        raise Refused("no such tag")

    world = World(rules=tag_rules(ended=38), tag_finished=refuse)
    assert world.run().over
    (attempt,) = world.new_ledger().load([ANNA])
    assert attempt.status is Status.FINISHED
    assert attempt.call is not None
    assert attempt.call.tags == ()


def test_a_tag_that_keeps_failing_delays_no_other_tag_and_the_end_by_an_hour_at_most() -> None:
    people = [f"7926000{n:04d}" for n in range(6)]
    done: list[int] = []
    broken: list[int] = []

    def fail(communication_id: int, tag_id: int) -> None:
        if not broken or communication_id == broken[0]:
            broken[:] = [communication_id]
            raise Unanswered("no answer")
        done.append(communication_id)

    world = World(people, tag_rules(ended=38), tag_finished=fail)
    world.run(1200)
    assert len(done) == 5
    assert not world.campaign.over
    assert world.run(3600).over
    assert set(world.results().values()) == {Result.ANSWERED}
    assert any("stays without tag 38" in line for line in world.log)


NO_POINTS = LimitExceeded(
    "no points",
    params={"limit_type": "day"},
    limits=Limits(day_limit=5, day_remaining=0, day_reset=80_000, minute_limit=5, minute_remaining=5),
)


def test_a_tag_without_points_until_tomorrow_delays_a_redial_by_an_hour_at_most() -> None:
    def refuse(communication_id: int, tag_id: int) -> None:
        raise NO_POINTS

    world = World(rules=replace(tag_rules(ended=38), max_attempts=2), tag_finished=refuse)
    world.exchange.script(ANNA, Script.busy())
    began = world.clock()
    assert world.run().over
    assert world.exchange.rings(ANNA) == 2
    assert world.clock() - began < 3 * 3600


def test_reports_without_points_until_tomorrow_delay_the_end_by_an_hour() -> None:
    def refuse(*wanted: Any) -> Any:
        raise NO_POINTS

    world = World(reports=refuse)
    began = world.clock()
    assert world.run().over
    assert 3600 <= world.clock() - began < 3600 + 300 + 1200
    assert world.results() == {ANNA: Result.ANSWERED}


def test_the_next_process_sets_the_tag_that_a_dead_process_did_not_set() -> None:
    tagged: list[int] = []

    def dies(session_id: int, tag_id: int) -> None:
        raise KeyboardInterrupt

    rules = replace(RULES, report_timeout=None, tags={"answered": 36})
    world = World(rules=rules, tag_active=dies)
    world.exchange.default_script = Script(rings=3, talks=200)
    with pytest.raises(KeyboardInterrupt):
        world.run()
    world.overrides["tag_active"] = lambda session_id, tag_id: tagged.append(tag_id)
    world.process()
    world.run()
    assert tagged == [36]


def test_the_log_names_a_tag_that_could_not_be_set_before_the_end_of_the_call() -> None:
    world = World(
        rules=replace(RULES, report_timeout=None, tags={"answered": 36}),
        tag_active=lambda session_id, tag_id: (_ for _ in ()).throw(NO_POINTS),
    )
    world.exchange.default_script = Script(rings=3, talks=60)
    world.run()
    session = world.exchange.calls[0].call_session_id
    assert f"Call session {session} stays without tag 36: the call ended before it was tagged" in world.log


@pytest.mark.parametrize("has_report", [False, True])
def test_the_log_names_a_tag_that_the_data_api_cannot_set_without_its_id_of_the_call(
    has_report: bool,
) -> None:
    tagged: list[int] = []
    world = World(
        rules=tag_rules(answered=36, ended=38, not_answered=37),
        tag_finished=lambda communication_id, tag_id: tagged.append(tag_id),
    )
    reports = world.reports
    world.overrides["reports"] = lambda *wanted: [
        with_report_fields(call, communication_id=None) for call in reports(*wanted) if has_report
    ]
    world.process()
    assert world.run().over
    session = world.exchange.calls[0].call_session_id
    why = "the Data API has not reported its communication_id"
    assert [line for line in world.log if "stays without tag" in line] == [
        f"Call session {session} stays without tag {tag_id}: {why}" for tag_id in (38, 36)
    ]
    assert tagged == []


def test_an_active_call_is_tagged_at_its_observed_answer_without_the_data_api() -> None:
    tagged: list[tuple[int, int]] = []
    world = World(
        rules=replace(RULES, report_timeout=None, tags={"answered": 36}),
        tag_active=lambda session_id, tag_id: tagged.append((session_id, tag_id)),
    )
    world.exchange.default_script = Script(talks=60)
    world.run()
    assert tagged == [(world.exchange.calls[0].call_session_id, 36)]
    assert world.results() == {ANNA: Result.ANSWERED}


def test_an_answer_that_the_trigger_observed_is_tagged() -> None:
    tagged: list[int] = []
    world = World(
        rules=replace(RULES, report_timeout=None, tags={"answered": 36}),
        tag_active=lambda session_id, tag_id: tagged.append(tag_id),
    )
    world.exchange.default_script = Script(rings=3, talks=600)
    world.runner.step()
    world.process()
    observations = {
        one: structs.replace(watch.observation, listed=True, answered_at=world.clock() + 3)
        for one, watch in world.campaign.watched_calls.by_session().items()
    }
    world.campaign.watched_calls.update_observations(observations)
    world.clock.advance(5)
    world.runner.step()
    assert tagged == [36]


# --- a report's times ---


@pytest.mark.parametrize("account", ["Asia/Yekaterinburg", "Europe/Kaliningrad", "UTC"])
def test_a_connection_with_the_wrong_time_zone_still_finds_its_reports(account: str) -> None:
    world = World(rules=replace(RULES, timezone="Europe/Moscow", max_attempts=1))
    world.exchange.account.timezone = account
    world.exchange.script(ANNA, Script.busy())
    world.run()
    assert world.results() == {ANNA: Result.BUSY}


@pytest.mark.parametrize(
    ("zone", "put_back"), [("Europe/Chisinau", 1_761_436_800.0), ("Europe/Berlin", 1_761_440_400.0)]
)
def test_calls_around_the_hour_that_occurs_twice_are_found(zone: str, put_back: float) -> None:
    people = [ANNA, BORIS, CLARA]
    rules = replace(RULES, timezone=zone, max_attempts=3, redial={**REDIAL_DELAYS, Result.BUSY: 600.0})
    world = World(people, rules, start=put_back - 60)
    world.exchange.account.timezone = zone
    world.exchange.default_script = Script.busy()
    assert world.run().over
    assert world.results() == dict.fromkeys(people, Result.BUSY)
    assert [world.exchange.rings(phone) for phone in people] == [3, 3, 3]


def test_a_report_with_a_time_that_cannot_be_read_is_read_without_it() -> None:
    world = World()
    fetch = world.reports
    world.overrides["reports"] = lambda *wanted: [
        with_report_fields(call, finish_time="0000-00-00 00:00:00") for call in fetch(*wanted)
    ]
    world.process()
    assert world.run().over
    assert world.results() == {ANNA: Result.ANSWERED}


# --- several processes, several ledgers ---


def test_an_attempt_that_another_process_left_with_a_due_tag_is_continued() -> None:
    """The other process had a rule for a tag. This one has none."""
    ledger = MemoryLedger()
    world = World()
    world.replace_ledger(ledger)
    world.new_ledger = lambda: ledger
    then = world.clock() - 5000
    ended = Outcome(
        1, "x", status="ended", answered=False, ended_at=then, communication_id=7, source="data_api"
    )
    left = Attempt(ANNA, 1, Status.DIALLING, "x", intended_at=then)
    ledger.claim([left])
    ledger.record([left.with_status(Status.ENDED, result=Result.BUSY, result_known_at=then, call=ended)])
    assert world.run().over
    assert world.results() == {ANNA: Result.ANSWERED}
    assert world.exchange.rings(ANNA) == 1


def test_the_summary_counts_calls_that_the_ledger_no_longer_stores() -> None:
    world = World(rules=replace(RULES, max_active=1))
    fetch = world.reports

    def without_a_line(*wanted: Any) -> Any:
        for call in fetch(*wanted):
            yield no_phone_rang(call, "no_resources") if len(world.exchange.calls) <= 6 else call

    world.overrides["reports"] = without_a_line
    world.process()
    world.exchange.default_script = Script.busy(rings=1)
    world.run(2 * 86_400)
    world.exchange.default_script = Script()
    assert world.run(6 * 86_400).over
    attempts = tuple(world.new_ledger().load([ANNA]))
    ending = Ending(world.campaign.plan.people[0], world.results()[ANNA], attempts)
    assert len(attempts) < len(world.exchange.calls)
    assert ending.accepted == len(world.exchange.calls)


# --- the redial table ---


def test_the_authors_redial_delays_replace_the_defaults_and_are_checked() -> None:
    delays = {"busy": 60, "tag:36": None, "operation: Later ": 0, "not_reached": None}
    by_result, by_mark = redial_table(delays)
    assert (by_result[Result.BUSY], by_result[Result.NOT_REACHED]) == (60, None)
    assert by_result[Result.CAPACITY] == REDIAL_DELAYS[Result.CAPACITY]
    assert list(by_mark.items()) == [(Mark("tag", "36"), None), (Mark("operation", "Later"), 0)]
    for wrong in (
        {"operation:": 60},
        {"tag:x": 60},
        {"key:1": 60},
        {"tag:36": -1},
        {"tag:36": 60, "tag: 036": 60},
        {"unknown": 60},
        {"busy": -1},
        {"busy": True},
        {"busy": "10"},
    ):
        with pytest.raises(ValueError, match="redial"):
            redial_table(wrong)  # type: ignore[arg-type]


# --- which reports are asked for ---


def asked_sessions(world: World) -> list[set[int] | None]:
    """Let the campaign of a world remember the call session ids of its requests for reports."""
    asked: list[set[int] | None] = []
    fetch = world.reports

    def reported(since: float, sessions: Any) -> Any:
        asked.append(None if sessions is None else set(sessions))
        return fetch(since, sessions)

    world.overrides["reports"] = reported
    world.process()
    return asked


def test_a_campaign_asks_only_for_the_reports_of_its_own_calls() -> None:
    world = World([ANNA, BORIS])
    stranger = world.exchange.inbound(CLARA)
    asked = asked_sessions(world)
    assert world.run().over
    assert asked
    for sessions in asked:
        assert sessions
        assert stranger not in sessions


def test_a_campaign_asks_for_all_reports_to_find_an_unconfirmed_call() -> None:
    world = World([ANNA])
    asked = asked_sessions(world)
    world.exchange.fault(Fault.DROP_AFTER, method=START)
    assert world.run().over
    assert asked[0] is None
    assert world.exchange.rings(ANNA) == 1


# --- calls that vanish from list.calls for a moment ---


@pytest.mark.parametrize("seconds", [12.0, 25.0, 45.0])
@pytest.mark.parametrize("report_timeout", [None, 300.0])
def test_max_active_holds_on_an_account_whose_active_calls_vanish_for_a_moment(
    seconds: float, report_timeout: float | None
) -> None:
    """Only the first calls seem to end too early: the campaign learns how long a call may vanish."""
    numbers = [str(79260000100 + number) for number in range(12)]
    rules = replace(RULES, max_active=3, report_timeout=report_timeout)
    world = World(numbers, rules, profile=Profile(vanish_after=20.0, vanish_seconds=seconds))
    world.exchange.default_script = Script(rings=5, talks=200)
    most = [0.0]
    while not (next_step := world.runner.step()).over:
        most.append(len(world.exchange.active_calls))
        world.clock.advance(next_step.in_seconds)
    assert set(world.results().values()) == {Result.ANSWERED}
    assert max(most) <= 2 * rules.max_active + 1, "while the campaign learns"
    assert max(most[len(most) // 2 :]) <= rules.max_active


def test_a_call_that_comes_back_counts_as_active_until_it_is_gone_or_its_time_is_over() -> None:
    world = World([ANNA, BORIS], replace(RULES, max_active=1, report_timeout=None, call_timeout=900.0))
    world.exchange.script(ANNA, Script(rings=5, talks=None))
    hidden = [False]
    world.overrides["take_snapshot"] = lambda: (
        Snapshot(world.clock()) if hidden[0] else take_snapshot(world.call_api, world.clock)
    )
    world.process()
    world.run(30)
    hidden[0] = True
    world.run(11)
    hidden[0] = False
    world.run(300)
    assert (world.exchange.rings(BORIS), world.campaign.active) == (0, 1)
    assert world.run().over, "the call never leaves list.calls"
    assert world.exchange.rings(BORIS) == 1
    assert world.ring_times(BORIS)[0] - world.ring_times(ANNA)[0] >= 890


@pytest.mark.parametrize("ahead", [3600.0, 86_400.0])
def test_a_call_that_a_process_with_a_clock_ahead_has_placed_is_watched_no_longer_than_usual(
    ahead: float,
) -> None:
    world = World(rules=replace(RULES, report_timeout=None), profile=Profile(vanish_seconds=1e9))
    world.exchange.script(ANNA, Script(rings=5, talks=10))
    clock = world.clock
    world.overrides["clock"] = lambda: clock() + ahead
    world.process()
    world.run(2)
    del world.overrides["clock"]
    world.process()
    began = clock()
    assert world.run().over
    assert clock() - began <= RULES.appear_timeout + 30
    assert world.results() == {ANNA: Result.UNKNOWN}


@pytest.mark.parametrize("ahead", [3600.0, 3 * 86_400.0])
@pytest.mark.parametrize("is_lost", [False, True])
def test_the_report_of_a_call_is_found_though_the_clock_was_ahead_when_it_was_dialled(
    ahead: float, is_lost: bool
) -> None:
    """The author gives the id, so the search also compares the times of the call and of the intent."""
    world = World()
    world.new_external_id = lambda person, attempt: f"order-7-{attempt}"
    world.exchange.script(ANNA, Script.busy())
    clock = world.clock
    world.overrides["clock"] = lambda: clock() + ahead
    if is_lost:
        world.exchange.fault(Fault.DROP_AFTER, method=START)
    world.process()
    world.run(2)
    del world.overrides["clock"]
    world.process()
    world.run(900)
    assert next(iter(world.new_ledger().load([ANNA]))).result is Result.BUSY


def test_calls_whose_reports_the_data_api_refuses_get_their_results_in_the_next_try() -> None:
    """The IP address of the worker was removed from the list, and is back when a user clears the task."""
    people = [ANNA, BORIS, CLARA]
    world = World(people, replace(RULES, max_attempts=2))
    world.exchange.script(ANNA, Script.busy())
    world.exchange.script(BORIS, Script.no_answer(rings=30))

    began = world.clock()

    def refuse(*wanted: Any) -> Any:
        if world.clock() < began + 15:
            return []
        raise AccessDenied("the IP address is not allowed")

    world.overrides["reports"] = refuse
    world.process()
    assert world.run().over
    assert world.clock() - began < 300
    assert world.campaign.dial_queue.stopped is not None
    assert world.results() == {ANNA: Result.UNKNOWN, BORIS: Result.UNKNOWN, CLARA: Result.ANSWERED}
    statuses = {attempt.person: attempt.status for attempt in world.new_ledger().load(people)}
    assert statuses == {ANNA: Status.ENDED, BORIS: Status.ENDED, CLARA: Status.FINISHED}

    del world.overrides["reports"]
    world.process()
    assert world.run().over
    assert world.results() == {ANNA: Result.BUSY, BORIS: Result.NOT_REACHED, CLARA: Result.ANSWERED}
    assert [world.exchange.rings(person) for person in people] == [2, 2, 1]
