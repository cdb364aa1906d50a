"""A refused call is a result of its start operator only if the author asks for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow_fakes import CONTACT, TTS, VNUMBER, Task, informer_task

from airflow_provider_callapi.api.errors import CallApiError, CallRefused
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import CallApiFailure, CallUnresolved
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

pytest_plugins = ["airflow_desk"]


def start(desk: Any, **changes: Any) -> Task:
    usual = {"external_id": None, "wait_for_completion": False, "refused_as_result": True}
    return informer_task(desk, **{**usual, **changes})


def test_a_refused_call_is_a_result_of_the_usual_shape_without_a_session_or_a_phone_number(desk):
    desk.exchange.account.blacklist.add(CONTACT)

    result = start(desk).run()

    assert result == {
        **Outcome(0).to_xcom(),
        "call_session_id": None,
        "external_id": result["external_id"],
        "status": "refused",
        "answered": False,
        "finish_reason": "contact_in_blacklist",
    }
    assert result["external_id"].endswith("-1")
    assert CONTACT not in json.dumps(result)
    assert desk.exchange.rings(CONTACT) == 0


def test_a_refused_call_fails_without_refused_as_result(desk):
    desk.exchange.account.blacklist.add(CONTACT)

    with pytest.raises(CallApiFailure, match="contact_in_blacklist"):
        start(desk, refused_as_result=False).run()


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_clear_places_a_refused_call(desk):
    desk.exchange.account.blacklist.add(CONTACT)
    task = start(desk)
    assert task.run()["status"] == "refused"
    desk.exchange.account.blacklist.clear()

    result = task.clear()

    assert (result["status"], result["attempt"]) == ("started", 1)
    assert desk.sent() == ["start.informer_call"] * 2


@pytest.mark.needs_airflow("3.3", "task state")
def test_an_unconfirmed_call_stays_unresolved_even_if_a_repeat_would_be_refused(desk):
    desk.exchange.fault(Fault.DROP_AFTER, method="start.informer_call")
    desk.exchange.script(CONTACT, Script.busy(0))
    desk.connect(extra={"data_api": False})
    task = start(desk)
    with pytest.raises(CallUnresolved):
        task.run()
    desk.exchange.account.blacklist.add(CONTACT)

    with pytest.raises(CallUnresolved):
        task.retry()

    assert desk.exchange.rings(CONTACT) == 1


@pytest.mark.parametrize("was_called", [True, False])
def test_a_refusal_in_a_retry_without_a_journal_is_a_result_if_no_earlier_try_has_called(desk, was_called):
    desk.connect(extra={"data_api": False})
    task = start(desk, durable=False)
    if was_called:
        desk.exchange.script(CONTACT, Script.busy(0))
        task.run()
    else:
        desk.exchange.fault(Fault.REFUSE, method="start.informer_call", times=5)
        with pytest.raises(CallApiError):
            task.run()
    desk.exchange.account.blacklist.add(CONTACT)

    if was_called:
        with pytest.raises(CallUnresolved):
            task.retry()
    else:
        assert task.retry()["status"] == "refused"


@pytest.mark.parametrize("broken", ["another number", "key", "points"])
def test_an_error_of_the_request_or_the_account_is_no_refusal_of_the_contact(desk, broken):
    changes: dict[str, Any] = {}
    if broken == "another number":
        changes["virtual_phone_number"] = "74950000000"
    elif broken == "key":
        desk.connect(password="another key")
    else:
        desk.exchange.account.day_limit = 0

    with pytest.raises((CallApiError, CallApiFailure)) as failure:
        start(desk, **changes).run()

    assert "blacklist" not in str(failure.value)
    assert desk.exchange.rings(CONTACT) == 0


def test_refused_as_result_is_not_allowed_with_at_least_once():
    with pytest.raises(ValueError, match="at_most_once"):
        CallApiStartInformerCallOperator(
            task_id="call",
            virtual_phone_number=VNUMBER,
            contact=CONTACT,
            contact_message=TTS,
            delivery="at_least_once",
            refused_as_result=True,
        )


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_refused_search_is_no_refusal_of_the_contact(desk, monkeypatch):
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")
    refused = CallRefused("not allowed", method="list.calls", mnemonic="contact_in_blacklist")
    monkeypatch.setattr(
        CallApiHook, "poll_snapshots", lambda *_, **__: iter([Snapshot(desk.clock(), failure=refused)])
    )

    with pytest.raises(CallApiFailure, match=r"list\.calls"):
        start(desk, absence_proven_after=300.0).run()
