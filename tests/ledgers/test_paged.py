"""A ledger in pages of JSON keeps the promises of every ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from campaign_world import RULES, World
from hypothesis import given, settings
from hypothesis import strategies as st
from json_store import JsonStore
from known_numbers import ANNA
from ledger_contract import LedgerContract, SharedLedgerContract, active, an_intent, finished, no_line
from memory_ledger import MemoryLedger
from msgspec import structs

from airflow_provider_callapi.api.errors import NotSent
from airflow_provider_callapi.calls.campaign.attempt_ids import external_id
from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, Ledger, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.ledgers import paged
from airflow_provider_callapi.ledgers.attempt_json import json_of_attempt
from airflow_provider_callapi.ledgers.paged import PagedLedger, _pack


class TestPagedLedger(LedgerContract):
    @pytest.fixture
    def pages(self) -> JsonStore:
        return JsonStore()

    @pytest.fixture
    def ledger(self, pages: JsonStore) -> Ledger:
        return PagedLedger(pages)

    def test_another_process_reads_the_stored_attempts(self, pages: JsonStore, ledger: Ledger) -> None:
        first, second = an_intent(), an_intent(attempt=2, unrung=1)
        ledger.claim([first])
        ledger.record([no_line(first)])
        ledger.claim([second])
        ledger.record([active(second, observed=True)])

        other = PagedLedger(pages)
        assert list(other.load([ANNA])) == [no_line(first), active(second, observed=True)]

    def test_one_write_stores_a_batch(self, pages: JsonStore) -> None:
        ledger = PagedLedger(pages)
        intents = [an_intent(f"{number:016x}") for number in range(400)]
        batches = [intents[first : first + 8] for first in range(0, 400, 8)]
        for before, batch in pairwise([[], *batches]):
            ledger.claim(batch, [active(intent) for intent in before])

        assert pages.writes < 50 + len(pages.values), "one write a batch, one more where it crosses a page"
        assert len(list(PagedLedger(pages).load(intent.person for intent in intents))) == 400

    def test_a_page_of_people_who_were_called_three_times_is_small_enough_for_airflow(
        self, pages: JsonStore, ledger: Ledger
    ) -> None:
        people = [f"{number:016x}" for number in range(100)]
        for attempt in (1, 2, 3):
            intents = [a_long_intent(person, attempt) for person in people]
            ledger.claim(intents)
            ledger.record([reported(intent) for intent in intents])

        assert all(len(text) < 64_000 for text in pages.values.values()), max(map(len, pages.values.values()))
        assert len(pages.values) <= 9, "and not so small that it is stored for each person"
        assert list(PagedLedger(pages).load(people[:1])) == [
            reported(a_long_intent(people[0], attempt)) for attempt in (1, 2, 3)
        ]

    def test_only_the_newest_of_the_calls_without_a_free_line_are_kept(
        self, pages: JsonStore, ledger: Ledger
    ) -> None:
        """Their number has no limit, but the size of a page has. All calls that rang stay."""
        busy = finished(an_intent(attempt=1), Result.BUSY)
        ledger.claim([an_intent(attempt=1)])
        ledger.record([busy])
        for attempt in range(2, 200):
            intent = an_intent(attempt=attempt, unrung=attempt - 2)
            assert ledger.claim([intent]) == [ClaimResult(granted=True)]
            ledger.record([active(intent)])
            ledger.record([no_line(intent)])
        last = an_intent(attempt=200, unrung=198)
        ledger.claim([last])

        known = list(PagedLedger(pages).load([ANNA]))
        assert [attempt.attempt for attempt in known] == [1, 197, 198, 199, 200]
        assert (known[0], known[-1]) == (busy, last)
        assert ledger.claim([last]) == [ClaimResult(granted=False, held=last)]

    def test_thousands_of_people_are_read_with_few_reads(self) -> None:
        store = CountingPages()
        ledger = PagedLedger(store)
        people = [f"{number:016x}" for number in range(3000)]
        for first in range(0, 3000, 8):
            intents = [a_long_intent(person, 1) for person in people[first : first + 8]]
            ledger.claim(intents)
            ledger.record([reported(intent) for intent in intents])

        store.reads = 0
        loaded = list(PagedLedger(store).load(people))
        assert loaded == [reported(a_long_intent(person, 1)) for person in people]
        assert store.reads < 64 + 10
        assert max(map(len, store.values.values())) < 64_000

    def test_the_ledger_of_an_older_version_is_refused_before_a_call(self, pages: JsonStore) -> None:
        pages.set("callapi_campaign_00000", {ANNA: []})

        with pytest.raises(CallApiFailure, match=r"An older version"):
            PagedLedger(pages)

    @pytest.mark.parametrize("lost", [0, 1, -1])
    def test_a_ledger_without_one_of_its_pages_is_refused_before_a_call(
        self, pages: JsonStore, ledger: Ledger, lost: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Otherwise, the people on the missing page and behind it would be called again."""
        monkeypatch.setattr(paged, "_PAGE_SIZE", 5_000)
        intents = [an_intent(f"{number:016x}") for number in range(4000)]
        for first in range(0, len(intents), 20):
            ledger.claim(intents[first : first + 20])
        stored = sorted(key for key in pages.values if "page" in key)
        assert len(stored) > 2
        assert len(list(PagedLedger(pages).load(intent.person for intent in intents))) == len(intents)
        del pages.values[stored[lost]]

        with pytest.raises(CallApiFailure, match=r"cannot be read"):
            PagedLedger(pages)

    @pytest.mark.parametrize("key", ["callapi_campaign_page_00000", "callapi_campaign_changes_00"])
    @pytest.mark.parametrize(
        "value",
        [
            "no base64",
            "bm8gemxpYg==",
            _pack([{"person": ANNA}]),
            _pack([{**json_of_attempt(an_intent()), "status": "asleep"}]),
            _pack([{**json_of_attempt(an_intent()), "field_of_a_newer_version": 1}]),
            {"moved": 0, "attempts": [{**json_of_attempt(an_intent()), "result": "asleep"}]},
            {"moved": 0, "attempts": [7]},
            {"attempts": []},
            {},
            "",
            7,
        ],
    )
    def test_a_record_that_cannot_be_read_is_refused_before_a_call(
        self, pages: JsonStore, key: str, value: object
    ) -> None:
        pages.set(key, value)

        with pytest.raises(CallApiFailure, match=r"cannot be read"):
            PagedLedger(pages)


class Killed(Exception):
    """The process dies here."""


class CountingPages(JsonStore):
    """A store that counts, and whose process can die before a write."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.writes_left = 10**9

    def get(self, key: str) -> Any:
        self.reads += 1
        return super().get(key)

    def set(self, key: str, value: Any) -> None:
        self.writes_left -= 1
        if self.writes_left < 0:
            raise Killed
        super().set(key, value)


AFTER_A_CLAIM: list[Callable[[Attempt], Attempt]] = [
    lambda intent: intent.with_status(Status.NOT_PLACED),
    active,
    no_line,
    finished,
]


@given(
    batches=st.lists(
        st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=4), max_size=25
    ),
    kills=st.lists(st.integers(0, 9), max_size=6),
)
@settings(max_examples=60, derandomize=True)
def test_a_process_that_dies_before_a_write_leaves_the_stored_attempts_unchanged(
    batches: list[list[tuple[int, int]]], kills: list[int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("airflow_provider_callapi.ledgers.paged._ENTRIES", 3)
        patch.setattr("airflow_provider_callapi.ledgers.paged._PAGE_SIZE", 400)
        store, model = CountingPages(), MemoryLedger()
        ledger = PagedLedger(store)
        people = [f"{number:016x}" for number in range(6)]
        lives = iter(kills)
        store.writes_left = next(lives, 10**9)
        now = 1_800_000_000.0
        for batch in batches:
            now += 60
            for person, what in dict(batch).items():
                last = list(model.load([people[person]]))[-1:]
                is_again = bool(last) and last[0].status is Status.NOT_PLACED
                number = 1 if not last else last[0].attempt + (not is_again)
                intent = an_intent(people[person], number, at=now)
                try:
                    (claim,) = ledger.claim([intent])
                    if claim.granted:
                        model.claim([intent])
                        known = AFTER_A_CLAIM[what](intent)
                        ledger.record([known])
                        model.record([known])
                except Killed:
                    store.writes_left = next(lives, 10**9)
                    ledger = PagedLedger(store)
                assert (
                    visible(ledger, people) == visible(PagedLedger(store), people) == visible(model, people)
                )


def visible(ledger: Ledger, people: list[str]) -> list[Attempt]:
    """Return the attempts of the people without old attempts that rang no phone."""
    found: list[Attempt] = []
    for person in people:
        attempts = list(ledger.load([person]))
        dropped = [attempt for attempt in attempts if attempt.result is Result.CAPACITY][:-3]
        found += [attempt for attempt in attempts if attempt not in dropped]
    return found


def a_long_intent(person: str, attempt: int) -> Attempt:
    intent = an_intent(person, attempt, at=1_800_000_000.123_456)
    return structs.replace(intent, external_id=external_id("a campaign", person, attempt))


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
    return structs.replace(known, refused_with=None)


def test_the_result_of_an_earlier_call_survives_a_restart_if_the_next_call_was_not_placed() -> None:
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
