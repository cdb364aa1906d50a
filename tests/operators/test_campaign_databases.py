"""A campaign reads its contacts and exclusions by queries from a database of the authors."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException
from campaign_desk import PEOPLE, KilledError, campaign, in_seconds, kill_the_worker, rung
from campaign_tables import QUERY

from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble, InvalidParameter

pytest_plugins = ["airflow_desk", "campaign_desk", "campaign_tables"]


@pytest.fixture
def desk(campaign_desk):
    return campaign_desk


def test_each_person_whom_a_query_returns_is_called_once(desk, dwh):
    query = {**QUERY, "sql": "SELECT phone FROM people WHERE name = :name", "parameters": {"name": "Anna"}}
    summary = campaign(desk, contacts=query).run()

    assert rung(desk) == PEOPLE
    assert summary["results"]["answered"] == 12


def test_a_query_without_rows_skips_the_task(desk, dwh):
    with pytest.raises(AirflowSkipException):
        campaign(desk, contacts={**QUERY, "sql": "SELECT phone FROM people WHERE 1 = 0"}).run()


def test_a_column_of_a_query_is_found_by_its_folded_name_and_a_near_miss_is_refused(desk, dwh):
    with pytest.raises(CallApiFailure, match="the column 'time_zon': did you mean timezone"):
        campaign(desk, contacts={**QUERY, "sql": "SELECT phone, 'x' AS time_zon FROM people"}).run()
    campaign(desk, contacts={**QUERY, "sql": 'SELECT phone AS "PHONE " FROM people'}).run()

    assert rung(desk) == PEOPLE


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_query_that_returns_other_people_after_a_failed_try_calls_no_one(desk, dwh, monkeypatch):
    calls = campaign(desk, contacts=QUERY)
    with monkeypatch.context() as patched:
        patched.setattr("airflow_provider_callapi.calls.campaign.run.runner.Runner.step", kill_the_worker)
        with pytest.raises(KilledError):
            calls.run()
    dwh("DELETE FROM people WHERE phone = ?", PEOPLE[0])

    with pytest.raises(CallApiTrouble, match=r"this task began with 12 people .* the list has 11 people"):
        calls.retry()


def test_a_person_who_objects_in_the_database_while_the_campaign_dials_is_not_called(desk, dwh):
    desk.at.append((desk.clock() + 90, lambda: dwh("INSERT INTO objections VALUES (?)", f"+{PEOPLE[5]}")))
    desk.at.append((desk.clock() + 90, lambda: dwh("INSERT INTO objections VALUES (?)", PEOPLE[11])))
    do_not_call = {"conn_id": "dwh", "sql": "SELECT phone FROM objections"}

    summary = campaign(desk, contacts=QUERY, do_not_call=do_not_call, max_active_calls=1).run()

    assert desk.exchange.rings(PEOPLE[11]) == 0
    assert summary["results"]["do_not_call"] >= 1


FOREIGN = {
    "contacts": QUERY,
    "do_not_call": {"blacklist": True, "list": {"conn_id": "dwh", "sql": "SELECT phone FROM people"}},
}


@pytest.mark.parametrize("field", FOREIGN)
def test_a_query_that_another_task_returned_is_refused(desk, dwh, field):
    calls = campaign(desk, **{field: _Output()})
    make = calls.make

    def render() -> Any:
        operator = make()
        setattr(operator, field, FOREIGN[field])
        return operator

    calls.make = render
    with pytest.raises(CallApiFailure, match=f"{field}: a query must be written in the DAG file"):
        calls.run()
    assert rung(desk) == []


class _Output:
    """Stands for the output of another task."""

    def resolve(self, context: Any) -> Any:
        raise NotImplementedError


def test_the_accounts_blacklist_is_excluded_together_with_a_list(desk, dwh):
    desk.exchange.account.blacklist.add(PEOPLE[0])
    dwh("INSERT INTO objections VALUES (?)", PEOPLE[1])
    objections = {"conn_id": "dwh", "sql": "SELECT phone FROM objections"}

    both = campaign(desk, do_not_call={"blacklist": True, "list": objections}).run()
    assert both["results"]["do_not_call"] == 2
    assert rung(desk) == PEOPLE[2:]


def test_the_accounts_blacklist_alone_is_enough(desk):
    desk.exchange.account.blacklist.add(PEOPLE[0])

    assert campaign(desk, do_not_call={"blacklist": "true"}).run()["results"]["do_not_call"] == 1


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_try_reads_the_blacklist_once_because_each_read_costs_points(desk, deferrable):
    """A campaign that waits overnight must not use up the day's points: it could not dial in the morning."""
    desk.exchange.account.blacklist.add(PEOPLE[0])
    desk.exchange.default_script = Script.busy()
    in_seconds(desk, 60, desk.exchange.account.blacklist.clear)

    options = {"contacts": PEOPLE[:3], "redial": {"busy": 4 * 3600}, "deferrable": deferrable}
    summary = campaign(desk, do_not_call={"blacklist": True}, **options).run()

    assert desk.sent().count("get.blacklist_phone_numbers") == 1
    assert (summary["results"]["do_not_call"], summary["results"]["busy"]) == (1, 2)
    assert rung(desk) == [*[PEOPLE[1]] * 3, *[PEOPLE[2]] * 3]


def test_the_blacklist_needs_the_data_api(desk):
    desk.connect(extra={"data_api": False})
    with pytest.raises(CallApiFailure, match=r"do_not_call\.blacklist needs the Data API"):
        campaign(desk, do_not_call={"blacklist": True}).run()

    assert rung(desk) == []


@pytest.mark.parametrize("field", ["contacts", "do_not_call"])
def test_a_template_in_a_statement_is_an_error_of_the_dag_file(desk, field):
    query = {"conn_id": "dwh", "sql": "SELECT phone FROM people WHERE name = '{{ params.name }}'"}
    for value in (query, {"blacklist": True, "list": query}) if field == "do_not_call" else (query,):
        with pytest.raises(InvalidParameter, match=rf"{field}\.sql takes no template"):
            campaign(desk, **{field: value}).make()


def test_a_value_is_a_parameter_in_one_form_for_all_databases(desk, dwh):
    dwh("INSERT INTO people VALUES ('79160009999', 'Boris')")
    sql = "SELECT phone FROM people WHERE name = %(name)s AND phone LIKE '7916000%'"
    campaign(desk, contacts={"conn_id": "dwh", "sql": sql, "parameters": {"name": "Boris"}}).run()

    assert rung(desk) == ["79160009999"]
