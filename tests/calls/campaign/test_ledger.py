"""The objects of a campaign show no phone number, although an SQL ledger has the number as a person's key."""

from __future__ import annotations

import pprint
from typing import Any

import pytest
import rich.pretty
from msgspec.structs import replace

from airflow_provider_callapi.calls.campaign.contact_list.people import Person
from airflow_provider_callapi.calls.campaign.engine.person_state import PersonState
from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status, is_same_intent

PHONE = "79260000001"
ATTEMPT = Attempt(PHONE, 1, Status.DIALLING, "af-1", 1_760_000_000.0)
PERSON = Person(PHONE, PHONE, "Europe/Moscow", {"phone": PHONE}, 1)


@pytest.mark.parametrize("value", [ATTEMPT, PERSON, PersonState(PERSON, attempt=ATTEMPT)])
def test_no_object_with_a_persons_key_shows_the_key(value: Any) -> None:
    texts = [repr(value), str([value]), f"{value}", pprint.pformat(value), rich.pretty.pretty_repr(value)]

    assert PHONE not in " ".join(texts)
    assert "line=1" in texts[0] or "external_id='af-1'" in texts[0]


@pytest.mark.parametrize("rounded", [0.0, 0.000_000_5, -0.000_000_5])
def test_a_stored_intent_whose_time_a_database_has_rounded_is_the_same_intent(rounded: float) -> None:
    assert is_same_intent(replace(ATTEMPT, intended_at=ATTEMPT.intended_at + rounded), ATTEMPT)


@pytest.mark.parametrize(
    "change",
    [
        {"attempt": 2},
        {"external_id": "af-2"},
        {"intended_at": ATTEMPT.intended_at + 0.000_01},
        *({"status": status} for status in Status if status is not Status.DIALLING),
    ],
)
def test_an_attempt_of_another_process_or_with_another_status_is_not_the_same_intent(
    change: dict[str, Any],
) -> None:
    assert not is_same_intent(replace(ATTEMPT, **change), ATTEMPT)
