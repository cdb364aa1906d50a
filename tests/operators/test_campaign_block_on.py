"""A campaign puts the people who object onto the blacklist of the account."""

from __future__ import annotations

from typing import Any

import pytest
from airflow_fakes import VNUMBER
from campaign_desk import PEOPLE, campaign, rung

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.errors import InvalidParameters, TransportError
from airflow_provider_callapi.emulator import Profile, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble, InvalidParameter
from airflow_provider_callapi.operators._campaign.blacklist import BlacklistWriter

pytest_plugins = ["airflow_desk", "campaign_desk"]


@pytest.fixture
def desk(campaign_desk):
    return campaign_desk


OBJECTS = "tag:254"


def objecting(desk, *people: str) -> None:
    """Let these people press a key whose operation sets the tag of an objection."""
    for phone in people:
        desk.exchange.script(phone, Script.presses("1"))


MENU = {
    "method": "start.scenario_call",
    "virtual_phone_number": VNUMBER,
    "first_call": "contact",
    "scenario_id": 23457,
}


def test_only_the_people_who_objected_are_on_the_blacklist_afterwards(desk):
    objecting(desk, PEOPLE[1], PEOPLE[4])
    campaign(desk, call=MENU, block_on=[OBJECTS]).run()

    assert desk.exchange.account.blacklist == {PEOPLE[1], PEOPLE[4]}


def test_a_number_of_fewer_than_ten_digits_is_blocked_and_shortened_in_the_log(desk, capsys):
    objecting(desk, "376312345")
    campaign(desk, contacts=["+376 312 345", PEOPLE[0]], call=MENU, block_on=[OBJECTS]).run()

    assert desk.exchange.account.blacklist == {"376312345"}
    log = capsys.readouterr().out
    assert "block_on: 376…45 objected, and is now on the account's blacklist" in log
    assert "no SIP line" not in log
    assert "376312345" not in log


def test_a_number_that_the_blacklist_refuses_keeps_no_other_number_off(desk, monkeypatch, capsys):
    objecting(desk, PEOPLE[1], PEOPLE[4])
    send = Client.call

    def refuse_one(client, request, **options):
        if getattr(request, "phone_number", None) == PEOPLE[1]:
            raise InvalidParameters("No", method=request.method)
        return send(client, request, **options)

    monkeypatch.setattr(Client, "call", refuse_one)
    with pytest.raises(CallApiTrouble, match=r"block_on: 7916…0001 is not on the blacklist: create"):
        campaign(desk, call=MENU, block_on=[OBJECTS]).run()

    assert desk.exchange.account.blacklist == {PEOPLE[4]}


@pytest.mark.parametrize(
    ("callapi_profile", "people"),
    [
        (Profile(report_delay=2000.0), 3),  # the unanswered call may have been answered
        (Profile(refused_fields={"scenario_operations": "unexpected_parameters"}), 2),
    ],
    ids=["late reports", "refused operations"],
)
@pytest.mark.usefixtures("callapi_profile")  # pytest 8 does not look for it in the fixtures of `desk`
def test_the_log_counts_people_whose_objection_is_not_known(desk, capsys, people):
    desk.exchange.default_script = Script.presses("3")  # leads to the operation Отказ, and sets no tag
    desk.exchange.script(PEOPLE[0], Script.no_answer())
    objections = ["tag:254", "operation:Отказ"]

    campaign(desk, contacts=PEOPLE[:3], call=MENU, redial={"not_reached": None}, block_on=objections).run()

    assert desk.exchange.account.blacklist == set()
    log = capsys.readouterr().out
    assert f"block_on: {people} people are not put on the blacklist: they may have objected" in log


def test_the_log_counts_people_who_objected_and_have_a_sip_address(desk, capsys):
    desk.exchange.default_script = Script.presses("3")
    campaign(desk, contacts=["sip25", PEOPLE[0]], call=MENU, block_on=["operation:Отказ"]).run()

    assert desk.exchange.account.blacklist == {PEOPLE[0]}
    assert "block_on: 1 person is not put on the blacklist: they objected, but" in capsys.readouterr().out


def test_no_one_is_on_the_blacklist_unless_the_author_asks_for_it(desk):
    objecting(desk, PEOPLE[1])
    campaign(desk, call=MENU).run()

    assert desk.exchange.account.blacklist == set()


def test_a_blacklist_that_cannot_be_changed_fails_the_task_and_a_retry_only_changes_it(desk, monkeypatch):
    objecting(desk, PEOPLE[1])
    calls = campaign(desk, call=MENU, block_on=[OBJECTS, "operation:Отказ"])
    with monkeypatch.context() as patched:
        patched.setattr(BlacklistWriter, "_add", _fail)
        with pytest.raises(CallApiTrouble, match="block_on: the blacklist could not be changed"):
            calls.run()
    calls.retry()

    assert desk.exchange.account.blacklist == {PEOPLE[1]}
    assert rung(desk) == PEOPLE


def test_a_blacklist_that_cannot_be_changed_is_changed_by_a_retry_although_too_few_people_were_reached(
    desk, monkeypatch
):
    objecting(desk, PEOPLE[1])
    desk.exchange.script(PEOPLE[2], Script.busy())
    calls = campaign(desk, call=MENU, block_on=[OBJECTS], redial={"busy": None}, fail_if_unreached_over=0.0)
    with monkeypatch.context() as patched:
        patched.setattr(BlacklistWriter, "_add", _fail)
        with pytest.raises(CallApiTrouble, match="block_on: the blacklist could not be changed"):
            calls.run()
    with pytest.raises(CallApiFailure, match="fail_if_unreached_over"):
        calls.retry()

    assert desk.exchange.account.blacklist == {PEOPLE[1]}
    assert rung(desk) == PEOPLE


def _fail(*_: Any) -> None:
    raise TransportError("the service is away")


def test_a_text_that_is_no_mark_is_an_error_of_the_dag_file(desk):
    with pytest.raises(InvalidParameter, match="block_on: 'busy' is not operation:<name> or tag:<id>"):
        campaign(desk, block_on=["busy"]).make()
