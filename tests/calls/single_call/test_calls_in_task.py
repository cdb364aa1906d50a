"""The calls of one task keep their numbers over its tries, in any order of a try's requests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_numbers import ANNA, BORIS, VNUMBER

from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.calls.deployment import NO_DEPLOYMENT, Deployment
from airflow_provider_callapi.calls.single_call.calls_in_task import CallsInTask, NumberedStore
from airflow_provider_callapi.calls.stores import MemoryStore

OWNER = ("dag", "run", "task", "-1")


@dataclass
class Task:
    store: MemoryStore = field(default_factory=MemoryStore)
    deployment: Deployment = NO_DEPLOYMENT

    def number(self, contact: str, text: str = "Hello", *, this_try: int = 1) -> int:
        calls = CallsInTask(self.store, owner=OWNER, this_try=str(this_try), deployment=self.deployment)
        message = {"type": "tts", "value": text}
        request = StartInformerCall(virtual_phone_number=VNUMBER, contact=contact, contact_message=message)
        return calls.number(request)


def test_calls_to_several_people_are_different_calls() -> None:
    task = Task()
    assert [task.number(ANNA), task.number(BORIS), task.number(ANNA), task.number(BORIS)] == [1, 2, 1, 2]


def test_two_messages_to_one_person_are_two_calls() -> None:
    task = Task()
    assert [task.number(ANNA, "first"), task.number(ANNA, "second"), task.number(ANNA, "first")] == [1, 2, 1]


def test_a_text_that_changes_with_the_try_causes_no_new_call() -> None:
    task = Task()
    assert task.number(ANNA, "It is 9:00", this_try=1) == 1
    assert task.number(BORIS, "It is 9:00", this_try=1) == 2
    assert task.number(BORIS, "It is 9:05", this_try=2) == 2
    assert task.number(ANNA, "It is 9:05", this_try=2) == 1
    assert task.number(ANNA, "It is 9:06", this_try=2) == 3


def test_a_sip_number_in_another_case_causes_no_new_call() -> None:
    task = Task()
    assert [task.number("sip25", this_try=1), task.number("SIP25", this_try=2)] == [1, 1]


def test_a_try_that_asks_in_another_order_gets_the_call_with_the_same_content() -> None:
    task = Task()
    assert [task.number(ANNA, text, this_try=1) for text in ("first", "second", "third")] == [1, 2, 3]
    assert task.number(ANNA, "third", this_try=2) == 3
    assert task.number(ANNA, "second", this_try=3) == 2
    assert [task.number(ANNA, text, this_try=4) for text in ("third", "changed", "second")] == [3, 1, 2]


def test_a_new_key_of_the_deployment_causes_no_new_call() -> None:
    task = Task(deployment=Deployment(keys=(b"old",)))
    assert [task.number(ANNA), task.number(BORIS)] == [1, 2]
    task.deployment = Deployment(keys=(b"new", b"old"))
    assert [task.number(BORIS, this_try=2), task.number(ANNA, this_try=2)] == [2, 1]
    task.deployment = Deployment(keys=(b"newest",))
    assert [task.number(ANNA, this_try=3), task.number(BORIS, this_try=3)] == [1, 2], "in the same order"


@pytest.mark.parametrize("keys", [(), (b"secret",)])
def test_no_phone_number_and_no_text_is_stored(keys: tuple[bytes, ...]) -> None:
    task = Task(deployment=Deployment(keys=keys))
    task.number(ANNA, "a secret text")
    stored = str(task.store.get("callapi_calls"))
    assert ANNA[1:] not in stored
    assert "secret text" not in stored


def test_each_numbered_store_has_its_own_values() -> None:
    store = MemoryStore()
    first, second = NumberedStore(store, 1), NumberedStore(store, 2)
    first.set("key", "one")
    assert (first.get("key"), second.get("key")) == ("one", None)


@given(
    tries=st.lists(
        st.lists(st.tuples(st.sampled_from([ANNA, BORIS]), st.sampled_from("abc")), max_size=6),
        min_size=1,
        max_size=4,
    )
)
def test_no_person_gets_more_calls_than_one_try_requests(tries: list[list[tuple[str, str]]]) -> None:
    task = Task()
    numbers: dict[str, set[int]] = {ANNA: set(), BORIS: set()}
    most: Counter[str] = Counter()
    for this_try, asked in enumerate(tries):
        by_request: dict[tuple[str, str], int] = {}
        for contact, text in asked:
            number = task.number(contact, text, this_try=this_try)
            assert by_request.setdefault((contact, text), number) == number, "repeated in one try"
            numbers[contact].add(number)
        assert len(set(by_request.values())) == len(by_request), "different requests, different calls"
        for person in (ANNA, BORIS):
            most[person] = max(most[person], len({text for contact, text in asked if contact == person}))
    assert {person: len(numbers[person]) for person in numbers} == {p: most[p] for p in numbers}
    assert numbers[ANNA].isdisjoint(numbers[BORIS])
