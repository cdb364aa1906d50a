"""The table of the Data API's finish reasons."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.calls.outcomes.finish_reasons import (
    Concerns,
    FinishCategory,
    FinishReason,
    category_of,
    finish_reasons,
    proves_no_answer,
)

UNDOCUMENTED = ["", "a_reason_of_a_later_revision", None]
CATEGORIES_OF = {
    Concerns.CONTACT: {
        FinishCategory.BUSY,
        FinishCategory.NOT_REACHED,
        FinishCategory.WRONG_NUMBER,
        FinishCategory.REFUSED,
        None,
    },
    Concerns.OUR_SIDE: {FinishCategory.OUR_SIDE, None},
    Concerns.ACCOUNT: {FinishCategory.ACCOUNT, FinishCategory.CAPACITY, FinishCategory.REFUSED},
    Concerns.NETWORK: {FinishCategory.NETWORK},
    Concerns.ANY: {FinishCategory.NOT_REACHED, None},
}
"""Whom a reason concerns → the categories that such a reason can have."""


def test_every_reason_belongs_to_sessions_or_legs_and_has_a_meaning() -> None:
    reasons = finish_reasons().values()
    assert all(reason.of_session or reason.of_leg for reason in reasons)
    assert all(reason.meaning for reason in reasons)


@pytest.mark.parametrize("category", FinishCategory)
def test_every_category_has_a_reason(category: FinishCategory) -> None:
    assert category in {reason.category for reason in finish_reasons().values()}


@pytest.mark.parametrize("reason", finish_reasons().values(), ids=lambda reason: reason.mnemonic)
def test_the_side_that_a_reason_concerns_limits_its_category(reason: FinishReason) -> None:
    assert reason.category in CATEGORIES_OF[reason.concerns]


def test_only_a_reason_about_the_contact_can_prove_that_the_contact_did_not_answer() -> None:
    proofs = [reason for reason in finish_reasons().values() if reason.proves_no_answer]

    assert {reason.concerns for reason in proofs} == {Concerns.CONTACT}
    assert all(reason.category for reason in proofs)


@pytest.mark.parametrize(
    "mnemonic",
    [
        "no_resources",
        "max_out_call_reached",
        "timeout",
        "limit_exceeded",
        "app_is_inactive",
        "locked_numb",
        "incorrect_input",
        "sip_offline",
        "subscriber_disconnects",
        "success_finish",
        *UNDOCUMENTED,
    ],
)
def test_a_reason_with_which_a_call_to_an_answered_contact_can_end_proves_nothing(
    mnemonic: str | None,
) -> None:
    assert not proves_no_answer(mnemonic)


@pytest.mark.parametrize(
    ("of_callgear", "of_the_other_brands"),
    [
        ("caller_busy", "subscriber_busy"),
        ("caller_disconnects", "subscriber_disconnects"),
        ("caller_not_responsive", "subscriber_not_responsible"),
        ("caller_number_problems", "subscriber_number_problems"),
        ("employees_not_exists", "employee_not_exists"),
        ("no_success_caller_call", "no_success_subscriber_call"),
        ("operator_not_responsive", "operator_not_responsible"),
    ],
)
def test_a_mnemonic_of_callgear_shows_the_same_as_the_mnemonic_of_the_other_brands(
    of_callgear: str, of_the_other_brands: str
) -> None:
    assert of_the_other_brands in finish_reasons()
    assert category_of(of_callgear) is category_of(of_the_other_brands)
    assert proves_no_answer(of_callgear) is proves_no_answer(of_the_other_brands)


@pytest.mark.parametrize("mnemonic", UNDOCUMENTED)
def test_an_undocumented_reason_has_no_category(mnemonic: str | None) -> None:
    assert category_of(mnemonic) is None
