"""An escalation: who is called next, also after a restart of the triggerer."""

from __future__ import annotations

import re

import pytest
from failing_callbacks import (
    ALL_CONTACTS,
    ON_DUTY,
    SECOND,
    SYNC_AND_ASYNC,
    Variables,
    in_the_triggerer,
    notifier,
    of_dag,
    of_deadline,
    of_task,
    rung,
)
from structlog.testing import capture_logs

from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.notifications._alert import answer_wait

pytest_plugins = ["airflow_desk"]


@SYNC_AND_ASYNC
def test_the_next_person_is_called_after_no_answer_and_none_after_an_answer(desk, ring):
    desk.exchange.script(ON_DUTY, Script.no_answer())
    desk.exchange.script(SECOND, Script(rings=5, talks=30))

    ring(notifier(ALL_CONTACTS), of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]


@SYNC_AND_ASYNC
def test_the_log_has_one_line_for_each_call(desk, ring, log):
    desk.exchange.script(ON_DUTY, Script.busy())

    ring(notifier([ON_DUTY, SECOND]), of_dag())

    told = re.findall(r"Alert for DAG sales, run \S+: (.*call session \d+|.*attempt.*)", log())
    lines = [*dict.fromkeys(told)]  # Airflow 3.0 logs each line in two places
    assert len(lines) == 2
    for person, line in enumerate(lines, 1):
        assert re.fullmatch(rf"calling person {person} of 2 \(\d+…\d+\), call session \d+", line)


@SYNC_AND_ASYNC
def test_the_next_person_is_called_at_once_after_a_busy_line(desk, ring):
    desk.exchange.script(ON_DUTY, Script.busy(rings=2))
    began = desk.clock()

    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]
    assert desk.clock() - began < 20


@SYNC_AND_ASYNC
def test_the_next_person_is_called_after_a_refused_call(desk, ring):
    desk.exchange.account.blacklist.add(ON_DUTY)

    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [SECOND]


@SYNC_AND_ASYNC
def test_an_unconfirmed_call_is_found_and_its_person_is_not_called_twice(desk, ring):
    desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")

    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [ON_DUTY]


@SYNC_AND_ASYNC
def test_the_call_to_one_person_is_not_adopted_as_the_unconfirmed_call_to_the_next(desk, monkeypatch, ring):
    desk.exchange.script(ON_DUTY, Script.busy())
    watch = answer_wait.watch_of

    def and_the_next_start_is_lost(*args):
        desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")
        return watch(*args)

    monkeypatch.setattr(answer_wait, "watch_of", and_the_next_start_is_lost)
    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]


@SYNC_AND_ASYNC
def test_the_next_person_is_called_after_an_unresolved_call(desk, ring, log):
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")

    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [SECOND]
    lines = log()
    assert re.search(r"no confirmed call to person 1 of 2 .*The phone may have rung: search", lines)
    assert "clear this task" not in lines, "no task has placed the call"


@SYNC_AND_ASYNC
def test_the_last_person_is_called_again_after_an_unresolved_call(desk, ring):
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")

    ring(notifier(), of_dag())

    assert rung(desk) == [ON_DUTY]


def test_a_text_above_the_tariffs_length_is_cut_and_the_phone_rings_once(desk, spoken, log):
    desk.exchange.account.tts_max_length = 20

    notifier(message="{{ exception }}")(of_task(exception="x" * 6000))

    assert (spoken, rung(desk)) == (["x" * 20], [ON_DUTY])
    assert "tts_text_exceeded" in log()


def test_a_missing_media_file_becomes_the_default_text_cut_to_the_tariffs_length(desk, spoken):
    desk.exchange.account.tts_max_length = 20

    notifier(message={"type": "media", "value": "999999"})(of_dag())

    assert spoken == ["Внимание! Ошибка в A"]


@SYNC_AND_ASYNC
def test_the_calls_of_an_alert_are_logged_as_every_call_is(desk, ring):
    desk.exchange.script(ON_DUTY, Script.busy())
    desk.exchange.script(SECOND, Script(rings=5, talks=30))
    with capture_logs() as lines:
        ring(notifier(ALL_CONTACTS, external_id="night"), of_dag())

    logged = [(line["event"], line["external_id"]) for line in lines if line.get("logger_name") == "callapi"]
    assert ("call ended", "night-1") in logged
    assert logged[-1] == ("call answered", "night-2")


@pytest.fixture(params=["with the Data API", "without it", "without Variables"])
def restart(request, desk, monkeypatch):
    """Return a function that rings for a deadline and stops the triggerer during the wait for the answer."""
    desk.connect(extra={"data_api": request.param == "with the Data API"})
    monkeypatch.setattr(Variables, "broken", request.param == "without Variables")

    def act(contact):
        with monkeypatch.context() as stopped:
            stopped.setattr(answer_wait, "watch_of", lambda *_: (_ for _ in ()).throw(SystemExit))
            with pytest.raises(SystemExit):
                in_the_triggerer(notifier(contact), of_deadline())

    return act


def test_an_alert_watches_the_active_call_after_a_restart_and_then_calls_the_next_person(desk, restart):
    desk.exchange.script(ON_DUTY, Script.no_answer())
    restart(ALL_CONTACTS)
    desk.sleep(5)
    in_the_triggerer(notifier(ALL_CONTACTS), of_deadline())

    assert rung(desk) == [ON_DUTY, SECOND]


def test_an_alert_calls_no_one_after_a_restart_if_a_person_has_answered(desk, restart):
    desk.exchange.script(ON_DUTY, Script(rings=10, talks=60))
    restart(ALL_CONTACTS)
    in_the_triggerer(notifier(ALL_CONTACTS), of_deadline())

    assert rung(desk) == [ON_DUTY]


@pytest.mark.parametrize("restart", ["with the Data API", "without it"], indirect=True)
def test_an_alert_calls_the_next_person_after_a_restart_if_the_call_has_ended(desk, restart):
    desk.exchange.script(ON_DUTY, Script.busy())
    restart(ALL_CONTACTS)
    desk.sleep(120)
    in_the_triggerer(notifier(ALL_CONTACTS), of_deadline())

    assert rung(desk) == [ON_DUTY, SECOND]


@pytest.mark.parametrize("restart", ["with the Data API"], indirect=True)
def test_an_answer_during_a_restart_is_found_in_the_data_api(desk, restart):
    desk.exchange.script(ON_DUTY, Script(rings=5, talks=20))
    restart(ALL_CONTACTS)
    desk.sleep(120)
    in_the_triggerer(notifier(ALL_CONTACTS), of_deadline())

    assert rung(desk) == [ON_DUTY]


def test_an_alert_calls_no_one_after_a_restart_if_it_called_the_last_person(desk, restart):
    desk.exchange.default_script = Script.no_answer()
    restart([ON_DUTY, SECOND])
    desk.sleep(5)
    for _ in range(2):
        in_the_triggerer(notifier([ON_DUTY, SECOND]), of_deadline())

    assert rung(desk) == [ON_DUTY, SECOND]
