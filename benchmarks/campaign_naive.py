"""500 people as 500 mapped tasks, each with its own polling, beside one `CallApiCampaignOperator`.

A real deployment; the same people, the same number of calls at once, the same time between two looks.
Calls are short, so that the naive way takes minutes and not an hour: what a task costs then shows more,
what its polling costs shows less, than with talks of a minute.
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
WAYS = ("mapped", "campaign")
COLUMNS = ("tasks", "starts", "list.calls", "points", "wall time, s", "worker-seconds")


def read(exchange: Exchange, run: Run, phones: list[str]) -> tuple[float, ...]:
    """A row of the table; everybody was called once, or it is no comparison."""
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
    """Prints the table; judges what is promised."""
    phones = [str(79_050_000_000 + i) for i in range(people)]
    exchanges = {way: Exchange() for way in WAYS}
    for exchange in exchanges.values():
        exchange.default_script = Script(rings=1.0, talks=1.0)
    options = {"contacts": phones, "poll_interval": POLL, "at_once": AT_ONCE}
    dags = {way: {**options, "conn_id": way} for way in WAYS}
    with deployed("naive", dags, exchanges, slots=AT_ONCE) as airflow:
        rows, seconds = {}, {}
        for way in WAYS:
            (run,) = airflow.play(way, within=900).values()
            rows[way], seconds[way] = read(exchanges[way], run, phones), run.seconds

    naive, ours = rows.values()
    print(f"\n{people} people, {AT_ONCE} calls at once, a look every {POLL:g} s")
    print("".join([f"{'':<36}", *(f"{column:>16}" for column in COLUMNS)]))
    for name, row in (
        ("mapped start tasks", naive),
        ("CallApiCampaignOperator", ours),
        ("mapped / campaign", [many / one for many, one in zip(naive, ours, strict=True)]),
    ):
        print("".join([f"{name:<36}", *(f"{value:>16.4g}" for value in row)]))
    print(flush=True)
    looks = COLUMNS.index("list.calls")
    return [
        Figure(f"{people} people: list.calls, mapped tasks / campaign", naive[looks] / ours[looks]),
        Figure(
            f"{people} people: the campaign's list.calls in a poll interval",
            ours[looks] * POLL / seconds["campaign"],
            at_most=1.0,
        ),
        Figure(
            f"{people} people: wall time, mapped tasks / campaign", seconds["mapped"] / seconds["campaign"]
        ),
    ]


if __name__ == "__main__":
    sys.exit(show(measure(*map(int, sys.argv[1:]))))  # fewer people, for a look
