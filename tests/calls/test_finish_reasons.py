"""The table of the Data API's finish reasons."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.calls.finish_reasons import FINISH_REASONS, PROVE_NO_ANSWER, FinishCategory


@pytest.mark.parametrize("category", FinishCategory)
def test_every_category_has_a_reason(category: FinishCategory) -> None:
    assert category in FINISH_REASONS.values()


@pytest.mark.parametrize(("reason", "category"), FINISH_REASONS.items())
def test_a_reason_about_the_operators_leg_proves_nothing_and_every_other_reason_proves_no_answer(
    reason: str, category: FinishCategory
) -> None:
    is_about_operator = category is FinishCategory.OUR_SIDE or reason == "operator_channels_busy"
    assert (reason in PROVE_NO_ANSWER) is not is_about_operator
