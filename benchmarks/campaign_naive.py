"""Compare two ways to call 500 people: 500 mapped tasks that each poll, and one `CallApiCampaignOperator`.

Both ways run in a real deployment, with the same people, the same number of calls at once and the same poll
interval. The calls are short, because the mapped tasks need an hour for calls of usual length. Talks of a
minute would make the cost of a task smaller, and the cost of its polls larger, than this benchmark shows.
"""

from __future__ import annotations

import sys
from collections import Counter

from deploying import Run, deployed
from measuring import Figure, show

from airflow_provider_callapi.emulator import Exchange, Script

PEOPLE = 500
AT_ONCE = 16
POLL = 1.0
KINDS = ("mapped", "campaign")
COLUMNS = ("tasks", "starts", "list.calls", "points", "wall time, s", "worker-seconds")


def table_row(exchange: Exchange, run: Run, phones: list[str]) -> tuple[float, ...]:
    """Return the figures of one of the two ways as a row of the table.

    :raises AssertionError: a task failed, or a person was not called exactly once.
    """
    assert {task.state for task in run.tasks} == {"success"}, Counter(task.state for task in run.tasks)
    assert all(exchange.rings(phone) == 1 for phone in phones)
    return (
        len(run.tasks),
        exchange.requests("start.informer_call"),
        exchange.requests("list.calls"),
        exchange.account.day_limit - exchange.limits()["day_remaining"],
        run.seconds,
        run.worker_seconds,
    )


def measure(people: int = PEOPLE) -> list[Figure]:
    """Run both ways and print the table; return the figures with their limits."""
    phones = [str(79_050_000_000 + i) for i in range(people)]
    exchanges = {kind: Exchange() for kind in KINDS}
    for exchange in exchanges.values():
        exchange.default_script = Script(rings=1.0, talks=1.0)
    options = {"contacts": phones, "poll_interval": POLL, "at_once": AT_ONCE}
    dags = {kind: {**options, "conn_id": kind} for kind in KINDS}
    with deployed("naive", dags, exchanges, slots=AT_ONCE) as airflow:
        rows, seconds = {}, {}
        for kind in KINDS:
            (run,) = airflow.play(kind, within=900).values()
            rows[kind], seconds[kind] = table_row(exchanges[kind], run, phones), run.seconds

    naive, ours = rows.values()
    print(f"\n{people} people, {AT_ONCE} calls at once, a poll every {POLL:g} s")
    print("".join([f"{'':<36}", *(f"{column:>16}" for column in COLUMNS)]))
    for name, row in (
        ("mapped start tasks", naive),
        ("CallApiCampaignOperator", ours),
        ("mapped / campaign", [many / one for many, one in zip(naive, ours, strict=True)]),
    ):
        print("".join([f"{name:<36}", *(f"{value:>16.4g}" for value in row)]))
    print(flush=True)
    polls = COLUMNS.index("list.calls")
    return [
        Figure(f"{people} people: list.calls, mapped tasks / campaign", naive[polls] / ours[polls]),
        Figure(
            f"{people} people: the campaign's list.calls in a poll interval",
            ours[polls] * POLL / seconds["campaign"],
            at_most=1.0,
        ),
        Figure(
            f"{people} people: wall time, mapped tasks / campaign", seconds["mapped"] / seconds["campaign"]
        ),
    ]


if __name__ == "__main__":
    sys.exit(show(measure(*map(int, sys.argv[1:]))))  # fewer people, for a quick run
