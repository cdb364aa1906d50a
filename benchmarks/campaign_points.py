"""Measure which share of a minute's points campaigns use, and how often the service refuses a request.

Points are the units of the API's rate limits.

``python benchmarks/campaign_points.py`` prints every case. The table of `measure` shows the worst cases.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from campaign_simulation import CALL, MIDNIGHT, Direct, new_runner
from measuring import Figure

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.credentials import AccessKey
from airflow_provider_callapi.api.errors import LimitExceeded
from airflow_provider_callapi.api.methods import StartInformerCall
from airflow_provider_callapi.calls.campaign.contact_list.shard import Shard
from airflow_provider_callapi.calls.campaign.rules import Rules
from airflow_provider_callapi.emulator import Account, Exchange, ManualClock, Script

METHOD = str(CALL["method"])
MINUTES = 10
WARM_UP = 60.0
"""Seconds in which the campaigns learn the cost of a call."""


@dataclass(frozen=True)
class Case:
    """One simulated case: an account, its limit of points, and the programs that use the account.

    :ivar shards: the number of campaigns on the account.
    :ivar foreign: the share of a minute's points that another program tries to use, at random moments.
    :ivar ahead: the seconds by which the service's clock is ahead of the campaigns' clock.
    """

    limit: int
    cost: int = 1
    shards: int = 1
    foreign: float = 0.0
    ahead: float = 0.0
    seed: int = 1

    def __str__(self) -> str:
        return (
            f"{self.limit} points a minute, {self.cost} a call, {self.shards} shards, "
            f"{self.foreign:.0%} foreign, clock +{self.ahead} s"
        )


@dataclass(frozen=True)
class Use:
    """How many points (rate-limit units) were used in ten minutes.

    :ivar share: the share of the granted points that all programs together used.
    :ivar refused: the number of limit_exceeded errors of all campaigns in the worst minute.
    :ivar all_refused: the number of limit_exceeded errors of all programs in the worst minute.
    """

    share: float
    refused: int
    all_refused: int


class Stranger:
    """Another program that uses the account.

    The program sends requests at random moments. After a refusal, the program waits until the account has
    points.
    """

    def __init__(self, exchange: Exchange, clock: ManualClock, case: Case) -> None:
        self._client: Client = Client(Direct(exchange), AccessKey("demo-key"), clock=clock)  # type: ignore[arg-type]
        self._clock = clock
        self._pause = 60 * case.cost / (case.limit * case.foreign) if case.foreign else float("inf")
        self._chance = random.Random(case.seed)
        self.refused: list[float] = []
        self.at = self._after()

    def step(self) -> None:
        """Send one request, as the other program that uses the account."""
        self.at = self._after()
        number = CALL["virtual_phone_number"]
        message = {"type": "tts", "value": "Hi"}
        request = {"virtual_phone_number": number, "contact": "79990000000", "contact_message": message}
        try:
            self._client.call(StartInformerCall.from_values(request))
        except LimitExceeded as error:
            self.refused.append(self._clock())
            self.at += error.retry_after

    def _after(self) -> float:
        if self._pause == float("inf"):
            return self._pause
        return self._clock() + self._chance.expovariate(1 / self._pause)


def simulate(case: Case) -> Use:
    """Simulate ten minutes of a case, and return how many points were used."""
    clock = ManualClock(MIDNIGHT + 17.3)
    account = Account(minute_limit=case.limit, day_limit=10**9, weights={METHOD: case.cost})
    exchange = Exchange(lambda: clock() + case.ahead, account)
    exchange.default_script = Script(rings=1, talks=2)
    people = (MINUTES + 3) * case.limit // case.cost + 50
    runners = [
        new_runner(
            exchange,
            _rows(people),
            Rules(max_active=10_000),
            shard=Shard(which, case.shards),
            clock=clock,
        )
        for which in range(1, case.shards + 1)
    ]
    stranger = Stranger(exchange, clock, case)
    # shards of one account do not begin at the same moment
    due = [clock() + 0.37 * which for which in range(case.shards)]
    first = (exchange.clock() + WARM_UP) // 60 * 60 + 60
    last = first + 60 * MINUTES
    while exchange.clock() < last:
        which = min(range(len(due)), key=due.__getitem__)
        clock.advance(max(0.0, min(due[which], stranger.at) - clock()))
        if stranger.at < due[which]:
            stranger.step()
        else:
            next_step = runners[which].step()
            assert not next_step.over, (
                "the campaign has no people left to call, so the measurement is invalid"
            )
            due[which] = clock() + next_step.in_seconds
    return _use(case, exchange, stranger, first, last)


def _use(case: Case, exchange: Exchange, stranger: Stranger, first: float, last: float) -> Use:
    used, refused = 0, Counter[int]()
    for entry in exchange.journal:
        if entry.kind == "request" and first <= entry.time < last:
            used += case.cost * (entry.method == METHOD and entry.mnemonic is None)
            refused[int(entry.time // 60)] += entry.mnemonic == "limit_exceeded"
    theirs = Counter(int((at + case.ahead) // 60) for at in stranger.refused)
    return Use(
        share=used / (case.limit * MINUTES),
        refused=max((number - theirs[minute] for minute, number in refused.items()), default=0),
        all_refused=max(refused.values(), default=0),
    )


def _rows(people: int) -> Iterator[dict[str, str]]:
    return ({"phone": f"79{100_000_000 + index * 7:09d}", "name": "Anna"} for index in range(people))


ALONE = [Case(limit, cost, ahead=0.9 * (cost == 2)) for limit in (30, 100, 1000) for cost in (1, 2, 3)]
SHARED = [
    Case(limit, cost, shards=3, foreign=0.2, ahead=ahead, seed=seed)
    for limit, cost in ((100, 1), (100, 2), (100, 3), (1000, 1), (1000, 3))
    for seed, ahead in ((1, 0.0), (2, 0.9))
]


def measure() -> list[Figure]:
    """Return the figures of the worst case with one campaign, and of the worst case with several programs."""
    figures = []
    for name, cases in (("one campaign", ALONE), ("three shards and another user", SHARED)):
        uses = [simulate(case) for case in cases]
        figures += [
            Figure(
                f"points used at saturation, {name}", 100 * min(use.share for use in uses), "%", at_least=97
            ),
            Figure(
                f"limit_exceeded a minute, {name}: campaigns", max(use.refused for use in uses), at_most=1
            ),
            Figure(
                f"limit_exceeded a minute, {name}: all users", max(use.all_refused for use in uses), at_most=1
            ),
        ]
    return figures


def _print_all() -> None:
    for case in (*ALONE, *SHARED):
        print(f"{case!s:<90} {simulate(case)}", flush=True)


if __name__ == "__main__":
    _print_all()
