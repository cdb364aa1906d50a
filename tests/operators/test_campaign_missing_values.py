"""A missing value makes a row invalid, and never lifts a limit of a campaign."""

from __future__ import annotations

import math
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow_fakes import Task
from campaign_desk import rung
from listed_campaigns import PEOPLE, A, B, calls

from airflow_provider_callapi.exceptions import CallApiFailure

pytest_plugins = ["airflow_desk", "campaign_desk"]


@pytest.fixture
def desk(campaign_desk):
    return campaign_desk


class OutputOfATask:
    """Stands for Airflow's XComArg, without a database."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def resolve(self, context: Any) -> Any:
        return self._value


@pytest.mark.parametrize("name", ["14-nan.jsonl", "14-texts-of-a-data-frame.csv"])
def test_a_missing_value_of_a_data_frame_is_not_spoken(desk, name):
    summary = calls(desk, name).run()

    assert len(rung(desk)) == 1
    assert summary["results"]["invalid"] == summary["people"] - 1


class NaTType:
    """Like the missing date of pandas: no comparison with it is true."""

    def __eq__(self, other: object) -> bool:
        return False

    def __str__(self) -> str:
        return "NaT"

    __hash__ = None


class NAType:
    """Like the missing value of pandas: no comparison with it is true or false."""

    def __ne__(self, other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = None


def test_missing_values_of_a_data_frame_in_memory_are_empty(desk):
    missing = [math.nan, NAType(), NaTType(), None, "nan", math.inf, "\u200b"]
    rows = [{"phone": f"7926000000{n}", "name": value} for n, value in enumerate(missing)]

    blank = [{"phone": NAType()}, {"phone": NaTType()}, math.nan]
    summary = calls(desk, [*rows, PEOPLE[0] | {"phone": "79260000009"}, *blank]).run()

    assert rung(desk) == ["79260000009"]
    assert summary["results"]["invalid"] == len(missing)


def test_a_do_not_call_list_whose_task_returned_none_is_an_error(desk):
    task = calls(desk, do_not_call=[A])
    make = task.make

    def rendered() -> Any:
        operator = make()
        operator.do_not_call = None  # Airflow puts the XCom of the other task here
        return operator

    task.make = rendered
    with pytest.raises(CallApiFailure, match="do_not_call: the value is missing"):
        task.run()
    assert desk.sent() == []


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize(
    ("name", "value", "lost"),
    [
        ("do_not_call", "{{ params.x }}", "do_not_call"),
        ("do_not_call", {"blacklist": True, "list": "{{ params.x }}"}, r"do_not_call(\.list)?"),
        ("do_not_call", {"blacklist": True, "list": OutputOfATask(None)}, r"do_not_call\.list"),
        ("calling_hours", "{{ params.x }}", "calling_hours"),
        ("calling_hours", OutputOfATask(None), "calling_hours"),
        ("calling_days", OutputOfATask(None), "calling_days"),
        ("calling_days", {"days": ["mon"], "except": OutputOfATask(None)}, r"calling_days\.except"),
        ("calling_days", {"days": ["mon"], "except": "{{ params.x }}"}, r"calling_days(\.except)?"),
        ("shard", "{{ params.x }}", "shard"),
        ("shard", OutputOfATask(None), "shard"),
        ("ledger_conn_id", OutputOfATask(None), "ledger_conn_id"),
    ],
)
def test_no_limit_is_lifted_by_a_template_or_a_task_that_gives_none(desk, name, value, lost, native):
    """Without the list, the hours or the shard, people would be rung whom the DAG file protects."""
    with pytest.raises(CallApiFailure, match=f"^{lost}: "):
        rendered(desk, native, **{name: value}).run()

    assert desk.exchange.calls == []


def rendered(desk, native: bool, **changes: Any) -> Task:
    """Return a task whose templates get None as ``params.x``."""

    def make() -> Any:
        with DAG("dag", render_template_as_native_obj=native):
            operator = calls(desk, **changes).make()
        operator.render_template_fields({"params": {"x": None}})
        return operator

    return Task(desk, make)


@pytest.mark.parametrize("native", [True, False])
def test_a_cell_with_a_gap_is_empty(desk, native):
    """The rows of a list in the DAG file may contain templates."""
    people = [{"phone": A, "name": "Анна {{ params.x }}"}, {**PEOPLE[1], "note": "{{ params.x }}!"}]

    summary = rendered(desk, native, contacts=people).run()

    assert rung(desk) == [B]
    assert summary["results"]["invalid"] == 1


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize(
    "value",
    [
        ["7926000000{{ params.x }}"],
        [{"phone": "7926000000{{ params.x }}"}],
        {"blacklist": True, "list": ["7926000000{{ params.x }}"]},
        {"conn_id": "dwh", "sql": "SELECT phone FROM stop", "parameters": {"city": "{{ params.x }}!"}},
    ],
)
def test_a_do_not_call_list_with_a_gap_is_refused(desk, native, value):
    with pytest.raises(CallApiFailure, match=r"^do_not_call: .*a template that inserts an empty value"):
        rendered(desk, native, do_not_call=value).run()

    assert desk.sent() == []


def test_none_in_the_dag_file_itself_means_no_limit(desk):
    limits = {"calling_hours": None, "calling_days": None, "shard": None, "do_not_call": None}

    calls(desk, **limits).run()

    assert len(rung(desk)) == len(PEOPLE)
