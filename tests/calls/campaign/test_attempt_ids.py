"""The ids of attempts and people: different for each, and without the phone number."""

from __future__ import annotations

from airflow_provider_callapi.calls.campaign.attempt_ids import external_id, fingerprint


def test_the_first_attempt_has_the_authors_id_and_each_redial_a_numbered_one() -> None:
    ids = [external_id("a", "79260000011", attempt, "order 7") for attempt in (1, 2, 3)]
    assert ids == ["order 7", "order 7-2", "order 7-3"]


def test_ids_and_keys_hold_no_number_and_differ_between_campaigns_people_and_attempts() -> None:
    ids = {
        external_id(name, who, n) for name in "ab" for who in ("79260000011", "79260000012") for n in (1, 2)
    }
    assert len(ids) == 8
    assert not any("9260000" in one for one in ids)
    assert fingerprint("a", "79260000011") != fingerprint("b", "79260000011")


def test_an_id_contains_no_part_of_the_persons_fingerprint() -> None:
    person_id = external_id("a", "79260000011", 1)
    digits = fingerprint("a", "79260000011")
    assert not any(digits[at : at + 8] in person_id for at in range(len(digits) - 7))
