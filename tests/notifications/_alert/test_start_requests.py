"""One start request per valid contact."""

from __future__ import annotations

import pytest
from airflow.sdk import DAG
from failing_callbacks import (
    ALL_CONTACTS,
    ON_DUTY,
    SECOND,
    SYNC_AND_ASYNC,
    THIRD,
    notifier,
    of_dag,
    of_task,
    rung,
)
from lone_surrogates import HALF, OF_A_FILE_NAME

from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.exceptions import InvalidParameter

pytest_plugins = ["airflow_desk"]


def test_one_text_may_hold_several_contacts(desk):
    desk.exchange.default_script = Script.busy()

    notifier(f"{ON_DUTY}, {SECOND}\n{THIRD},")(of_dag())

    assert rung(desk) == ALL_CONTACTS


@pytest.mark.parametrize("contact", ["{{ duty }}", ON_DUTY, int(ON_DUTY), f"{ON_DUTY},{SECOND}"])
def test_a_contact_that_a_native_template_renders_as_an_int_is_a_phone_number(desk, contact):
    context = of_task(dag=DAG("sales", render_template_as_native_obj=True), duty=ON_DUTY)

    notifier(contact)(context)

    assert rung(desk)[0] == ON_DUTY


def test_an_invalid_contact_is_logged_and_the_others_are_called(desk, log):
    notifier(["{{ 12 }}", SECOND])(of_dag())

    assert rung(desk) == [SECOND]
    assert "Person 1 of 2 cannot be called for DAG sales" in log()


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        ("{{ ti.task_id }} упала", {"type": "tts", "value": "load упала"}),
        ({"type": "media", "value": "2034"}, {"type": "media", "value": "2034"}),
    ],
)
def test_the_message_is_a_template_or_a_media_file(desk, monkeypatch, message, sent):
    seen = []
    monkeypatch.setattr(StartInformerCall, "from_values", lambda values: seen.append(values) or 1 / 0)

    notifier(message=message)(of_task())

    assert seen[0]["contact_message"] == sent


@pytest.mark.parametrize(
    "parameters",
    [
        *({"dialing_timeout": value} for value in ("", "half a minute", 0, 150, 500, [30], True)),
        *({"external_id": value} for value in (1.5, ["a"], True, " ")),
    ],
)
def test_a_constant_that_cannot_be_used_is_an_error_of_the_dag_file(parameters):
    with pytest.raises(InvalidParameter, match=f"^{next(iter(parameters))}: "):
        notifier(**parameters)


@pytest.mark.parametrize(
    "seconds",
    ["{{ '' }}", "{{ None }}", "{{ 1 / 0 }}", "{{ 'half a minute' }}", "{{ 0 }}", "{{ 150 }}"],
)
def test_an_invalid_dialing_timeout_becomes_the_services_default(desk, seconds):
    desk.exchange.script(ON_DUTY, Script.busy())

    notifier([ON_DUTY, SECOND], dialing_timeout=seconds)(of_task())

    assert rung(desk) == [ON_DUTY, SECOND]


@SYNC_AND_ASYNC
@pytest.mark.parametrize(
    "message",
    ["Упала: {{ exception }}", {"type": "tts", "value": "Упала: {{ exception }}"}],
    ids=["text", "dict"],
)
def test_an_alert_about_an_error_with_half_of_a_character_rings_and_replaces_the_half(
    desk, spoken, ring, message
):
    context = of_task(exception=ValueError(f"нет файла {OF_A_FILE_NAME}"))

    ring(notifier(message=message), context)

    assert rung(desk) == [ON_DUTY]
    assert spoken == ["Упала: нет файла /data/\ufffd\ufffd.csv"]


@pytest.mark.parametrize(
    "message",
    [{"type": "text", "value": ON_DUTY}, {"type": "tts"}, {"type": "tts", "value": " "}, 5.5, [ON_DUTY]],
)
def test_an_invalid_message_is_logged_in_one_line_without_its_value(desk, log, message):
    notifier(message=message)(of_task())

    lines = [line for line in log().splitlines() if "so the default text is spoken" in line]
    assert lines
    assert all("message" in line for line in lines)
    assert "Value error" not in log()
    assert ON_DUTY not in log()
    assert rung(desk) == [ON_DUTY]


def test_an_alert_whose_id_or_first_contact_has_half_of_a_character_rings_the_others(desk):
    desk.exchange.default_script = Script.busy()

    notifier(["{{ cut }}", SECOND], external_id="sales-{{ cut }}")(of_task(cut=f"{ON_DUTY}{HALF}"))

    assert rung(desk) == [SECOND]
