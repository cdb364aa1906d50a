"""The objects of a campaign show no phone number, although an SQL ledger has the number as a person's key."""

from __future__ import annotations

import pprint
from typing import Any

import pytest
import rich.pretty

from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
from airflow_provider_callapi.calls.campaign.people import Person
from airflow_provider_callapi.calls.campaign.person_state import PersonState

PHONE = "79260000001"
ATTEMPT = Attempt(PHONE, 1, Status.DIALLING, "af-1", 1_760_000_000.0)
PERSON = Person(PHONE, PHONE, "Europe/Moscow", {"phone": PHONE}, 1)


@pytest.mark.parametrize("value", [ATTEMPT, PERSON, PersonState(PERSON, attempt=ATTEMPT)])
def test_no_object_with_a_persons_key_shows_the_key(value: Any) -> None:
    texts = [repr(value), str([value]), f"{value}", pprint.pformat(value), rich.pretty.pretty_repr(value)]

    assert PHONE not in " ".join(texts)
    assert "line=1" in texts[0] or "external_id='af-1'" in texts[0]
