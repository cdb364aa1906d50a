"""What a try checks and logs before the first call: parameters, the list, and templates in it."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from airflow_fakes import TTS, VNUMBER
from campaign_desk import (
    PEOPLE,
    campaign,
    counted,
    rings,
)

from airflow_provider_callapi.exceptions import CallApiFailure

pytest_plugins = ["airflow_desk", "campaign_desk"]


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


def test_a_campaign_without_task_state_needs_a_ledger(desk):
    calls = campaign(desk, ledger_conn_id=None)
    calls.state = None

    with pytest.raises(CallApiFailure, match=r"ledger_conn_id: .* no task state \(3\.3\+ has\)"):
        calls.run()

    assert desk.sent() == []


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_year_that_the_calendar_does_not_know_fails_before_the_first_call(desk, dry_run):
    desk.clock.advance(2_208_988_800.0 - desk.clock())  # 1 January 2040
    with pytest.raises(CallApiFailure, match=r"calling_days: the calendar of RU does not know .* of 2040"):
        campaign(desk, calling_days="workdays", dry_run=dry_run).run()
    assert rings(desk) == [0] * 12


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


def test_the_log_mentions_hours_over_midnight_and_each_written_file(desk, tmp_path, capsys):
    path = f"file://{tmp_path}/out/results.csv"
    campaign(desk, contacts=PEOPLE[:1], calling_hours=("21:00", "12:00"), results=path).run()
    log = capsys.readouterr().out
    assert "calling_hours go over midnight" in log
    assert f"Written: the results, {path}" in log


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_accounts_time_zone_is_requested_once_for_all_tries_and_deferrals(desk):
    desk.exchange.account.timezone = "Asia/Yekaterinburg"
    desk.connect(extra={"timezone": None})
    task = campaign(desk, deferrable=True)

    assert counted(task.run()) == {"answered": 12}

    assert task.deferrals
    assert desk.sent().count("get.account") == 1


def test_the_poll_of_the_preflight_check_is_the_first_poll_of_the_campaign(desk):
    campaign(desk, contacts=PEOPLE[:1], poll_interval=10).run()

    looks = [
        event.time
        for event in desk.exchange.journal
        if event.kind == "request" and event.method == "list.calls"
    ]
    assert min(later - earlier for earlier, later in pairwise(looks)) >= 10


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


def test_rows_without_column_names_are_refused_with_advice(desk):
    with pytest.raises(CallApiFailure, match=r"contacts, row 1: .*dict\(zip\(columns, row\)\)"):
        campaign(desk, contacts=[[PEOPLE[0], "Anna"]]).run()


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
