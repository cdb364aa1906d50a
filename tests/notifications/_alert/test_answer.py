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


@SYNC_AND_ASYNC
def test_an_answer_that_is_reported_some_seconds_after_the_end_counts(desk, ring):
    desk.exchange.report_lag = 3.0
    desk.exchange.script(ON_DUTY, Script(rings=0.1, talks=0.1))

    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [ON_DUTY]


def test_a_report_that_does_not_come_delays_the_next_person_by_six_seconds_at_most(desk):
    desk.exchange.script(ON_DUTY, Script.busy(4))
    begins = []
    for report_lag in (0.0, 1_000.0):
        desk.exchange.report_lag = report_lag
        before = desk.clock()
        notifier([ON_DUTY, SECOND], quiet_for=0)(of_dag())
        begins.append(desk.clock() - before)

    assert rung(desk) == [ON_DUTY, SECOND] * 2
    assert begins[1] - begins[0] == 6.0


def test_a_call_that_cannot_be_polled_does_not_count_as_answered(desk):
    desk.exchange.account.components_off.add(Component.MANAGEMENT)

    notifier([ON_DUTY, SECOND])(of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]
