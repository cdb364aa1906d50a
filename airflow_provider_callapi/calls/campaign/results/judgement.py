"""Judges a finished campaign: which result each person has, and whether the campaign's task fails."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from airflow_provider_callapi.calls.campaign.contact_list.people import Plan
from airflow_provider_callapi.calls.campaign.ledger import Attempt, Ledger, Status
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.results.summary import Ending, Summary
from airflow_provider_callapi.calls.campaign.rules import FailureLimits
from airflow_provider_callapi.calls.texts.count_texts import count_text


class ProblemKind(StrEnum):
    """The kinds of problems that make the task of a finished campaign fail.

    - ``stopped``: dialling was stopped, for example by a user.
    - ``too_late``: people were left uncalled, because the author's time limit ``max_lateness`` ended.
    - ``no_call``: this DAG run is not known to have placed a call, and it had people to call.
    - ``over_limit``: too many people were not reached, have an unknown result, or have an invalid row.
    """

    STOPPED = "stopped"
    TOO_LATE = "too_late"
    NO_CALL = "no_call"
    OVER_LIMIT = "over_limit"


_OVER_LIMIT = {"unreached": "no answered call", "unknown": "an unknown result", "invalid": "an invalid row"}
"""Name of a limit → what people or rows over the limit have."""


@dataclass(frozen=True)
class Problem:
    """The reason why the task of a finished campaign fails.

    :ivar text: the reason, as text for the author of the campaign.
    """

    kind: ProblemKind
    text: str


def final_results(results: Mapping[str, Result], plan: Plan, excluded: Container[str]) -> dict[str, Result]:
    """Return the final result of each person: key in the ledger → result.

    If a person has the result ``not_called`` and is on the do-not-call list, the final result is
    `Result.DO_NOT_CALL`. All other results stay unchanged.

    :param results: key in the ledger → result of the person, as `Campaign.results` returns it.
    :param excluded: the numbers on the do-not-call list.
    """
    final = dict(results)
    for person in plan.people:
        if final[person.key] is Result.NOT_CALLED and person.is_excluded_by(excluded):
            final[person.key] = Result.DO_NOT_CALL
    return final


def collect_endings(
    plan: Plan, results: Mapping[str, Result], ledger: Ledger, *, not_called_because: str | None = None
) -> list[Ending]:
    """Return each person's `Ending`: the final result, and the person's attempts in the ledger.

    :param results: key in the ledger → final result, for every person.
    :param not_called_because: why people with the result ``not_called`` were not called; None: not known.
    """
    attempts: defaultdict[str, list[Attempt]] = defaultdict(list)
    for attempt in ledger.load(person.key for person in plan.people):
        attempts[attempt.person].append(attempt)
    because = {Result.NOT_CALLED: not_called_because}
    return [
        Ending(person, results[person.key], tuple(attempts[person.key]), because.get(results[person.key]))
        for person in plan.people
    ]


def find_problem(
    summary: Summary,
    endings: Sequence[Ending],
    limits: FailureLimits,
    *,
    run_after: float | None,
    stopped: str | None,
    began_too_late: bool,
    last_minute: str,
) -> Problem | None:
    """Return why the task of a finished campaign fails. None: the task does not fail.

    :param summary: the counts of the campaign.
    :param endings: the result and the attempts of each person.
    :param limits: the shares above which the task fails, such as the share of people who did not answer.
    :param run_after: when the DAG run was due, epoch seconds. Only the attempts since this time belong to
        this DAG run. None: not known.
    :param stopped: why the campaign stopped dialling; None: it did not stop.
    :param began_too_late: whether this try began after the author's time limit ``max_lateness``.
    :param last_minute: when ``max_lateness`` ends, as text.
    """
    counts = describe_counts(summary)
    if stopped:
        return Problem(
            ProblemKind.STOPPED,
            f"The campaign was stopped: {stopped}. Correct the cause, then clear this task: the campaign "
            f"then calls the people who are left. {counts}",
        )
    of_this_run = [
        attempt
        for ending in endings
        for attempt in ending.attempts
        if run_after is None or attempt.intended_at >= run_after
    ]
    has_call = any(attempt.call is not None for attempt in of_this_run)
    not_called = summary.results[Result.NOT_CALLED]
    if not_called and (began_too_late or not has_call):
        return _too_late(not_called, counts, last_minute, began_too_late=began_too_late)
    if not has_call and _had_people_to_call(summary, of_this_run):
        return Problem(
            ProblemKind.NO_CALL,
            "No call is known to have been placed, but neither the do_not_call list nor min_gap forbids all "
            f"calls. The results show the reason for each person. {counts}",
        )
    return _over_limit(summary, limits, counts)


def _too_late(not_called: int, counts: str, last_minute: str, *, began_too_late: bool) -> Problem:
    if began_too_late:
        text = (
            f"max_lateness ended at {last_minute}: {describe_not_called(not_called)}. To call them, set a "
            f"longer max_lateness, and clear this task. {counts}"
        )
    else:
        text = (
            f"No one could be called: max_lateness ends at {last_minute}, and no calling hours "
            f"(or points) came before. To call these people, set a longer max_lateness, and clear this task. "
            f"{counts}"
        )
    return Problem(ProblemKind.TOO_LATE, text)


def _had_people_to_call(summary: Summary, of_this_run: Sequence[Attempt]) -> bool:
    """Return whether a campaign without a call of this DAG run had people whom it was allowed to call.

    :param of_this_run: the attempts of this DAG run.
    """
    if any(attempt.status is not Status.NOT_PLACED for attempt in of_this_run):
        return True
    spared = summary.results[Result.DO_NOT_CALL] + summary.results[Result.CALLED_RECENTLY]
    return not summary.calls and spared < summary.people


def _over_limit(summary: Summary, limits: FailureLimits, counts: str) -> Problem | None:
    over = (
        _describe_excess("unreached", summary.unreached_share, limits.unreached, summary.callable)
        or _describe_excess("unknown", summary.unknown_share, limits.unknown, summary.callable)
        or find_invalid_rows(summary, limits)
    )
    return Problem(ProblemKind.OVER_LIMIT, f"{over}. {counts}") if over else None


def find_invalid_rows(summary: Summary, limits: FailureLimits) -> str | None:
    """Return why the task of a campaign fails because of its invalid rows. None: it does not."""
    return _describe_excess("invalid", summary.invalid_share, limits.invalid, summary.people)


def _describe_excess(name: str, share: float, most: float | None, number: int) -> str | None:
    if most is None or share <= most:
        return None
    people, what = count_text(number, "person", "people"), _OVER_LIMIT[name]
    return f"fail_if_{name}_over: {what} for {share:.1%} of {people}, more than the limit {most:.1%}"


def describe_counts(summary: Summary) -> str:
    """Return the counts of a campaign as text: ``40 people, 44 calls: answered 36, busy 4``."""
    counts = ", ".join(f"{result.value} {number}" for result, number in summary.results.items() if number)
    people = count_text(summary.people, "person", "people")
    return f"{people}, {count_text(summary.calls, 'call')}: {counts}"


def describe_not_called(number: int) -> str:
    """Return how many people a campaign has not called, as text: ``2 people were not called``."""
    return f"{count_text(number, 'person was', 'people were')} not called"
