"""The store that ends with the process."""

from __future__ import annotations

from airflow_provider_callapi.calls.stores import MemoryStore


def test_a_value_replaces_the_older_value_of_its_key_only() -> None:
    store = MemoryStore()
    store.set("one", {"n": 1})
    store.set("two", {"n": 2})
    store.set("one", {"n": 3})
    assert (store.get("one"), store.get("two")) == ({"n": 3}, {"n": 2})


def test_an_unknown_key_has_the_value_none() -> None:
    assert MemoryStore().get("one") is None


def test_two_stores_have_separate_values() -> None:
    MemoryStore().set("one", 1)
    assert MemoryStore().get("one") is None
