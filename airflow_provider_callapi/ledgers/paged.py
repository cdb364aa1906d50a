"""A ledger in a key-value store for small values, such as Airflow's task state.

The ledger stores the attempts of a campaign in two kinds of values:

- A page contains the attempts to call many people, compressed.
- An entry of the change list contains the attempts that one write has changed. The ledger moves the attempts
  of a full change list to pages.

Only one process at a time may use the ledger.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from typing import Any

from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, is_taken
from airflow_provider_callapi.calls.stores import KeyValueStore
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.ledgers.attempt_json import attempt_of_json, json_of_attempt

_ENTRIES = 64
"""How many entries the change list has at most.

A process that opens the ledger reads the entries one by one.
"""
_CHANGES_SIZE = 150_000
"""How many characters all entries of the change list have at most, roughly. Packed, they fit on one page."""
_ENTRY_SIZE = 48_000
"""How many characters the attempts of one entry have at most, unless one attempt is longer."""
_PAGE_SIZE = 60_000
"""How many characters a page has at most, unless one attempt is longer.

Airflow warns of values above 64 kB.
"""
_UNRUNG_KEPT = 3
"""How many attempts that rang no phone the ledger keeps of each person.

A campaign does not limit how often it repeats such attempts.
"""
_KEY_OF_OLDER_VERSIONS = "callapi_campaign_00000"

Place = tuple[str, int]
"""The key of a person, and the number of an attempt to call this person."""


class PagedLedger:
    """Stores a campaign's attempts in a key-value store, such as Airflow's task state.

    The methods are those of `airflow_provider_callapi.calls.campaign.ledger.ClosableLedger`. Of each person's
    attempts that rang no phone, the ledger keeps only the three newest.

    :param store: the key-value store. Only one process at a time may write to this store.
    :raises CallApiFailure: another version of this package has stored the attempts in another form, or they
        are damaged.
    """

    def __init__(self, store: KeyValueStore) -> None:
        if store.get(_KEY_OF_OLDER_VERSIONS) is not None:
            raise CallApiFailure(
                "An older version of airflow-provider-callapi has stored whom this task has called, and this "
                "version cannot read the record. Finish this task with the older version, or start another "
                "run for the people who were not called yet"
            )
        self._store = store
        self._attempts: dict[str, list[Attempt]] = {}
        self._pages = 0
        self._on_last_page: dict[Place, None] = {}
        while (page := store.get(_page_key(self._pages))) is not None:
            with _refuse_unreadable():
                self._on_last_page = self._replay(_unpack(page))
            self._pages += 1
        self._moved = 0
        """How often the change list was moved to pages.

        Entries with another number are not valid any more.
        """
        self._entries = self._size = 0
        self._changed: dict[Place, None] = {}
        self._read_changes()

    def load(self, keys: Iterable[str]) -> Iterable[Attempt]:
        """Return an iterator over the stored attempts to call the given people.

        The attempts to call one person are in order, oldest attempt first.

        :param keys: the keys of the people, as in `Attempt.person`.
        """
        return (attempt for key in keys for attempt in self._attempts.get(key, ()))

    @property
    def people(self) -> Set[str]:
        """The keys of the people whom the campaign has called, or may have called."""
        return self._attempts.keys()

    def claim(self, intents: Sequence[Attempt], changed: Sequence[Attempt] = ()) -> list[ClaimResult]:
        """Reserve attempts: store each intent, except the intents that the ledger refuses.

        An intent is the record of the next attempt to call a person. The ledger refuses each intent for which
        the function `is_taken` returns True.

        :param intents: the attempts that this process wants to dial.
        :param changed: newer versions of other attempts, to store at the same time.
        :return: one `ClaimResult` for each intent, in the order of ``intents``.
        """
        newest = {attempt.person: attempt for attempt in self.load(intent.person for intent in intents)}
        newest |= {attempt.person: attempt for attempt in changed}
        claims: list[ClaimResult] = []
        granted: list[Attempt] = []
        for intent in intents:
            held = newest.get(intent.person)
            if is_taken(held, intent):
                claims.append(ClaimResult(granted=False, held=held))
            else:
                claims.append(ClaimResult(granted=True))
                granted.append(intent)
                newest[intent.person] = intent
        self.record([*changed, *granted])
        return claims

    def record(self, attempts: Sequence[Attempt]) -> None:
        """Replace stored attempts by newer versions, for example by versions with a result.

        :param attempts: new versions of attempts that `claim` has stored before.
        """
        for values in _portions(map(json_of_attempt, attempts)):
            if self._entries >= _ENTRIES or self._size >= _CHANGES_SIZE:
                self._move_changes()
            entry = {"moved": self._moved, "pages": self._pages, "attempts": values}
            self._store.set(_entry_key(self._entries), entry)
            self._add_entry(values)

    def close(self) -> None:
        """Do nothing, because a key-value store has no connection to close."""

    def _read_changes(self) -> None:
        while (entry := self._store.get(_entry_key(self._entries))) is not None:
            with _refuse_unreadable():
                if self._entries == 0:
                    self._moved = entry["moved"]
                elif entry["moved"] != self._moved:
                    return
                if self._pages < entry.get("pages", 0):  # more pages: the process died after it wrote them
                    raise LookupError("a page is missing")
                self._add_entry(entry["attempts"])

    def _add_entry(self, values: list[dict[str, Any]]) -> None:
        self._changed |= self._replay(values)
        self._entries += 1
        self._size += len(json.dumps(values))

    def _move_changes(self) -> None:
        """Move the attempts of the change list (the latest changes) to compressed pages in the store.

        Then begin a new, empty change list.
        """
        both = self._on_last_page | self._changed
        # If the last page has room for the changes, it is written again.
        if self._pages and len(_pack(self._values(both))) <= _PAGE_SIZE:
            self._pages -= 1
        else:
            both = self._changed
        for values in _page_contents(self._values(both)):
            self._store.set(_page_key(self._pages), _pack(values))
            self._pages += 1
            self._on_last_page = dict.fromkeys((value["person"], value["attempt"]) for value in values)
        # The old change list stays in the store until the first entry of the new list replaces it. If the
        # process dies before, the attempts are stored twice. Both copies have the same version: no harm.
        self._moved += 1
        self._entries = self._size = 0
        self._changed = {}

    def _values(self, places: Iterable[Place]) -> list[dict[str, Any]]:
        """Return the newest versions of attempts as JSON, without attempts that were deleted.

        :param places: (person, attempt number) of each attempt.
        """
        return [
            json_of_attempt(attempt)
            for person, number in places
            for attempt in self._attempts[person]  # without old attempts that rang no phone
            if attempt.attempt == number
        ]

    def _replay(self, values: Iterable[dict[str, Any]]) -> dict[Place, None]:
        """Add JSON attempts to those in memory. A later version of an attempt replaces an earlier one.

        Return (person, attempt number) of each attempt in ``values``, in the order of ``values``.
        """
        places: dict[Place, None] = {}  # serves as an ordered set
        for attempt in map(attempt_of_json, values):
            of_person = {known.attempt: known for known in self._attempts.get(attempt.person, ())}
            of_person[attempt.attempt] = attempt
            self._attempts[attempt.person] = _drop_old_unrung([of_person[n] for n in sorted(of_person)])
            places[attempt.person, attempt.attempt] = None
        return places


@contextmanager
def _refuse_unreadable() -> Iterator[None]:
    """Context manager: convert the error of an unreadable stored value to `CallApiFailure`."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError, zlib.error) as error:
        raise CallApiFailure(
            f"The record of whom this task has called cannot be read ({type(error).__name__}): a newer "
            "version of airflow-provider-callapi has stored it, or it is damaged. Finish this task with the "
            "newer version, or start another run for the people who were not yet called"
        ) from error


def _drop_old_unrung(attempts: list[Attempt]) -> list[Attempt]:
    """Return a person's attempts. Of those that rang no phone, keep only the three newest."""
    unrung = [attempt.attempt for attempt in attempts if attempt.rang_no_phone]
    dropped = unrung[:-_UNRUNG_KEPT]
    return [attempt for attempt in attempts if attempt.attempt not in dropped]


def _portions(values: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Split attempts into lists that each fit into one entry of the change list, and yield the lists."""
    portion: list[dict[str, Any]] = []
    size = 0
    for value in values:
        length = len(json.dumps(value))
        if portion and size + length > _ENTRY_SIZE:  # an attempt that alone is too large is a list of its own
            yield portion
            portion, size = [], 0
        portion.append(value)
        size += length
    if portion:
        yield portion


def _page_contents(values: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Split attempts into lists that each fit, compressed, into one page, and yield the lists."""
    if len(values) > 1 and len(_pack(values)) > _PAGE_SIZE:  # one too large attempt is a list of its own
        yield from _page_contents(values[: len(values) // 2])
        yield from _page_contents(values[len(values) // 2 :])
    else:
        yield values


def _pack(values: list[dict[str, Any]]) -> str:
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode("utf-8", "surrogatepass"))).decode()


def _unpack(page: str) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = json.loads(
        zlib.decompress(base64.b64decode(page)).decode("utf-8", "surrogatepass")
    )
    return values


def _page_key(number: int) -> str:
    return f"callapi_campaign_page_{number:05d}"


def _entry_key(number: int) -> str:
    return f"callapi_campaign_changes_{number:02d}"
