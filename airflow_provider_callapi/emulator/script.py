"""The script of a phone: what a person does when the phone rings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Reaction = Literal["answers", "busy", "no_answer"]
Side = Literal["contact", "employee"]

SECONDS_TO_KEY = 2.0
"""Seconds from the answer, or from the last key, until the contact presses a phone key."""


@dataclass(frozen=True, kw_only=True)
class Script:
    """What a person does when a phone rings, and how a call to the phone continues.

    All times are in seconds.

    ``listed_after``, ``keys``, ``hangs_up`` and the fields ``employee_…`` have an effect only if the phone
    belongs to the contact.

    :ivar listed_after: time from the start of the call until the call appears in ``list.calls``.
    :ivar rings: time until the person answers, the exchange reports a busy line, or the exchange stops
        ringing because the person does not answer.
    :ivar talks: length of the talk or message; None: the talk lasts until a request ends the call.
    :ivar answer: ``answers``: the person answers. ``busy``: the line is busy. ``no_answer``: the person does
        not answer.
    :ivar fails_with: the finish reason with which the leg fails after ``rings`` seconds, e.g.
        ``sip_offline``; None: ``answer`` decides what happens.
    :ivar employee_rings: the value of ``rings`` for an employee's phone that has no script, in a call with
        this contact.
    :ivar employee_answer: the value of ``answer`` for an employee's phone that has no script, in a call with
        this contact.
    :ivar employee_fails_with: the value of ``fails_with`` for an employee's phone that has no script, in a
        call with this contact.
    :ivar keys: the phone keys that the contact presses in a scenario, in this order, such as ``"1"``. The
        contact presses the first key `SECONDS_TO_KEY` seconds after the answer, and each further key
        `SECONDS_TO_KEY` seconds later. When the talk ends, the contact presses no more keys.
    :ivar hangs_up: who ends the talk: the contact or the employee.
    """

    listed_after: float = 0.0
    rings: float = 3.0
    talks: float | None = 10.0
    answer: Reaction = "answers"
    fails_with: str | None = None
    employee_rings: float = 2.0
    employee_answer: Reaction = "answers"
    employee_fails_with: str | None = None
    keys: str = ""
    hangs_up: Side = "contact"

    @classmethod
    def busy(cls, rings: float = 1.0) -> Script:
        """Return a script for a busy line, which the exchange reports after ``rings`` seconds."""
        return cls(rings=rings, answer="busy")

    @classmethod
    def no_answer(cls, rings: float = 30.0) -> Script:
        """Return a script for a phone that rings for ``rings`` seconds without an answer."""
        return cls(rings=rings, answer="no_answer")

    @classmethod
    def presses(cls, keys: str, rings: float = 3.0, talks: float = 10.0) -> Script:
        """Return a script for a contact who answers and presses phone keys in a scenario.

        :param keys: the keys in their order, such as ``"1"``.
        :param rings: seconds until the contact answers.
        :param talks: seconds from the answer until the contact hangs up.
        """
        return cls(rings=rings, talks=talks, keys=keys)

    @classmethod
    def operator_fails(cls, reason: str, rings: float = 3.0, employee_rings: float = 2.0) -> Script:
        """Return a script for a contact who answers while the operator of the call cannot be reached.

        :param reason: the finish reason with which the operator's leg fails, e.g. ``max_out_call_reached``.
        :param rings: seconds until the contact answers.
        :param employee_rings: seconds until the operator's leg fails.
        """
        return cls(rings=rings, employee_rings=employee_rings, employee_fails_with=reason)
