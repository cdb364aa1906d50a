"""What happened at the exchange, in order: the evidence that a test asks for."""

from __future__ import annotations

from collections import Counter
from typing import Literal, NamedTuple

Kind = Literal["request", "fault", "start", "ring", "answer", "tag", "dtmf", "option", "end"]


class Entry(NamedTuple):
    """One event.

    :ivar time: epoch seconds by the exchange's clock.
    :ivar kind: ``request`` (was read and answered), ``fault`` (was injected), or what a call did.
    :ivar mnemonic: of a refused request; None where it succeeded.
    :ivar detail: the fault's name, the leg's role, the tag's id, the finish reason, ….
    """

    time: float
    kind: Kind
    method: str | None = None
    call_session_id: int | None = None
    phone: str | None = None
    mnemonic: str | None = None
    detail: str | None = None


class Journal:
    """Entries, and the two sums that tests ask for most."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.rings: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()

    def add(self, entry: Entry) -> None:
        """Write an entry down."""
        self.entries.append(entry)
        if entry.kind == "ring" and entry.phone is not None:
            self.rings[entry.phone] += 1
        elif entry.kind == "request" and entry.method is not None:
            self.requests[entry.method] += 1
