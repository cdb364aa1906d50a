"""A campaign as a task: its parameters, its log and its files; its waits, its kills and its next tries."""

from __future__ import annotations

import csv
import json
import re
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.exceptions import TaskDeferred
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
    AirflowTaskTimeout,
)
from airflow_fakes import TTS, VNUMBER, TaskInstance
from campaign_desk import A_TALK, PEOPLE, campaign, in_seconds

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.calls.answers import FinishedCall
from airflow_provider_callapi.calls.campaign.attempt_ids import fingerprint
from airflow_provider_callapi.deployment_settings import read_deployment
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble, CallTooLate, InvalidParameter
from airflow_provider_callapi.operators._campaign import run, services
from airflow_provider_callapi.operators._campaign.contact_list import read_rows
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator
from airflow_provider_callapi.triggers.campaign import CallApiCampaignTrigger

pytest_plugins = ["airflow_desk", "campaign_desk"]

PLAIN_CALL = {"method": "start.informer_call", "virtual_phone_number": VNUMBER, "contact_message": TTS}
PHONE = re.compile(r"7916000\d{4}")
TASK_STATE = pytest.mark.needs_airflow("3.3", "task state")
BEFORE_NOON = 1_760_000_000.0
"""When the desk's clock begins: Thursday, 9 October 2025, 11:53:20 in Moscow."""
AT_SIX = 1_760_022_000.0


class KilledError(BaseException):
    """The worker's process ends here."""


def kill_the_worker() -> None:
    raise KilledError


@pytest.fixture
def desk(campaign_desk):
    return campaign_desk


def rings(desk) -> list[int]:
    return [desk.exchange.rings(phone) for phone in PEOPLE]


def counted(summary: dict[str, Any]) -> dict[str, int]:
    return {name: number for name, number in summary["results"].items() if number}


def table(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["phone"]: row["call_result"] for row in csv.DictReader(file)}


# --- templates that a mistake has disabled ---


@pytest.mark.parametrize(
    ("options", "where"),
    [
        (
            {"contact_message": {"type": "tts", "value": "Hello { contact.name }"}},
            "call.contact_message.value",
        ),
        (
            {"contact_message": {"type": "tts", "value": "{{ ds }}: Hello {name}"}},
            "call.contact_message.value",
        ),
        ({"external_id": "order-{ contact.order }"}, "call.external_id"),
    ],
)
def test_a_field_of_the_call_with_a_name_in_single_braces_rings_nobody(desk, options, where):
    call = {"method": "start.informer_call", "virtual_phone_number": VNUMBER, "contact_message": TTS}

    with pytest.raises(CallApiFailure, match=f"{where}: a name is in single braces"):
        campaign(desk, call={**call, **options}).run()

    assert rings(desk) == [0] * len(PEOPLE)


def test_a_campaign_does_not_take_an_f_strings_rest_for_the_same_name_in_every_run(desk):
    with pytest.raises(CallApiFailure, match="campaign: a name is in single braces"):
        campaign(desk, campaign="spring-{ ds }", ledger_conn_id="ledger").run()


def test_a_row_may_contain_a_name_in_single_braces(desk):
    call = {"method": "start.informer_call", "virtual_phone_number": VNUMBER}
    spoken = {**call, "contact_message": {"type": "tts", "value": "Hello {{ contact.name }}"}}

    summary = campaign(desk, call=spoken, contacts=[{"phone": PEOPLE[0], "name": "{x}"}]).run()

    assert counted(summary) == {"answered": 1}


# --- each person is called once ---


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
    assert table(tmp_path / "results.csv") == {
        **dict.fromkeys(PEOPLE, "answered"),
        PEOPLE[0]: "busy",
        PEOPLE[1]: "not_reached",
    }
    assert "<html" in (tmp_path / "report.html").read_text("utf-8")


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


def test_a_list_without_people_skips_the_task_and_leaves_a_summary_and_a_file(desk, tmp_path):
    calls = campaign(desk, contacts=[], results=f"file://{tmp_path}/results.jsonl")
    with pytest.raises(AirflowSkipException, match="the list is empty"):
        calls.run()

    summary = calls.ti.xcoms["return_value"]
    assert (summary["people"], summary["unreached_share"]) == (0, 0.0)
    assert (tmp_path / "results.jsonl").read_text("utf-8") == ""


def test_shards_divide_the_list_and_call_each_person_once(desk):
    for number in (1, 2, 3):
        campaign(desk, shard=f"{number}/3", ti=TaskInstance(map_index=number)).run()

    assert rings(desk) == [1] * 12


@pytest.mark.parametrize("cells", ["Boris;", "Boris;;  ;"])
def test_separators_behind_the_last_value_are_ignored(desk, tmp_path, cells):
    path = tmp_path / "people.csv"
    path.write_text(f"phone;name\n{PEOPLE[0]};Anna\n{PEOPLE[1]};{cells}\n", "utf-8")

    assert counted(campaign(desk, contacts=f"file://{path}", do_not_call=f"file://{path}").run()) == {
        "do_not_call": 2
    }
    assert counted(campaign(desk, campaign="all", contacts=f"file://{path}").run()) == {"answered": 2}


def test_a_list_with_a_row_of_more_values_than_columns_is_refused(desk, tmp_path):
    """An unquoted comma: what is spoken would be of another column."""
    path = tmp_path / "people.csv"
    path.write_text(f"phone,name,debt\n{PEOPLE[0]},Anna,100\n{PEOPLE[1]},Smith, Boris,100\n", "utf-8")

    with pytest.raises(CallApiFailure, match="contacts, line 3: more values than columns"):
        campaign(desk, contacts=f"file://{path}").run()

    assert desk.sent() == []


def test_a_person_who_joins_the_do_not_call_list_is_no_longer_called(desk, tmp_path):
    stop = tmp_path / "stop.csv"
    stop.write_text("phone\n8 916 000-00-00\n", "utf-8")
    in_seconds(desk, 100, lambda: stop.write_text(f"phone\n{PEOPLE[0]}\n{PEOPLE[-1]}\n", "utf-8"))

    summary = campaign(desk, do_not_call=f"file://{stop}", max_active_calls=1).run()

    assert rings(desk) == [0, *[1] * 10, 0]
    assert counted(summary) == {"answered": 10, "do_not_call": 2}


# --- before ---


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_dry_run_returns_the_forecast_and_dials_no_one(desk, tmp_path):
    rehearsal = campaign(
        desk,
        dry_run=True,
        contacts=[*PEOPLE, PEOPLE[3], "nonsense"],
        do_not_call=PEOPLE[:2],
        results=f"file://{tmp_path}/results.csv",
        deferrable=True,
        calling_hours=("09:00", "10:00"),
    )

    summary = rehearsal.run()

    assert counted(summary) == {"not_called": 10, "do_not_call": 2, "invalid": 1}
    assert (summary["to_be_called"], summary["points_needed"], summary["minutes_needed"]) == (10, 10, 1)
    assert summary["problems"] == []
    assert desk.sent() == ["get.virtual_numbers"]
    assert (rehearsal.deferrals, rehearsal.state.values) == ([], {})
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_that_begins_during_a_campaign_stops_dialling_and_judges_the_calls(desk, tmp_path):
    """A template may read a Variable that someone switches on to stop all calls."""
    results = tmp_path / "results.csv"
    more = {"max_active_calls": 1, "redial": None, "results": f"file://{results}", "tags": {"answered": 36}}
    calls = campaign(desk, contacts=PEOPLE[:2], deferrable=True, calling_hours=("09:00", "11:54"), **more)
    make = calls.make

    def switched_on_after_the_first_call() -> Any:
        operator = make()
        operator.is_dry_run = str(bool(desk.exchange.calls))
        return operator

    calls.make = switched_on_after_the_first_call
    with pytest.raises(CallApiFailure, match="The campaign was stopped: dry_run has become true"):
        calls.run()

    assert calls.deferrals
    assert len(desk.exchange.calls) == 1
    assert desk.sent().count("tag.call") + desk.sent().count("set.tag_communications") == 1
    assert "answered" in results.read_text()


NAMED = {
    "method": "start.employee_call",
    "first_call": "contact",
    "virtual_phone_number": "{{ contact.number }}",
    "employee": {"id": 5},
    "contact_message": {"type": "media", "value": "6"},
}
NAMED_PEOPLE = [
    {"phone": phone, "number": number}
    for phone, number in zip(PEOPLE, ["74951045771", VNUMBER, "74990000000"], strict=False)
]
PROBLEMS = [
    "The account has no virtual number 7499…0000: `airflow callapi numbers` lists its numbers.",
    "The virtual number 7495…5771 is off (manual_lock).",
    "The account has no employee 5.",
    "The account has no media file 6.",
    "The account has no tag 7.",
]


@pytest.mark.parametrize("dry_run", [True, False])
def test_the_log_names_what_is_missing_in_the_account_before_the_first_call(desk, capsys, dry_run):
    desk.exchange.account.locked.add("74951045771")
    task = campaign(
        desk, dry_run=dry_run, call=NAMED, contacts=NAMED_PEOPLE, tags={"answered": 7}, max_attempts=1
    )

    if dry_run:
        assert task.run()["problems"] == PROBLEMS
    else:
        with pytest.raises(CallApiFailure):
            task.run()

    before, _, _ = capsys.readouterr().out.partition("start.employee_call: ")
    for problem in PROBLEMS:
        assert problem in before
    starts = [name for name in desk.sent() if name.startswith("start.")]
    assert bool(starts) is not dry_run


def test_the_log_names_an_account_list_that_may_not_be_read_and_the_campaign_continues(desk, capsys):
    desk.exchange.account.forbidden_methods.add("get.virtual_numbers")

    summary = campaign(desk).run()

    assert counted(summary) == {"answered": 12}
    assert "The account's virtual numbers were not checked: " in capsys.readouterr().out


def test_a_dry_run_without_the_data_api_sends_no_request(desk):
    desk.connect(extra={"data_api": False})

    assert campaign(desk, dry_run=True, max_attempts=1).run()["problems"] == []
    (problem,) = campaign(desk, dry_run=True).run()["problems"]
    assert "no one is called again" in problem
    assert desk.sent() == []


def test_a_dry_run_names_the_limits_with_which_the_campaign_would_fail(desk):
    people = [*PEOPLE, "nonsense", "12-34", "12-35"]
    changes = {"contacts": people, "fail_if_invalid_over": 0.1, "max_lateness": 60, "max_active_calls": 1}
    rehearsal = campaign(desk, dry_run=True, **changes)
    rehearsal.run_after = rehearsal.now
    *_, too_short, invalid = rehearsal.run()["problems"]
    assert "before a call to each person" in too_short
    assert invalid.startswith("fail_if_invalid_over: an invalid row for 20.0% of 15 people")


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_accounts_time_zone_is_requested_once_for_all_tries_and_deferrals(desk):
    desk.exchange.account.timezone = "Asia/Yekaterinburg"
    desk.connect(extra={"timezone": None})
    task = campaign(desk, deferrable=True)

    assert counted(task.run()) == {"answered": 12}

    assert task.deferrals
    assert desk.sent().count("get.account") == 1


@pytest.mark.parametrize(("rendered", "called"), [("True", 0), ("false", 12), ("False", 12), (False, 12)])
def test_a_template_may_decide_whether_a_campaign_is_a_dry_run(desk, rendered, called):
    summary = campaign(desk, dry_run=rendered).run()

    assert (sum(rings(desk)), summary["calls"]) == (called, called)


def test_a_dry_run_that_is_no_boolean_dials_no_one(desk):
    with pytest.raises(CallApiFailure, match="dry_run: true or false is needed"):
        campaign(desk, dry_run="perhaps").run()

    assert desk.sent() == []


def test_the_log_begins_with_the_number_of_people_and_the_forecast(desk, capsys):
    desk.exchange.account.minute_limit = 5

    campaign(desk, contacts=[*PEOPLE, PEOPLE[3], "12-34"], do_not_call=PEOPLE[:2], dry_run=True).run()

    log = capsys.readouterr().out
    for line in (
        "Campaign spring: 10 people to be called, 0 finished before, 0 active calls, 1 invalid row, "
        "1 duplicate row, 2 on the do_not_call list",
        "Row 14 is skipped: contact: ",
        "The first calls need about 10 points (taking 1 point a call: the real cost is not known yet) "
        "and at least 0:03:00 of calling at the present limits; the bottleneck: the minute's points. "
        "Redials are not included",
    ):
        assert line in log


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"timezone": "Moscow"}, "timezone: an IANA time zone such as Europe/Moscow is needed"),
        ({"calling_hours": ("9", "25:00")}, "calling_hours"),
        ({"calling_days": ("someday",)}, "calling_days"),
        ({"redial": {"nobody": 5}}, "redial: 'nobody'"),
        ({"shard": "5/4"}, "shard: '5/4'"),
        ({"call": {"method": "list.calls"}}, "call.method"),
        ({"call": {"method": "start.informer_call", "voice": "x"}}, "call.voice"),
        ({"contacts": "file:///nobody/people.csv"}, "contacts: "),
        ({"do_not_call": "file:///nobody/stop.csv"}, "do_not_call: "),
        ({"do_not_call": [{"id": 1, "number": PEOPLE[0]}]}, "do_not_call, row 1: "),
        ({"region": "ru"}, "region: 'ru'"),
        ({"results": "nostorage://bucket/results.csv"}, "results: nostorage://bucket/results.csv"),
        ({"report": "/dev/null/report.html"}, "report: /dev/null/report.html cannot be written"),
    ],
)
def test_a_parameter_that_cannot_be_used_fails_before_the_first_call_and_without_retries(desk, wrong, said):
    with pytest.raises(CallApiFailure, match=re.escape(said)):
        campaign(desk, **wrong).run()

    assert desk.sent() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"call": {"virtual_phone_number": VNUMBER}},
        {"max_active_calls": 0},
        {"max_starts_at_once": 0},
        {"max_starts_at_once": 65},
        {"max_attempts": 0},
        {"poll_interval": 0},
        {"points_reserve": 1.0},
        {"min_gap": 3600, "ledger_conn_id": None},
    ],
)
def test_some_mistakes_are_errors_when_the_dag_is_parsed(desk, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        campaign(desk, **wrong).make()


def test_a_campaign_without_task_state_needs_a_ledger(desk):
    calls = campaign(desk, ledger_conn_id=None)
    calls.state = None

    with pytest.raises(CallApiFailure, match=r"ledger_conn_id: .* no task state \(3\.3\+ has\)"):
        calls.run()

    assert desk.sent() == []


# --- waits ---


def test_a_campaign_defers_until_the_calling_hours_and_logs_the_time_and_the_people(desk, capsys):
    calls = campaign(desk, deferrable=True, calling_hours=("18:00", "21:00"))

    summary = calls.run()

    assert (
        "Waiting until 2025-10-09 18:00:00 Europe/Moscow for the calling hours; 12 people are waiting, "
        "0 calls are active"
    ) in capsys.readouterr().out
    first = calls.deferrals[0]
    assert isinstance(first.trigger, CallApiCampaignTrigger)
    assert first.trigger.calls == []
    assert sum(desk.slept) < 300, "a worker slept through the wait"
    assert min(call.started_at for call in desk.exchange.calls) >= AT_SIX
    assert counted(summary) == {"answered": 12}
    assert rings(desk) == [1] * 12


def test_a_campaign_that_waits_in_the_triggerer_calls_no_one_after_its_execution_timeout(desk):
    more = {"calling_hours": ("18:00", "21:00"), "execution_timeout": timedelta(hours=5)}
    calls = campaign(desk, deferrable=True, **more)
    began = desk.clock()

    with pytest.raises(
        AirflowTaskTimeout, match="execution_timeout is up; 12 people are waiting, 0 calls are active"
    ):
        calls.run()

    assert 0 <= desk.clock() - began - 5 * 3600 < 60
    assert rings(desk) == [0] * 12
    assert counted(calls.retry()) == {"answered": 12}


def test_an_answer_that_the_trigger_has_seen_outlives_the_execution_timeout(desk):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script(rings=100, talks=100)
    call = {
        "method": "start.informer_call",
        "virtual_phone_number": VNUMBER,
        "contact_message": TTS,
        "dialing_timeout": 120,
    }
    more = {"call": call, "execution_timeout": timedelta(seconds=150)}
    calls = campaign(desk, contacts=PEOPLE[:1], deferrable=True, **more)

    with pytest.raises(AirflowTaskTimeout):
        calls.run()
    desk.clock.advance(600)

    assert counted(calls.retry()) == {"answered": 1}
    assert rings(desk)[0] == 1


def waking(desk, what: Any) -> None:
    """Something happens while the triggerer wakes the task."""
    run = CallApiCampaignTrigger.run

    async def woken(trigger):
        async for event in run(trigger):
            what()
            yield event

    desk.monkeypatch.setattr(CallApiCampaignTrigger, "run", woken)


def listed(path: Path, *people: str) -> str:
    path.write_text("\n".join(("phone", *people, "")), "utf-8")
    return f"file://{path}"


def test_the_excluded_people_survive_a_wait_although_the_file_is_being_rewritten(desk, tmp_path):
    stop, people = tmp_path / "stop.csv", tmp_path / "people.csv"
    calls = campaign(
        desk,
        contacts=listed(people, *PEOPLE),
        do_not_call=listed(stop, *PEOPLE[:2]),
        deferrable=True,
        calling_hours=("18:00", "21:00"),
    )

    def written_anew() -> None:
        listed(stop)
        listed(people, *reversed(PEOPLE))  # the same list, in another order

    waking(desk, written_anew)

    assert counted(calls.run()) == {"answered": 10, "do_not_call": 2}
    assert calls.deferrals
    assert rings(desk)[:2] == [0, 0]


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize("people", [PEOPLE[8:9], [*PEOPLE[:8], PEOPLE[9]]])
def test_a_list_that_changed_during_a_wait_is_called_only_after_a_clear(desk, tmp_path, people):
    path = tmp_path / "people.csv"
    calls = campaign(
        desk, contacts=listed(path, *PEOPLE[:8]), deferrable=True, calling_hours=("18:00", "21:00")
    )
    waking(desk, lambda: listed(path, *people))

    for attempt in (calls.run, calls.retry):
        with pytest.raises(
            CallApiTrouble, match=rf"contacts: .* began with 8 people .* {len(people)} people"
        ):
            attempt()
        assert sum(rings(desk)) == 0

    summary = calls.clear()
    assert (summary["people"], sum(rings(desk))) == (len(people), len(people))


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_retry_continues_with_a_list_that_was_missing_while_it_was_rewritten(desk, tmp_path):
    path = tmp_path / "people.csv"
    calls = campaign(
        desk, contacts=listed(path, *PEOPLE[:8]), deferrable=True, calling_hours=("18:00", "21:00")
    )
    changes = [path.unlink]
    waking(desk, lambda: changes and changes.pop()())

    with pytest.raises(CallApiTrouble, match="could be read when this task began"):
        calls.run()
    listed(path, *PEOPLE[:8])

    assert counted(calls.retry()) == {"answered": 8}


def test_a_long_wait_wakes_the_worker_every_hour(desk):
    calls = campaign(desk, deferrable=True, calling_hours=("18:00", "21:00"))

    calls.run()

    waits = [deferral.trigger.wake_at for deferral in calls.deferrals if not deferral.trigger.calls]
    assert waits[0] == pytest.approx(BEFORE_NOON + 3600, abs=5)
    assert len(waits) >= 6


def test_an_answer_that_only_the_triggerer_observed_counts(desk):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script(rings=20, talks=40)
    calls = campaign(desk, contacts=PEOPLE[:1], deferrable=True)

    summary = calls.run()

    assert [len(deferral.trigger.calls) for deferral in calls.deferrals] == [1]
    assert calls.deferrals[0].trigger.calls[0]["observation"]["answered_at"] is None
    assert counted(summary) == {"answered": 1}


@pytest.mark.parametrize("deferrable", [False, True])
def test_an_answered_call_is_tagged_while_it_is_active_without_the_data_api(desk, deferrable):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script(rings=20, talks=90)
    calls = campaign(desk, contacts=PEOPLE[:3], deferrable=deferrable, tags={"answered": 36})

    assert counted(calls.run()) == {"answered": 3}
    assert desk.sent().count("tag.call") == 3
    assert bool(calls.deferrals) is deferrable


def test_a_campaign_whose_polls_fail_ends_although_it_could_defer(desk):
    desk.connect(extra={"data_api": False})
    began = desk.clock()
    fault = {"method": "list.calls", "times": 10**9}
    in_seconds(desk, 0.5, lambda: desk.exchange.fault(Fault.BAD_GATEWAY, **fault))

    with pytest.raises(CallApiError, match="502"):
        campaign(desk, contacts=PEOPLE[:2], deferrable=True, call_timeout=3600, poll_interval=60).run()

    assert desk.clock() - began < 2 * 3600  # one wait, and ten polls in a row


def test_a_campaign_defers_until_the_calling_hours_after_a_lost_start_request(desk):
    desk.connect(extra={"data_api": False})
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")
    calls = campaign(
        desk, contacts=PEOPLE[:2], deferrable=True, max_active_calls=1, calling_hours=("09:00", "11:54")
    )

    assert counted(calls.run())["answered"] == 1
    assert desk.clock() - BEFORE_NOON > 20 * 3600
    assert sum(desk.slept) < 600


def test_a_person_is_called_once_although_a_later_list_has_a_sip_address_with_the_number(desk):
    sip = [f"{PEOPLE[0]}@pbx.example.com"]
    runs = [(PEOPLE[:1], {}), (sip, {}), (sip, {"campaign": "summer", "min_gap": timedelta(days=9)})]
    results = []
    for people, more in runs:
        calls = campaign(desk, contacts=people, ledger_conn_id="ledger", **more)
        results.append(counted(calls.run()))

    assert results == [{"answered": 1}, {"answered": 1}, {"called_recently": 1}]
    assert len(desk.exchange.calls) == 1


def test_a_later_run_with_the_same_name_fails_if_it_places_no_call_before_max_lateness(desk, tmp_path):
    campaign(desk, contacts=PEOPLE[:2], ledger_conn_id="ledger").run()
    next_day = {"ledger_conn_id": "ledger", "calling_hours": ("20:00", "21:00"), "max_lateness": 600}

    summary = campaign(desk, contacts=PEOPLE[:2], ti=TaskInstance(run_id="2"), **next_day).run()
    assert counted(summary) == {"answered": 2}

    results = tmp_path / "results.jsonl"
    with pytest.raises(CallTooLate, match="No one could be called"):
        campaign(
            desk, contacts=PEOPLE[:5], ti=TaskInstance(run_id="3"), results=str(results), **next_day
        ).run()
    reasons = [json.loads(line)["call_why"] for line in results.read_text("utf-8").splitlines()]
    assert reasons[:2] == [None, None]
    assert all("before the end of max_lateness at 2025-" in reason for reason in reasons[2:])


@pytest.mark.parametrize("ledgers", [pytest.param((None, None), marks=TASK_STATE), ("ledger", "other")])
def test_a_call_of_another_list_or_ledger_is_not_taken_for_an_unconfirmed_call(
    desk, monkeypatch, tmp_path, ledgers
):
    """Two campaigns with one name call one person: a mapped task with two lists, or two databases."""
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", f"sqlite:///{tmp_path}/other.sqlite")
    tasks = [
        campaign(desk, contacts=PEOPLE[:1], ledger_conn_id=ledger, ti=TaskInstance(map_index=index))
        for index, ledger in enumerate(ledgers)
    ]

    assert counted(tasks[0].run()) == {"answered": 1}
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")
    with pytest.raises(CallApiFailure, match="No call is known to have been placed"):
        tasks[1].run()

    assert counted(tasks[1].ti.xcoms["return_value"]) == {"unresolved": 1}


def test_a_long_call_does_not_delay_the_redials_of_other_people(desk):
    """A person with a busy line is redialled in time, even if another person talks for long."""
    desk.exchange.script(PEOPLE[0], Script(rings=1, talks=3000))
    desk.exchange.script(PEOPLE[1], Script.busy(rings=30))
    calls = campaign(desk, contacts=PEOPLE[:2], deferrable=True, redial={"busy": 120}, max_attempts=2)

    calls.run()

    first, again = [call.started_at for call in desk.exchange.calls if call.contact == PEOPLE[1]]
    assert again - first < 600


def test_a_long_list_is_not_read_every_few_seconds_during_a_wait_for_a_report(desk, monkeypatch):
    def slowly(*args: Any) -> Any:
        desk.sleep(6)
        return read_rows(*args)

    monkeypatch.setattr("airflow_provider_callapi.operators._campaign.preparation.read_rows", slowly)
    desk.exchange.report_lag = 200
    calls = campaign(desk, contacts=PEOPLE[:1], deferrable=True)

    calls.run()

    assert 1 < len(calls.deferrals) <= 6


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


# --- the next try ---


@pytest.mark.parametrize("again", ["retry", "clear"])
def test_the_next_try_calls_the_remaining_people(desk, again):
    in_seconds(desk, 40, kill_the_worker)
    calls = campaign(desk, max_active_calls="3")  # a template and a form give text
    with pytest.raises(KilledError):
        calls.run()
    before = rings(desk)
    assert 3 <= sum(before) < 12

    summary = getattr(calls, again)()

    assert rings(desk) == [1] * 12
    assert counted(summary) == {"answered": 12}


def test_the_error_about_a_parameter_says_only_of_its_own_try_that_it_placed_no_call(desk):
    calls = campaign(desk)
    calls.run()
    make = calls.make

    def make_changed():
        operator = make()
        operator.call_timeout = "soon"
        return operator

    calls.make = make_changed
    with pytest.raises(CallApiFailure, match=r"^call_timeout: .* This try placed no call\.$"):
        calls.retry()


def test_a_clear_after_the_end_calls_no_one(desk, capsys):
    calls = campaign(desk)
    calls.run()

    assert counted(calls.clear()) == {"answered": 12}

    assert rings(desk) == [1] * 12
    assert "Campaign spring: 0 people to be called, 12 finished before" in capsys.readouterr().out


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize("is_counted", [True, False], ids=["usual", "reset_dag_runs=false"])
def test_a_clear_calls_no_one_if_airflow_has_deleted_the_record_of_a_successful_campaign(
    desk, monkeypatch, is_counted
):
    monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", "True")
    calls = campaign(desk)
    calls.run()
    calls.state.values.clear()
    for _ in range(2):
        calls.run_clears = 0 if is_counted else -1
        with pytest.raises(CallApiFailure, match=r"clear_on_success is set.*This try placed no call"):
            calls.clear()
    assert rings(desk) == [1] * 12


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_clear_after_a_failed_try_calls_each_person_although_airflow_deletes_records(
    desk, monkeypatch, tmp_path
):
    monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", "True")
    file = tmp_path / "people.csv"
    calls = campaign(desk, contacts=f"file://{file}")
    with pytest.raises(CallApiFailure, match="contacts"):
        calls.run()
    listed(file, *PEOPLE)
    assert counted(calls.clear()) == {"answered": 12}


@pytest.fixture
def with_keys(monkeypatch):
    """Return a function that gives the deployment other secret keys, the newest first."""

    def change(*keys: str) -> None:
        monkeypatch.setenv("AIRFLOW__CALLAPI__SECRET_KEYS", ",".join(keys))
        read_deployment.cache_clear()

    yield change
    read_deployment.cache_clear()


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_stored_people_of_a_campaign_cannot_be_found_without_the_secret_key(desk, with_keys):
    stored = []
    for key in ("one", "other"):
        with_keys(key)
        calls = campaign(desk)
        calls.run()
        stored.append(str(calls.state.values))
    people = [{fingerprint(scope, person) for person in PEOPLE} for scope in ("spring", "")]
    assert not any(each in text for text in stored for known in people for each in known)
    assert not any(person in text for text in stored for person in PEOPLE)


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize("again", ["retry", "clear"])
def test_a_new_key_before_the_old_one_calls_no_one_again_and_a_lost_key_stops_the_campaign(
    desk, with_keys, again
):
    with_keys("old")
    calls = campaign(desk)
    calls.run()
    with_keys("new", "old")
    assert counted(getattr(calls, again)()) == {"answered": 12}
    with_keys("new")
    with pytest.raises(CallApiFailure, match=r"secret_keys.*This try placed no call"):
        getattr(calls, again)()
    assert rings(desk) == [1] * 12


@pytest.mark.parametrize("name", ["results.xlsx", "results.parquet", "results", "results.csv.gz"])
def test_results_in_an_unknown_file_format_are_refused_before_the_first_call(desk, tmp_path, name):
    with pytest.raises(InvalidParameter, match=r"^results: .*\.csv or \.jsonl"):
        campaign(desk, results=f"file://{tmp_path}/{name}").run()
    rendered = campaign(desk).make()
    rendered.results = f"file://{tmp_path}/{name}"  # as Airflow sets the text of a rendered template
    with pytest.raises(CallApiFailure, match=r"results: .*\.csv or \.jsonl.* This try placed no call"):
        rendered.execute(campaign(desk).context)
    assert rings(desk) == [0] * 12


def test_rows_without_column_names_are_refused_with_advice(desk):
    with pytest.raises(CallApiFailure, match=r"contacts, row 1: .*dict\(zip\(columns, row\)\)"):
        campaign(desk, contacts=[[PEOPLE[0], "Anna"]]).run()


def test_another_run_is_another_campaign(desk):
    campaign(desk).run()
    campaign(desk, campaign="autumn").run()

    assert rings(desk) == [2] * 12


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


@pytest.mark.parametrize("shape", ["a list", "a file"])
def test_a_column_that_no_row_has_fails_before_the_dialling_and_is_named(desk, tmp_path, shape):
    path = tmp_path / "people.csv"
    path.write_text("phone;name\n" + "".join(f"{phone};Anna\n" for phone in PEOPLE))
    call = {
        "method": "start.informer_call",
        "virtual_phone_number": VNUMBER,
        "contact_message": {"type": "tts", "value": "Hello {{ contact.nmae }}"},
    }
    people = {"contacts": f"file://{path}"} if shape == "a file" else {}

    with pytest.raises(CallApiFailure) as caught:
        campaign(desk, call=call, **people).run()

    where = f"contacts: file://{path}" if shape == "a file" else "contacts"
    assert str(caught.value) == (
        f"{where}: none of the 12 rows makes a call; row 1: call.contact_message.value: "
        f"the row has no column 'nmae'; its columns are 'phone', 'name'. This try placed no call."
    )
    assert rings(desk) == [0] * 12


def test_an_empty_cell_in_the_message_makes_the_row_invalid_unless_it_has_a_default(desk, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(f"phone,name\n{PEOPLE[0]},Anna\n{PEOPLE[1]}, \n")
    call = {
        "method": "start.informer_call",
        "virtual_phone_number": VNUMBER,
        "contact_message": {"type": "tts", "value": "Hello {{ contact.name }}"},
    }
    assert counted(campaign(desk, contacts=f"file://{path}", call=call).run()) == {
        "answered": 1,
        "invalid": 1,
    }
    call["contact_message"] = {"type": "tts", "value": "Hello {{ contact.name or 'customer' }}"}
    assert counted(campaign(desk, campaign="2", contacts=f"file://{path}", call=call).run()) == {
        "answered": 2
    }


def test_a_campaign_whose_time_has_no_calling_hours_fails_at_once(desk):
    began = desk.clock()

    with pytest.raises(
        CallTooLate, match=r"No one could be called: max_lateness ends at .*12 people, 0 calls"
    ):
        campaign(desk, calling_hours=("18:00", "21:00"), max_lateness=3600).run()

    assert desk.clock() - began < 60


NEW_YEARS_EVE = 1_767_168_000.0
"""Wednesday, 31 December 2025, 11:00 in Moscow: a day off that the government has moved."""


@pytest.mark.parametrize(
    ("began", "hours_off", "deferrable"),
    [
        pytest.param(NEW_YEARS_EVE + 9 * 86_400, 70, False, id="the New Year days, in the worker"),
        pytest.param(1_773_075_600.0, 13, True, id="the Monday after 8 March, from 20:00, deferred"),
    ],
)
def test_a_campaign_on_workdays_waits_for_the_end_of_the_days_off(desk, began, hours_off, deferrable):
    desk.clock.advance(began - desk.clock())
    waits = {"deferrable": deferrable, "max_lateness": timedelta(days=20)}

    assert counted(campaign(desk, contacts=PEOPLE[:2], calling_days="workdays", **waits).run()) == {
        "answered": 2
    }

    first = min(call.started_at for call in desk.exchange.calls)
    assert 0 <= first - began - hours_off * 3600 < 60


def test_the_authors_own_days_override_the_calendar(desk):
    desk.clock.advance(NEW_YEARS_EVE - desk.clock())
    also = campaign(desk, contacts=PEOPLE[:1], calling_days={"days": "workdays", "also": ["2025-12-31"]})
    assert counted(also.run()) == {"answered": 1}
    assert desk.clock() - NEW_YEARS_EVE < 3600

    off = campaign(desk, contacts=PEOPLE[:1], campaign="2", calling_days={"except": ["2025-12-31"]})
    off.run()
    assert desk.clock() > NEW_YEARS_EVE + 20 * 3600


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_year_that_the_calendar_does_not_know_fails_before_the_first_call(desk, dry_run):
    desk.clock.advance(2_208_988_800.0 - desk.clock())  # 1 January 2040
    with pytest.raises(CallApiFailure, match=r"calling_days: the calendar of RU does not know .* of 2040"):
        campaign(desk, calling_days="workdays", dry_run=dry_run).run()
    assert rings(desk) == [0] * 12


def test_calls_end_where_the_calendar_ends_and_the_log_names_the_reason(desk, monkeypatch, capsys):
    """Half of the people are called before midnight, and the calendar knows no day after it."""
    read = "airflow_provider_callapi.calls.calling_hours.production_calendar._knows"
    monkeypatch.setattr(read, lambda calendar, year: year < 2026)
    desk.clock.advance(NEW_YEARS_EVE + 13 * 3600 - 240 - desk.clock())

    summary = campaign(
        desk,
        calling_hours=None,
        calling_days={"days": "workdays", "also": ["2025-12-31"]},
        max_active_calls=1,
        max_lateness=None,
    ).run()

    called = counted(summary)["answered"]
    assert counted(summary) == {"answered": called, "not_called": 12 - called}
    assert 0 < called < 12
    assert f"{12 - called} people were not called" in capsys.readouterr().out


def test_workdays_without_the_installed_extra_are_an_error_of_the_dag_file(desk, monkeypatch):
    monkeypatch.setattr("airflow_provider_callapi.operators._option_checks.is_installed", lambda: False)
    with pytest.raises(ValueError, match=r"^calling_days: .*airflow-provider-callapi\[holidays\]"):
        campaign(desk, calling_days="workdays").make()
    assert campaign(desk, calling_days="{{ params.days }}").make()


def test_the_log_mentions_hours_over_midnight_and_each_written_file(desk, tmp_path, capsys):
    path = f"file://{tmp_path}/out/results.csv"
    campaign(desk, contacts=PEOPLE[:1], calling_hours=("21:00", "12:00"), results=path).run()
    log = capsys.readouterr().out
    assert "calling_hours go over midnight" in log
    assert f"Written: the results, {path}" in log


def test_results_have_the_format_of_the_list(desk, tmp_path):
    path, results = tmp_path / "people.csv", tmp_path / "results.csv"
    path.write_text(f"phone;name\n{PEOPLE[0]};Anna\n", "utf-8-sig")

    campaign(desk, contacts=f"file://{path}", results=f"file://{results}").run()

    assert results.read_text("utf-8").startswith("\ufeffphone;name;call_contact;call_result;")


def test_the_report_of_a_stopped_campaign_states_that_it_is_unfinished(desk, tmp_path):
    report = tmp_path / "report.html"
    desk.exchange.account.forbidden_methods = {"start.informer_call"}

    with pytest.raises(CallApiFailure, match="was stopped"):
        campaign(desk, report=f"file://{report}").run()

    assert "Unfinished." in report.read_text("utf-8")


@pytest.mark.parametrize("reason", ["Trigger timeout", "Trigger failure"])
def test_the_retry_after_a_failed_deferral_calls_no_one_again(desk, reason):
    calls = campaign(desk, deferrable=True)
    with pytest.raises(TaskDeferred):
        calls.make().execute(calls.context)
    rung = sum(rings(desk))
    with pytest.raises(AirflowException, match=reason) as failure:
        calls.make().resume_execution("__fail__", {"error": reason}, calls.context)

    assert not isinstance(failure.value, AirflowFailException)
    assert calls.retry()["results"]["answered"] == 12
    assert (rung > 0, rings(desk)) == (True, [1] * 12)


@pytest.mark.needs_airflow("3.3", "task state")
def test_an_error_after_a_deferral_does_not_say_that_the_try_placed_no_call(desk):
    calls = campaign(desk, campaign="spring", deferrable=True)
    with pytest.raises(TaskDeferred) as deferral:
        calls.make().execute(calls.context)
    assert sum(rings(desk)) > 0

    other = campaign(desk, campaign="summer", deferrable=True).make()
    with pytest.raises(CallApiFailure, match=r"^campaign: .*Restore the value") as failure:
        other.execute_complete(calls.context, {}, **deferral.value.kwargs)

    assert "no call" not in str(failure.value)


# --- a kill ---


def test_a_kill_does_not_wait_for_the_end_of_a_pause(desk):
    calls = campaign(desk, calling_hours=("18:00", "21:00"))
    began = desk.clock()
    in_seconds(desk, 10, lambda: calls.operator.on_kill())  # noqa: PLW0108 - of this try

    with pytest.raises(CallApiTrouble, match="killed"):
        calls.run()

    assert desk.clock() - began < 15


@pytest.mark.parametrize("cancel", [False, True])
def test_a_kill_ends_the_dialling_and_releases_calls_only_with_cancel_on_kill(desk, cancel):
    desk.exchange.default_script = Script(rings=3, talks=100)
    calls = campaign(desk, max_active_calls=3, cancel_on_kill=cancel)
    in_seconds(desk, 20, lambda: calls.operator.on_kill())  # noqa: PLW0108 - of this try

    with pytest.raises(CallApiTrouble, match="killed"):
        calls.run()

    assert sum(rings(desk)) == 3
    assert desk.sent(but=("list.calls", "get.calls_report")).count("release.call") == (3 if cancel else 0)
    talked = max(call.ended_at - call.started_at for call in desk.exchange.calls)
    assert talked < 40 if cancel else talked == 103
    desk.exchange.default_script = A_TALK
    assert calls.clear()["results"]["answered"] == 12
    assert rings(desk) == [1] * 12


def test_a_call_that_was_being_dialled_when_the_kill_came_is_released_too(desk, monkeypatch):

    calls = campaign(desk, max_active_calls=2, cancel_on_kill=True, calling_hours=None)
    dials = services.CampaignServices.start

    def killed_in_between(run, requests):
        answers = dials(run, requests)
        calls.operator.on_kill()
        return answers

    monkeypatch.setattr(services.CampaignServices, "start", killed_in_between)

    with pytest.raises(CallApiTrouble, match="killed"):
        calls.run()

    assert sum(rings(desk)) >= 1
    assert desk.sent(but=("list.calls",)).count("release.call") == sum(rings(desk))


@pytest.mark.parametrize("cancel", [False, True])
def test_a_kill_during_the_preparation_of_a_deferral_prevents_it_and_the_retry_continues(
    desk, monkeypatch, cancel
):
    desk.exchange.default_script = Script.busy(3)
    calls = campaign(desk, max_active_calls=3, deferrable=True, calling_hours=None, cancel_on_kill=cancel)
    publish, kills = run.CampaignRun._publish, [1]

    def killed_meanwhile(self, now, *, next_at):
        if next_at > now + 60 and kills:  # the publication before a deferral
            kills.pop()
            calls.operator.on_kill()
        publish(self, now, next_at=next_at)

    monkeypatch.setattr(run.CampaignRun, "_publish", killed_meanwhile)
    began = desk.clock()

    with pytest.raises(CallApiTrouble, match="killed"):
        calls.run()

    assert (kills, desk.clock() - began < 300) == ([], True)
    assert all(deferral.kwargs["memo"]["stopped"] is None for deferral in calls.deferrals)
    desk.exchange.default_script = A_TALK
    assert calls.retry()["results"]["answered"] == 12


def test_a_kill_during_a_step_does_not_wait_for_the_pause_that_the_step_returns(desk, monkeypatch):
    calls = campaign(desk, calling_hours=("18:00", "21:00"))
    began, step, kills = desk.clock(), run.CampaignRun._step, [1]

    def killed_at_its_end(self):
        next_step = step(self)
        if kills:
            kills.pop()
            calls.operator.on_kill()
        return next_step

    monkeypatch.setattr(run.CampaignRun, "_step", killed_at_its_end)

    with pytest.raises(CallApiTrouble, match="killed"):
        calls.run()

    assert desk.clock() - began < 15


def test_a_kill_while_the_list_is_read_ends_the_dialling(desk, monkeypatch):
    calls = campaign(desk)

    def killed_meanwhile(*args):
        calls.operator.on_kill()
        return read_rows(*args)

    monkeypatch.setattr(
        "airflow_provider_callapi.operators._campaign.preparation.read_rows", killed_meanwhile
    )

    with pytest.raises(CallApiTrouble, match="killed"):
        calls.run()

    assert rings(desk) == [0] * 12
    monkeypatch.undo()


def test_a_kill_before_the_list_is_read_is_no_error():
    CallApiCampaignOperator(task_id="call", contacts=[], call=PLAIN_CALL).on_kill()


# --- the end ---


@pytest.mark.parametrize(
    ("limit", "script"), [("fail_if_unreached_over", Script.busy()), ("fail_if_unknown_over", None)]
)
def test_a_campaign_over_its_failure_limit_fails_the_task_and_still_writes_its_files(
    desk, tmp_path, limit, script
):
    if script:
        for phone in PEOPLE[:3]:
            desk.exchange.script(phone, script)
    else:
        desk.connect(extra={"data_api": False})
        desk.exchange.default_script = Script(rings=1, talks=1)
    calls = campaign(
        desk,
        redial={"busy": None},
        results=f"file://{tmp_path}/results.csv",
        report=f"file://{tmp_path}/report.html",
        **{limit: 0.2},
    )

    with pytest.raises(CallApiFailure, match=rf"{limit}: .* of 12 people, more than the limit 20.0%"):
        calls.run()

    assert calls.ti.xcoms["return_value"]["people"] == 12
    assert len(table(tmp_path / "results.csv")) == 12
    assert (tmp_path / "report.html").exists()
    assert rings(desk) == [1] * 12


def test_a_file_that_cannot_be_written_loses_neither_the_summary_nor_the_other_file(desk, tmp_path):
    taken = tmp_path / "results.csv"
    taken.mkdir()
    calls = campaign(desk, results=str(taken), report=f"{tmp_path}/new/folder/report.html")

    with pytest.raises(CallApiTrouble, match=r"results: .*results\.csv could not be written: IsADirectory"):
        calls.run()

    assert counted(calls.ti.xcoms["return_value"]) == {"answered": 12}
    assert "<html" in (tmp_path / "new/folder/report.html").read_text("utf-8")
    taken.rmdir()
    assert counted(calls.retry()) == {"answered": 12}
    assert len(table(taken)) == 12
    assert rings(desk) == [1] * 12


def test_a_campaign_over_its_failure_limit_is_retried_until_its_files_are_written(desk, tmp_path):
    for phone in PEOPLE[:3]:
        desk.exchange.script(phone, Script.busy())
    taken = tmp_path / "results.csv"
    taken.mkdir()
    calls = campaign(desk, redial={"busy": None}, results=str(taken), fail_if_unreached_over=0.2)

    with pytest.raises(CallApiTrouble, match=r"fail_if_unreached_over.*results\.csv could not be written"):
        calls.run()
    taken.rmdir()
    with pytest.raises(CallApiFailure, match="fail_if_unreached_over"):
        calls.retry()

    assert len(table(taken)) == 12
    assert rings(desk) == [1] * 12


def test_a_stopped_campaign_names_the_file_that_it_could_not_write(desk, tmp_path):
    call = {"method": "start.informer_call", "virtual_phone_number": "74950000000", "contact_message": TTS}
    (tmp_path / "results.csv").mkdir()
    calls = campaign(desk, call=call, results=f"{tmp_path}/results.csv")

    with pytest.raises(CallApiFailure, match=r"was stopped: .*results\.csv could not be written"):
        calls.run()


def test_a_list_without_people_is_not_skipped_before_its_file_is_written(desk, tmp_path):
    taken = tmp_path / "results.csv"
    taken.mkdir()
    calls = campaign(desk, contacts=[], results=str(taken))

    with pytest.raises(CallApiTrouble, match=r"results\.csv could not be written"):
        calls.run()
    taken.rmdir()
    with pytest.raises(AirflowSkipException):
        calls.retry()
    assert taken.is_file()


def test_the_error_of_a_campaign_that_ended_early_names_the_file_that_is_missing(desk, tmp_path, capsys):
    taken = tmp_path / "results.csv"
    taken.mkdir()
    calls = campaign(desk, results=str(taken), calling_hours=("18:00", "21:00"), max_lateness=3600)

    with pytest.raises(CallTooLate, match=r"No one could be called.*could not be written: IsADirectory"):
        calls.run()

    assert "could not be written: IsADirectory" in capsys.readouterr().out


def test_a_common_number_that_the_service_refuses_stops_the_campaign(desk):
    call = {
        "method": "start.informer_call",
        "virtual_phone_number": "{{ params.number }}",
        "contact_message": TTS,
    }
    calls = campaign(desk, call=call)
    calls.params = {"number": "74950000000"}

    with pytest.raises(CallApiFailure, match=r"The campaign was stopped: .*virtual_phone_number"):
        calls.run()

    assert len(desk.sent(but=("list.calls", "get.calls_report"))) <= 4, "those who were dialled at once"
    calls.params = {"number": VNUMBER}
    assert counted(calls.clear()) == {"answered": 12}
    assert rings(desk) == [1] * 12


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_cost_of_a_call_is_still_known_after_a_clear(desk):
    desk.exchange.account.weights["start.informer_call"] = 3
    calls = campaign(desk)

    assert calls.run()["points_used"] == 36

    assert calls.clear()["points_used"] == 36


def test_a_campaign_that_begins_too_late_calls_no_one_and_fails(desk, capsys):
    calls = campaign(desk, max_lateness=3600)
    calls.run_after = calls.now - timedelta(seconds=3601)

    with pytest.raises(CallTooLate, match=r"max_lateness ended at 2025-10-09 11:53:\d\d .*: 12 people"):
        calls.run()

    assert rings(desk) == [0] * 12
    assert "Campaign spring: 0 people to be called" in capsys.readouterr().out


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_retry_that_begins_too_late_fails_also_if_it_waits_in_the_triggerer(desk, deferrable):
    desk.exchange.default_script = Script(rings=1, talks=170)
    calls = campaign(
        desk, contacts=PEOPLE[:2], max_active_calls=1, max_lateness=60, deferrable=deferrable, redial=None
    )
    calls.run_after = calls.now
    in_seconds(desk, 30, kill_the_worker)
    with pytest.raises(KilledError):
        calls.run()
    desk.clock.advance(40)

    with pytest.raises(CallTooLate, match="1 person was not called"):
        calls.retry()

    assert bool(calls.deferrals) == deferrable
    assert rings(desk)[:2] == [1, 0]


def test_the_poll_of_the_preflight_check_is_the_first_poll_of_the_campaign(desk):
    campaign(desk, contacts=PEOPLE[:1], poll_interval=10).run()

    looks = [
        event.time
        for event in desk.exchange.journal
        if event.kind == "request" and event.method == "list.calls"
    ]
    assert min(later - earlier for earlier, later in pairwise(looks)) >= 10


def test_a_share_at_its_limit_does_not_fail_the_task(desk):
    for phone in PEOPLE[:3]:
        desk.exchange.script(phone, Script.busy())

    assert campaign(desk, redial={"busy": None}, fail_if_unreached_over=0.25).run()["unreached_share"] == 0.25


def test_too_many_invalid_rows_fail_the_task(desk):
    rows = [{"phone": PEOPLE[0]}, {"phone": "12"}, {"phone": "no"}]

    with pytest.raises(
        CallApiFailure, match=r"invalid_over: an invalid row for 66.7% of 3 people, more than the limit 50.0%"
    ):
        campaign(desk, contacts=rows, fail_if_invalid_over=0.5).run()

    assert rings(desk)[0] == 1


def test_a_refusal_that_concerns_all_people_stops_the_campaign_until_a_clear(desk, capsys):
    desk.exchange.account.forbidden_methods = {"start.informer_call"}
    calls = campaign(desk)

    with pytest.raises(CallApiFailure, match=r"The campaign was stopped: .*clear this task"):
        calls.run()

    assert rings(desk) == [0] * 12
    assert re.search(r"\[error +\] Dialling has stopped", capsys.readouterr().out)
    assert counted(calls.ti.xcoms["return_value"]) == {"not_called": 12}
    desk.exchange.account.forbidden_methods = set()
    assert counted(calls.clear()) == {"answered": 12}
    assert rings(desk) == [1] * 12


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_stopped_campaign_stays_stopped_through_its_waits(desk, monkeypatch, deferrable):
    """No money: such a call uses up no attempt, and its person may be called again by a later try."""
    real = services.fetch_finished_calls
    monkeypatch.setattr(
        services,
        "fetch_finished_calls",
        lambda *args, **kwargs: [
            FinishedCall(call.report.model_copy(update={"finish_reason": "not_enough_money"}), answered=False)
            for call in real(*args, **kwargs)
        ],
    )
    desk.exchange.default_script = Script.busy(rings=2)
    calls = campaign(desk, max_active_calls=3, deferrable=deferrable)

    with pytest.raises(CallApiFailure, match=r"The campaign was stopped: .*not_enough_money"):
        calls.run()

    assert max(rings(desk)) == 1
    assert sum(rings(desk)) < 12


@pytest.mark.parametrize("typed", ["Весна 1 ", "\ufeffВесна\u00a01", "Весна  1\n", "Вес\u200bна 1"])
def test_a_name_that_looks_like_that_of_an_earlier_run_calls_no_one_again(desk, typed):
    campaign(desk, campaign="Весна 1", ledger_conn_id="ledger").run()
    next_run = TaskInstance(run_id="next")
    summary = campaign(desk, campaign=typed, ledger_conn_id="ledger", ti=next_run).run()

    assert {desk.exchange.rings(person) for person in PEOPLE} == {1}
    assert summary["campaign"] == "Весна 1"


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize(
    ("field", "value"), [("campaign", "spring sale"), ("shard", "1/2"), ("ledger_conn_id", "ledger")]
)
def test_a_clear_with_another_name_shard_or_ledger_calls_no_one(desk, field, value):
    calls = campaign(desk, campaign="spring", shard="1/1", ledger_conn_id=None)
    calls.run()
    calls.make = campaign(
        desk, **{"campaign": "spring", "shard": "1/1", "ledger_conn_id": None, field: value}
    ).make

    with pytest.raises(CallApiFailure, match=f"{field}: .*Restore the value.* This try placed no call."):
        calls.clear()

    assert rings(desk) == [1] * 12


def test_a_service_that_is_away_for_long_ends_the_try_with_a_transient_error(desk):
    from airflow_provider_callapi.emulator import Fault

    desk.exchange.default_script = Script(rings=3, talks=300)  # the Data API reports the end later
    desk.exchange.fault(Fault.BAD_GATEWAY, method="list.calls", times=11)
    calls = campaign(desk)

    with pytest.raises(CallApiError) as caught:
        calls.run()

    assert not isinstance(caught.value, CallApiFailure)
    assert not caught.value.permanent
    assert counted(calls.retry()) == {"answered": 12}
    assert rings(desk) == [1] * 12


def test_logs_results_triggers_and_task_state_contain_no_phone_number(desk, capsys, tmp_path):
    desk.exchange.script(PEOPLE[0], Script.busy())
    desk.exchange.account.blacklist = {PEOPLE[2]}
    calls = campaign(
        desk,
        contacts=[*PEOPLE, f"{PEOPLE[0]}000000000"],
        deferrable=True,
        calling_hours=("12:30", "21:00"),
        report=f"file://{tmp_path}/report.html",
    )

    summary = calls.run()

    assert calls.deferrals
    log = capsys.readouterr().out
    assert "Row 13 is skipped" in log
    assert "Waiting until" in log
    said = [
        log,
        summary,
        [deferral.trigger.serialize() for deferral in calls.deferrals],
        calls.events,
    ]
    said += [calls.state and calls.state.values, (tmp_path / "report.html").read_text("utf-8")]
    assert [text for text in map(str, said) if PHONE.search(text)] == []


# --- as an operator ---


def test_the_options_can_be_written_in_yaml(desk):
    options = yaml.safe_load(
        """
        task_id: call
        campaign: spring
        contacts: [{phone: 79160000000, name: Anna}, 79160000001]
        call:
          method: start.informer_call
          virtual_phone_number: "74993720692"
          contact_message: {type: tts, value: "Hello {{ contact.phone }}"}
        calling_hours: ["09:00", "21:00"]
        calling_days: {days: workdays, also: [2025-10-11], except: ["2025-10-10"]}
        redial: {busy: 60, not_reached: null}
        max_lateness: 3600
        """
    )

    assert counted(campaign(desk, **options).run()) == {"answered": 2}


def test_the_parameter_call_is_no_template_field_because_each_person_renders_it():
    fields = CallApiCampaignOperator.template_fields

    assert "call" not in fields
    operator = CallApiCampaignOperator(task_id="call", contacts=[], call=PLAIN_CALL)
    assert all(hasattr(operator, name) for name in fields)
    assert {"contacts", "do_not_call", "campaign", "shard", "results", "report", "ledger_conn_id"} <= set(
        fields
    )


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.timeout(240)
def test_a_list_from_another_task_is_called_with_a_deferral_in_airflow(run_dag, exchange, tmp_path):
    exchange.default_script = Script(rings=1, talks=4)  # long enough for a poll on a busy machine
    exchange.script(PEOPLE[0], Script.busy(rings=5))
    run = run_dag(
        f"""
from airflow.sdk import DAG, task
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator

with DAG("a_campaign") as dag:
    @task
    def people():
        return [{{"phone": phone}} for phone in {PEOPLE[:3]}]

    CallApiCampaignOperator(
        task_id="call", contacts=people(), calling_hours=None, redial={{"busy": 1}}, max_attempts=2,
        call={{"method": "start.informer_call", "virtual_phone_number": "{VNUMBER}", "contact_message":
              {{"type": "tts", "value": "{{{{ run_id }}}}"}}}},
        results="file://{tmp_path}/{{{{ run_id }}}}.csv", poll_interval=0.5, deferrable=True)
"""
    )

    assert run.state == "success"
    assert [exchange.rings(phone) for phone in PEOPLE[:3]] == [2, 1, 1]
    assert counted(run.xcoms["call"]) == {"answered": 2, "busy": 1}
    assert run.xcoms["call"]["campaign"] == f"a_campaign.call.{run.run_id}"
    assert len(table(tmp_path / f"{run.run_id}.csv")) == 3


# --- a clock that is set back ---


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


def exhaust_the_data_api(desk) -> None:
    """Let the points of a day pay for one report of calls and one of legs."""
    account = desk.exchange.account
    account.minute_limit = account.day_limit = 1000
    account.weights |= {"get.calls_report": 400, "get.call_legs_report": 400}


@pytest.mark.parametrize("deferrable", [False, True])
def test_results_and_redials_wait_until_the_points_of_the_data_api_are_reset(desk, deferrable):
    exhaust_the_data_api(desk)
    desk.exchange.default_script = Script.busy()

    task = campaign(desk, contacts=PEOPLE[:6], deferrable=deferrable, max_active_calls=3, max_attempts=2)
    summary = task.run()

    assert (summary["results"]["busy"], summary["calls"]) == (6, 12)
    assert bool(task.deferrals) is deferrable


def test_a_stopped_campaign_does_not_wait_a_day_for_points_of_the_data_api(desk):
    exhaust_the_data_api(desk)
    desk.exchange.default_script = Script.busy()
    in_seconds(desk, 1800, lambda: task.operator._run._campaign.dial_queue.stop("the test has stopped it"))

    task = campaign(desk, max_active_calls=3)
    began = desk.clock()
    with pytest.raises(CallApiFailure, match="the test has stopped it"):
        task.run()

    assert desk.clock() - began < 2 * 3600


@TASK_STATE
def test_a_campaign_does_not_prove_the_absence_of_a_call_with_another_connection(desk, monkeypatch):
    options: dict[str, Any] = {"contacts": PEOPLE[:1], "absence_proven_after": 600, "max_attempts": 1}
    calling = campaign(desk, **options)
    start = services.CampaignServices.start

    def start_and_die(*requests: Any) -> None:
        start(*requests)
        kill_the_worker()

    with monkeypatch.context() as patched:
        patched.setattr(services.CampaignServices, "start", start_and_die)
        with pytest.raises(KilledError):
            calling.run()

    calling.make = campaign(desk, **options, callapi_conn_id=desk.connect_another_account()).make
    with pytest.raises(CallApiFailure, match="callapi_conn_id: this task began with 'callapi_default'"):
        calling.retry()
    assert rings(desk)[0] == 1

    calling.make = campaign(desk, **options).make
    assert calling.retry()["calls"] == 1
    assert rings(desk)[0] == 1
