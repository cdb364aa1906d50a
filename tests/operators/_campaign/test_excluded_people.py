"""The people of a campaign who are on the do-not-call list stay excluded in later tries."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.campaign.contact_list.people import Person, Plan
from airflow_provider_callapi.calls.lists.exclusions import Exclusions
from airflow_provider_callapi.calls.stores import MemoryStore
from airflow_provider_callapi.operators._campaign.excluded_people import ExcludedPeople
from airflow_provider_callapi.operators._campaign.memory import CampaignMemory

NUMBERS = [f"7916000000{digit}" for digit in range(6)]
PLAN = Plan(people=[Person(number, number, "Europe/Moscow", {}, 1) for number in NUMBERS])
STRANGER = "79260000009"


def excluded_people(memory: CampaignMemory, rows: Any, plan: Plan = PLAN) -> ExcludedPeople:
    options = SimpleNamespace(do_not_call=Exclusions(rows), region="RU", max_unreadable=0)
    return ExcludedPeople(options, plan, memory, scope="spring", hook=None, log=None)  # type: ignore[arg-type]


@given(st.lists(st.sets(st.sampled_from([*NUMBERS, STRANGER])), min_size=1, max_size=5))
def test_a_person_stays_excluded_in_later_tries_even_if_the_list_is_shorter(lists: list[set[str]]) -> None:
    state, so_far = MemoryStore(), set()
    for numbers in lists:
        so_far |= numbers - {STRANGER}
        assert excluded_people(CampaignMemory(state, {}), sorted(numbers)).current() == so_far | numbers
    assert not any(number in json.dumps(vars(state)) for number in NUMBERS), "a number is stored"


def test_a_person_with_a_phone_number_as_sip_address_stays_excluded_by_this_number() -> None:
    state = MemoryStore()
    sip = Person("key", "89260000001@x.ru", "Europe/Moscow", {}, 1, frozenset({"79260000001"}))
    for rows in (["79260000001"], [STRANGER]):
        numbers = excluded_people(CampaignMemory(state, {}), rows, Plan(people=[sip])).current()
        assert sip.is_excluded_by(numbers or ())


def test_the_campaign_must_not_dial_while_a_list_that_was_read_before_cannot_be_read(tmp_path: Path) -> None:
    memory = CampaignMemory(None, {"excluded": []})
    people = excluded_people(memory, f"file://{tmp_path}/missing.csv")

    assert people.current() is None
    assert people.numbers() == frozenset()


def test_a_person_with_a_sip_number_stays_excluded_if_a_later_try_writes_it_in_another_case() -> None:
    state = MemoryStore()
    for spelling, rows in (("Sip25@X.ru", ["SIP25@x.ru"]), ("sip25@x.RU", ["79260000009"])):
        plan = Plan(people=[Person("key", spelling, "Europe/Moscow", {}, 1)])
        numbers = excluded_people(CampaignMemory(state, {}), rows, plan).current()
        assert plan.people[0].is_excluded_by(numbers or ())


def test_an_excluded_person_stays_excluded_if_a_later_try_writes_the_number_as_a_sip_address() -> None:
    state = MemoryStore()
    sip = f"{NUMBERS[0]}@x.ru"
    for contact, rows in ((NUMBERS[0], [NUMBERS[0]]), (sip, [STRANGER])):
        person = Person("key", contact, "Europe/Moscow", {}, 1, frozenset({NUMBERS[0]}))
        numbers = excluded_people(CampaignMemory(state, {}), rows, Plan(people=[person])).current()
        assert person.is_excluded_by(numbers or ())
