"""What is missing in the account, and a dry run, which says it without a call."""

from __future__ import annotations

from typing import Any

import pytest
from airflow_fakes import VNUMBER
from campaign_desk import (
    PEOPLE,
    campaign,
    counted,
    rings,
)

from airflow_provider_callapi.exceptions import CallApiFailure

pytest_plugins = ["airflow_desk", "campaign_desk"]
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


@pytest.mark.parametrize(("rendered", "called"), [("True", 0), ("false", 12), ("False", 12), (False, 12)])
def test_a_template_may_decide_whether_a_campaign_is_a_dry_run(desk, rendered, called):
    summary = campaign(desk, dry_run=rendered).run()

    assert (sum(rings(desk)), summary["calls"]) == (called, called)


def test_a_dry_run_that_is_no_boolean_dials_no_one(desk):
    with pytest.raises(CallApiFailure, match="dry_run: true or false is needed"):
        campaign(desk, dry_run="perhaps").run()

    assert desk.sent() == []


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
