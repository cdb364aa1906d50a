"""The result of a finished call."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.calls.campaign.outcomes import (
    RESULT_MEANINGS,
    Result,
    result_of,
)
from airflow_provider_callapi.calls.outcomes.finish_reasons import category_of, finish_reasons
from airflow_provider_callapi.calls.outcomes.outcome import Outcome

NO_CATEGORY = [None, "", "success_finish", "subscriber_disconnects", "of_a_later_version"]
ABOUT_THE_CONTACT = {Result.BUSY, Result.NOT_REACHED, Result.WRONG_NUMBER}


def result_after(reason: str | None, answered: bool | None, contact_reason: str | None = None) -> Result:
    return result_of(
        Outcome(
            1,
            status="ended",
            answered=answered,
            finish_reason=reason,
            contact_finish_reason=contact_reason,
        )
    )


@pytest.mark.parametrize("reason", [*finish_reasons(), *NO_CATEGORY])
def test_a_contact_who_picked_up_has_answered_with_any_finish_reason(reason: str | None) -> None:
    assert result_after(reason, True) is Result.ANSWERED


@pytest.mark.parametrize("reason", [name for name, reason in finish_reasons().items() if reason.category])
def test_the_category_of_the_reason_is_the_result(reason: str) -> None:
    result = Result(str(category_of(reason)))
    assert result_after(reason, False) is result
    assert result_after(reason, None) is (Result.UNKNOWN if result in ABOUT_THE_CONTACT else result)


@pytest.mark.parametrize("reason", NO_CATEGORY)
def test_any_other_reason_leaves_the_result_unknown_unless_a_leg_proves_no_answer(reason: str | None) -> None:
    assert result_after(reason, None) is Result.UNKNOWN
    assert result_after(reason, False) is Result.NOT_REACHED


@pytest.mark.parametrize("reason", [*finish_reasons(), *NO_CATEGORY])
def test_the_finish_reason_of_the_contacts_leg_overrides_the_one_of_the_call(reason: str | None) -> None:
    assert result_after(reason, False, "subscriber_busy") is Result.BUSY


def test_every_result_has_its_meaning_in_words() -> None:
    assert set(RESULT_MEANINGS) == set(Result)
