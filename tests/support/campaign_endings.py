"""Finished people of a campaign, for the tests of its summary, results and report."""

from __future__ import annotations

from typing import Any

from airflow_provider_callapi.calls.campaign.contact_list.people import Person, Skipped
from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
from airflow_provider_callapi.calls.campaign.outcomes import RANG_NO_PHONE, Result
from airflow_provider_callapi.calls.campaign.results.summary import Ending, Summary, summarise
from airflow_provider_callapi.calls.outcomes.outcome import Outcome

BEGAN = 1_700_000_000.0 - 1_700_000_000 % 86400 + 6 * 3600  # 06:00 UTC, 09:00 in Moscow
SECRET = "Ann <Secret>"


def person(line: int, zone: str = "Europe/Moscow", **row: Any) -> Person:
    contact = f"7926{line:07d}"
    return Person(f"key-{line}", contact, zone, {"phone": f"+{contact}", "name": SECRET, **row}, line)


def called(who: Person, *calls: tuple[float, Result], **known: Any) -> Ending:
    """Return the ending of a person for a list of calls.

    :param calls: (seconds from the campaign's beginning to the call, result of the call).
    """
    attempts: list[Attempt] = []
    for number, (seconds, result) in enumerate(calls, start=1):
        at = BEGAN + seconds
        call = Outcome(
            call_session_id=who.line * 100 + number,
            external_id=f"id-{who.line}-{number}",
            status="ended",
            answered=result is Result.ANSWERED,
            started_at=at,
            answered_at=at + 5 if result is Result.ANSWERED else None,
            ended_at=at + 30,
            finish_reason=known.get("finish_reason"),
            talk_seconds=25 if result is Result.ANSWERED else 0,
            tags=known.get("tags", ()),
            operations=known.get("operations"),
        )
        unrung = sum(earlier.result in RANG_NO_PHONE for earlier in attempts)
        attempts.append(
            Attempt(
                person=who.key,
                attempt=number,
                status=Status.FINISHED,
                external_id=f"id-{who.line}-{number}",
                intended_at=at - 1,
                unrung=unrung,
                result=result,
                result_known_at=at + 40,
                call=call,
                refused_with=known.get("refused_with"),
            )
        )
    return Ending(who, calls[-1][1] if calls else Result.NOT_CALLED, attempts)


def skipped(line: int, why: str = "contact: not a phone number") -> Skipped:
    return Skipped({"phone": "12-34", "name": SECRET}, line, why)


def summary_of(endings: list[Ending], invalid: list[Skipped], hours: float = 2.0, **known: Any) -> Summary:
    return summarise(
        known.pop("campaign", "Winter"),
        endings,
        invalid,
        **{
            "duplicates": 0,
            "started_at": BEGAN,
            "ended_at": BEGAN + hours * 3600,
            "points_per_call": 1,
            **known,
        },
    )
