"""Which calls count as answered."""

from __future__ import annotations

from failing_callbacks import ON_DUTY, SECOND, SYNC_AND_ASYNC, notifier, of_dag, rung

from airflow_provider_callapi.api.methods import Component
from airflow_provider_callapi.emulator import Script

pytest_plugins = ["airflow_desk"]


@SYNC_AND_ASYNC
def test_without_the_data_api_an_answer_between_two_polls_does_not_count(desk, ring):
    desk.connect(extra={"data_api": False})
    desk.exchange.script(ON_DUTY, Script(rings=0.1, talks=0.1))

    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]


@SYNC_AND_ASYNC
def test_with_the_data_api_an_answer_between_two_polls_counts(desk, ring):
    desk.exchange.script(ON_DUTY, Script(rings=0.1, talks=0.1))

    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [ON_DUTY]


def test_a_call_that_cannot_be_polled_does_not_count_as_answered(desk):
    desk.exchange.account.components_off.add(Component.MANAGEMENT)

    notifier([ON_DUTY, SECOND])(of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]
