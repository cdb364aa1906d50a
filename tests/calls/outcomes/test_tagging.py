"""Which tags a finished call should have and does not have yet."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.outcomes.tagging import TagRules, due_tags

RULES: TagRules = {"answered": 36, "not_answered": 37, "ended": 38}


@pytest.mark.parametrize(("answered", "due"), [(True, [38, 36]), (False, [38, 37]), (None, [38])])
def test_a_call_gets_the_ended_tag_and_the_tag_of_a_known_answer(
    answered: bool | None, due: list[int]
) -> None:
    assert due_tags(Outcome(7, answered=answered), RULES) == due


@pytest.mark.parametrize(
    ("changes", "due"),
    [
        ({"answered": False}, [38, 39]),
        ({"answered": False, "contact_finish_reason": "subscriber_busy"}, [38, 37]),
        ({"answered": None}, [38]),
        ({"answered": True}, [38, 36]),
    ],
)
def test_a_call_that_our_side_missed_gets_its_own_tag(changes: dict[str, Any], due: list[int]) -> None:
    missed = Outcome(7, finish_reason="operator_busy", **changes)

    assert due_tags(missed, {**RULES, "our_side_did_not_answer": 39}) == due


def test_a_call_that_our_side_missed_gets_the_not_answered_tag_without_a_tag_of_its_own() -> None:
    assert due_tags(Outcome(7, answered=False, finish_reason="operator_busy"), RULES) == [38, 37]


def test_a_tag_that_the_call_has_is_not_due() -> None:
    assert due_tags(Outcome(7, answered=True, tags=(36,)), RULES) == [38]


@pytest.mark.parametrize(("rules", "due"), [({}, []), ({"not_answered": 37}, []), ({"answered": 36}, [36])])
def test_an_outcome_that_the_author_did_not_name_gets_no_tag(rules: TagRules, due: list[int]) -> None:
    assert due_tags(Outcome(7, answered=True), rules) == due
