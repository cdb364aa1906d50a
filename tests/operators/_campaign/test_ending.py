"""The end of a campaign: its summary, its files, and the error of a task that failed."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowSkipException,
)
from airflow_fakes import TTS, VNUMBER, TaskInstance
from campaign_desk import (
    PEOPLE,
    KilledError,
    campaign,
    counted,
    in_seconds,
    kill_the_worker,
    result_table,
    rings,
)

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.calls.outcomes.answers import FinishedCall
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble, CallTooLate
from airflow_provider_callapi.operators._campaign import services

pytest_plugins = ["airflow_desk", "campaign_desk"]


def test_a_list_without_people_skips_the_task_and_leaves_a_summary_and_a_file(desk, tmp_path):
    calls = campaign(desk, contacts=[], results=f"file://{tmp_path}/results.jsonl")
    with pytest.raises(AirflowSkipException, match="the list is empty"):
        calls.run()

    summary = calls.ti.xcoms["return_value"]
    assert (summary["people"], summary["unreached_share"]) == (0, 0.0)
    assert (tmp_path / "results.jsonl").read_text("utf-8") == ""


def test_results_have_the_format_of_the_list(desk, tmp_path):
    path, results = tmp_path / "people.csv", tmp_path / "results.csv"
    path.write_text(f"phone;name\n{PEOPLE[0]};Anna\n", "utf-8-sig")

    campaign(desk, contacts=f"file://{path}", results=f"file://{results}").run()

    assert results.read_text("utf-8").startswith("\ufeffphone;name;call_contact;call_result;")


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
    assert len(result_table(taken)) == 12
    assert rings(desk) == [1] * 12


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
    assert len(result_table(tmp_path / "results.csv")) == 12
    assert (tmp_path / "report.html").exists()
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

    assert len(result_table(taken)) == 12
    assert rings(desk) == [1] * 12


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


def test_a_campaign_that_begins_too_late_calls_no_one_and_fails(desk, capsys):
    calls = campaign(desk, max_lateness=3600)
    calls.run_after = calls.now - timedelta(seconds=3601)

    with pytest.raises(CallTooLate, match=r"max_lateness ended at 2025-10-09 11:53:\d\d .*: 12 people"):
        calls.run()

    assert rings(desk) == [0] * 12
    assert "Campaign spring: 0 people to be called" in capsys.readouterr().out


def test_a_campaign_whose_time_has_no_calling_hours_fails_at_once(desk):
    began = desk.clock()

    with pytest.raises(
        CallTooLate, match=r"No one could be called: max_lateness ends at .*12 people, 0 calls"
    ):
        campaign(desk, calling_hours=("18:00", "21:00"), max_lateness=3600).run()

    assert desk.clock() - began < 60


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


def test_the_error_of_a_campaign_that_ended_early_names_the_file_that_is_missing(desk, tmp_path, capsys):
    taken = tmp_path / "results.csv"
    taken.mkdir()
    calls = campaign(desk, results=str(taken), calling_hours=("18:00", "21:00"), max_lateness=3600)

    with pytest.raises(CallTooLate, match=r"No one could be called.*could not be written: IsADirectory"):
        calls.run()

    assert "could not be written: IsADirectory" in capsys.readouterr().out


def test_a_refusal_that_concerns_all_people_stops_the_campaign_until_a_clear(desk, capsys):
    desk.exchange.account.forbidden_methods = {"start.informer_call"}
    calls = campaign(desk)

    with pytest.raises(CallApiFailure, match=r"The campaign was stopped: .*clear this task"):
        calls.run()

    assert rings(desk) == [0] * 12
    assert re.search(r"(?i)\berror\b.* Dialling has stopped", capsys.readouterr().out)
    assert counted(calls.ti.xcoms["return_value"]) == {"not_called": 12}
    desk.exchange.account.forbidden_methods = set()
    assert counted(calls.clear()) == {"answered": 12}
    assert rings(desk) == [1] * 12


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


def test_the_report_of_a_stopped_campaign_states_that_it_is_unfinished(desk, tmp_path):
    report = tmp_path / "report.html"
    desk.exchange.account.forbidden_methods = {"start.informer_call"}

    with pytest.raises(CallApiFailure, match="was stopped"):
        campaign(desk, report=f"file://{report}").run()

    assert "Unfinished." in report.read_text("utf-8")


def test_a_stopped_campaign_names_the_file_that_it_could_not_write(desk, tmp_path):
    call = {"method": "start.informer_call", "virtual_phone_number": "74950000000", "contact_message": TTS}
    (tmp_path / "results.csv").mkdir()
    calls = campaign(desk, call=call, results=f"{tmp_path}/results.csv")

    with pytest.raises(CallApiFailure, match=r"was stopped: .*results\.csv could not be written"):
        calls.run()


def test_a_service_that_is_away_for_long_ends_the_try_with_a_transient_error(desk):

    desk.exchange.default_script = Script(rings=3, talks=300)  # the Data API reports the end later
    desk.exchange.fault(Fault.BAD_GATEWAY, method="list.calls", times=11)
    calls = campaign(desk)

    with pytest.raises(CallApiError) as caught:
        calls.run()

    assert not isinstance(caught.value, CallApiFailure)
    assert not caught.value.permanent
    assert counted(calls.retry()) == {"answered": 12}
    assert rings(desk) == [1] * 12
