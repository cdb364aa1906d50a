"""One try of a start operator: whether it may dial, and what the journal of earlier tries changes."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
)
from airflow_fakes import CONTACT, RETRIES, refuse_stage
from ways_to_wait import TAGS, waiting_task, ways

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import (
    CallApiTrouble,
    CallStillActive,
    CallTooLate,
    CallUnresolved,
)

pytest_plugins = ["airflow_desk"]


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_an_answer_that_cannot_be_stored_fails_the_try_with_its_session_and_the_retry_does_not_dial(
    desk, way, monkeypatch
):
    desk.exchange.script(CONTACT, Script(rings=3, talks=60))
    calling = waiting_task(desk, way)

    with monkeypatch.context() as patch:
        refuse_stage(patch, "started")
        with pytest.raises(CallApiTrouble, match=r"call session \d+: the phone rings or has rung"):
            calling.run()
    result = calling.retry()

    assert result["answered"]
    assert desk.exchange.rings(CONTACT) == 1


@pytest.mark.parametrize("late", [timedelta(hours=25), timedelta(days=30)])
def test_no_one_is_dialled_for_a_run_that_is_older_than_a_day(desk, late):
    calling = waiting_task(desk)
    calling.run_after = calling.now - late

    with pytest.raises(CallTooLate, match="max_lateness") as failure:
        calling.run()

    assert isinstance(failure.value, AirflowFailException)
    assert desk.exchange.journal == []


@pytest.mark.parametrize("allowed", [60, timedelta(minutes=1), "never", None])
def test_max_lateness_is_seconds_or_a_timedelta_or_none(desk, allowed):
    changes = {} if allowed == "never" else {"max_lateness": allowed}
    calling = waiting_task(desk, **changes)
    calling.run_after = calling.now - timedelta(minutes=2)

    if isinstance(allowed, str) or allowed is None:
        assert calling.run()["status"] == "ended"
    else:
        with pytest.raises(CallTooLate):
            calling.run()


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_late_retry_still_watches_the_call_that_was_placed_in_time(desk):
    desk.exchange.script(CONTACT, Script(rings=0, talks=90_000))
    calling = waiting_task(desk, timeout=60)
    calling.run_after = calling.now
    with pytest.raises(CallStillActive):
        calling.run()

    desk.clock.advance(86_400)
    with pytest.raises(CallStillActive):
        calling.retry()

    assert desk.exchange.rings(CONTACT) == 1


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_retry_after_an_error_of_the_trigger_watches_the_same_call(desk, way):
    desk.exchange.script(CONTACT, Script(rings=0, talks=200))
    desk.exchange.fault(Fault.BAD_GATEWAY, method="list.calls", times=11)
    calling = waiting_task(desk, way)

    with pytest.raises((CallApiError, CallApiTrouble)):
        calling.run()
    assert calling.retry()["status"] == "ended"

    assert desk.exchange.rings(CONTACT) == 1


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_stored_journal_counts_although_the_dag_file_now_says_durable_false(desk, way):
    calling = waiting_task(desk, way)
    first = calling.run()
    calling.make = waiting_task(desk, way, durable=False).make

    assert calling.retry() == first
    assert desk.exchange.rings(CONTACT) == 1


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_clear_places_a_finished_call_again_and_a_retry_does_not(desk, way):
    """A retry after success: an on_success callback, or a worker that died before Airflow knew."""
    desk.exchange.script(CONTACT, Script(rings=3, talks=10))
    calling = waiting_task(desk, way)
    first = calling.run()

    assert calling.retry() == first
    assert desk.exchange.rings(CONTACT) == 1
    assert calling.clear()["attempt"] == 2
    assert desk.exchange.rings(CONTACT) == 2


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_clear_places_a_finished_call_again_also_if_the_dag_file_has_one_retry_less(desk, way):
    calling = waiting_task(desk, way)
    first = calling.run()
    calling.run_clears += 1  # of another task
    assert calling.retry() == first
    calling.more_context["task"] = SimpleNamespace(retries=RETRIES - 1)
    calling.ti.try_number = 1

    calling.run_clears += 1
    calling.ti.max_tries = calling.ti.try_number + RETRIES - 1  # as before the clear
    assert calling.retry()["attempt"] == 2
    assert desk.exchange.rings(CONTACT) == 2


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_an_unconfirmed_call_is_not_taken_for_the_call_whose_record_airflow_has_deleted(
    desk, way, monkeypatch
):
    monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", "True")
    calling = waiting_task(desk, way)
    calling.run()
    calling.state.values.clear()
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call", times=2)

    for _ in range(2):
        with pytest.raises(CallUnresolved):
            calling.clear()
    assert desk.exchange.rings(CONTACT) == 1

    assert calling.clear()["answered"]
    assert desk.exchange.rings(CONTACT) == 2


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_journal_is_plain_json_without_a_phone_number_or_a_credential(desk):
    desk.connect(login=True)
    desk.exchange.script(CONTACT, Script(rings=3, talks=10))
    calling = waiting_task(desk, "deferral", tags=TAGS)

    calling.run()

    assert calling.state is not None
    (record,) = calling.state.values.values()
    account = desk.exchange.account
    for secret in (CONTACT, account.password, account.key, *desk.exchange.call_api.tokens):
        assert secret not in record
