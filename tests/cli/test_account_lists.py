"""What the account has: the lists, and the check of objects that a DAG names."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from known_numbers import VNUMBER

from airflow_provider_callapi.hooks.callapi import CallApiHook

pytestmark = pytest.mark.needs_airflow("3.2", "commands of providers")


@pytest.mark.parametrize(
    ("command", "row"),
    [
        (
            "numbers",
            {"number": VNUMBER, "name": None, "status": "manual_lock", "scenarios": [23456]},
        ),
        (
            "employees",
            {"id": 25, "name": "Иванова Анна", "phones": ["7926…0001 (active)"], "extension": "125"},
        ),
        ("scenarios", {"id": 23456, "name": "Отдел продаж", "numbers": [VNUMBER]}),
        ("media", {"id": 2034, "name": "Музыка удержания", "type": "user", "seconds": 5}),
        ("tags", {"id": 36, "name": "Answered", "system": False}),
    ],
)
def test_a_list_of_the_account_has_the_ids_that_operators_need(callapi, connection, exchange, command, row):
    exchange.account.locked.add(VNUMBER)
    as_json = callapi(command, "-o", "json")
    as_table = callapi(command)

    assert as_json.code == as_table.code == 0, as_json.err
    assert row in json.loads(as_json.out)
    first = str(next(iter(row.values())))
    assert first in as_table.out


def test_complete_numbers_of_employees_are_shown_on_request(callapi, connection):
    run = callapi("employees", "-o", "json", "--show-phone-numbers")
    assert json.loads(run.out)[0]["phones"] == ["79260000001 (active)"]


@pytest.mark.parametrize("command", ["numbers", "employees", "scenarios", "media", "tags", "check --tag 36"])
def test_a_list_of_the_account_needs_the_data_api(callapi, connection, command):
    connection(extra={"data_api": False})
    run = callapi(*command.split())

    assert run.failed_with_one_line, run
    assert "tick Use the Data API (extra.data_api)" in " ".join(run.err.split())


def test_the_error_of_a_refused_list_names_the_data_api_and_the_remedy(callapi, connection, exchange):
    exchange.account.data_api_whitelist.clear()
    run = callapi("numbers")

    assert run.failed_with_one_line, run
    assert "IP list for the Data API" in run.err


THINGS = [
    "--virtual-number=74993720692",
    "--scenario=23456",
    "--employee=25",
    "--media-file=2034",
    "--tag=36",
    "--sip-line=sip25",
]


def test_a_check_of_objects_that_the_account_has_succeeds(callapi, connection):
    run = callapi("check", *THINGS, "-o", "json")

    assert run.code == 0, run.err
    assert json.loads(run.out)["problems"] == []


@pytest.mark.parametrize("number", ["+7 (499) 372-06-92", "8 499 372-06-92", " 74993720692 "])
def test_a_check_finds_a_virtual_number_in_every_spelling_that_operators_read(callapi, connection, number):
    assert callapi("check", f"--virtual-number={number}").code == 0


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (
            "--virtual-number=74990000000",
            "The account has no virtual number 7499…0000: `airflow callapi numbers` lists its numbers.",
        ),
        ("--virtual-number=74951045771", "The virtual number 7495…5771 is off (manual_lock)."),
        ("--scenario=5", "The account has no scenario 5."),
        ("--employee=5", "The account has no employee 5."),
        ("--employee=27", "Employee 27 has no telephone that is switched on."),
        ("--media-file=5", "The account has no media file 5."),
        ("--tag=5", "The account has no tag 5."),
        ("--sip-line=sip5", "The account has no SIP line sip5."),
        ("--sip-line=sip26", "The SIP line sip26 is off (manual_lock)."),
    ],
)
def test_a_check_names_objects_that_the_account_lacks_or_has_switched_off(
    callapi, connection, exchange, option, sentence
):
    exchange.account.locked |= {"74951045771", "sip26"}
    exchange.account.employees[27] = replace(
        exchange.account.employees[25], id=27, phone_numbers=(), other_numbers=()
    )
    as_text = callapi("check", *THINGS, option)
    as_json = callapi("check", *THINGS, option, "-o", "json")

    assert as_text.code == as_json.code == 1
    assert as_text.out.startswith("Connected; ")
    assert as_text.err.rstrip().endswith(f"airflow callapi: {sentence}")
    assert json.loads(as_json.out)["problems"] == [sentence]


def test_a_list_that_cannot_be_read_is_reported_and_is_no_mistake(callapi, connection, exchange):
    exchange.account.forbidden_methods.add("get.tags")
    run = callapi("check", "--tag=5", "--scenario=23456")

    assert run.code == 0
    assert "The account's tags were not checked: get.tags: Permission denied" in run.err


def test_check_prints_what_test_connection_returns(callapi, connection):
    assert callapi("check").out == f"{CallApiHook().test_connection()[1]}\n"


def test_a_program_can_read_every_result_of_a_check(callapi, connection):
    works = callapi("check", "-o", "json")
    connection(password="no-such-key-at-all")
    broken = callapi("check", "-o", "json")

    assert (works.code, json.loads(works.out)["works"]) == (0, True)
    assert (broken.code, json.loads(broken.out)["works"]) == (1, False)
    assert "does not know this access key" in json.loads(broken.out)["message"]
