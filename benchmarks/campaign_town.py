"""The people whom a simulated campaign calls, and what the simulated service keeps of their calls.

A million people must fit into memory beside the campaign. The people are therefore computed from their
positions in the list, finished attempts lie in a file, and the service forgets calls an hour after their end.
"""

from __future__ import annotations

import pickle
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from airflow_provider_callapi.calls.campaign.ledger import Attempt, ClaimResult, Status, is_taken
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.emulator import Exchange, Script

ZONES = (
    "Europe/Kaliningrad",
    "Europe/Moscow",
    "Europe/Samara",
    "Asia/Yekaterinburg",
    "Asia/Omsk",
    "Asia/Krasnoyarsk",
    "Asia/Irkutsk",
    "Asia/Yakutsk",
    "Asia/Vladivostok",
    "Asia/Magadan",
    "Asia/Kamchatka",
)
_FIRST_NUMBER, _STEP = 79_100_000_000, 7
_REMEMBERED = 3600.0
"""Seconds for which the simulated service remembers a finished call."""
_SPREAD = 2_654_435_761
"""A large odd number, whose multiples are spread evenly: it decides who is busy and who does not answer."""


_OUTCOME = attrgetter(*Outcome.__struct_fields__)
_ATTEMPT = attrgetter(*Attempt.__struct_fields__[:-2])
"""Return the values of an outcome, and those of an attempt before `call`, in the order of the fields."""


def position_of(number: str) -> int:
    """Return the position of a number's person in the list; the first position is 0."""
    return (int(number) - _FIRST_NUMBER) // _STEP


class Town:
    """The people on the list, and the counts of what the simulated service has done.

    15 % of the people are busy, and 20 % do not answer.

    :param people: how many people are on the list.
    :ivar rings: position of a person → how often the person's phone rang.
    :ivar out_of_hours: how many calls rang outside the person's calling hours, 9 to 21 o'clock.
    """

    def __init__(self, people: int) -> None:
        self.people = people
        self.rings = bytearray(people)
        self.requests: Counter[str | None] = Counter()
        self.refused = self.out_of_hours = 0
        self._zones = tuple(map(ZoneInfo, ZONES))
        self._reactions = (Script.busy(), Script.no_answer(), Script(rings=5, talks=12))

    def rows(self) -> Iterator[dict[str, str]]:
        """Yield the rows of the contact list."""
        for position in range(self.people):
            number, zone = str(_FIRST_NUMBER + position * _STEP), ZONES[position % len(ZONES)]
            yield {"phone": number, "name": "Anna", "timezone": zone}

    def get(self, phone: str, default: Script | None = None) -> Script:
        """Return what a person does when the phone rings, as a dict of scripts does."""
        part = position_of(phone) * _SPREAD % 2**32 * 100 >> 32
        return self._reactions[0 if part < 15 else 1 if part < 35 else 2]

    def populate(self, exchange: Exchange) -> None:
        """Let the people of the town answer the phones of a simulated service."""
        exchange._switchboard.scripts = self  # type: ignore[assignment]  # only `get` is used

    def count_and_forget(self, exchange: Exchange) -> None:
        """Count the new entries of the service's journal, and forget them and the old calls."""
        switchboard = exchange._switchboard
        for entry in switchboard.journal.entries:
            if entry.kind == "request":
                self.requests[entry.method] += 1
                self.refused += entry.mnemonic is not None
            elif entry.kind == "ring":
                position = position_of(str(entry.phone))
                self.rings[position] += 1
                zone = self._zones[position % len(ZONES)]
                self.out_of_hours += not 9 <= datetime.fromtimestamp(entry.time, zone).hour < 21
        switchboard.journal.entries.clear()
        switchboard.journal.rings.clear()
        calls, old = switchboard.calls, exchange.clock() - _REMEMBERED
        ended = sum(1 for _ in _until(switchboard.finished, lambda call: (call.ended_at or 0.0) < old))
        for call in switchboard.finished[:ended]:
            del calls[call.call_session_id]
        del switchboard.finished[:ended]
        begun = _until(switchboard.by_start_time, lambda call: call.call_session_id not in calls)
        del switchboard.by_start_time[: sum(1 for _ in begun)]


def _until(items: Iterable[Any], fits: Any) -> Iterator[Any]:
    """Yield the first items, up to the first one that does not fit."""
    for item in items:
        if not fits(item):
            return
        yield item


class FileLedger:
    """A ledger whose finished attempts lie in a temporary file, as they lie in the tables of a database.

    :param people: how many people are on the list.
    """

    def __init__(self, people: int) -> None:
        self._open: dict[str, Attempt] = {}
        self._finished = bytearray(people)  # the number of each person's last finished attempt
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the ledger

    def load(self, keys: Iterable[str]) -> Iterator[Attempt]:
        """Yield the attempts to call all people, the oldest first."""
        self._file.seek(0)
        while True:
            try:
                values, call = pickle.load(self._file)
            except EOFError:
                break
            yield replace(Attempt(*values), call=None if call is None else Outcome(*call))
        yield from self._open.values()

    def claim(self, intents: Sequence[Attempt], changed: Sequence[Attempt] = ()) -> list[ClaimResult]:
        """Store the changed attempts and each intent, except those that the rules of all ledgers refuse."""
        self.record(changed)
        return [self._claim(intent) for intent in intents]

    def record(self, attempts: Sequence[Attempt]) -> None:
        """Store newer versions of attempts."""
        for attempt in attempts:
            if attempt.status is Status.FINISHED:
                self._open.pop(attempt.person, None)
                self._finished[position_of(attempt.person)] = attempt.attempt
                call = None if attempt.call is None else _OUTCOME(attempt.call)
                pickle.dump((_ATTEMPT(attempt), call), self._file, pickle.HIGHEST_PROTOCOL)
            else:
                self._open[attempt.person] = attempt

    def _claim(self, intent: Attempt) -> ClaimResult:
        held = self._open.get(intent.person)
        if is_taken(held, intent) or self._finished[position_of(intent.person)] >= intent.attempt:
            return ClaimResult(granted=False, held=held)
        self._open[intent.person] = intent
        return ClaimResult(granted=True)
