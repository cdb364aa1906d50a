"""Twenty thousand lists with a grammar of damage: the right people are rung, or the task fails before.

The whole way from the bytes of the files to the start requests and the results runs, without an exchange.
"""

from __future__ import annotations

import io
import itertools
import json
import random
from types import SimpleNamespace
from typing import Any

import damaged_lists
import pytest
from known_numbers import VNUMBER

from airflow_provider_callapi.calls.campaign.contact_list.call_template import CallTemplate
from airflow_provider_callapi.calls.campaign.contact_list.people import Plan
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.results.result_file import write_results
from airflow_provider_callapi.calls.campaign.results.summary import Ending
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.operators._campaign import contact_list, do_not_call
from airflow_provider_callapi.operators._campaign.preparation import read_plan

LISTS = 20_000
PARTS = 4
"""The parts run in different processes of the test run."""
FOUND_BEFORE = (
    23326,  # a mark that closes a cell of the do-not-call list too soon
    154760,  # a byte order mark before a quoted name of a column of the do-not-call list
)
CALL = {
    "method": "start.informer_call",
    "virtual_phone_number": VNUMBER,
    "contact_message": {"type": "tts", "value": "Здравствуйте, {{ contact.name }}"},
}
TEMPLATE = CallTemplate(CALL, region="RU")


class Files:
    """Files in memory, by path."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}

    def open_path(self, path: str, field: str) -> Any:
        def open_file(mode: str, **options: Any) -> Any:
            file = io.BytesIO(self.content[path])
            return file if mode == "rb" else io.TextIOWrapper(file, **options)

        return SimpleNamespace(open=open_file, checksum=lambda: self.content[path])


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Files:
    files = Files()
    for module in (contact_list, do_not_call):
        monkeypatch.setattr(module, "open_path", files.open_path)
    return files


def run(
    files: Files, contacts: tuple[str, bytes], stop: tuple[str, bytes]
) -> tuple[Plan, list[Any], list[Any]]:
    """Return the plan, the start requests that are sent, and the rows of the results."""
    files.content = {f"people{contacts[0]}": contacts[1], f"stop{stop[0]}": stop[1]}
    options: Any = SimpleNamespace(
        contacts=f"people{contacts[0]}",
        campaign="test",
        ledger_conn_id="ledger",
        region="RU",
        timezone="UTC",
        shard=None,
    )
    plan = read_plan(options, TEMPLATE, options.campaign, was_read_before=False)
    excluded = do_not_call.DoNotCall(f"stop{stop[0]}", "RU").numbers()
    rung = [person for person in plan.people if person.contact not in excluded]
    requests = [TEMPLATE.request(person, "x") for person in rung]
    endings = [
        Ending(person, Result.DO_NOT_CALL if person.contact in excluded else Result.ANSWERED)
        for person in plan.people
    ]
    results = io.StringIO()
    write_results(results, endings, plan.skipped, file_format="jsonl")
    return plan, requests, [json.loads(line) for line in results.getvalue().splitlines()]


def check(
    truth: damaged_lists.Truth, protected: set[str], plan: Plan, requests: list[Any], results: list[Any]
) -> None:
    meant = {number for number in truth.numbers.values() if number}
    rung = {request.contact for request in requests}
    assert rung <= meant, "everybody who is rung is on the list as written"
    assert not rung & protected, "nobody on the do-not-call list is rung"
    assert len(rung) == len(requests), "nobody is rung twice"
    texts = [str(list(row.values())) for row in results]
    owners = [[name for name in truth.names if name in text] for text in texts]
    assert sorted(itertools.chain(*owners)) == sorted(truth.names), "everybody on the list is in the results"
    assert all(len(names) == 1 for names in owners), "a row of the results is about one person"
    spoken = [[name for name in truth.names if name in request.contact_message.value] for request in requests]
    assert all(len(names) == 1 for names in spoken), "a text names the person who hears it, and no one else"
    for request, (name,) in zip(requests, spoken, strict=True):
        assert truth.numbers[name] == request.contact, "the text is for the person who hears it"
    for person in plan.people:
        (name,) = (name for name in truth.names if name in str(list(person.row.values())))
        assert person.zone == (truth.zones[name] or "UTC"), "everybody has their own time zone"


@pytest.mark.no_cover
@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_list_with_any_damage_rings_only_the_right_people_or_no_one(files: Files, part: int) -> None:
    passed = 0
    refusals: set[str] = set()
    # Each run has other lists. The numbers are mere seeds, so Hypothesis could not make a list smaller.
    any_number = random.SystemRandom()
    numbers = (*FOUND_BEFORE, *(any_number.getrandbits(40) for _ in range(LISTS // PARTS)))

    for number in numbers:
        seed = number * PARTS + part
        suffix, content, truth = damaged_lists.contacts(seed)
        stop_suffix, stop, protected = damaged_lists.do_not_call(seed + 1)
        try:
            outcome = run(files, (suffix, content), (stop_suffix, stop))
            check(truth, protected, *outcome)
            passed += 1
        except CallApiFailure as failure:
            refusals.add(str(failure))
        except Exception as error:
            error.add_note(f"{number}\n{content!r}\n{stop!r}\n{truth}")
            raise

    assert not [text for text in refusals if "7926" in text], "an error holds no number"
    assert passed > len(numbers) / 5, "the damage leaves enough lists that can be called"
