"""The result of a finished call, and the delay of a redial."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.calls.answers import answered_from_report
from airflow_provider_callapi.calls.campaign.outcomes import (
    RANG_NO_PHONE,
    REDIAL_DELAYS,
    RESULT_MEANINGS,
    Result,
    result_of,
)
from airflow_provider_callapi.calls.finish_reasons import FINISH_REASONS, FinishCategory
from airflow_provider_callapi.calls.outcome import Outcome

NOBODY_KNOWS = [None, "", "success_finish", "internal_error", "of_a_later_version"]


def over(reason: str | None, answered: bool | None) -> Result:
    return result_of(Outcome(1, status="ended", answered=answered, finish_reason=reason))


@pytest.mark.parametrize("reason", [*FINISH_REASONS, *NOBODY_KNOWS])
def test_who_picked_up_has_answered_whatever_the_reason_of_the_end(reason: str | None) -> None:
    assert over(reason, True) is Result.ANSWERED


@pytest.mark.parametrize(("reason", "meaning"), FINISH_REASONS.items())
def test_a_reason_of_the_table_says_what_became_of_the_person(reason: str, meaning: FinishCategory) -> None:
    for answered in (False, None):
        assert over(reason, answered) == Result(meaning.value)


@pytest.mark.parametrize("reason", NOBODY_KNOWS)
def test_any_other_reason_leaves_it_open_unless_a_leg_shows_that_nobody_picked_up(reason: str | None) -> None:
    assert over(reason, None) is Result.UNKNOWN
    assert over(reason, False) is Result.NOT_REACHED


@pytest.mark.parametrize("reason", FINISH_REASONS)
def test_a_result_that_says_that_nobody_was_reached_is_never_about_an_answer_that_is_not_known(
    reason: str,
) -> None:
    report = CallReport(id=1, finish_reason=reason, talk_duration=0)
    if over(reason, None) in (Result.BUSY, Result.NOT_REACHED, Result.WRONG_NUMBER, Result.REFUSED):
        assert answered_from_report(report) is False
    if over(reason, None) is Result.OUR_SIDE:
        assert answered_from_report(report) is None


def test_nobody_is_called_again_by_default_whose_result_is_not_known() -> None:
    assert not {Result.UNKNOWN, Result.UNRESOLVED} & set(REDIAL_DELAYS)
    assert {result for result, delay in REDIAL_DELAYS.items() if delay is not None} >= RANG_NO_PHONE


def test_every_result_has_its_meaning_in_words() -> None:
    assert set(RESULT_MEANINGS) == set(Result)
