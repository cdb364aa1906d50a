"""The rules in the statements: which write is late, and since when a person has not been called."""

from __future__ import annotations

import pytest
from known_numbers import ANNA, BORIS
from ledger_contract import HOUR, INTENT, NOW, active, an_intent, finished, no_line, unresolved

from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.ledgers.sql import SqlLedger
from airflow_provider_callapi.ledgers.sql_statements import KNOWLEDGE, knowledge_index

KNOWN_ATTEMPTS = [
    INTENT,
    unresolved(INTENT),
    INTENT.with_status(Status.NOT_PLACED),
    active(INTENT),
    finished(INTENT).with_status(Status.ENDED, result=None, result_known_at=None),
    finished(INTENT, Result.UNKNOWN).with_status(Status.ENDED),
    finished(INTENT, Result.UNKNOWN),
    finished(INTENT, Result.BUSY).with_status(Status.ENDED),
    finished(INTENT, Result.BUSY),
]
"""One for each line of `KNOWLEDGE`."""


def test_the_examples_cover_each_line_of_the_knowledge_table():
    assert [knowledge_index(attempt) for attempt in KNOWN_ATTEMPTS] == list(range(len(KNOWLEDGE)))


def words(attempt: Attempt) -> tuple[str, str | None]:
    return attempt.status.value, attempt.result and attempt.result.value


def test_a_late_write_does_not_replace_more_complete_knowledge(engine):
    for before, stored in enumerate(KNOWN_ATTEMPTS):
        for after, written in enumerate(KNOWN_ATTEMPTS):
            ledger = SqlLedger(engine, f"{before} {after}")
            ledger.claim([INTENT])
            ledger.record([stored])
            ledger.record([written])

            (left,) = ledger.load([ANNA])
            assert words(left) == words(KNOWN_ATTEMPTS[max(before, after)]), (
                f"{words(stored)}, {words(written)}"
            )


@pytest.mark.parametrize("late", KNOWN_ATTEMPTS[1:3], ids=["unresolved", "not placed"])
def test_a_late_write_about_an_intent_does_not_change_a_newer_intent_of_the_attempt(engine, late):
    """A write that is repeated, because its answer was lost, must not let a third process dial."""
    ledger, again = SqlLedger(engine, "autumn"), an_intent(at=NOW + 60)
    ledger.claim([INTENT])
    ledger.record([INTENT.with_status(Status.NOT_PLACED)])
    ledger.claim([again])

    ledger.record([late])

    assert list(ledger.load([ANNA])) == [again]
    assert ledger.claim([an_intent(at=NOW + 120)]) == [ClaimResult(granted=False, held=again)]


def test_a_call_that_was_found_belongs_to_the_attempt_although_a_newer_intent_exists(engine):
    ledger, again = SqlLedger(engine, "autumn"), an_intent(at=NOW + 60)
    ledger.claim([INTENT])
    ledger.record([INTENT.with_status(Status.NOT_PLACED)])
    ledger.claim([again])

    ledger.record([active(INTENT)])

    assert list(ledger.load([ANNA])) == [again.with_status(Status.ACTIVE, call=active(INTENT).call)]


def test_a_process_that_observed_less_does_not_erase_the_observations_of_another(engine):
    ledger = SqlLedger(engine, "autumn")
    seen = active(INTENT, answered=True, answered_at=NOW + 9, observed=True, tags=(36,))
    ledger.claim([INTENT])
    ledger.record([seen])

    ledger.record([active(INTENT)])

    assert list(ledger.load([ANNA])) == [seen]


def test_the_gap_separates_a_call_from_the_last_call_of_any_campaign(engine):
    careless, polite = SqlLedger(engine, "careless"), SqlLedger(engine, "polite", min_gap=HOUR)
    careless.claim([an_intent(at=NOW)])

    assert polite.claim([an_intent(at=NOW + HOUR - 1), an_intent(BORIS)]) == [
        ClaimResult(granted=False, not_before=NOW + HOUR),
        ClaimResult(granted=True),
    ]
    assert polite.claim([an_intent(at=NOW + HOUR)]) == [ClaimResult(granted=True)]


def test_the_gap_applies_to_the_redials_of_the_same_campaign(engine):
    ledger = SqlLedger(engine, "autumn", min_gap=HOUR)
    ledger.claim([INTENT])
    ledger.record([finished(INTENT)])

    assert ledger.claim([an_intent(attempt=2, at=NOW + 600)]) == [
        ClaimResult(granted=False, not_before=NOW + HOUR)
    ]
    assert ledger.claim([an_intent(attempt=2, at=NOW + HOUR)]) == [ClaimResult(granted=True)]


def refused(intent: Attempt, result: Result) -> Attempt:
    """The service refused it before dialling: there is no session, and no phone rang."""
    return intent.with_status(
        Status.FINISHED, result=result, result_known_at=intent.intended_at, refused_with="why_not"
    )


@pytest.mark.parametrize(
    "nothing",
    [
        INTENT.with_status(Status.NOT_PLACED),
        no_line(INTENT),
        finished(INTENT, Result.ACCOUNT, answered=False),
        refused(INTENT, Result.ACCOUNT),
        refused(INTENT, Result.REFUSED),
        refused(INTENT, Result.INVALID),
    ],
    ids=["not placed", "no free line", "no money", "no money at the start", "refused", "invalid"],
)
def test_the_gap_counts_from_the_last_call_that_rang_a_phone(engine, nothing):
    before, ledger = SqlLedger(engine, "before"), SqlLedger(engine, "autumn", min_gap=HOUR)
    other = SqlLedger(engine, "other", min_gap=2 * HOUR)
    before.claim([an_intent(at=NOW - HOUR)])
    ledger.claim([INTENT])
    ledger.record([nothing])

    assert other.claim([an_intent(at=NOW + 1)]) == [ClaimResult(granted=False, not_before=NOW + HOUR)]
    assert other.claim([an_intent(at=NOW + HOUR)]) == [ClaimResult(granted=True)]


@pytest.mark.parametrize("result", [Result.CAPACITY, Result.ACCOUNT])
def test_the_gap_counts_from_a_call_without_a_line_if_the_contact_may_have_answered(engine, result):
    ledger, other = SqlLedger(engine, "autumn"), SqlLedger(engine, "other", min_gap=HOUR)
    ledger.claim([INTENT])
    ledger.record([finished(INTENT, result, answered=None)])

    assert other.claim([an_intent(at=NOW + 1)]) == [ClaimResult(granted=False, not_before=NOW + HOUR)]


def test_the_gap_counts_from_a_refused_call_and_from_an_unresolved_call(engine):
    ledger, other = SqlLedger(engine, "autumn"), SqlLedger(engine, "other", min_gap=HOUR)
    ledger.claim([INTENT, an_intent(BORIS)])
    ledger.record([finished(INTENT, Result.REFUSED), unresolved(an_intent(BORIS))])

    later = [an_intent(at=NOW + 60), an_intent(BORIS, at=NOW + 60)]
    assert other.claim(later) == [ClaimResult(granted=False, not_before=NOW + HOUR)] * 2
