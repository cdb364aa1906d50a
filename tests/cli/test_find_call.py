"""The command ``airflow callapi find``: an active call, an ended call, and no call."""

from __future__ import annotations

import json
from datetime import datetime
from types import SimpleNamespace

import pytest
from airflow_fakes import CONTACT, start_informer_call

from airflow_provider_callapi.emulator import Script

pytestmark = pytest.mark.needs_airflow("3.2", "commands of providers")


@pytest.fixture
def find(callapi, connection):
    """Return a function that runs the command and returns its exit code, its rows and stderr."""

    def run(*arguments, data_api=True):
        connection(extra={"data_api": data_api})
        done = callapi("find", *arguments, "--output", "json")
        return SimpleNamespace(code=done.code, rows=json.loads(done.out) if done.out else [], err=done.err)

    return run


def test_an_active_call_is_found_once_and_its_number_is_shortened(find, exchange):
    exchange.default_script = Script(rings=0, talks=None)
    session = start_informer_call(exchange, external_id="order-7")

    found = find("order-7")

    assert [(row["session"], row["state"]) for row in found.rows] == [(session, "active")]
    assert CONTACT not in json.dumps(found.rows)


def test_an_ended_call_is_found_in_the_data_api(find, exchange):
    exchange.default_script = Script.busy(rings=0)
    session = start_informer_call(exchange, external_id="order-7")

    [row] = find("order-7").rows

    assert (row["session"], row["state"], row["finish_reason"]) == (session, "ended", "subscriber_busy")


def test_times_are_utc_for_every_time_zone_of_the_account(callapi, connection, exchange):
    exchange.default_script = Script.busy(rings=0)
    exchange.account.timezone = "Asia/Yekaterinburg"
    began = exchange.clock()
    start_informer_call(exchange, external_id="order-7")
    connection(extra={"timezone": "Asia/Yekaterinburg"})

    (row,) = json.loads(callapi("find", "order-7", "--output", "json").out)
    heading, _, line = callapi("find", "order-7").out.splitlines()[:3]

    assert abs(datetime.fromisoformat(row["since"]).timestamp() - began) < 2
    shown = dict(zip(*([cell.strip() for cell in text.split("|")] for text in (heading, line)), strict=True))
    assert f"{shown['since (UTC)'].replace(' ', 'T')}Z" == row["since"]
    assert f"{shown['until (UTC)'].replace(' ', 'T')}Z" == row["until"]


@pytest.mark.parametrize("data_api", [True, False])
def test_the_command_fails_without_a_call_and_states_what_it_searched(find, exchange, data_api):
    exchange.default_script = Script(rings=0, talks=None)
    start_informer_call(exchange, external_id="order-70")

    found = find("order-7", data_api=data_api)

    assert (found.code, found.rows) == (1, [])
    assert "no active call" in found.err
    assert ("Data API," in found.err) is data_api
    assert ("extra.data_api" in found.err) is not data_api


@pytest.mark.parametrize("searched", ["ORDER-7", " order-7 ", "order-7"])
def test_an_id_is_found_in_each_spelling_that_the_service_may_use(find, exchange, searched):
    exchange.default_script = Script(rings=0, talks=None)
    session = start_informer_call(exchange, external_id="order-7")

    for data_api in (True, False):
        assert [row["session"] for row in find(searched, data_api=data_api).rows] == [session]


@pytest.mark.parametrize("data_api", [True, False])
def test_the_command_names_active_calls_that_show_no_id_and_may_be_the_call(find, exchange, data_api):
    exchange.default_script = Script(rings=0, talks=None)
    start_informer_call(exchange)

    found = find("order-7", data_api=data_api)

    assert found.code == 1
    assert "1 active call shows no external_id, and may be the call" in found.err


@pytest.mark.parametrize("searched", ["0", "00", "", " "])
def test_a_call_with_an_empty_id_is_not_the_sought_call(find, exchange, searched):
    exchange.default_script = Script(rings=0, talks=None)
    start_informer_call(exchange, external_id="mine")
    exchange.calls[0].external_id = " "

    found = find(searched)

    assert (found.code, found.rows) == (1, [])
