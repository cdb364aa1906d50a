"""The script of one phone number: what a person does when the phone rings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Reaction = Literal["answers", "busy", "no_answer"]
Side = Literal["contact", "employee"]


@dataclass(frozen=True, kw_only=True)
class Script:
    """The behaviour of one phone and of a call to it. All times are in seconds.

    :ivar listed_after: time from the start until the session appears in ``list.calls``.
    :ivar rings: time until the person answers, the line is busy, or the call is given up.
    :ivar talks: length of the talk or message; None: it lasts until a request releases the call.
    :ivar answer: what the person does.
    :ivar employee_rings: like ``rings``, for the employee's side of a call to this contact.
    :ivar employee_answer: like ``answer``, for the employee. The script of the employee's own
        phone, if set, takes precedence.
    :ivar hangs_up: who ends the talk.
    """

    listed_after: float = 0.0
    rings: float = 3.0
    talks: float | None = 10.0
    answer: Reaction = "answers"
    employee_rings: float = 2.0
    employee_answer: Reaction = "answers"
    hangs_up: Side = "contact"

    @classmethod
    def busy(cls, rings: float = 1.0) -> Script:
        """Return a script for a busy line: the call ends after ``rings`` seconds."""
        return cls(rings=rings, answer="busy")

    @classmethod
    def no_answer(cls, rings: float = 30.0) -> Script:
        """Return a script for an unanswered phone: it rings for ``rings`` seconds."""
        return cls(rings=rings, answer="no_answer")
