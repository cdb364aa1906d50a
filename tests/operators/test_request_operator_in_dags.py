"""The operators in a DAG file: serialised, mapped, and parsed without a connection."""

from __future__ import annotations

import inspect
import json
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk import DAG, BaseOperator
from airflow_fakes import CONTACT
from request_operators import ALL, STARTS, make

from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.operators import call_control

try:
    from airflow.serialization.serialized_objects import DagSerialization
except ImportError:  # before 3.2
    from airflow.serialization.serialized_objects import SerializedDAG as DagSerialization

pytest_plugins = ["airflow_desk"]


@pytest.mark.parametrize("method", ALL)
def test_an_operator_survives_the_serialisation_of_its_dag(method):
    with DAG("serialised") as dag:
        make(method)

    plain = json.loads(json.dumps(DagSerialization.to_dict(dag)))
    task = DagSerialization.from_dict(plain).get_task("task")

    assert task.task_type == ALL[method][0].__name__
    assert set(task.template_fields) == set(ALL[method][0].template_fields)


def test_a_mapped_operator_survives_the_serialisation_of_its_dag():
    kind, params = STARTS["start.informer_call"]
    fixed = {name: value for name, value in params.items() if name != "contact"}
    with DAG("serialised") as dag:
        start = kind.partial(task_id="start", **fixed).expand(contact=[CONTACT, "79160000000"])
        call_control.CallApiTagCallOperator.partial(task_id="tag", tag_id=36).expand(
            call_session_id=start.output
        )

    loaded = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))

    assert loaded.get_task("start").is_mapped
    assert loaded.get_task("tag").upstream_task_ids == {"start"}


@pytest.mark.parametrize("method", ALL)
def test_the_constructor_of_an_operator_reads_no_connection_and_opens_no_socket(method, monkeypatch):
    def forbidden(*_: Any, **__: Any) -> Any:
        raise AssertionError("a DAG file is parsed every few seconds")

    monkeypatch.setattr(CallApiHook, "get_connection", forbidden)
    monkeypatch.setattr("requests.Session.send", forbidden)
    monkeypatch.setattr("socket.socket.connect", forbidden)

    make(method)


@pytest.mark.parametrize(
    "changes",
    [{"delivery": "twice"}, {"require_answer": True}, {"tags": {"answered": 36}}, {"recording_link": True}],
)
def test_contradictory_parameters_are_refused_when_the_dag_is_parsed(changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        make("start.informer_call", **changes)


def test_no_parameter_of_an_operator_has_the_name_of_an_airflow_parameter():
    """A method's field must not overwrite an attribute that Airflow reads, e.g. ``operator`` or ``queue``."""
    own = {name for name in inspect.signature(BaseOperator.__init__).parameters if name != "self"}
    for kind, params in ALL.values():
        clash = own & set(params)
        assert not clash, f"{kind.__name__}: {clash}"


def test_execution_timeout_and_retries_reach_the_base_operator(desk):
    operator = make("start.informer_call", execution_timeout=timedelta(seconds=5), retries=3)

    assert (operator.retries, operator.execution_timeout) == (3, timedelta(seconds=5))
