"""A campaign as a task: what it is told, says and leaves behind; its waits, its kills and its next tries."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.providers.common.compat.sdk import AirflowSkipException
from airflow_fakes import TTS, VNUMBER, TaskInstance
from campaign_desk import A_TALK, PEOPLE, campaign

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.calls.answers import FinishedCall
from airflow_provider_callapi.calls.campaign.people import fingerprint
from airflow_provider_callapi.deployment_settings import read_deployment
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble, CallTooLate
from airflow_provider_callapi.operators._campaign import services
from airflow_provider_callapi.operators._campaign.contact_list import read_rows
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator
from airflow_provider_callapi.triggers.campaign import CallApiCampaignTrigger

pytest_plugins = ["airflow_desk", "campaign_desk"]

PHONE = re.compile(r"7916000\d{4}")
BEFORE_NOON = 1_760_000_000.0
"""When the desk's clock begins: Thursday, 9 October 2025, 11:53:20 in Moscow."""
AT_SIX = 1_760_022_000.0


class KilledError(BaseException):
    """The worker's process ends here."""


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


def in_seconds(desk, seconds: float, what: Any) -> None:
    desk.at.append((desk.clock() + seconds, what))


# --- once, everybody ---


def test_everybody_is_called_once_and_again_where_the_line_was_busy(desk, tmp_path):
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


def test_the_text_is_the_persons_own_and_the_list_may_be_a_file(desk, tmp_path):
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


def test_shards_share_the_list_and_call_everybody_once(desk):
    for number in (1, 2, 3):
        campaign(desk, shard=f"{number}/3", ti=TaskInstance(map_index=number)).run()

    assert rings(desk) == [1] * 12


@pytest.mark.parametrize("cells", ["Boris;", "Boris;;  ;"])
def test_separators_behind_the_last_value_are_none(desk, tmp_path, cells):
    path = tmp_path / "people.csv"
    path.write_text(f"phone;name\n{PEOPLE[0]};Anna\n{PEOPLE[1]};{cells}\n", "utf-8")

    assert counted(campaign(desk, contacts=f"file://{path}", do_not_call=f"file://{path}").run()) == {
        "do_not_call": 2
    }
    assert counted(campaign(desk, campaign="all", contacts=f"file://{path}").run()) == {"answered": 2}


def test_a_row_with_more_values_than_columns_refuses_the_list(desk, tmp_path):
    """An unquoted comma: what is spoken would be of another column."""
    path = tmp_path / "people.csv"
    path.write_text(f"phone,name,debt\n{PEOPLE[0]},Anna,100\n{PEOPLE[1]},Smith, Boris,100\n", "utf-8")

    with pytest.raises(CallApiFailure, match="contacts, line 3: more values than columns"):
        campaign(desk, contacts=f"file://{path}").run()

    assert desk.sent() == []


def test_who_gets_onto_the_do_not_call_list_is_not_called_any_more(desk, tmp_path):
    stop = tmp_path / "stop.csv"
    stop.write_text("phone\n8 916 000-00-00\n", "utf-8")
    in_seconds(desk, 100, lambda: stop.write_text(f"phone\n{PEOPLE[0]}\n{PEOPLE[-1]}\n", "utf-8"))

    summary = campaign(desk, do_not_call=f"file://{stop}", max_active_calls=1).run()

    assert rings(desk) == [0, *[1] * 10, 0]
    assert counted(summary) == {"answered": 10, "do_not_call": 2}


# --- before ---


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_dry_run_says_what_would_be_done_and_dials_nobody(desk, tmp_path):
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
    "The account has no virtual number 7499…0000.",
    "The virtual number 7495…5771 is off (manual_lock).",
    "The account has no employee 5.",
    "The account has no media file 6.",
    "The account has no tag 7.",
]


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_the_account_lacks_is_said_before_anybody_is_dialled(desk, capsys, dry_run):
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


def test_a_list_that_the_account_may_not_read_is_said_and_stops_nothing(desk, capsys):
    desk.exchange.account.forbidden_methods.add("get.virtual_numbers")

    summary = campaign(desk).run()

    assert counted(summary) == {"answered": 12}
    assert "The account's virtual numbers were not checked: " in capsys.readouterr().out


def test_without_the_data_api_nothing_is_looked_up(desk):
    desk.connect(extra={"data_api": False})

    assert campaign(desk, dry_run=True).run()["problems"] == []
    assert desk.sent() == []


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_accounts_time_zone_is_asked_once_for_all_tries_and_deferrals(desk):
    desk.exchange.account.timezone = "Asia/Yekaterinburg"
    desk.connect(extra={"timezone": None})
    task = campaign(desk, deferrable=True)

    assert counted(task.run()) == {"answered": 12}

    assert task.deferrals
    assert desk.sent().count("get.account") == 1


@pytest.mark.parametrize(("rendered", "called"), [("True", 0), ("false", 12), ("False", 12), (False, 12)])
def test_a_dry_run_that_a_template_decides_means_what_the_template_renders(desk, rendered, called):
    summary = campaign(desk, dry_run=rendered).run()

    assert (sum(rings(desk)), summary["calls"]) == (called, called)


def test_a_dry_run_that_is_no_boolean_dials_no_one(desk):
    with pytest.raises(CallApiFailure, match="dry_run: true or false is needed"):
        campaign(desk, dry_run="perhaps").run()

    assert desk.sent() == []


def test_the_log_begins_with_who_will_be_called_and_what_it_takes(desk, capsys):
    desk.exchange.account.minute_limit = 5

    campaign(desk, contacts=[*PEOPLE, PEOPLE[3], "12-34"], do_not_call=PEOPLE[:2], dry_run=True).run()

    log = capsys.readouterr().out
    for line in (
        "Campaign spring: 10 people to be called, 0 finished before, 0 active, 1 invalid rows, 1 duplicates, "
        "2 on the do_not_call list",
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
def test_a_parameter_that_cannot_be_used_fails_before_anybody_is_dialled_and_without_retries(
    desk, wrong, said
):
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
def test_some_mistakes_are_seen_when_the_dag_is_parsed(desk, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        campaign(desk, **wrong).make()


def test_without_task_state_a_ledger_is_asked_for(desk):
    calls = campaign(desk, ledger_conn_id=None)
    calls.state = None

    with pytest.raises(CallApiFailure, match=r"ledger_conn_id: .* no task state \(3\.3\+ has\)"):
        calls.run()

    assert desk.sent() == []


# --- waits ---


def test_the_wait_for_calling_hours_is_a_deferral_that_says_until_when_and_for_how_many(desk, capsys):
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


def test_who_must_not_be_called_is_still_known_after_a_wait_though_the_file_is_being_written_anew(
    desk, tmp_path
):
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
def test_a_list_that_is_another_one_after_a_wait_is_called_when_a_person_wants_it(desk, tmp_path, people):
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
def test_a_list_that_was_only_being_written_anew_is_gone_on_with_by_a_retry(desk, tmp_path):
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


def test_a_long_wait_is_looked_at_again_every_hour(desk):
    calls = campaign(desk, deferrable=True, calling_hours=("18:00", "21:00"))

    calls.run()

    waits = [deferral.trigger.wake_at for deferral in calls.deferrals if not deferral.trigger.calls]
    assert waits[0] == pytest.approx(BEFORE_NOON + 3600, abs=5)
    assert len(waits) >= 6


def test_an_answer_that_only_the_triggerer_saw_counts(desk):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script(rings=20, talks=40)
    calls = campaign(desk, contacts=PEOPLE[:1], deferrable=True)

    summary = calls.run()

    assert [len(deferral.trigger.calls) for deferral in calls.deferrals] == [1]
    assert calls.deferrals[0].trigger.calls[0]["observation"]["answered_at"] is None
    assert counted(summary) == {"answered": 1}


@pytest.mark.parametrize("deferrable", [False, True])
def test_an_answered_call_is_tagged_while_it_is_active_where_nobody_can_do_it_afterwards(desk, deferrable):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script(rings=20, talks=90)
    calls = campaign(desk, contacts=PEOPLE[:3], deferrable=deferrable, tags={"answered": 36})

    assert counted(calls.run()) == {"answered": 3}
    assert desk.sent().count("tag.call") == 3
    assert bool(calls.deferrals) is deferrable


def test_a_campaign_that_cannot_look_ends_though_it_could_wait(desk):
    desk.connect(extra={"data_api": False})
    began = desk.clock()
    fault = {"method": "list.calls", "times": 10**9}
    in_seconds(desk, 0.5, lambda: desk.exchange.fault(Fault.BAD_GATEWAY, **fault))

    with pytest.raises(CallApiError, match="502"):
        campaign(desk, contacts=PEOPLE[:2], deferrable=True, call_timeout=3600, poll_interval=60).run()

    assert desk.clock() - began < 2 * 3600  # one wait, and ten looks in a row


def test_a_wait_for_the_calling_hours_is_one_though_the_last_thing_seen_was_trouble(desk):
    desk.connect(extra={"data_api": False})
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")
    calls = campaign(
        desk, contacts=PEOPLE[:2], deferrable=True, max_active_calls=1, calling_hours=("09:00", "11:54")
    )

    assert counted(calls.run())["answered"] == 1
    assert desk.clock() - BEFORE_NOON > 20 * 3600
    assert sum(desk.slept) < 600


def test_while_one_call_lasts_the_others_become_of_what_they_become(desk):
    """A busy line is called again at its time, however long somebody else talks."""
    desk.exchange.script(PEOPLE[0], Script(rings=1, talks=3000))
    desk.exchange.script(PEOPLE[1], Script.busy(rings=30))
    calls = campaign(desk, contacts=PEOPLE[:2], deferrable=True, redial={"busy": 120}, max_attempts=2)

    calls.run()

    first, again = [call.started_at for call in desk.exchange.calls if call.contact == PEOPLE[1]]
    assert again - first < 600


def test_a_long_list_is_not_read_every_few_seconds_while_a_report_is_awaited(desk, monkeypatch):
    def slowly(*args: Any) -> Any:
        desk.sleep(6)
        return read_rows(*args)

    monkeypatch.setattr("airflow_provider_callapi.operators._campaign.preparation.read_rows", slowly)
    desk.exchange.report_lag = 200
    calls = campaign(desk, contacts=PEOPLE[:1], deferrable=True)

    calls.run()

    assert 1 < len(calls.deferrals) <= 6


@pytest.mark.parametrize("most", [1, 3])
def test_at_most_this_many_start_requests_wait_for_an_answer_at_once(desk, monkeypatch, most):
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
def test_the_next_try_calls_those_who_are_left(desk, again):
    def killed():
        raise KilledError

    in_seconds(desk, 40, killed)
    calls = campaign(desk, max_active_calls="3")  # a template and a form give text
    with pytest.raises(KilledError):
        calls.run()
    before = rings(desk)
    assert 3 <= sum(before) < 12

    summary = getattr(calls, again)()

    assert rings(desk) == [1] * 12
    assert counted(summary) == {"answered": 12}


def test_a_clear_after_the_end_calls_nobody(desk, capsys):
    calls = campaign(desk)
    calls.run()

    assert counted(calls.clear()) == {"answered": 12}

    assert rings(desk) == [1] * 12
    assert "Campaign spring: 0 people to be called, 12 finished before" in capsys.readouterr().out


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_clear_calls_nobody_if_airflow_has_deleted_whom_a_successful_campaign_has_called(desk, monkeypatch):
    monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", "True")
    calls = campaign(desk)
    calls.run()
    calls.state.values.clear()
    for _ in range(2):
        with pytest.raises(CallApiFailure, match=r"clear_on_success is set.*No call was placed"):
            calls.clear()
    assert rings(desk) == [1] * 12


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_clear_after_a_failed_try_calls_everybody_although_airflow_deletes_records(
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
def test_a_new_key_before_the_old_one_calls_nobody_again_and_a_lost_key_refuses_the_campaign(
    desk, with_keys, again
):
    with_keys("old")
    calls = campaign(desk)
    calls.run()
    with_keys("new", "old")
    assert counted(getattr(calls, again)()) == {"answered": 12}
    with_keys("new")
    with pytest.raises(CallApiFailure, match=r"secret_keys.*No call was placed"):
        getattr(calls, again)()
    assert rings(desk) == [1] * 12


@pytest.mark.parametrize("name", ["results.xlsx", "results.parquet", "results", "results.csv.gz"])
def test_results_in_a_form_that_is_not_written_are_refused_before_anybody_is_dialled(desk, tmp_path, name):
    with pytest.raises(CallApiFailure, match=r"results: .*\.csv or \.jsonl.* No call was placed"):
        campaign(desk, results=f"file://{tmp_path}/{name}").run()
    assert rings(desk) == [0] * 12


def test_rows_without_column_names_are_refused_with_what_to_do(desk):
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

    assert str(caught.value) == (
        "contacts: none of the 12 rows makes a call; row 1: call.contact_message.value: "
        "the row has no column 'nmae'. No call was placed."
    )
    assert rings(desk) == [0] * 12


def test_nobody_hears_the_hole_that_an_empty_cell_makes(desk, tmp_path):
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


def test_a_campaign_in_whose_time_nobody_may_be_called_fails_at_once(desk):
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
def test_on_workdays_a_campaign_waits_for_the_end_of_the_days_off(desk, began, hours_off, deferrable):
    desk.clock.advance(began - desk.clock())
    waits = {"deferrable": deferrable, "max_lateness": timedelta(days=20)}

    assert counted(campaign(desk, contacts=PEOPLE[:2], calling_days="workdays", **waits).run()) == {
        "answered": 2
    }

    first = min(call.started_at for call in desk.exchange.calls)
    assert 0 <= first - began - hours_off * 3600 < 60


def test_days_of_ones_own_count_more_than_the_calendar(desk):
    desk.clock.advance(NEW_YEARS_EVE - desk.clock())
    also = campaign(desk, contacts=PEOPLE[:1], calling_days={"days": "workdays", "also": ["2025-12-31"]})
    assert counted(also.run()) == {"answered": 1}
    assert desk.clock() - NEW_YEARS_EVE < 3600

    off = campaign(desk, contacts=PEOPLE[:1], campaign="2", calling_days={"except": ["2025-12-31"]})
    off.run()
    assert desk.clock() > NEW_YEARS_EVE + 20 * 3600


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_year_that_the_calendar_does_not_know_fails_before_anybody_is_dialled(desk, dry_run):
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
    assert f"{12 - called} people are not called" in capsys.readouterr().out


def test_without_the_extra_workdays_are_an_error_of_the_dag_file(desk, monkeypatch):
    monkeypatch.setattr("airflow_provider_callapi.operators._call.options.is_installed", lambda: False)
    with pytest.raises(ValueError, match=r"^calling_days: .*airflow-provider-callapi\[holidays\]"):
        campaign(desk, calling_days="workdays").make()
    assert campaign(desk, calling_days="{{ params.days }}").make()


def test_hours_that_go_over_midnight_are_told_and_files_are_named_when_written(desk, tmp_path, capsys):
    path = f"file://{tmp_path}/out/results.csv"
    campaign(desk, contacts=PEOPLE[:1], calling_hours=("21:00", "12:00"), results=path).run()
    log = capsys.readouterr().out
    assert "calling_hours go over midnight" in log
    assert f"Written: the results, {path}" in log


def test_results_are_written_as_the_list_was(desk, tmp_path):
    path, results = tmp_path / "people.csv", tmp_path / "results.csv"
    path.write_text(f"phone;name\n{PEOPLE[0]};Anna\n", "utf-8-sig")

    campaign(desk, contacts=f"file://{path}", results=f"file://{results}").run()

    assert results.read_text("utf-8").startswith("\ufeffphone;name;call_contact;call_result;")


def test_the_report_of_a_campaign_that_was_stopped_says_so(desk, tmp_path):
    report = tmp_path / "report.html"
    desk.exchange.account.forbidden_methods = {"start.informer_call"}

    with pytest.raises(CallApiFailure, match="was stopped"):
        campaign(desk, report=f"file://{report}").run()

    assert "Unfinished." in report.read_text("utf-8")


# --- a kill ---


def test_a_kill_does_not_wait_for_the_end_of_a_pause(desk):
    calls = campaign(desk, calling_hours=("18:00", "21:00"))
    began = desk.clock()
    in_seconds(desk, 10, lambda: calls.operator.on_kill())  # noqa: PLW0108 - of this try

    with pytest.raises(CallApiTrouble, match="killed"):
        calls.run()

    assert desk.clock() - began < 15


@pytest.mark.parametrize("cancel", [False, True])
def test_a_kill_ends_the_dialling_and_releases_only_where_that_is_wanted(desk, cancel):
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


def test_a_kill_before_anything_was_read_is_no_error():
    CallApiCampaignOperator(task_id="call", contacts=[], call={"method": "start.informer_call"}).on_kill()


# --- the end ---


@pytest.mark.parametrize(
    ("limit", "script"), [("fail_if_unreached_over", Script.busy()), ("fail_if_unknown_over", None)]
)
def test_a_bad_campaign_fails_the_task_and_leaves_everything_behind(desk, tmp_path, limit, script):
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

    with pytest.raises(CallApiFailure, match=rf"{limit}: .* of 12 people, more than 20.0%"):
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


def test_a_number_for_everybody_that_the_service_refuses_is_not_tried_with_everybody(desk):
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
def test_what_a_call_costs_is_still_known_after_a_clear(desk):
    desk.exchange.account.weights["start.informer_call"] = 3
    calls = campaign(desk)

    assert calls.run()["points_used"] == 36

    assert calls.clear()["points_used"] == 36


def test_a_campaign_that_begins_too_late_calls_nobody_and_fails(desk, capsys):
    calls = campaign(desk, max_lateness=3600)
    calls.run_after = calls.now - timedelta(seconds=3601)

    with pytest.raises(CallTooLate, match=r"max_lateness ended at 2025-10-09 11:53:\d\d .*: 12 people"):
        calls.run()

    assert rings(desk) == [0] * 12
    assert "Campaign spring: 0 people to be called" in capsys.readouterr().out


def test_the_preflights_look_is_the_first_one(desk):
    campaign(desk, contacts=PEOPLE[:1], poll_interval=10).run()

    looks = [
        event.time
        for event in desk.exchange.journal
        if event.kind == "request" and event.method == "list.calls"
    ]
    assert min(later - earlier for earlier, later in pairwise(looks)) >= 10


def test_a_share_that_is_just_allowed_does_not_fail(desk):
    for phone in PEOPLE[:3]:
        desk.exchange.script(phone, Script.busy())

    assert campaign(desk, redial={"busy": None}, fail_if_unreached_over=0.25).run()["unreached_share"] == 0.25


def test_a_list_of_rows_that_make_no_call_fails_the_task_where_they_are_too_many(desk):
    rows = [{"phone": PEOPLE[0]}, {"phone": "12"}, {"phone": "none"}]

    with pytest.raises(CallApiFailure, match=r"fail_if_invalid_over: 66.7% of 3 people, more than 50.0%"):
        campaign(desk, contacts=rows, fail_if_invalid_over=0.5).run()

    assert rings(desk)[0] == 1


def test_what_concerns_everybody_stops_the_campaign_without_retries_and_a_clear_goes_on(desk, capsys):
    desk.exchange.account.forbidden_methods = {"start.informer_call"}
    calls = campaign(desk)

    with pytest.raises(CallApiFailure, match=r"The campaign was stopped: .*clear this task"):
        calls.run()

    assert rings(desk) == [0] * 12
    assert "Dialling has stopped" in capsys.readouterr().out
    assert counted(calls.ti.xcoms["return_value"]) == {"not_called": 12}
    desk.exchange.account.forbidden_methods = set()
    assert counted(calls.clear()) == {"answered": 12}
    assert rings(desk) == [1] * 12


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_campaign_that_was_stopped_stays_so_through_its_waits(desk, monkeypatch, deferrable):
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


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize(
    ("field", "value"), [("campaign", "spring sale"), ("shard", "1/2"), ("ledger_conn_id", "ledger")]
)
def test_a_try_that_would_not_know_whom_it_has_called_calls_nobody(desk, field, value):
    calls = campaign(desk, campaign="spring", shard="1/1", ledger_conn_id=None)
    calls.run()
    calls.make = campaign(
        desk, **{"campaign": "spring", "shard": "1/1", "ledger_conn_id": None, field: value}
    ).make

    with pytest.raises(CallApiFailure, match=f"{field}: .*No call was placed. Restore the value"):
        calls.clear()

    assert rings(desk) == [1] * 12


def test_a_service_that_is_away_for_long_is_left_to_a_retry(desk):
    from airflow_provider_callapi.emulator import Fault

    desk.exchange.default_script = Script(rings=3, talks=300)  # the Data API tells of the end later
    desk.exchange.fault(Fault.BAD_GATEWAY, method="list.calls", times=11)
    calls = campaign(desk)

    with pytest.raises(CallApiError) as caught:
        calls.run()

    assert not isinstance(caught.value, CallApiFailure)
    assert not caught.value.permanent
    assert counted(calls.retry()) == {"answered": 12}
    assert rings(desk) == [1] * 12


def test_no_phone_number_is_in_a_log_a_result_a_trigger_or_the_task_state(desk, capsys, tmp_path):
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


def test_it_can_be_written_in_yaml(desk):
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


def test_the_templates_of_the_call_are_left_to_each_person():
    fields = CallApiCampaignOperator.template_fields

    assert "call" not in fields
    operator = CallApiCampaignOperator(task_id="call", contacts=[], call={"method": "start.informer_call"})
    assert all(hasattr(operator, name) for name in fields)
    assert {"contacts", "do_not_call", "campaign", "shard", "results", "report", "ledger_conn_id"} <= set(
        fields
    )


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.timeout(240)
def test_in_airflow_a_list_from_another_task_is_called_by_way_of_a_deferral(run_dag, exchange, tmp_path):
    exchange.default_script = Script(rings=1, talks=4)  # long enough to be seen on a busy machine
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
