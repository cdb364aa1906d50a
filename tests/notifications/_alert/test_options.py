"""Optional fields that cannot be used do not silence an alert."""

from __future__ import annotations

import asyncio
import re

import pytest
from airflow.sdk import DAG
from airflow_fakes import VNUMBER
from failing_callbacks import (
    ON_DUTY,
    PATH,
    SECOND,
    SYNC_AND_ASYNC,
    Variables,
    notifier,
    of_deadline,
    of_task,
    rung,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.notifications._alert.alert_reason import AlertReason

pytest_plugins = ["airflow_desk"]


@SYNC_AND_ASYNC
@pytest.mark.parametrize(
    "message",
    [
        "{{ nonsense( }}",
        "{{ ti.task_id.oops }}",
        "{{ 1 / 0 }}",
        "{{ None }}",
        "",
        " ",
        {"type": "video", "value": "1"},
    ],
)
def test_a_message_that_cannot_be_rendered_or_spoken_becomes_the_default_text(
    desk, spoken, log, message, ring
):
    ring(notifier(message=message), of_deadline())

    assert spoken == [AlertReason.from_context(of_deadline()).text]
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
    assert "external_id: contains the phone number" in log()
    assert ON_DUTY not in log()


UNUSABLE = {
    "acknowledged_by": ["tag:x", "tag:5", "", 5, ["operation:A", 5], {}, [], True],
    "scenario_id": ["abc", 0, -1, "", True, 1.5, [], {}],
    "quiet_for": ["soon", -1, None, True],
    "settle": [None, 61, "x"],
    "report_timeout": [None, "x"],
    "message": [{"type": "tts"}, 5.5, ["a"], True, {}],
    "external_id": [" ", ["x"], {}, True, 1.5],
    "dialing_timeout": ["abc", True, 0, 121, [], 1.5],
    "region": ["XX", "ru", "", None, 7, ["RU"], "{{ 1 / 0 }}", "{{ var.value.nowhere }}"],
}
"""Optional parameters of the notifier, with values that cannot be used."""


@pytest.mark.needs_airflow("3.2", "CallbackTrigger, which runs a deadline's callback")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(
    changes=st.fixed_dictionaries({}, optional={name: st.sampled_from(UNUSABLE[name]) for name in UNUSABLE})
)
def test_no_optional_parameter_of_a_deadlines_callback_prevents_its_alert(desk, changes):
    """Airflow makes the notifier of a deadline only when the deadline is missed."""
    desk.exchange.reset()
    Variables.values.clear()

    missed_deadline(contact=ON_DUTY, **changes)

    assert rung(desk) == [ON_DUTY]


@pytest.mark.parametrize(
    ("name", "value", "consequence"),
    [
        ("acknowledged_by", "tag:x", "an answer acknowledges the alert"),
        ("scenario_id", "menu", "only the message is spoken"),
        ("quiet_for", "soon", "the default (900 s) is used"),
        ("settle", 61, "the default (4 s) is used"),
        ("report_timeout", -1, "the default (30 s) is used"),
        ("external_id", ["x"], "the id of the DAG run is used"),
        ("dialing_timeout", 121, "the service's default is used"),
        ("region", "XX", "only numbers with a country code are called"),
    ],
)
def test_the_log_of_an_alert_names_each_parameter_that_cannot_be_used(desk, log, name, value, consequence):
    notifier(context=of_deadline(), **{name: value})(of_deadline())

    [line] = [line for line in log().splitlines() if consequence in line]
    assert re.search(rf"\b{name}\b", line)
    assert rung(desk) == [ON_DUTY]


@pytest.mark.needs_airflow("3.2", "CallbackTrigger, which runs a deadline's callback")
@pytest.mark.parametrize("wrong", ["abc", "8 916 000-00-0", "12"])
def test_a_wrong_number_of_a_deadlines_callback_does_not_keep_the_others_from_being_rung(desk, log, wrong):
    missed_deadline(contact=[wrong, SECOND])

    assert rung(desk) == [SECOND]
    assert "Person 1 of 2 cannot be called for the missed deadline of DAG sales" in log()


@pytest.mark.parametrize("region", ["{{ 'XX' }}", "{{ 1 / 0 }}"])
@SYNC_AND_ASYNC
def test_an_alert_whose_region_is_unknown_guesses_no_country_code(desk, log, region, ring):
    desk.exchange.default_script = Script.busy()

    ring(notifier(["9160000009", "8 916 000-00-08", "+49 30 12345678", SECOND], region=region), of_task())

    assert rung(desk) == ["493012345678", SECOND]
    assert "only numbers with a country code are called" in log()
    assert "contact: a number without a country code" in log()


def missed_deadline(**parameters):
    """Run the callback of a missed deadline as Airflow's triggerer does."""
    from airflow.triggers.callback import CallbackTrigger

    given = {"virtual_phone_number": VNUMBER, "context": of_deadline(), **parameters}

    async def run():
        async for _ in CallbackTrigger(PATH, given).run():
            pass

    asyncio.run(run())


@pytest.mark.parametrize("native", [False, True])
def test_alerts_whose_own_id_has_a_gap_do_not_silence_each_other(desk, log, native):
    dag = DAG("sales", render_template_as_native_obj=native)
    for run_id in ("one", "two"):
        notifier(external_id="incident-{{ incident }}")(
            {**of_task(run_id=run_id), "dag": dag, "incident": None}
        )

    assert rung(desk) == [ON_DUTY, ON_DUTY]
    assert "external_id: a text that is not empty is needed" in log()
