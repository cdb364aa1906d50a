"""The rows that a finished campaign writes to a table: one for each attempt, with its own result."""

from __future__ import annotations

import logging
from typing import Any, cast

import pytest

from airflow_provider_callapi.calls.campaign.contact_list.people import Person, Plan
from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.results.summary import Ending
from airflow_provider_callapi.databases.table_name import TableName
from airflow_provider_callapi.databases.table_writer import TableWriter
from airflow_provider_callapi.operators._campaign.campaign_rows import CampaignRows, _will_replace

ANNA = Person("79260000011", "79260000011", "Europe/Moscow", {"phone": "79260000011"}, 1)


class Written:
    """Keeps the rows of `CampaignRows.write_all`."""

    def __init__(self) -> None:
        self.rows: list[Any] = []

    def finish(self, rows: Any) -> None:
        self.rows += rows


def results(ending: Result, *attempts: tuple[Status, Result | None]) -> list[tuple[int, str, str]]:
    """Return (attempt, status, result) of each row of a person."""
    writer = Written()
    table = CampaignRows(
        TableName("dwh", "results"),
        cast(TableWriter, writer),
        "autumn",
        Plan([ANNA], rows=1),
        logging.getLogger(__name__),
    )
    known = [
        Attempt(ANNA.key, number, status, f"x-{number}", 1.8e9, result=result)
        for number, (status, result) in enumerate(attempts, start=1)
    ]
    assert table.write_all([Ending(ANNA, ending, known)], []) == []
    return [(row["attempt"], row["status"], row["result"]) for row in writer.rows]


BUSY = (Status.FINISHED, Result.BUSY)


def test_an_attempt_that_was_not_placed_does_not_repeat_the_result_of_an_earlier_call() -> None:
    """The campaign was stopped after the redial was put back into the queue."""
    assert results(Result.BUSY, BUSY, (Status.NOT_PLACED, None)) == [
        (1, "finished", "busy"),
        (2, "not_placed", "not_called"),
    ]


@pytest.mark.parametrize("why", [Result.NOT_CALLED, Result.DO_NOT_CALL, Result.CALLED_RECENTLY])
def test_the_row_of_the_only_attempt_states_why_the_person_was_not_called(why: Result) -> None:
    assert results(why, (Status.NOT_PLACED, None)) == [(1, "not_placed", why.value)]


def test_a_call_has_its_own_result() -> None:
    assert results(Result.ANSWERED, BUSY, (Status.FINISHED, Result.ANSWERED)) == [
        (1, "finished", "busy"),
        (2, "finished", "answered"),
    ]


@pytest.mark.parametrize(
    ("own", "number", "external_id", "replaces"),
    [
        ({}, 1, "of another task", True),
        ({1: "own"}, 1, "own", False),
        ({1: "own"}, 1, "of another task", True),
        ({1: "own"}, 2, "of another task", True),
        ({4: "own"}, 1, "dropped by the ledger", False),
    ],
)
def test_a_row_of_another_call_is_one_that_the_ledger_does_not_have(
    own: dict[int, str], number: int, external_id: str, replaces: bool
) -> None:
    assert _will_replace(own, number, external_id) is replaces
