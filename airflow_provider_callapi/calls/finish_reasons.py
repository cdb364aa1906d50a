"""The Data API's finish reasons, and what each reason means for the person who was called."""

from __future__ import annotations

from enum import StrEnum


class FinishCategory(StrEnum):
    """The categories of the Data API's finish reasons. A finish reason is the cause for which a call ended.

    OUR_SIDE: the employee's or operator's leg was not reached. The contact may have picked up before.
    CAPACITY: the service or the account had no free channel for the call.
    REFUSED: a rule of the account or of the service forbids the call.
    ACCOUNT: the account has no money, or a component of the account is off.
    """

    BUSY = "busy"
    NOT_REACHED = "not_reached"
    OUR_SIDE = "our_side_did_not_answer"
    CAPACITY = "capacity"
    WRONG_NUMBER = "wrong_number"
    REFUSED = "refused"
    ACCOUNT = "account"


FINISH_REASONS: dict[str, FinishCategory] = {
    "subscriber_busy": FinishCategory.BUSY,
    "subscriber_not_responsible": FinishCategory.NOT_REACHED,
    "timeout": FinishCategory.NOT_REACHED,
    "no_success_subscriber_call": FinishCategory.NOT_REACHED,
    "platform_not_found": FinishCategory.NOT_REACHED,
    "operator_busy": FinishCategory.OUR_SIDE,
    "operator_not_responsible": FinishCategory.OUR_SIDE,
    "no_success_operator_call": FinishCategory.OUR_SIDE,
    "employee_busy": FinishCategory.OUR_SIDE,
    "max_out_call_reached": FinishCategory.CAPACITY,
    "no_resources": FinishCategory.CAPACITY,
    "operator_channels_busy": FinishCategory.CAPACITY,
    "subscriber_number_problems": FinishCategory.WRONG_NUMBER,
    "incorrect_input": FinishCategory.WRONG_NUMBER,
    "numa_in_black_list": FinishCategory.REFUSED,
    "locked_numb": FinishCategory.REFUSED,
    "call_not_allowed_on_tp": FinishCategory.REFUSED,
    "out_call_not_allowed": FinishCategory.REFUSED,
    "external_call_not_allowed": FinishCategory.REFUSED,
    "not_enough_money": FinishCategory.ACCOUNT,
    "no_money": FinishCategory.ACCOUNT,
    "limit_exceeded": FinishCategory.ACCOUNT,
    "app_is_inactive": FinishCategory.ACCOUNT,
    "component_is_inactive": FinishCategory.ACCOUNT,
}
"""Mnemonic of a finish reason in the Data API → its category.

The Data API may send other mnemonics. After a mnemonic that is missing here, it is unknown whether the
contact answered.
"""

PROVE_NO_ANSWER = frozenset(
    mnemonic
    for mnemonic, category in FINISH_REASONS.items()
    if category is not FinishCategory.OUR_SIDE and mnemonic != "operator_channels_busy"
)
"""Mnemonics of finish reasons that prove that the contact did not pick up.

The other mnemonics in `FINISH_REASONS` mean that the employee's or operator's leg failed. The contact may
have picked up before that.
"""
