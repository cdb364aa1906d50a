"""What a person at a phone does when it rings: the script of one phone number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Reaction = Literal["answers", "busy", "no_answer"]
Side = Literal["contact", "employee"]


@dataclass(frozen=True, kw_only=True)
class Script:
    """The behaviour of one phone, and of a call to it. All times are seconds.

    :ivar listed_after: how long after its start the session appears in ``list.calls``.
    :ivar rings: how long the phone rings before it is answered, found busy, or given up.
    :ivar talks: how long the talk (or the message) lasts; None: until somebody releases it.
    :ivar answer: what the person does.
    :ivar employee_rings: how long the other side of a call to this contact rings.
    :ivar employee_answer: what the other side does. An employee's phone that has a script of its
        own follows that one.
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
        """The line is busy: the call ends after ``rings`` seconds."""
        return cls(rings=rings, answer="busy")

    @classmethod
    def no_answer(cls, rings: float = 30.0) -> Script:
        """It rings for ``rings`` seconds and nobody answers."""
        return cls(rings=rings, answer="no_answer")
