"""The journal: every event at the exchange, in order."""

from __future__ import annotations

from collections import Counter
from typing import Literal, NamedTuple

Kind = Literal["request", "fault", "start", "ring", "answer", "tag", "dtmf", "option", "end"]


class Entry(NamedTuple):
    """One event.

    :ivar time: epoch seconds by the exchange's clock.
    :ivar kind: ``request`` (read and answered), ``fault`` (injected), or an event of a call.
    :ivar method: method of a request or fault; None for an event of a call.
    :ivar mnemonic: the error's mnemonic if the request failed, else None.
    :ivar detail: name of the fault, start method, role of the leg, id of the tag, finish reason, ….
    """

    time: float
    kind: Kind
    method: str | None = None
    call_session_id: int | None = None
    phone: str | None = None
    mnemonic: str | None = None
    detail: str | None = None


class Journal:
    """The entries, with counts of rings and requests.

    :ivar rings: phone → how often it rang.
    :ivar requests: method → how many requests arrived.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.rings: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()

    def add(self, entry: Entry) -> None:
        """Append an entry and update the counts."""
        self.entries.append(entry)
        if entry.kind == "ring" and entry.phone is not None:
            self.rings[entry.phone] += 1
        elif entry.kind == "request" and entry.method is not None:
            self.requests[entry.method] += 1
