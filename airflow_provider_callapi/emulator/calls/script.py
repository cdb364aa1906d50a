"""The scripts of the emulator's phones.

A script states what the person at a phone does when the phone rings, and how the call continues.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

Seconds = Annotated[float, Field(ge=0)]
Reaction = Literal["answers", "busy", "no_answer"]
Side = Literal["contact", "employee"]

SECONDS_TO_KEY = 2.0
"""Seconds from the answer, or from the last key, until the contact presses a phone key."""


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid", allow_inf_nan=False))
class Script:
    """States what a person does when the person's phone rings, and how the call continues.

    Each phone can have a script. Durations are in seconds. The fields ``listed_after``, ``keys``,
    ``hangs_up`` and ``employee_…`` have an effect only in the script of the contact's phone.

    :ivar listed_after: time from the start of the call until ``list.calls`` shows the call.
        `Profile.appear_delay` adds further seconds.
    :ivar rings: how long the phone rings until the person answers, or until the leg ends without an answer. A
        shorter ``dialing_timeout`` of the call ends the contact's leg earlier.
    :ivar talks: how long the contact's talk or message lasts. After a transfer, the script of the third
        party's phone decides. None: the talk does not end by itself.
    :ivar answer: what happens after ``rings`` seconds: ``answers``, ``busy`` or ``no_answer``.
    :ivar fails_with: the finish reason with which the leg fails after ``rings`` seconds, e.g.
        ``sip_offline``. None: ``answer`` decides.
    :ivar employee_rings: like ``rings``, for an operator's phone without a script of its own.
    :ivar employee_answer: like ``answer``, for an operator's phone without a script of its own.
    :ivar employee_fails_with: like ``fails_with``, for an operator's phone without a script of its own.
    :ivar keys: the phone keys that the contact presses in a scenario, such as ``"12"``: one key every two
        seconds after the contact's answer.
    :ivar hangs_up: who ends a talk between contact and operator: ``contact`` or ``employee``.
    :raises ValueError: a value is none of the allowed texts, or a duration is negative or infinite.
    """

    listed_after: Seconds = 0.0
    rings: Seconds = 3.0
    talks: Seconds | None = 10.0
    answer: Reaction = "answers"
    fails_with: str | None = None
    employee_rings: Seconds = 2.0
    employee_answer: Reaction = "answers"
    employee_fails_with: str | None = None
    keys: str = ""
    hangs_up: Side = "contact"

    @classmethod
    def busy(cls, rings: float = 1.0) -> Script:
        """Return the script of a phone whose line is busy.

        :param rings: seconds until the exchange reports the busy line.
        """
        return cls(rings=rings, answer="busy")

    @classmethod
    def no_answer(cls, rings: float = 30.0) -> Script:
        """Return the script of a phone that rings without an answer.

        :param rings: seconds until the phone stops ringing.
        """
        return cls(rings=rings, answer="no_answer")

    @classmethod
    def presses(cls, keys: str, rings: float = 3.0, talks: float = 10.0) -> Script:
        """Return the script of a contact who answers and presses phone keys in a scenario.

        :param keys: the keys in their order, such as ``"12"``.
        :param rings: seconds until the contact answers.
        :param talks: seconds of the talk. Then the contact hangs up. In a scenario with an employee, the talk
            begins when contact and employee can speak. In a scenario without an employee, the talk begins
            with the contact's answer.
        """
        return cls(rings=rings, talks=talks, keys=keys)

    @classmethod
    def operator_fails(cls, reason: str, rings: float = 3.0, employee_rings: float = 2.0) -> Script:
        """Return the script of a contact who answers, in a call whose operator cannot be reached.

        Give the script to the contact's phone. It also decides about the operator's phone, unless that phone
        has a script of its own.

        :param reason: the finish reason with which the operator's leg fails, e.g. ``max_out_call_reached``.
        :param rings: seconds until the contact answers.
        :param employee_rings: seconds for which the operator's phone rings. Then the leg fails.
        """
        return cls(rings=rings, employee_rings=employee_rings, employee_fails_with=reason)
