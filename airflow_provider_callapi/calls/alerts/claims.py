"""The claim of a callback to the right to ring for an alert, as the key-value store contains it."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Progress:
    """The newest placed call of an alert, and the person who was called.

    :ivar person: the person's position in the alert's list of people; the first person is 1.
    :ivar call_session_id: the session id of the call.
    :ivar acknowledged: True: the person has acknowledged the alert, e.g. picked up, so no one else is called.
        False: not, or not yet.
    :ivar is_last: whether the person is the last one in the list.
    :ivar began_at: when the call began, epoch seconds. None: a moment ago.
    """

    person: int
    call_session_id: int
    acknowledged: bool = False
    is_last: bool = False
    began_at: float | None = None


@dataclass(frozen=True)
class Claim:
    """One callback's claim to the right to ring for an alert, as the key-value store contains it.

    :ivar by: the id of the candidate. Empty: nobody, and the call was found in ``list.calls``.
    :ivar at: when the claim was written, epoch seconds. 0: the claim is withdrawn.
    :ivar until: when the claim can be deleted, epoch seconds.
    :ivar person: the position of the person whom the candidate called last, from 1. 0: no call.
    :ivar call_session_id: the session id of the candidate's last call. None: no call.
    :ivar acknowledged: whether the person has acknowledged the alert.
    :ivar is_last: whether no person follows the called person.
    :ivar token: the token of the process that may call the next person.
    """

    by: str
    at: float
    until: float
    person: int = 0
    call_session_id: int | None = None
    acknowledged: bool = False
    is_last: bool = False
    token: str = ""

    @classmethod
    def from_json(cls, value: Any) -> Claim | None:
        """Return the claim that a JSON value from the store describes. None: the value describes no claim.

        Names that this version does not know are ignored: another version may have written the claim.
        """
        if not isinstance(value, dict):
            return None
        try:
            claim = cls(**{each.name: value[each.name] for each in fields(cls) if each.name in value})
            numbers = (claim.at, claim.until, claim.person, claim.call_session_id or 0)
            are_numbers = all(math.isfinite(number) for number in numbers)
        except (TypeError, OverflowError):  # a user may edit an Airflow Variable by hand
            return None
        return claim if are_numbers and (not claim.person or (claim.call_session_id or 0) > 0) else None

    @property
    def progress(self) -> Progress:
        """The candidate's last call."""
        return Progress(self.person, self.call_session_id or 0, self.acknowledged, self.is_last)

    @property
    def owner(self) -> tuple[str, str]:
        """The id of the candidate and the token of its process that have the right to ring."""
        return self.by, self.token


def is_expired(value: Any, now: float) -> bool:
    """Return whether a value of the key-value store is an expired claim, which can be deleted.

    :param value: any JSON value. If the value is not a claim, the result is False.
    :param now: epoch seconds.
    """
    claim = Claim.from_json(value)
    return claim is not None and claim.until < now
