"""Record when one call appears in ``list.calls`` and vanishes, and which states the legs of the call have."""

from __future__ import annotations

import re
from typing import Any

from airflow_provider_callapi.verify.findings import CallSeen, Side, StartTimeForm
from airflow_provider_callapi.verify.gateway import read_session_id
from airflow_provider_callapi.verify.local_times import quarter_hours_ahead

_FORMS: dict[StartTimeForm, str] = {
    "milliseconds": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+",
    "seconds": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    "utc": r"\d{4}-\d\d-\d\dT ?\d\d:\d\d:\d\dZ",
}


def side_of(called: object, numbers: dict[Side, str], *, is_operator: bool) -> Side:
    """Return whether a leg is the contact's leg or the operator's leg.

    If the leg's phone number belongs to neither side, ``is_operator`` decides.

    :param called: ``called_phone_number`` of the leg, perhaps with a dot and phone keys after the number.
    :param numbers: side of the call (``contact`` or ``operator``) → phone number of this side.
    :param is_operator: ``is_operator`` of the leg.
    :return: ``contact`` or ``operator``.
    """
    text = str(called or "")
    for side, number in numbers.items():
        if number in (text, text.partition(".")[0]):
            return side
    return "operator" if is_operator else "contact"


class ListWatch:
    """Writes what each poll (answer to ``list.calls``) shows of one call into a `CallSeen`.

    The watch counts all times except ``started_at`` in seconds since the service replied to the start
    request.

    :param seen: the object into which the watch writes, e.g. when the call appeared.
    :param session_id: the session id of the watched call.
    :param external_id: the ``external_id`` in the start request.
    :param numbers: side of the call (``contact`` or ``operator``) → phone number.
    :param started_at: when the service replied to the start request, epoch seconds.
    :ivar missing_since: since when no poll has shown the call; at first 0.0, the time of the reply. None: the
        newest successful poll shows the call.
    :ivar misses: how many successful polls in a row, up to the newest, have not shown the call.
    """

    def __init__(
        self,
        seen: CallSeen,
        *,
        session_id: int,
        external_id: str,
        numbers: dict[Side, str],
        started_at: float,
    ) -> None:
        self.seen = seen
        self.missing_since: float | None = 0.0
        self.misses = 0
        self._session_id = session_id
        self._external_id = external_id
        self._numbers = numbers
        self._started_at = started_at

    @property
    def is_listed(self) -> bool:
        """Whether the newest successful poll shows the call."""
        return self.missing_since is None

    def take(self, rows: list[dict[str, Any]], at: float) -> None:
        """Write into ``seen`` what one poll shows of the call.

        :param rows: the active calls, as JSON objects.
        :param at: the time of the poll, in seconds since the service replied to the start request.
        """
        entry = next((row for row in rows if self._is_shown_by(row)), None)
        if entry is None:
            self.misses += 1
            if self.missing_since is None:
                self.missing_since = at
                self.seen.left_list = at
            return
        if self.seen.appeared is None:
            self._take_first(entry, at)
        elif self.missing_since is not None:
            self.seen.gaps.append((self.missing_since - self.seen.appeared, at - self.missing_since))
        self.missing_since, self.misses, self.seen.left_list = None, 0, None
        self._take_legs(entry, at)

    def state_of(self, side: Side) -> str | None:
        """Return the newest state that ``list.calls`` has shown for the leg of one side of the call.

        :param side: ``contact`` or ``operator``.
        :return: the state as the service names it, e.g. ``Разговор`` (talk). None: no poll has shown a leg of
            this side.
        """
        return next((state for _, who, state in reversed(self.seen.states) if who == side), None)

    def _is_shown_by(self, row: dict[str, Any]) -> bool:
        return read_session_id(row.get("call_session_id")) == self._session_id

    def _take_first(self, entry: dict[str, Any], at: float) -> None:
        seen, text = self.seen, str(entry.get("start_time"))
        seen.appeared = at
        seen.start_time_form = next(
            (form for form, pattern in _FORMS.items() if re.fullmatch(pattern, text)), "other"
        )
        seen.start_time_offset = quarter_hours_ahead(text, self._started_at)
        seen.external_id_listed = entry.get("external_id") == self._external_id

    def _take_legs(self, entry: dict[str, Any], at: float) -> None:
        seen, legs = self.seen, entry.get("legs")
        for leg in legs if isinstance(legs, list) else []:
            side = self._side_of(leg)
            if side is None:
                continue
            seen.has_employee_id = seen.has_employee_id is not False and "employee_id" in leg
            if side == "operator":
                seen.listed_operator = bool(leg.get("is_operator"))
            state = str(leg.get("state"))
            if state != self.state_of(side):
                seen.states.append((at, side, state))

    def _side_of(self, leg: object) -> Side | None:
        if not isinstance(leg, dict):
            return None
        return side_of(
            leg.get("called_phone_number"), self._numbers, is_operator=bool(leg.get("is_operator"))
        )
