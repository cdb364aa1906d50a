"""The next try of a campaign: it calls the remaining people, and no one if it is another campaign."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.exceptions import TaskDeferred
from airflow_fakes import RETRIES, TaskInstance
from campaign_desk import (
    PEOPLE,
    KilledError,
    campaign,
    counted,
    in_seconds,
    kill_the_worker,
    listed,
    rings,
    waking,
)

from airflow_provider_callapi.calls.campaign.attempt_ids import fingerprint
from airflow_provider_callapi.deployment_settings import read_deployment
from airflow_provider_callapi.emulator import Fault
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble
from airflow_provider_callapi.operators._campaign import services

pytest_plugins = ["airflow_desk", "campaign_desk"]

TASK_STATE = pytest.mark.needs_airflow("3.3", "task state")


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


def test_a_clear_after_the_end_calls_no_one(desk, capsys):
    calls = campaign(desk)
    calls.run()

    assert counted(calls.clear()) == {"answered": 12}

    assert rings(desk) == [1] * 12
    assert "Campaign spring: 0 people to be called, 12 finished before" in capsys.readouterr().out


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


@TASK_STATE
def test_an_error_after_a_deferral_does_not_say_that_the_try_placed_no_call(desk):
    calls = campaign(desk, campaign="spring", deferrable=True)
    with pytest.raises(TaskDeferred) as deferral:
        calls.make().execute(calls.context)
    assert sum(rings(desk)) > 0

    other = campaign(desk, campaign="summer", deferrable=True).make()
    with pytest.raises(CallApiFailure, match=r"^campaign: .*Restore the value") as failure:
        other.execute_complete(calls.context, {}, **deferral.value.kwargs)

    assert "no call" not in str(failure.value)


@TASK_STATE
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


@TASK_STATE
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


@TASK_STATE
@TASK_STATE
@pytest.mark.parametrize("is_cleared", [True, False])
def test_a_clear_accepts_another_list_also_if_the_dag_file_has_one_retry_less(desk, tmp_path, is_cleared):
    """Airflow's ``max_tries`` then stays as it was."""
    path = tmp_path / "people.csv"
    calls = campaign(desk, contacts=listed(path, *PEOPLE[:3]))
    in_seconds(desk, 5, kill_the_worker)
    with pytest.raises(KilledError):
        calls.run()
    listed(path, *PEOPLE[:4])
    calls.more_context["task"] = SimpleNamespace(retries=RETRIES - 1)
    calls.run_clears += is_cleared
    if is_cleared:
        assert counted(calls.retry()) == {"answered": 4}
    else:
        with pytest.raises(CallApiTrouble, match="the list has 4 people"):
            calls.retry()
    assert max(rings(desk)) == 1


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


@TASK_STATE
def test_the_cost_of_a_call_is_still_known_after_a_clear(desk):
    desk.exchange.account.weights["start.informer_call"] = 3
    calls = campaign(desk)

    assert calls.run()["points_used"] == 36

    assert calls.clear()["points_used"] == 36


@TASK_STATE
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


@TASK_STATE
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


@TASK_STATE
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


@TASK_STATE
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


@pytest.mark.parametrize("typed", ["Весна 1 ", "\ufeffВесна\u00a01", "Весна  1\n", "Вес\u200bна 1"])
def test_a_name_that_looks_like_that_of_an_earlier_run_calls_no_one_again(desk, typed):
    campaign(desk, campaign="Весна 1", ledger_conn_id="ledger").run()
    next_run = TaskInstance(run_id="next")
    summary = campaign(desk, campaign=typed, ledger_conn_id="ledger", ti=next_run).run()

    assert {desk.exchange.rings(person) for person in PEOPLE} == {1}
    assert summary["campaign"] == "Весна 1"


def test_a_person_is_called_once_although_a_later_list_has_a_sip_address_with_the_number(desk):
    sip = [f"{PEOPLE[0]}@pbx.example.com"]
    runs = [(PEOPLE[:1], {}), (sip, {}), (sip, {"campaign": "summer", "min_gap": timedelta(days=9)})]
    results = []
    for people, more in runs:
        calls = campaign(desk, contacts=people, ledger_conn_id="ledger", **more)
        results.append(counted(calls.run()))

    assert results == [{"answered": 1}, {"answered": 1}, {"called_recently": 1}]
    assert len(desk.exchange.calls) == 1


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
