"""The active calls of a campaign, as other code finds them at any moment."""

from __future__ import annotations

from msgspec.structs import replace

from airflow_provider_callapi.calls.campaign.contact_list.people import Person
from airflow_provider_callapi.calls.campaign.engine.attempt_progress import AttemptProgress
from airflow_provider_callapi.calls.campaign.engine.person_index import PersonIndex
from airflow_provider_callapi.calls.campaign.engine.person_state import PersonEvent
from airflow_provider_callapi.calls.campaign.engine.tag_plan import TagPlan
from airflow_provider_callapi.calls.campaign.engine.watched_calls import WatchedCalls
from airflow_provider_callapi.calls.campaign.engine.zone_queue import ZoneQueues
from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
from airflow_provider_callapi.calls.campaign.rules import Rules
from airflow_provider_callapi.calls.outcomes.outcome import Outcome


def test_a_kill_may_come_after_a_call_was_placed_and_before_it_is_watched() -> None:
    index, rules = PersonIndex([Person("anna", "79160000001", "UTC", {}, 1)]), Rules()
    progress = AttemptProgress(index, ZoneQueues(rules.hours), rules, TagPlan(rules))
    watched_calls = WatchedCalls(index, progress, TagPlan(rules))
    intent = Attempt("anna", 1, Status.DIALLING, "afc-1", intended_at=0.0)
    index.move(index["anna"], PersonEvent.READY)
    index.move(index["anna"], PersonEvent.CHOSEN, intent)
    placed = replace(intent, status=Status.ACTIVE, call=Outcome(7, "afc-1"))
    index.move(index["anna"], PersonEvent.PLACED, placed)  # the watch begins after this
    assert watched_calls.by_session() == {}
