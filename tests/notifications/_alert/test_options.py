"""Optional fields that cannot be used do not silence an alert."""

from __future__ import annotations

import pytest
from failing_callbacks import ON_DUTY, SYNC_AND_ASYNC, notifier, of_deadline, of_task, rung

from airflow_provider_callapi.emulator import Fault
from airflow_provider_callapi.notifications._alert.failure import Failure

pytest_plugins = ["airflow_desk"]


@SYNC_AND_ASYNC
@pytest.mark.parametrize(
    "message",
    ["{{ nonsense( }}", "{{ ti.task_id.oops }}", "{{ 1 / 0 }}", "", " ", {"type": "video", "value": "1"}],
)
def test_a_message_that_cannot_be_rendered_or_spoken_becomes_the_default_text(
    desk, spoken, log, message, ring
):
    ring(notifier(message=message), of_deadline())

    assert spoken == [Failure.from_context(of_deadline()).text]
    assert "the default text is spoken" in log()


def test_an_external_id_that_cannot_be_rendered_becomes_the_default_id_of_the_run(desk):
    notifier(external_id="{{ nothing.at.all }}")(of_task())
    notifier()(of_task("another"))

    assert rung(desk) == [ON_DUTY]


@SYNC_AND_ASYNC
def test_an_external_id_that_contains_the_number_of_a_person_becomes_the_default_id_of_the_run(
    desk, log, ring
):
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")

    ring(notifier("{{ duty }}", external_id="duty-{{ duty }}"), {**of_task(), "duty": ON_DUTY})

    assert rung(desk) == [ON_DUTY]
    assert not desk.exchange.calls[0].external_id.startswith("duty")
    assert "external_id: holds the phone number" in log()
    assert ON_DUTY not in log()
