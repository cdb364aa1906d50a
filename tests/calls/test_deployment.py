"""Ids that differ between deployments, and fingerprints that only the deployment's secret key can compute."""

from __future__ import annotations

import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.deployment import NO_DEPLOYMENT, Deployment

OWNER = ("reminders", "manual__2026-01-01", "call", "-1")
CONTACT, OTHER = "79260000001", "79260000002"
OLD, NEW = b"old key", b"new key"

texts = st.lists(st.text(max_size=4), min_size=1, max_size=3).map(tuple)


def test_deployments_that_differ_in_name_or_key_have_other_ids_for_equal_names() -> None:
    deployments = [
        NO_DEPLOYMENT,
        Deployment("https://staging"),
        Deployment("https://production"),
        Deployment("https://production", id_key=OLD),
        Deployment("https://production", id_key=NEW),
        Deployment(id_key=NEW),
    ]
    scopes = [deployment.scope("dag", "run") for deployment in deployments]
    assert len(set(scopes)) == len(deployments)
    assert scopes == [deployment.scope("dag", "run") for deployment in deployments]


@given(texts, texts)
def test_different_names_have_different_ids(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    deployment = Deployment("name", id_key=OLD)
    assert (deployment.scope(*one) == deployment.scope(*other)) is (one == other)


@given(texts, texts, st.sampled_from([(), (OLD,), (NEW, OLD)]))
def test_a_fingerprint_identifies_its_texts_and_no_others(
    one: tuple[str, ...], other: tuple[str, ...], keys: tuple[bytes, ...]
) -> None:
    deployment = Deployment(keys=keys)
    fingerprint = deployment.fingerprint(*one)
    assert deployment.is_fingerprint_of(fingerprint, *one) is True
    if "\n".join(one) != "\n".join(other):
        assert deployment.is_fingerprint_of(fingerprint, *other) is False


def test_a_fingerprint_does_not_reveal_its_number_without_the_key() -> None:
    fingerprint = Deployment(keys=(NEW,)).fingerprint(*OWNER, CONTACT)
    digits = fingerprint.partition(".")[2]
    for parts in itertools.permutations((*OWNER, CONTACT), 5):
        for separator in ("\n", "/", "", " "):
            text = separator.join(parts).encode()
            assert digits not in hashlib.sha256(text).hexdigest()
    assert digits not in Deployment(keys=(OLD,)).fingerprint(*OWNER, CONTACT)


def test_a_fingerprint_of_an_older_key_is_recognised_while_the_key_is_listed() -> None:
    before = Deployment(keys=(OLD,)).fingerprint(*OWNER, CONTACT)
    during = Deployment(keys=(NEW, OLD))
    assert during.is_fingerprint_of(before, *OWNER, CONTACT) is True
    assert during.is_fingerprint_of(before, *OWNER, OTHER) is False
    assert during.fingerprint(*OWNER, CONTACT) != before


@pytest.mark.parametrize("keys", [(), (NEW,)])
def test_a_fingerprint_with_a_lost_key_is_neither_recognised_nor_refused(
    keys: tuple[bytes, ...],
) -> None:
    before = Deployment(keys=(OLD,)).fingerprint(*OWNER, CONTACT)
    assert Deployment(keys=keys).is_fingerprint_of(before, *OWNER, CONTACT) is None
    assert Deployment(keys=keys).is_fingerprint_of(before, *OWNER, OTHER) is None


def test_a_fingerprint_without_a_key_is_still_recognised() -> None:
    before = NO_DEPLOYMENT.fingerprint(*OWNER, CONTACT)
    assert before == hashlib.sha256("\n".join((*OWNER, CONTACT)).encode()).hexdigest()[:12]
    assert Deployment(keys=(NEW,)).is_fingerprint_of(before, *OWNER, CONTACT) is True
    assert Deployment(keys=(NEW,)).is_fingerprint_of(before, *OWNER, OTHER) is False


def test_a_deployment_does_not_print_its_keys() -> None:
    assert "key" not in repr(Deployment("name", id_key=OLD, keys=(NEW, OLD))).replace("id_key", "")
