"""The trigger of a deferred task has the task's queue, so that only chosen triggerers poll."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.triggers.call_events import CallApiEventTrigger
from airflow_provider_callapi.triggers.call_session import CallApiSessionTrigger
from airflow_provider_callapi.triggers.campaign import CallApiCampaignTrigger

pytestmark = pytest.mark.needs_airflow("3.2", "trigger queues")

TELEPHONY = """
from airflow.sdk import DAG
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

CALL = {
    "virtual_phone_number": "74993720692",
    "contact_message": {"type": "tts", "value": "Hello"},
    "wait_for_completion": True,
    "deferrable": True,
    "poll_interval": 0.2,
    "appear_timeout": 0.2,  # under load, no poll may list a call as short as these
}

with DAG("telephony") as dag:
    CallApiStartInformerCallOperator.partial(task_id="mapped", queue="telephony", **CALL).expand(
        contact=["79160000001", "79160000002"]
    )
    CallApiStartInformerCallOperator(task_id="without_queue", contact="79160000003", **CALL)
"""


@pytest.fixture
def queues() -> Iterator[Counter[str | None]]:
    """Count the queues of the triggers that Airflow stores."""
    from airflow.models.trigger import Trigger
    from sqlalchemy import event

    counted: Counter[str | None] = Counter()

    def count(mapper: object, connection: object, trigger: Trigger) -> None:
        assert trigger.classpath.endswith(f".{CallApiSessionTrigger.__name__}")
        counted[trigger.queue] += 1

    event.listen(Trigger, "after_insert", count)
    yield counted
    event.remove(Trigger, "after_insert", count)


@pytest.fixture
def short_calls(exchange: Any) -> None:
    for contact in ("79160000001", "79160000002", "79160000003"):
        exchange.script(contact, Script.busy(0.1))


@pytest.mark.usefixtures("short_calls")
@pytest.mark.parametrize(
    ("enabled", "expected"),
    [("True", {"telephony": 2, "default": 1}), ("False", {None: 3})],
)
def test_a_trigger_has_the_queue_of_its_task_if_queues_are_enabled(
    run_dag, queues, monkeypatch, enabled, expected
):
    monkeypatch.setenv("AIRFLOW__TRIGGERER__QUEUES_ENABLED", enabled)

    assert run_dag(TELEPHONY).state == "success"

    assert queues == expected


TRIGGERERS = {"without queues": None, "default": {"default"}, "telephony": {"telephony"}}
"""Triggerer → its ``--queues``."""


@pytest.fixture
def takers(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Ask Airflow, at the beginning of each wait, which triggerers take its trigger: queue → triggerers."""
    from airflow.models.trigger import Trigger
    from airflow.utils.session import create_session
    from sqlalchemy import select

    wait = CallApiSessionTrigger.run
    found: dict[str, set[str]] = {}

    def takes(number: int, queues: set[str] | None, trigger: int) -> bool:
        Trigger.assign_unassigned(number, 1000, 30, queues)
        return trigger in Trigger.ids_for_triggerer(number, queues)

    async def run(trigger: CallApiSessionTrigger) -> AsyncIterator[Any]:
        with create_session() as session:
            number, queue = session.execute(
                select(Trigger.id, Trigger.queue).order_by(Trigger.id.desc())
            ).first()
        found[queue] = {
            name for place, (name, queues) in enumerate(TRIGGERERS.items()) if takes(place, queues, number)
        }
        async for event in wait(trigger):
            yield event

    monkeypatch.setattr(CallApiSessionTrigger, "run", run)
    return found


@pytest.mark.usefixtures("short_calls")
def test_only_a_triggerer_with_the_queue_of_the_task_takes_the_trigger(run_dag, takers, monkeypatch):
    monkeypatch.setenv("AIRFLOW__TRIGGERER__QUEUES_ENABLED", "True")

    assert run_dag(TELEPHONY).state == "success"

    assert takers == {"telephony": {"telephony"}, "default": {"default"}}


def test_the_trigger_of_a_campaign_has_a_queue_and_the_trigger_of_a_watcher_has_none():
    assert CallApiSessionTrigger.supports_triggerer_queue
    assert CallApiCampaignTrigger.supports_triggerer_queue
    assert not CallApiEventTrigger.supports_triggerer_queue
