"""The values of a script."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.emulator import Script

DURATIONS = ["listed_after", "rings", "talks", "employee_rings"]
WORDS = ["answer", "employee_answer", "hangs_up"]


@given(field=st.sampled_from(DURATIONS), seconds=st.floats(max_value=0, exclude_max=True) | st.just(math.nan))
def test_a_duration_that_no_clock_can_show_is_refused(field, seconds):
    with pytest.raises(ValueError, match=field):
        Script(**{field: seconds})


@given(field=st.sampled_from(WORDS), word=st.sampled_from(["bussy", "no-answer", "operator", ""]) | st.none())
def test_a_word_that_means_nothing_is_refused(field, word):
    with pytest.raises(ValueError, match=field):
        Script(**{field: word})


@given(
    durations=st.fixed_dictionaries({field: st.floats(0, 1e6) for field in DURATIONS}),
    answer=st.sampled_from(["answers", "busy", "no_answer"]),
    side=st.sampled_from(["contact", "employee"]),
)
def test_every_other_script_keeps_its_values(durations, answer, side):
    script = Script(**durations, answer=answer, hangs_up=side)

    assert {field: getattr(script, field) for field in DURATIONS} == durations
    assert (script.answer, script.hangs_up) == (answer, side)
