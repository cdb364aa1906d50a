"""A value that a template or a task loses is an error. None in the DAG file is none."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG
from airflow_fakes import CONTACT, VNUMBER
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.operators import _lost_values
from airflow_provider_callapi.operators.start_call import CallApiStartSimpleCallOperator

LOST, KEPT = "{{ params.lost }}", "{{ params.kept }}"
leaves = st.sampled_from([LOST, KEPT, None, 36, "text"])


def containers(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return dicts, lists and tuples."""
    lists = st.lists(parts, max_size=3)
    return st.dictionaries(st.sampled_from("abc"), parts, max_size=3) | lists | lists.map(tuple)


values = st.recursive(containers(leaves), lambda inner: containers(leaves | inner), max_leaves=6)
dicts = st.recursive(
    st.dictionaries(st.sampled_from("abc"), leaves, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), leaves | inner, max_size=3),
    max_leaves=6,
)


def rendered(
    value: Any,
    params: dict[str, Any],
    operator_type: type[CallApiStartSimpleCallOperator] = CallApiStartSimpleCallOperator,
) -> CallApiStartSimpleCallOperator:
    with DAG("dag", render_template_as_native_obj=True):
        operator = operator_type(
            task_id="call", virtual_phone_number=VNUMBER, contact=CONTACT, operator="79160000002",
            first_call="contact",
        )  # fmt: skip
    operator.tags = value  # as a cluster policy does it
    operator.render_template_fields({"params": params})
    return operator


def paths(value: Any, leaf: Any) -> Iterator[str]:
    """Yield where a leaf is: ``.a[1].b``."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in parts:
        name = f".{key}" if isinstance(value, dict) else f"[{key}]"
        if isinstance(inner, dict | list | tuple):
            yield from (f"{name}{path}" for path in paths(inner, leaf))
        elif inner == leaf:
            yield name


def assert_refuses(operator: CallApiStartSimpleCallOperator, lost: list[str]) -> None:
    """Check that the operator refuses one of the lost tags, or nothing if none is lost."""
    if not lost:
        operator.refuse_lost_values()
        return
    with pytest.raises(InvalidParameter) as refused:
        operator.refuse_lost_values()
    assert str(refused.value).partition(":")[0] in [f"tags{path}" for path in lost]


@given(values)
def test_only_the_none_of_a_template_is_an_error(value: dict[str, Any]) -> None:
    assert_refuses(rendered(value, {"lost": None, "kept": 1}), [*paths(value, LOST)])


@given(dicts)
def test_a_dict_that_a_template_gives_contains_no_none(value: dict[str, Any]) -> None:
    assert_refuses(rendered(KEPT, {"kept": value}), [*paths(value, None)])


@given(values, st.sampled_from([None, "", " ", "None"]))
def test_a_limit_that_a_template_leaves_empty_is_an_error(value: Any, lost: Any) -> None:
    """A template that is not native gives the text None."""

    class Limited(CallApiStartSimpleCallOperator):
        limit_parameters = ("tags",)

    assert_refuses(rendered(value, {"lost": lost, "kept": 1}, Limited), [*paths(value, LOST)])


def test_a_set_with_a_lost_element_is_an_error() -> None:
    assert_refuses(rendered({KEPT, LOST}, {"lost": None, "kept": 1}), [""])
    assert_refuses(rendered({KEPT, LOST}, {"lost": 2, "kept": 1}), [])


def test_a_map_index_that_a_clear_has_removed_is_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a clear, the list of an upstream task may be shorter. Airflow keeps the instances of the rest."""
    with DAG("dag"):
        source = PythonOperator.partial(task_id="part", python_callable=str).expand(op_args=[[1], [2]])
        operator = CallApiStartSimpleCallOperator(
            task_id="call", virtual_phone_number=VNUMBER, contact=CONTACT, operator="79160000002",
            first_call="contact", calling_days=source.output,
        )  # fmt: skip
    states = {"part_0": "success", "part_1": "success", "part_2": "removed"}
    ti = SimpleNamespace(run_id="run", dag_id="dag", get_task_states=lambda **which: {"run": states})
    monkeypatch.setattr(_lost_values, "LazyXComSequence", lambda **output: ["mon", "tue"])

    def lost_parts() -> str | None:
        return _lost_values._describe_missing_indexes(
            operator, {"calling_days": operator.calling_days}, {"ti": ti}
        )

    assert lost_parts() is None
    states["part_2"] = "failed"
    assert "gave a value for 2 of its 3 map indexes" in str(lost_parts())
