"""The simplest ledger: a model for the tests of other ledgers, and for campaigns that need no database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, is_taken


class MemoryLedger:
    """A ledger in memory, for tests and simulations. Its attempts are lost when the process ends."""

    def __init__(self) -> None:
        self._attempts: dict[str, list[Attempt]] = {}

    def load(self, keys: Iterable[str]) -> Iterable[Attempt]:
        return (attempt for key in keys for attempt in self._attempts.get(key, ()))

    def claim(self, intents: Sequence[Attempt], changed: Sequence[Attempt] = ()) -> list[ClaimResult]:
        self.record(changed)
        return [self._claim(intent) for intent in intents]

    def record(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            self._attempts[attempt.person][attempt.attempt - 1] = attempt

    def _claim(self, intent: Attempt) -> ClaimResult:
        known = self._attempts.setdefault(intent.person, [])
        newest = known[-1] if known else None
        if is_taken(newest, intent):
            return ClaimResult(granted=False, held=newest)
        known[intent.attempt - 1 :] = [intent]
        return ClaimResult(granted=True)


class AnsweringLedger(MemoryLedger):
    """A ledger that gives a test's answers first, each once."""

    def __init__(self, *answers: ClaimResult) -> None:
        super().__init__()
        self.answers = list(answers)

    def claim(self, intents: Any, changed: Any = ()) -> list[ClaimResult]:
        self.record(changed)
        return [self.answers.pop(0) if self.answers else self._claim(intent) for intent in intents]
