"""What a try of a campaign knows from earlier tries and from before a deferral."""

from __future__ import annotations

import json

from json_store import JsonStore

from airflow_provider_callapi.operators._campaign.memory import CampaignMemory

IDENTITY = {"campaign": "spring", "generation": 2}


def test_the_memory_of_the_first_try_is_empty() -> None:
    memory = CampaignMemory(JsonStore(), {})
    assert (memory.identity, memory.points_per_call, memory.stopped) == (None, None, None)
    assert not memory.is_resumed
    assert memory.excluded == frozenset()


def test_identity_and_cost_outlive_a_try_in_task_state() -> None:
    state = JsonStore()
    first = CampaignMemory(state, {})
    first.remember_identity(IDENTITY)
    first.remember_points_per_call(3)

    retry = CampaignMemory(state, {})
    assert (retry.identity, retry.points_per_call) == (IDENTITY, 3)


def test_a_memo_outlives_a_deferral_without_task_state() -> None:
    before = CampaignMemory(None, {})
    before.remember_identity(IDENTITY)
    before.remember_excluded(["a", "b"])
    before.began_too_late = True
    memo = json.loads(json.dumps(before.memo(stopped="no money")))

    after = CampaignMemory(None, memo)
    assert (after.is_resumed, after.identity, after.stopped) == (True, IDENTITY, "no money")
    assert after.excluded == {"a", "b"}
    assert after.began_too_late


def test_the_accounts_time_zone_outlives_a_try_and_a_deferral() -> None:
    state = JsonStore()
    first = CampaignMemory(state, {})
    assert first.timezone is None
    first.remember_timezone("Asia/Omsk")

    assert CampaignMemory(state, {}).timezone == "Asia/Omsk"
    assert CampaignMemory(None, first.memo(stopped=None)).timezone == "Asia/Omsk"


def test_a_fact_that_did_not_change_is_not_stored_again() -> None:
    state = JsonStore()
    memory = CampaignMemory(state, {})
    for _ in range(3):
        memory.remember_points_per_call(3)
        memory.remember_identity(IDENTITY)
    assert state.writes == 2


def test_task_state_keeps_the_excluded_people_for_the_next_try() -> None:
    state = JsonStore()
    first = CampaignMemory(state, {})
    people = [f"{number:016x}" for number in range(4500)]
    first.remember_excluded(people[:3000])
    first.remember_excluded(people)

    assert CampaignMemory(state, {}).excluded == set(people)
    assert CampaignMemory(JsonStore(), {}).excluded == set()


def test_a_memo_does_not_repeat_the_excluded_people_in_task_state() -> None:
    state = JsonStore()
    first = CampaignMemory(state, {})
    first.remember_excluded([f"{number:016x}" for number in range(3000)])
    memo = json.dumps(first.memo(stopped=None))

    assert len(memo) < 200
    assert CampaignMemory(state, json.loads(memo)).excluded == first.excluded
