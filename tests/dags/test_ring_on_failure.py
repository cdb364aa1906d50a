"""The example: real tasks fail in a real Airflow, and a phone rings at the emulator."""

from __future__ import annotations

import json

import pytest
from copied_examples import EXAMPLES

from airflow_provider_callapi.notifications.callapi import CallApiNotifier

EXAMPLE = EXAMPLES / "ring_on_failure.py"
CONTACT = "79161234567"


@pytest.fixture(autouse=True)
def short_settle(monkeypatch):
    """Shorten ``settle``: these tests have no rivals."""
    monkeypatch.setattr(
        CallApiNotifier.__init__, "__kwdefaults__", {**CallApiNotifier.__init__.__kwdefaults__, "settle": 0.1}
    )


@pytest.fixture(autouse=True)
def only_expected_rings(exchange):
    """An alert rings only the phones that its test names."""
    exchange.expect_no_other_rings()


def test_two_tasks_of_a_run_fail_and_the_phone_rings_once(run_dag, exchange):
    exchange.expect_ring(CONTACT)

    run = run_dag(EXAMPLE)

    assert run.states == {"load_orders": "failed", "load_prices": "failed"}
    assert exchange.rings(CONTACT) == 1


def test_the_next_run_rings_again(run_dag, exchange):
    exchange.expect_ring(CONTACT, times=2)

    run_dag(EXAMPLE)
    run_dag(EXAMPLE)

    assert exchange.rings(CONTACT) == 2


def test_no_phone_rings_for_a_run_without_failures(run_dag, exchange):
    assert run_dag(EXAMPLE, conf={"fails": False}).state == "success"

    assert exchange.rings(CONTACT) == 0


def test_the_contact_is_a_template(run_dag, exchange):
    exchange.expect_ring("79160000007")

    run_dag(EXAMPLE, conf={"contact": "79160000007"})

    assert (exchange.rings("79160000007"), exchange.rings(CONTACT)) == (1, 0)


def test_a_callback_of_a_dag_rings(run_dag, exchange):
    exchange.expect_ring("79160000009")

    run_dag(
        """
from airflow.sdk import DAG, task
from airflow_provider_callapi.notifications.callapi import CallApiNotifier

with DAG(
    "with_a_callback",
    on_failure_callback=CallApiNotifier(contact="79160000009", virtual_phone_number="74993720692"),
) as dag:
    @task
    def fails():
        raise RuntimeError
    fails()
"""
    )

    assert exchange.rings("79160000009") == 1


def test_the_variable_holds_the_placed_call(run_dag, exchange):
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session
    from sqlalchemy import select

    exchange.expect_ring(CONTACT)

    run_dag(EXAMPLE)

    with create_session() as session:
        names = session.scalars(select(Variable.key).where(Variable.key.startswith("callapi_alert_"))).all()
    claims = [json.loads(Variable.get(name)) for name in names]
    assert (exchange.calls[0].call_session_id, 1) in [
        (claim["call_session_id"], claim["person"]) for claim in claims
    ]
    assert exchange.calls[0].external_id.endswith("-1")


@pytest.mark.needs_airflow("3.3", "a list of Variables")
def test_the_next_call_deletes_an_expired_variable(run_dag, exchange):
    from airflow.models.variable import Variable

    claim = {"alert": "old", "by": "x", "at": 0.0, "until": 1.0, "person": 1, "call_session_id": 7}
    Variable.set("callapi_alert_old", json.dumps(claim))
    Variable.set("callapi_alert_of_the_author", "7")
    exchange.expect_ring(CONTACT)

    run_dag(EXAMPLE)

    assert Variable.get("callapi_alert_old", default_var=None) is None
    assert Variable.get("callapi_alert_of_the_author") == "7"
    Variable.delete("callapi_alert_of_the_author")
