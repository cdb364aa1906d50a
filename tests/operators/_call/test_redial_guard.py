"""Which errors forbid a retry, because the retry could not know the call and could ring again."""

from __future__ import annotations

import pytest
from airflow.exceptions import TaskDeferred
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
)
from airflow_fakes import CONTACT, Task
from ways_to_wait import waiting_task, ways

from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.exceptions import (
    CallApiFailure,
)

pytest_plugins = ["airflow_desk"]


@ways
def test_a_wait_that_timed_out_is_not_retried_without_a_durable_journal(desk, way):
    """Airflow before 3.3: a retry does not know the call and could ring again."""
    desk.exchange.script(CONTACT, Script(rings=0, talks=None))
    calling = waiting_task(desk, way, timeout=30)
    calling.state = None

    with pytest.raises(CallApiFailure, match=r"is still active after timeout \(30 s\)\. Not retried"):
        calling.run()


def fail_deferral(calling: Task, reason: str) -> None:
    """Run the task until it is deferred, and let the deferral fail, as Airflow does."""
    with pytest.raises(TaskDeferred):
        calling.make().execute(calling.context)
    calling.desk.clock.advance(7200)  # the call has ended
    calling.make().resume_execution("__fail__", {"error": reason}, calling.context)


failures_of_deferrals = pytest.mark.parametrize("reason", ["Trigger timeout", "Trigger failure"])


@failures_of_deferrals
@pytest.mark.parametrize("lost", ["durable=False", "Airflow before 3.3"])
def test_a_failed_deferral_is_not_retried_without_a_journal(desk, reason, lost):
    calling = waiting_task(desk, "deferral", durable=lost != "durable=False")
    if lost != "durable=False":
        calling.state = None

    with pytest.raises(CallApiFailure, match=f"{reason}. Not retried: a call may have been placed"):
        fail_deferral(calling, reason)

    assert desk.exchange.rings(CONTACT) == 1


@failures_of_deferrals
@pytest.mark.needs_airflow("3.3", "task state")
def test_the_retry_after_a_failed_deferral_continues_with_the_call_of_the_journal(desk, reason):
    calling = waiting_task(desk, "deferral")

    with pytest.raises(AirflowException, match=reason) as failure:
        fail_deferral(calling, reason)

    assert not isinstance(failure.value, AirflowFailException)
    assert calling.retry()["status"] == "ended"
    assert desk.exchange.rings(CONTACT) == 1
