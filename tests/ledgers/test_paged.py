"""A ledger in pages of JSON keeps the promises of every ledger."""

from __future__ import annotations

from dataclasses import replace

import pytest
from campaign_world import RULES, JsonPages, World
from ledger_contract import ANNA, LedgerContract, SharedLedgerContract, active, an_intent, finished

from airflow_provider_callapi.api.errors import NotSent
from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, Ledger, MemoryLedger, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.people import external_id
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.ledgers.paged import PagedLedger


class TestPagedLedger(LedgerContract):
    @pytest.fixture
    def pages(self) -> JsonPages:
        return JsonPages()

    @pytest.fixture
    def ledger(self, pages: JsonPages) -> Ledger:
        return PagedLedger(pages)

    def test_another_process_reads_what_was_written(self, pages: JsonPages, ledger: Ledger) -> None:
        first, second = an_intent(), an_intent(attempt=2, unrung=1)
        ledger.claim([first])
        ledger.record([finished(first, Result.CAPACITY)])
        ledger.claim([second])
        ledger.record([active(second, observed=True)])

        other = PagedLedger(pages)
        assert list(other.load([ANNA])) == [finished(first, Result.CAPACITY), active(second, observed=True)]

    def test_one_write_stores_a_batch(self, pages: JsonPages) -> None:
        written: list[str] = []
        set_page = pages.set
        pages.set = lambda key, value: (written.append(key), set_page(key, value))[1]  # type: ignore[method-assign]
        ledger = PagedLedger(pages)
        intents = [an_intent(f"{number:016x}") for number in range(400)]
        for first in range(0, 400, 8):
            ledger.claim(intents[first : first + 8])

        assert len(written) < 50 + len(pages.values), "one write a batch, one more where it crosses a page"
        assert len(list(PagedLedger(pages).load(intent.person for intent in intents))) == 400

    def test_a_page_of_people_who_were_called_three_times_is_small_enough_for_airflow(
        self, pages: JsonPages, ledger: Ledger
    ) -> None:
        people = [f"{number:016x}" for number in range(100)]
        for attempt in (1, 2, 3):
            intents = [a_long_intent(person, attempt) for person in people]
            ledger.claim(intents)
            ledger.record([reported(intent) for intent in intents])

        assert all(len(text) < 64_000 for text in pages.values.values()), max(map(len, pages.values.values()))
        assert len(pages.values) <= 3, "and not so small that it is stored for each person"
        assert list(PagedLedger(pages).load(people[:1])) == [
            reported(a_long_intent(people[0], attempt)) for attempt in (1, 2, 3)
        ]

    def test_of_calls_for_which_there_was_no_line_only_the_newest_are_kept(
        self, pages: JsonPages, ledger: Ledger
    ) -> None:
        """Their number has no limit, but the size of a page has. All calls that rang stay."""
        busy = finished(an_intent(attempt=1), Result.BUSY)
        ledger.claim([an_intent(attempt=1)])
        ledger.record([busy])
        for attempt in range(2, 200):
            intent = an_intent(attempt=attempt, unrung=attempt - 2)
            assert ledger.claim([intent]) == [ClaimResult(granted=True)]
            ledger.record([active(intent)])
            ledger.record([finished(intent, Result.CAPACITY)])
        last = an_intent(attempt=200, unrung=198)
        ledger.claim([last])

        known = list(PagedLedger(pages).load([ANNA]))
        assert [attempt.attempt for attempt in known] == [1, 197, 198, 199, 200]
        assert (known[0], known[-1]) == (busy, last)
        assert ledger.claim([last]) == [ClaimResult(granted=False, held=last)]


def a_long_intent(person: str, attempt: int) -> Attempt:
    intent = an_intent(person, attempt, at=1_800_000_000.123_456)
    return replace(intent, external_id=external_id("a campaign", person, attempt))


def reported(intent: Attempt) -> Attempt:
    """Return an attempt with everything that can be known of its call."""
    known = finished(
        intent,
        Result.NOT_REACHED,
        call_session_id=123_456_789_012,
        answered=False,
        started_at=intent.intended_at + 1,
        answered_at=intent.intended_at + 3,
        observed=True,
        finish_reason="no_success_subscriber_call",
        talk_seconds=0,
        tags=(36, 38),
        communication_id=2**40,
        source="data_api",
    )
    return replace(known, refused_with=None)


def test_what_became_of_an_earlier_call_is_known_after_a_restart_though_the_next_was_not_placed() -> None:
    world = World([ANNA], replace(RULES, dial_until=1_760_000_000.0 + 1800))
    world.exchange.default_script = Script.busy()
    world.run(400)
    world.overrides["start"] = lambda requests: [NotSent("no way to the service")] * len(requests)
    world.process()
    world.run(400)
    assert [attempt.status for attempt in world.new_ledger().load([ANNA])] == [
        Status.FINISHED,
        Status.NOT_PLACED,
    ]

    world.clock.advance(2000)
    world.process()
    world.run()
    assert world.results() == {ANNA: Result.BUSY}


class TestMemoryLedger(SharedLedgerContract):
    @pytest.fixture
    def ledger(self) -> Ledger:
        return MemoryLedger()
