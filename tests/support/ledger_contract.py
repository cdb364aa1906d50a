"""Tests that every ledger must pass: subclass `LedgerContract`, and add a fixture ``ledger``."""

from __future__ import annotations

from known_numbers import ANNA, BORIS
from msgspec.structs import replace

from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, Ledger, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.outcomes.outcome import Outcome

NOW = 1_800_000_000.25
HOUR = 3600.0


def an_intent(person: str = ANNA, attempt: int = 1, *, at: float = NOW, unrung: int = 0) -> Attempt:
    return Attempt(person, attempt, Status.DIALLING, f"afc-{person[-1]}-{attempt}", at, unrung)


INTENT = an_intent()


def active(intent: Attempt, **known: object) -> Attempt:
    call = Outcome(4711, intent.external_id, attempt=intent.attempt, started_at=intent.intended_at + 1)
    return intent.with_status(Status.ACTIVE, call=replace(call, **known))


def finished(intent: Attempt, result: Result = Result.BUSY, **known: object) -> Attempt:
    at = intent.intended_at + 60.5
    call = active(intent, status="ended", ended_at=at - 1, **known).call
    return intent.with_status(
        Status.FINISHED, result=result, result_known_at=at, call=call, refused_with="why_not"
    )


def no_line(intent: Attempt, *, answered: bool | None = False) -> Attempt:
    """Return a call for which the account had no free line. With ``answered=None``, a phone may have rung."""
    return finished(intent, Result.CAPACITY, answered=answered)


def unresolved(intent: Attempt) -> Attempt:
    return intent.with_status(
        Status.FINISHED, result=Result.UNRESOLVED, result_known_at=intent.intended_at + 60
    )


class LedgerContract:
    """Tests of a ledger that one process uses. A subclass provides the fixture ``ledger``."""

    def test_an_intent_is_stored_when_it_is_granted(self, ledger: Ledger) -> None:
        assert ledger.claim([an_intent()]) == [ClaimResult(granted=True)]
        assert list(ledger.load([ANNA])) == [an_intent()]

    def test_everything_known_of_an_attempt_is_read_back_as_it_was_written(self, ledger: Ledger) -> None:
        intent = an_intent(attempt=1, unrung=0)
        complete = finished(
            intent,
            Result.ANSWERED,
            answered=True,
            answered_at=NOW + 9.125,
            observed=True,
            finish_reason="success_finish",
            contact_finish_reason="subscriber_busy",
            talk_seconds=31,
            tags=(36, 38),
            operations=("Меню", "Подтверждено"),
            communication_id=2**40,
            source="data_api",
        )
        for known in (active(intent), intent.with_status(Status.ENDED, call=complete.call), complete):
            ledger.claim([intent])
            ledger.record([known])

            assert list(ledger.load([ANNA])) == [known]

    def test_false_is_not_read_back_as_unknown(self, ledger: Ledger) -> None:
        known = finished(an_intent(), answered=False, talk_seconds=0)
        ledger.claim([an_intent()])
        ledger.record([known])

        assert list(ledger.load([ANNA])) == [known]

    def test_no_operations_are_not_read_back_as_unknown(self, ledger: Ledger) -> None:
        known = finished(an_intent(), answered=True, operations=())
        ledger.claim([an_intent()])
        ledger.record([known])

        assert list(ledger.load([ANNA])) == [known]

    def test_a_claim_first_stores_the_changed_attempts(self, ledger: Ledger) -> None:
        first, of_boris = an_intent(attempt=1), an_intent(BORIS)
        ledger.claim([first, of_boris])
        redial = an_intent(attempt=2, at=NOW + 600, unrung=1)
        changed = [finished(first, Result.CAPACITY), active(of_boris)]

        assert ledger.claim([redial, of_boris], changed) == [
            ClaimResult(granted=True),
            ClaimResult(granted=False, held=active(of_boris)),
        ]
        assert list(ledger.load([ANNA])) == [finished(first, Result.CAPACITY), redial]
        assert list(ledger.load([BORIS])) == [active(of_boris)]

    def test_every_attempt_is_loaded_the_oldest_of_a_person_first(self, ledger: Ledger) -> None:
        first, second = an_intent(attempt=1), an_intent(attempt=2, at=NOW + 600, unrung=1)
        ledger.claim([first, an_intent(BORIS)])
        ledger.record([finished(first, Result.CAPACITY)])
        ledger.claim([second])

        loaded = list(ledger.load([BORIS, ANNA, "nobody"]))
        assert [attempt for attempt in loaded if attempt.person == ANNA] == [
            finished(first, Result.CAPACITY),
            second,
        ]
        assert [attempt for attempt in loaded if attempt.person == BORIS] == [an_intent(BORIS)]

    def test_a_late_version_of_an_attempt_leaves_the_later_attempt_in_place(self, ledger: Ledger) -> None:
        first, second = an_intent(), an_intent(attempt=2, at=NOW + 86_400)
        ledger.claim([first])
        ledger.record([finished(first)])
        ledger.claim([second])
        ledger.record([finished(first, Result.BUSY, tags=(36,))])

        assert list(ledger.load([ANNA])) == [finished(first, Result.BUSY, tags=(36,)), second]
        assert not ledger.claim([second])[0].granted

    def test_an_attempt_proven_not_to_be_placed_may_be_dialled_again(self, ledger: Ledger) -> None:
        ledger.claim([an_intent()])
        ledger.record([an_intent().with_status(Status.NOT_PLACED)])
        again = an_intent(at=NOW + 60)

        assert ledger.claim([again]) == [ClaimResult(granted=True)]
        assert list(ledger.load([ANNA])) == [again]

    def test_the_next_attempt_is_not_granted_while_one_is_open(self, ledger: Ledger) -> None:
        ledger.claim([an_intent()])
        ledger.record([active(an_intent())])

        assert ledger.claim([an_intent(attempt=2), an_intent(BORIS)]) == [
            ClaimResult(granted=False, held=active(an_intent())),
            ClaimResult(granted=True),
        ]
        assert list(ledger.load([ANNA])) == [active(an_intent())]

    def test_of_two_intents_for_one_person_in_one_claim_only_the_first_is_granted(
        self, ledger: Ledger
    ) -> None:
        first, second = an_intent(attempt=1), an_intent(attempt=2)

        assert ledger.claim([first, second, an_intent(BORIS)]) == [
            ClaimResult(granted=True),
            ClaimResult(granted=False, held=first),
            ClaimResult(granted=True),
        ]
        assert list(ledger.load([ANNA])) == [first]

    def test_an_empty_ledger_and_an_empty_list_return_nothing(self, ledger: Ledger) -> None:
        assert list(ledger.load([])) == list(ledger.load([ANNA])) == []
        assert ledger.claim([]) == []
        ledger.record([])


class SharedLedgerContract(LedgerContract):
    """Tests of a ledger that several processes share."""

    def test_an_attempt_of_another_process_is_not_granted_and_the_newest_attempt_is_returned(
        self, ledger: Ledger
    ) -> None:
        first, second = an_intent(attempt=1), an_intent(attempt=2, at=NOW + 600)
        ledger.claim([first])
        assert ledger.claim([an_intent(at=NOW + 1)]) == [ClaimResult(granted=False, held=first)]
        ledger.record([finished(first)])
        ledger.claim([second])

        late = [an_intent(at=NOW + 601), an_intent(BORIS, at=NOW + 601)]
        assert ledger.claim(late) == [ClaimResult(granted=False, held=second), ClaimResult(granted=True)]
        assert list(ledger.load([ANNA])) == [finished(first), second], "a refused intent changes nothing"
