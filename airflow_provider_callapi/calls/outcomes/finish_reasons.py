"""The Data API's finish reasons, and what each reason shows about the call.

A finish reason states why a call or a leg ended. The file ``finish_reasons.tsv`` is a table of the finish
reasons that the vendor documents.

Source: the lists of finish reasons in the vendor's public documentation of the Data API v2.0.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files


class FinishCategory(StrEnum):
    """The categories of finish reasons: why a call did not connect its participants.

    BUSY: the contact's line was busy.
    NOT_REACHED: the contact did not pick up.
    WRONG_NUMBER: the contact's number does not work.
    OUR_SIDE: no employee or operator was reached.
    CAPACITY: the account had no free line for the call.
    REFUSED: a rule of the account or of the service forbids the call.
    ACCOUNT: the account has no money, or a part of the account is switched off or set up wrongly.
    NETWORK: the telephone network or the service failed.
    """

    BUSY = "busy"
    NOT_REACHED = "not_reached"
    WRONG_NUMBER = "wrong_number"
    OUR_SIDE = "our_side_did_not_answer"
    CAPACITY = "capacity"
    REFUSED = "refused"
    ACCOUNT = "account"
    NETWORK = "network"


class Concerns(StrEnum):
    """The participant or the system that a finish reason concerns.

    CONTACT: the contact or the contact's number.
    OUR_SIDE: an employee, an operator, or their lines.
    ACCOUNT: the account at the vendor.
    NETWORK: the telephone network or the service.
    ANY: the reason can concern any participant.
    """

    CONTACT = "contact"
    OUR_SIDE = "our_side"
    ACCOUNT = "account"
    NETWORK = "network"
    ANY = "any"


@dataclass(frozen=True)
class FinishReason:
    """One finish reason of the Data API: a row of ``finish_reasons.tsv``.

    :ivar of_session: whether the vendor lists the reason for sessions (whole calls).
    :ivar of_leg: whether the vendor lists the reason for legs (lines of one participant).
    :ivar proves_no_answer: whether the reason of a session proves that the contact did not pick up, such as
        ``subscriber_busy``.
    :ivar category: what kept the call from reaching the contact. None: the reason does not show this, such as
        ``subscriber_disconnects`` (the contact hung up).
    :ivar meaning: the meaning of the reason, as an English text.
    """

    mnemonic: str
    of_session: bool
    of_leg: bool
    concerns: Concerns
    proves_no_answer: bool
    category: FinishCategory | None
    meaning: str


_CALLGEAR_MNEMONICS = {
    "caller_busy": "subscriber_busy",
    "caller_disconnects": "subscriber_disconnects",
    "caller_not_responsive": "subscriber_not_responsible",
    "caller_number_problems": "subscriber_number_problems",
    "employees_not_exists": "employee_not_exists",
    "no_success_caller_call": "no_success_subscriber_call",
    "operator_not_responsive": "operator_not_responsible",
}
"""Mnemonic that only the brand CallGear documents → the mnemonic of the same finish reason in the table."""


@cache
def finish_reasons() -> dict[str, FinishReason]:
    """Return all finish reasons that the vendor documents: mnemonic → finish reason.

    In the documents of the brand CallGear, seven finish reasons have another mnemonic, such as
    ``caller_busy``. The dict lacks these seven mnemonics; `proves_no_answer` and `category_of` accept them.

    The Data API may send a mnemonic that no document contains. A call that ended with such a mnemonic has no
    category.
    """
    text = files(__package__).joinpath("finish_reasons.tsv").read_text(encoding="utf-8")
    return {
        row["mnemonic"]: FinishReason(
            mnemonic=row["mnemonic"],
            of_session=row["of_session"] == "yes",
            of_leg=row["of_leg"] == "yes",
            concerns=Concerns(row["concerns"]),
            proves_no_answer=row["proves_no_answer"] == "yes",
            category=FinishCategory(row["category"]) if row["category"] else None,
            meaning=row["meaning"],
        )
        for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    }


def _find(mnemonic: str | None) -> FinishReason | None:
    return finish_reasons().get(_CALLGEAR_MNEMONICS.get(mnemonic or "", mnemonic or ""))


def proves_no_answer(mnemonic: str | None) -> bool:
    """Return whether a session's finish reason proves that the contact did not pick up.

    :param mnemonic: the Data API's mnemonic; None: the Data API states no reason.
    """
    reason = _find(mnemonic)
    return reason is not None and reason.proves_no_answer


def category_of(mnemonic: str | None) -> FinishCategory | None:
    """Return the category of a finish reason; None: the reason has no category or is not documented.

    :param mnemonic: the Data API's mnemonic; None: the Data API states no reason.
    """
    reason = _find(mnemonic)
    return reason.category if reason else None
