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

    ``listed_after``, ``employee_rings``, ``employee_answer`` and ``hangs_up`` have an effect only if the
    phone is the contact's.

    :ivar listed_after: time from the start of the call until the call appears in ``list.calls``.
    :ivar rings: time until the person answers, the exchange reports a busy line, or the exchange stops
        ringing because the person does not answer.
    :ivar talks: length of the talk or message; None: the talk lasts until a request ends the call.
    :ivar answer: ``answers``: the person answers. ``busy``: the line is busy. ``no_answer``: the person does
        not answer.
    :ivar employee_rings: ``rings`` of an employee's phone that has no script, in a call with this contact.
    :ivar employee_answer: ``answer`` of an employee's phone that has no script, in a call with this
        contact.
    :ivar hangs_up: who ends the talk: the contact or the employee.
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
        """Return a script for a busy line, which the exchange reports after ``rings`` seconds."""
        return cls(rings=rings, answer="busy")

    @classmethod
    def no_answer(cls, rings: float = 30.0) -> Script:
        """Return a script for a phone that rings for ``rings`` seconds without an answer."""
        return cls(rings=rings, answer="no_answer")
