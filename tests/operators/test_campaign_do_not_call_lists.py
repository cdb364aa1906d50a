"""No campaign rings a person on its do-not-call list, however the list writes the number."""

from __future__ import annotations

import re

import pytest
from campaign_desk import KilledError, in_seconds, kill_the_worker, rung
from listed_campaigns import LISTS, PEOPLE, A, B, C, calls, path

from airflow_provider_callapi.calls.campaign.run.runner import Runner
from airflow_provider_callapi.exceptions import CallApiFailure

pytest_plugins = ["airflow_desk", "campaign_desk"]


@pytest.fixture
def desk(campaign_desk):
    return campaign_desk


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("02-do-not-call-unclosed-quote.csv", "do_not_call, line 2: a quotation mark opens here"),
        ("03-empty.csv", r"do_not_call: .*the file is empty \(0 bytes\)"),
        ("06-without-a-header.csv", "do_not_call, line 1: this line must name the columns"),
        ("07-two-phone-columns.csv", "do_not_call, line 1: two columns are named 'phone'"),
    ],
)
def test_a_damaged_do_not_call_list_is_refused_before_the_first_call(desk, name, said):
    with pytest.raises(CallApiFailure, match=said) as caught:
        calls(desk, do_not_call=path(name)).run()

    assert desk.sent() == []
    assert not re.search(r"\d{7}", str(caught.value).replace(str(LISTS), ""))


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        ("04-two-numbers-in-a-cell.csv", [C]),
        ("05-floats.csv", []),
        ("08-invisible-marks.json", [C]),
        (["7926\u200e0000001", "+7926\u200d0000002"], [C]),
        ([79260000001.0, 79260000002], [C]),
    ],
)
def test_no_person_on_the_do_not_call_list_is_rung_in_any_spelling_of_the_number(desk, stop, expected):
    summary = calls(desk, do_not_call=path(stop) if isinstance(stop, str) else stop).run()

    assert rung(desk) == expected
    assert summary["results"]["do_not_call"] == 3 - len(expected)


@pytest.mark.parametrize(
    ("number", "russian", "foreign"),
    [
        ("+8 (495) 123-45-67", "74951234567", "+84 95 1234567"),
        ("8 (495) 123-45-67 доб. 12", "74951234567", "+84 95 1234567"),
        ("+8 (863) 234-56-78", "78632345678", "+886 3 234 5678"),
    ],
)
def test_an_ambiguous_number_excludes_each_person_whom_it_may_mean(desk, number, russian, foreign):
    people = [{"phone": russian, "name": "Анна"}, {"phone": foreign, "name": "Борис"}, PEOPLE[2]]

    calls(desk, people, do_not_call=[number]).run()

    assert rung(desk) == [C]


def test_unreadable_entries_fail_the_task_unless_the_author_allows_them(desk):
    stop = [A, "12-34", "не звонить!"]
    with pytest.raises(
        CallApiFailure, match=r"do_not_call: 2 entries .*max_unreadable=2.* This try placed no call"
    ):
        calls(desk, do_not_call=stop).run()
    assert desk.sent() == []

    calls(desk, do_not_call=stop, max_unreadable=2).run()
    assert rung(desk) == [B, C]


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize("again", ["retry", "clear"])
@pytest.mark.parametrize("killed", ["before the first call", "in the first call"])
def test_an_excluded_person_stays_excluded_in_retries_and_clears_of_the_run(
    desk, tmp_path, monkeypatch, again, killed
):
    stop = tmp_path / "stop.csv"
    stop.write_text(f"phone\n{C}\n", "utf-8")
    task = calls(desk, do_not_call=f"file://{stop}", max_active_calls=1)
    with monkeypatch.context() as patch:
        if killed == "before the first call":
            patch.setattr(Runner, "step", kill_the_worker)
        else:
            in_seconds(desk, 5, kill_the_worker)
        with pytest.raises(KilledError):
            task.run()
    assert rung(desk) == ([A] if killed == "in the first call" else [])

    stop.write_text("phone\n", "utf-8")
    summary = getattr(task, again)()

    assert rung(desk) == [A, B]
    assert summary["results"]["do_not_call"] == 1


def test_a_campaign_succeeds_if_each_person_is_excluded_on_purpose(desk):
    summary = calls(desk, do_not_call=[A, B, C]).run()

    assert summary["results"]["do_not_call"] == 3
    assert rung(desk) == []


def test_a_campaign_fails_if_all_people_are_excluded_or_invalid(desk):
    with pytest.raises(CallApiFailure, match="No call is known to have been placed"):
        calls(desk, [*PEOPLE, {"phone": "12", "name": "Глеб"}], do_not_call=[A, B, C]).run()
