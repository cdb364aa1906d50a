"""Values that Airflow has not rendered yet: which parts are constants, and which are templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import Param
from airflow_fakes import VNUMBER
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator
from airflow_provider_callapi.parameters.templates import is_template, split_templates

CONSTANTS = st.none() | st.integers() | st.sampled_from(["", "Hello", "{ ds }"])
TEMPLATES = st.sampled_from(["{{ ds }}", "a {% if x %}b{% endif %}", "{# note #}", ["{{ ds }}"], print])
NAMES = st.sampled_from("abcde")


def paths(value: dict[str, Any], *, templates: bool) -> set[tuple[str, ...]]:
    """Return the paths of the templates, or of the constants, in nested dicts."""
    found: set[tuple[str, ...]] = set()
    for name, inner in value.items():
        if isinstance(inner, dict):
            found |= {(name, *path) for path in paths(inner, templates=templates)}
        elif (inner in ("{{ ds }}", ["{{ ds }}"])) is templates:
            found.add((name,))
    return found


@given(
    st.recursive(
        st.dictionaries(NAMES, CONSTANTS | st.sampled_from(["{{ ds }}", ["{{ ds }}"]])),
        lambda inner: st.dictionaries(NAMES, inner | CONSTANTS),
        max_leaves=8,
    )
)
def test_each_part_of_a_value_is_a_constant_or_a_template(values: dict[str, Any]) -> None:
    constants, templates = split_templates(values)

    assert set(templates) == paths(values, templates=True)
    assert len(templates) == len(set(templates))
    assert paths(constants, templates=False) == paths(values, templates=False)
    assert not is_template(constants)


@given(TEMPLATES)
def test_a_template_or_a_function_is_rendered_by_airflow(value: Any) -> None:
    assert is_template(value)


@pytest.mark.parametrize("value", [Param("x"), Path("/tmp"), {"value": print}, [print], "{ ds }", None, 5])
def test_airflow_does_not_render_other_values(value: Any) -> None:
    assert not is_template(value)


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (
            {"type": "text", "value": "{{ params.text }}"},
            r"contact_message\.type: 'media' or 'tts' is needed; the value is 'text'",
        ),
        ({"type": "{{ params.type }}", "value": " "}, r"contact_message\.value: "),
        ({"type": "tts", "value": print}, r"contact_message\.value: "),
        ({"typ": "tts", "value": "{{ params.text }}"}, r"contact_message\.type: the value is missing"),
    ],
)
def test_a_constant_beside_a_template_is_checked_in_the_dag_file(message: Any, problem: str) -> None:
    with pytest.raises(InvalidParameter, match=problem):
        CallApiStartInformerCallOperator(
            task_id="call",
            virtual_phone_number=VNUMBER,
            contact="{{ params.phone }}",
            contact_message=message,
        )
