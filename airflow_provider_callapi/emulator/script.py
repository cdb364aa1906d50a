"""The script of a phone: what a person does when the phone rings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Reaction = Literal["answers", "busy", "no_answer"]
Side = Literal["contact", "employee"]


@dataclass(frozen=True, kw_only=True)
class Script:
    """What a person does when a phone rings, and how a call to the phone continues.

    All times are in seconds.

    :ivar listed_after: time from the start of the call until the call appears in ``list.calls``.
    :ivar rings: time until the person answers, the exchange reports a busy line, or the exchange stops
        ringing because the person does not answer.
    :ivar talks: length of the talk or message; None: the talk lasts until a request ends the call.
    :ivar answer: whether the person answers, the line is busy, or the person does not answer.
    :ivar employee_rings: ``rings`` of the employee's phone, if the phone of the script is the contact's.
    :ivar employee_answer: ``answer`` of the employee's phone, if the phone of the script is the
        contact's. If a test has set a script for the employee's phone, the values of the employee's
        script replace both ``employee_…`` values.
    :ivar hangs_up: whether the contact or the employee ends the talk.
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
        """Return a script for a busy line. The exchange reports the busy line after ``rings`` seconds."""
        return cls(rings=rings, answer="busy")

    @classmethod
    def no_answer(cls, rings: float = 30.0) -> Script:
        """Return a script for a phone that rings for ``rings`` seconds without an answer."""
        return cls(rings=rings, answer="no_answer")
