"""The emulator's journal: the list of all events at the emulated telephone exchange."""

from __future__ import annotations

from collections import Counter
from typing import Literal, NamedTuple

Kind = Literal["request", "fault", "start", "ring", "answer", "key", "tag", "dtmf", "option", "end"]


class Entry(NamedTuple):
    """One event in the emulator's journal: a request, a fault, or an event of a call.

    The text in ``detail`` depends on ``kind``:

    - ``fault``: the name of the fault, e.g. ``drop_after``.
    - ``start``: the method that started the call, or ``inbound`` for a call from a contact.
    - ``ring`` and ``answer``: the role of the leg.
    - ``key``: the phone key that the contact pressed.
    - ``tag``: the id of the added tag.
    - ``dtmf``: the tones that a request sent into the call.
    - ``option``: the mnemonic of the used talk option.
    - ``end``: the finish reason of the call.

    :ivar time: epoch seconds of the exchange's clock.
    :ivar kind: ``request``: the exchange carried out or rejected a request. ``fault``: a planned fault hit a
        request. Any other kind: an event of a call.
    :ivar method: the API method of a request or a fault. None: the request names no method, or this is an
        event of a call.
    :ivar call_session_id: the session id of the call. None: there is no call, or the exchange rejected the
        request before it read the session id. For a fault: None.
    :ivar phone: for ``ring`` and ``answer``, the phone. For any other event of a call, the contact's phone.
        For a request or a fault: None.
    :ivar mnemonic: the error in the answer to a request. None: no error, or this is no request.
    :ivar detail: the text in the list above. For a request: None.
    """

    time: float
    kind: Kind
    method: str | None = None
    call_session_id: int | None = None
    phone: str | None = None
    mnemonic: str | None = None
    detail: str | None = None


class Journal:
    """The emulator's journal: all events at the telephone exchange, and counts of the rings and requests.

    :ivar entries: the events, in the order of recording.
    :ivar rings: phone → how often the phone rang.
    :ivar requests: method → how many requests the exchange carried out or rejected.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.rings: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()

    def forget(self, before: float) -> None:
        """Remove the events before a moment from the emulator's journal.

        The counts of rings and requests stay.

        :param before: the moment, in epoch seconds.
        """
        self.entries = [entry for entry in self.entries if entry.time >= before]

    def add(self, entry: Entry) -> None:
        """Append an event to the emulator's journal and update the counts of rings and requests."""
        self.entries.append(entry)
        if entry.kind == "ring" and entry.phone is not None:
            self.rings[entry.phone] += 1
        elif entry.kind == "request" and entry.method is not None:
            self.requests[entry.method] += 1
