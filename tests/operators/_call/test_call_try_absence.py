"""A call whose start request got no answer: the search for it, and the proof that it is absent."""

from __future__ import annotations

import pytest
from airflow_fakes import CONTACT
from ways_to_wait import lose_the_first_try, waiting_task, ways

from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import (
    CallApiFailure,
    CallStillActive,
)

pytest_plugins = ["airflow_desk"]


@ways
@pytest.mark.parametrize("account", ["UTC", "Asia/Vladivostok", "America/New_York"])
@pytest.mark.parametrize("talks", [40, 1], ids=["listed", "over before a poll"])
def test_an_unconfirmed_call_is_found_even_if_the_connection_names_another_time_zone(
    desk, way, account, talks
):
    desk.exchange.account.timezone = account
    desk.connect(extra={"timezone": "Europe/Moscow"})
    desk.exchange.script(CONTACT, Script(rings=1, talks=talks))
    desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")

    result = waiting_task(desk, way, delivery="at_least_once").run()

    (call,) = desk.exchange.calls
    assert result["call_session_id"] == call.call_session_id
    assert desk.exchange.rings(CONTACT) == 1


@ways
@pytest.mark.parametrize("talks", [40, 1], ids=["listed", "over before a poll"])
def test_an_unconfirmed_call_with_an_id_of_this_package_is_found_without_the_accounts_time_zone(
    desk, way, talks
):
    desk.connect(extra={"timezone": None})
    desk.exchange.script(CONTACT, Script(rings=1, talks=talks))
    desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")
    desk.exchange.fault(Fault.BAD_GATEWAY, method="get.account", times=1000)

    result = waiting_task(desk, way, wait_for_completion=False).run()

    (call,) = desk.exchange.calls
    assert result["call_session_id"] == call.call_session_id
    assert "get.account" not in desk.sent()


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_call_whose_request_was_lost_is_placed_once_its_absence_is_proven(desk, way):
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")
    began = desk.clock()

    result = waiting_task(desk, way, absence_proven_after=300).run()

    assert (result["attempt"], result["answered"]) == (1, True)
    assert desk.exchange.rings(CONTACT) == 1
    (ring,) = [entry for entry in desk.exchange.journal if entry.kind == "ring"]
    assert 300 <= ring.time - began < 400


@ways
@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize("talks", [40, 1, 600], ids=["listed", "over before a poll", "long"])
def test_a_call_whose_answer_was_lost_is_found_and_not_placed_again(desk, way, talks):
    desk.exchange.script(CONTACT, Script(rings=1, talks=talks))
    desk.exchange.report_lag = 100.0
    desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")

    result = waiting_task(desk, way, absence_proven_after=300).run()

    assert (result["attempt"], result["answered"]) == (1, True)
    assert desk.exchange.rings(CONTACT) == 1


@pytest.mark.parametrize(
    ("changes", "data_api", "reason"),
    [({}, False, r"extra\.data_api"), ({"durable": False}, True, "durable=True")],
    ids=["no Data API", "no journal"],
)
def test_absence_proven_after_is_refused_before_dialling_if_absence_cannot_be_proven(
    desk, changes, data_api, reason
):
    desk.connect(extra={"data_api": data_api})
    with pytest.raises(CallApiFailure, match=f"absence_proven_after needs .*{reason}"):
        waiting_task(desk, absence_proven_after=300, **changes).run()
    assert desk.exchange.journal == []


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_retry_continues_with_a_placed_call_although_its_absence_can_no_longer_be_proven(desk):
    desk.exchange.script(CONTACT, Script(rings=1, talks=60))
    calling = waiting_task(desk, absence_proven_after=300, timeout=30)
    with pytest.raises(CallStillActive):
        calling.run()
    desk.connect(extra={"data_api": False})

    desk.sleep(10)
    assert calling.retry()["status"] == "ended"
    assert desk.exchange.rings(CONTACT) == 1


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_retry_that_cannot_search_for_an_unconfirmed_call_states_that_the_phone_may_have_rung(
    desk, monkeypatch
):
    desk.exchange.script(CONTACT, Script.busy(0))
    desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")
    calling = waiting_task(desk, absence_proven_after=300)
    lose_the_first_try(calling, monkeypatch)
    desk.connect(extra={"data_api": False})

    with pytest.raises(CallApiFailure, match=r"extra\.data_api.* external_id af-\S+-1 may have been placed"):
        calling.retry()
