"""A ledger in pages of JSON keeps the promises of every ledger."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from campaign_world import RULES, JsonPages, World
from ledger_contract import ANNA, LedgerContract, SharedLedgerContract, active, an_intent, settled

from airflow_provider_callapi.api.errors import NotSent
from airflow_provider_callapi.calls.campaign.ledger import Ledger, MemoryLedger, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.pages import PagedLedger
from airflow_provider_callapi.emulator import Script


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
        ledger.write([settled(first, Result.CAPACITY)])
        ledger.claim([second])
        ledger.write([active(second, observed=True)])

        other = PagedLedger(pages)
        assert list(other.load([ANNA])) == [settled(first, Result.CAPACITY), active(second, observed=True)]

    def test_a_page_is_small_enough_for_airflow_and_one_write_stores_a_batch(self, pages: JsonPages) -> None:
        written: list[str] = []
        set_page = pages.set
        pages.set = lambda key, value: (written.append(key), set_page(key, value))[1]  # type: ignore[method-assign]
        ledger = PagedLedger(pages)
        intents = [an_intent(f"{number:016x}") for number in range(400)]
        for first in range(0, 400, 8):
            ledger.claim(intents[first : first + 8])
        assert len(written) <= 50 + 2, "one write a batch, one more where it crosses a page"
        ledger.write([settled(intent, Result.ANSWERED, answered=True, talk_seconds=31) for intent in intents])

        assert len(pages.values) == 3
        assert all(len(text) < 64_000 for text in pages.values.values()), max(map(len, pages.values.values()))
        assert len(list(PagedLedger(pages).load(intent.person for intent in intents))) == 400
        assert all(isinstance(json.loads(text), dict) for text in pages.values.values())


def test_what_became_of_an_earlier_call_is_known_after_a_restart_though_the_next_was_not_placed() -> None:
    world = World([ANNA], replace(RULES, dial_until=1_760_000_000.0 + 1800))
    world.exchange.default_script = Script.busy()
    world.run(400)
    world.wishes["start"] = lambda requests: [NotSent("no way to the service")] * len(requests)
    world.process()
    world.run(400)
    assert [attempt.status for attempt in world.new_ledger().load([ANNA])] == [
        Status.SETTLED,
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
