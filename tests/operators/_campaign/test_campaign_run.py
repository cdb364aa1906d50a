"""One try of a campaign: who is called, how often, and how many at once."""

from __future__ import annotations

import pytest
from airflow_fakes import VNUMBER, TaskInstance
from campaign_desk import (
    PEOPLE,
    campaign,
    counted,
    in_seconds,
    result_table,
    rings,
)

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.operators._campaign import services

pytest_plugins = ["airflow_desk", "campaign_desk"]


def test_each_person_is_called_once_and_redialled_after_a_busy_line(desk, tmp_path):
    desk.exchange.script(PEOPLE[0], Script.busy())
    desk.exchange.script(PEOPLE[1], Script.no_answer())

    summary = campaign(
        desk,
        redial={"busy": 60, "not_reached": None},
        max_attempts=2,
        results=f"file://{tmp_path}/results.csv",
        report=f"file://{tmp_path}/report.html",
    ).run()

    assert rings(desk) == [2, *[1] * 11]
    assert counted(summary) == {"answered": 10, "busy": 1, "not_reached": 1}
    assert (summary["calls"], summary["people"], summary["answered_share"]) == (13, 12, 0.8333)
    assert result_table(tmp_path / "results.csv") == {
        **dict.fromkeys(PEOPLE, "answered"),
        PEOPLE[0]: "busy",
        PEOPLE[1]: "not_reached",
    }
    assert "<html" in (tmp_path / "report.html").read_text("utf-8")


@pytest.mark.parametrize("reason", ["subscriber_number_problems", "caller_number_problems"])
def test_a_number_that_does_not_exist_is_called_once_on_each_brand_of_the_vendor(desk, reason):
    desk.exchange.script(PEOPLE[0], Script(rings=1, fails_with=reason))

    summary = campaign(desk, contacts=PEOPLE[:1], max_attempts=3).run()

    assert desk.exchange.rings(PEOPLE[0]) == 1
    assert counted(summary) == {"wrong_number": 1}


@pytest.mark.parametrize("reason", ["operator_not_responsible", "operator_not_responsive"])
def test_an_employee_who_does_not_answer_is_our_side_on_each_brand_of_the_vendor(desk, reason):
    desk.exchange.script(PEOPLE[0], Script(employee_rings=1, employee_fails_with=reason))
    employee = {"id": next(iter(desk.exchange.account.employees))}
    call = {"method": "start.employee_call", "first_call": "employee", "employee": employee}

    summary = campaign(
        desk, contacts=PEOPLE[:1], call={**call, "virtual_phone_number": VNUMBER}, max_attempts=1
    ).run()

    assert counted(summary) == {"our_side_did_not_answer": 1}


def test_each_person_of_a_file_gets_a_personal_text(desk, tmp_path):
    people = tmp_path / "people.csv"
    people.write_text("phone;name\n8 (916) 000-00-00;Anna\n+79160000001;Boris\n", "utf-8-sig")
    message = {"type": "tts", "value": "Hello {{ contact.name }}"}

    campaign(
        desk,
        contacts=f"file://{people}",
        call={
            "method": "start.informer_call",
            "virtual_phone_number": VNUMBER,
            "contact_message": message,
            "external_id": "{{ contact.name }}",
        },
    ).run()

    assert {call.external_id: call.contact for call in desk.exchange.calls} == {
        "Anna": PEOPLE[0],
        "Boris": PEOPLE[1],
    }


def test_shards_divide_the_list_and_call_each_person_once(desk):
    for number in (1, 2, 3):
        campaign(desk, shard=f"{number}/3", ti=TaskInstance(map_index=number)).run()

    assert rings(desk) == [1] * 12


def test_another_run_is_another_campaign(desk):
    campaign(desk).run()
    campaign(desk, campaign="autumn").run()

    assert rings(desk) == [2] * 12


def test_a_person_who_joins_the_do_not_call_list_is_no_longer_called(desk, tmp_path):
    stop = tmp_path / "stop.csv"
    stop.write_text("phone\n8 916 000-00-00\n", "utf-8")
    in_seconds(desk, 100, lambda: stop.write_text(f"phone\n{PEOPLE[0]}\n{PEOPLE[-1]}\n", "utf-8"))

    summary = campaign(desk, do_not_call=f"file://{stop}", max_active_calls=1).run()

    assert rings(desk) == [0, *[1] * 10, 0]
    assert counted(summary) == {"answered": 10, "do_not_call": 2}


def test_a_do_not_call_list_that_is_away_for_a_while_pauses_the_dialling(desk, tmp_path, capsys):
    path = tmp_path / "stop.csv"
    path.write_text(f"phone\n{PEOPLE[-1]}\n")
    in_seconds(desk, 70, path.unlink)
    in_seconds(desk, 400, lambda: path.write_text(f"phone\n{PEOPLE[-2]}\n"))
    calls = campaign(desk, do_not_call=f"file://{path}", max_active_calls=2)
    began = desk.clock()

    assert counted(calls.run()) == {"answered": 10, "do_not_call": 2}

    assert rings(desk) == [1] * 10 + [0, 0]
    dialled = [call.started_at - began for call in desk.exchange.calls]
    assert not [at for at in dialled if 140 < at < 390], "it is read once a minute"
    assert "dialling waits for the do_not_call list" in capsys.readouterr().out


def test_a_long_call_does_not_delay_the_redials_of_other_people(desk):
    """A person with a busy line is redialled in time, even if another person talks for long."""
    desk.exchange.script(PEOPLE[0], Script(rings=1, talks=3000))
    desk.exchange.script(PEOPLE[1], Script.busy(rings=30))
    calls = campaign(desk, contacts=PEOPLE[:2], deferrable=True, redial={"busy": 120}, max_attempts=2)

    calls.run()

    first, again = [call.started_at for call in desk.exchange.calls if call.contact == PEOPLE[1]]
    assert again - first < 600


@pytest.mark.parametrize("most", [1, 3])
def test_the_number_of_start_requests_that_wait_for_an_answer_at_once_is_limited(desk, monkeypatch, most):
    batches = []
    start = services.CampaignServices.start

    def starting(self, requests):
        batches.append(len(requests))
        return start(self, requests)

    monkeypatch.setattr(services.CampaignServices, "start", starting)

    assert counted(campaign(desk, max_starts_at_once=most).run()) == {"answered": 12}
    assert max(batches) == most
    assert rings(desk) == [1] * 12


@pytest.mark.parametrize("deferrable", [False, True])
def test_an_answered_call_is_tagged_while_it_is_active_without_the_data_api(desk, deferrable):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script(rings=20, talks=90)
    calls = campaign(desk, contacts=PEOPLE[:3], deferrable=deferrable, tags={"answered": 36})

    assert counted(calls.run()) == {"answered": 3}
    assert desk.sent().count("tag.call") == 3
    assert bool(calls.deferrals) is deferrable


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize("hours", [1, 24])
def test_a_campaign_goes_on_at_once_after_the_workers_clock_was_set_back(
    desk, monkeypatch, hours, deferrable
):
    """Otherwise, the campaign would dial no one until the clock shows the old time again."""
    ahead = [hours * 3600.0]

    def set_back() -> None:
        ahead[0] = 0.0

    in_seconds(desk, 20, set_back)
    monkeypatch.setattr(system_clock, "now", lambda: desk.clock() + ahead[0])
    desk.exchange.script(PEOPLE[0], Script.busy())
    began = desk.clock()

    summary = campaign(
        desk,
        max_active_calls=2,
        max_attempts=2,
        redial={"busy": 120},
        deferrable=deferrable,
        max_lateness=None,
    ).run()

    assert counted(summary) == {"answered": 11, "busy": 1}
    assert rings(desk) == [2, *[1] * 11]
    assert desk.clock() - began < 900
