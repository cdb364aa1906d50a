"""A ledger in a key-value store for small values, such as Airflow's task state.

The ledger divides the people into pages. A page is one JSON value with all attempts to call up to 35 people.
The ledger adds new people to the last page, so one write stores the first intents of many new people. Only
one process at a time may use the ledger, because a process writes whole pages, and could overwrite what
another process has stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, Status, is_taken
from airflow_provider_callapi.calls.campaign.outcomes import RANG_NO_PHONE, Result
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.stores import KeyValueStore

_PEOPLE_A_PAGE = 35
"""With this many people, a page has 58 kB after three calls to each. Airflow warns of values above 64 kB."""
_UNRUNG_KEPT = 3
"""How many attempts that rang no phone the ledger keeps of each person.

A campaign does not limit how often it repeats such attempts.
"""

Page = dict[str, list[dict[str, Any]]]


class PagedLedger:
    """Stores a campaign's attempts in a key-value store, such as Airflow's task state.

    The class has the methods of `airflow_provider_callapi.calls.campaign.ledger.Ledger`. Of a person's
    attempts that rang no phone, the ledger keeps only the three newest, to save space.

    :param store: stores the pages. Only one process at a time may write to this store.
    """

    def __init__(self, store: KeyValueStore) -> None:
        self._store = store
        self._pages: list[Page] = []
        self._page_of: dict[str, int] = {}
        while (page := store.get(_key(len(self._pages)))) is not None:
            for person in page:
                self._page_of[person] = len(self._pages)
            self._pages.append(page)

    def load(self, people: Iterable[str]) -> Iterable[Attempt]:
        """Yield the stored attempts to call the given people.

        The attempts to call one person are in order, oldest attempt first.

        :param people: the keys of the people, as in `Attempt.person`.
        """
        return (attempt for person in people if person in self._page_of for attempt in self._attempts(person))

    def claim(self, intents: Sequence[Attempt]) -> list[ClaimResult]:
        """Reserve attempts: store each intent, except the intents that the ledger refuses.

        The ledger refuses an intent in two cases: the same or a later attempt to call the person was dialled
        already, or the person's previous attempt is still open (its result is not yet known).

        :return: for each intent, in the same order: whether the ledger has stored the intent, or why not.
        """
        newest = {attempt.person: attempt for attempt in self.load(intent.person for intent in intents)}
        taken = [is_taken(newest.get(intent.person), intent) for intent in intents]
        self.record([intent for intent, is_held in zip(intents, taken, strict=True) if not is_held])
        return [
            ClaimResult(granted=not is_held, held=newest[intent.person] if is_held else None)
            for intent, is_held in zip(intents, taken, strict=True)
        ]

    def record(self, attempts: Sequence[Attempt]) -> None:
        """Replace stored attempts by newer versions, for example by versions with a result.

        :param attempts: new versions of attempts that `claim` has reserved before.
        """
        changed: set[int] = set()
        for attempt in attempts:
            number = self._page_for(attempt.person)
            page = self._pages[number]
            before = [value for value in page.get(attempt.person, ()) if value["attempt"] < attempt.attempt]
            page[attempt.person] = _drop_old_unrung([*before, _to_json(attempt)])
            changed.add(number)
        for number in sorted(changed):
            self._store.set(_key(number), self._pages[number])

    def _attempts(self, person: str) -> list[Attempt]:
        return [_from_json(person, value) for value in self._pages[self._page_of[person]][person]]

    def _page_for(self, person: str) -> int:
        if person not in self._page_of:
            if not self._pages or len(self._pages[-1]) >= _PEOPLE_A_PAGE:
                self._pages.append({})
            self._page_of[person] = len(self._pages) - 1
        return self._page_of[person]


def _drop_old_unrung(values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a person's attempts. Of the attempts that rang no phone, return only the three newest.

    :param values: the attempts as JSON, oldest first.
    """
    unrung = [value["attempt"] for value in values if value.get("result") in RANG_NO_PHONE]
    dropped = unrung[:-_UNRUNG_KEPT]
    return [value for value in values if value["attempt"] not in dropped]


def _key(number: int) -> str:
    return f"callapi_campaign_{number:05d}"


_UNKNOWN_CALL = Outcome(call_session_id=0).to_xcom()


def _default_call(attempt: int, external_id: str) -> dict[str, Any]:
    """Return the default values of the fields of a call: field of `Outcome` → value.

    To save space, a page stores a field of a call only if the value differs from the default.
    """
    return {**_UNKNOWN_CALL, "external_id": external_id, "attempt": attempt}


def _to_json(attempt: Attempt) -> dict[str, Any]:
    value: dict[str, Any] = {
        "attempt": attempt.attempt,
        "status": attempt.status.value,
        "external_id": attempt.external_id,
        "intended_at": attempt.intended_at,
    }
    if attempt.unrung:
        value["unrung"] = attempt.unrung
    if attempt.result:
        value["result"] = attempt.result.value
    if attempt.result_known_at:
        value["result_known_at"] = attempt.result_known_at
    if attempt.refused_with:
        value["refused_with"] = attempt.refused_with
    if attempt.call:
        call = attempt.call.to_xcom()
        defaults = _default_call(attempt.attempt, attempt.external_id)
        value["call"] = {name: call[name] for name in call if call[name] != defaults[name]}
    return value


def _from_json(person: str, value: dict[str, Any]) -> Attempt:
    call = value.get("call")
    return Attempt(
        person=person,
        attempt=value["attempt"],
        status=Status(value["status"]),
        external_id=value["external_id"],
        intended_at=value["intended_at"],
        unrung=value.get("unrung", 0),
        result=Result(value["result"]) if "result" in value else None,
        result_known_at=value.get("result_known_at"),
        refused_with=value.get("refused_with"),
        call=Outcome.from_xcom({**_default_call(value["attempt"], value["external_id"]), **call})
        if call
        else None,
    )
