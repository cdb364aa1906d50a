"""Measure time, memory and requests of a campaign of two days, simulated on the emulator's core.

A simulated clock replaces waiting.

``python benchmarks/campaign_simulation.py 100000`` simulates a campaign with 100 000 people and prints the
figures as JSON. If a second argument names a file, the command also writes the campaign's report to this
file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from campaign_town import FileLedger, Town
from measuring import Figure, peak_megabytes

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.credentials import AccessKey
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.transport.answer_json import load_exact_envelope, load_json
from airflow_provider_callapi.api.transport.jsonrpc import Reply
from airflow_provider_callapi.calls.calling_hours.hours import CallingHours, read_hours
from airflow_provider_callapi.calls.campaign.attempt_ids import external_id
from airflow_provider_callapi.calls.campaign.contact_list.call_template import CallTemplate
from airflow_provider_callapi.calls.campaign.contact_list.people_reader import read_people
from airflow_provider_callapi.calls.campaign.contact_list.shard import WHOLE_LIST, Shard
from airflow_provider_callapi.calls.campaign.engine.account_points import AccountPoints
from airflow_provider_callapi.calls.campaign.engine.campaign import Campaign
from airflow_provider_callapi.calls.campaign.engine.pacing import Pacing
from airflow_provider_callapi.calls.campaign.engine.redial import REDIAL_DELAYS
from airflow_provider_callapi.calls.campaign.gateway import CampaignGateway
from airflow_provider_callapi.calls.campaign.ledger import Attempt, Ledger
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.results.campaign_report import render_report
from airflow_provider_callapi.calls.campaign.results.summary import Ending, summarise
from airflow_provider_callapi.calls.campaign.rules import Rules
from airflow_provider_callapi.calls.campaign.run import runner as runner_module
from airflow_provider_callapi.calls.campaign.run.runner import Runner
from airflow_provider_callapi.calls.reports.finished_calls import fetch_finished_calls
from airflow_provider_callapi.calls.watching.snapshot import take_snapshot
from airflow_provider_callapi.emulator import Account, Exchange, ManualClock
from airflow_provider_callapi.emulator.json_array import to_json

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))

from memory_ledger import MemoryLedger

CALL = {
    "method": "start.informer_call",
    "virtual_phone_number": "74993720692",
    "contact_message": {"type": "tts", "value": "Hello {{ contact.name }}"},
}
MIDNIGHT = datetime(2026, 10, 12, tzinfo=UTC).timestamp()
"""Epoch seconds of a Monday."""
runner_module.CAMPAIGN_REPORT_INTERVAL = 60.0
"""The published figures are those of a campaign that fetches reports once a minute."""


_MAX_ACTIVE, _AT_ONCE = 500, 32
_STEPS_REMEMBERED = 500
"""After so many steps of the campaign, the service forgets what it no longer needs."""


class Direct:
    """A replacement for `JsonRpc` that passes requests to the emulated exchange without HTTP."""

    cpu_seconds: ClassVar[float] = 0.0
    """The CPU time that the emulated exchange has used."""

    def __init__(self, exchange: Exchange, version: str = "v4.0") -> None:
        self._exchange = exchange
        self._version = version

    def send(self, method: str, params: dict[str, Any], *, exact_type: Any = None, **_: Any) -> Reply:
        body = {"jsonrpc": "2.0", "id": "1", "method": method, "params": params}
        begun = time.process_time()
        if exact_type is None:
            answer = self._exchange.handle(body, version=self._version)
            Direct.cpu_seconds += time.process_time() - begun
        else:
            content = self._long_answer(body)
            Direct.cpu_seconds += time.process_time() - begun
            answer = load_exact_envelope(content, exact_type) or load_json(content)
        result, error = answer.get("result"), answer.get("error")
        details: Any = result if error is None else error["data"]
        return Reply("1", result=result, error=error, metadata=details.get("metadata", {}))

    def _long_answer(self, body: dict[str, Any]) -> bytes:
        """Return an answer that may be long as the JSON text that the service sends."""
        sent, kind = json.dumps(body).encode(), "application/json; charset=utf-8"
        return to_json(self._exchange.handle_bytes(sent, version=self._version, content_type=kind))


def gateway_of(exchange: Exchange, log: Any = lambda text: None, clock: Any = None) -> CampaignGateway:
    """Return a campaign's gateway to an emulated exchange. Requests do not use HTTP.

    :param clock: the campaign's clock; None: the clock of the exchange.
    """
    clock = clock or exchange.clock
    client: Client = Client(Direct(exchange), AccessKey("demo-key"), clock=clock)  # type: ignore[arg-type]
    data_api = Client(Direct(exchange, "v2.0"), AccessKey("demo-key"), clock=clock)  # type: ignore[arg-type]

    def start(requests: Sequence[Any]) -> list[Any]:
        answers: list[Any] = []
        for request in requests:
            try:
                answers.append(client.call(request))
            except CallApiError as error:
                answers.append(error)
        return answers

    return CampaignGateway(
        start=start,
        take_snapshot=lambda: take_snapshot(client, clock),
        limits=lambda: client.limits,
        reports=lambda since, sessions: fetch_finished_calls(
            data_api, since=since, until=clock(), timezone=exchange.account.timezone, sessions=sessions
        ),
        reported_calls=None,
        tag_active=lambda session_id, tag_id: None,
        tag_finished=lambda communication_id, tag_id: None,
        do_not_call=frozenset,
        wish=lambda: None,
        clock=clock,
        log=log,
        error=log,
    )


def new_runner(
    exchange: Exchange,
    rows: Iterator[dict[str, str]],
    rules: Rules,
    *,
    shard: Shard = WHOLE_LIST,
    poll_interval: float = 10.0,
    log: Any = lambda text: None,
    clock: Any = None,
    ledger: Ledger | None = None,
) -> Runner:
    """Return the runner of a new campaign that calls the people in ``rows`` at an emulated exchange.

    :param shard: the part of the contact list to call.
    :param poll_interval: seconds between two polls.
    :param clock: the campaign's clock; None: the clock of the exchange.
    :param ledger: stores the attempts; None: a ledger in memory.
    """
    template = CallTemplate(CALL, region="RU")
    plan = read_people(rows, template, key_of=str, timezone="Europe/Moscow", shard=shard)
    campaign = Campaign(
        plan,
        [],
        rules,
        Pacing(AccountPoints()),
        personal=template.personal,
        new_external_id=lambda person, attempt: external_id("sim", person.contact, attempt),
        now=exchange.clock(),
    )
    return Runner(
        campaign,
        template,
        MemoryLedger() if ledger is None else ledger,
        gateway_of(exchange, log, clock),
        poll_interval=poll_interval,
    )


def simulate(people: int, report: Path | None = None) -> dict[str, float]:
    """Simulate a campaign that calls all people within two days; return the figures by name.

    The people live in eleven time zones. 15 % of the people are busy, and 20 % do not answer.
    """
    clock = ManualClock(MIDNIGHT - 4 * 3600)
    # slightly more than the day's people need in the 22 hours in which some window is open
    minute = max(10, round(people * 1.5 / 2 / (22 * 60)))
    account = Account(minute_limit=minute, day_limit=round(people * 0.75), timezone="Europe/Moscow")
    exchange = Exchange(clock, account)
    town = Town(people)
    town.populate(exchange)
    rules = Rules(
        hours=CallingHours(*read_hours(("09:00", "21:00"))),
        redial=REDIAL_DELAYS,
        max_attempts=2,
        max_active=_MAX_ACTIVE,
        at_once=_AT_ONCE,
        report_timeout=300.0,
        timezone=account.timezone,
        dial_until=MIDNIGHT + 2 * 86_400,
    )
    runner = new_runner(exchange, town.rows(), rules, poll_interval=15.0, ledger=FileLedger(people))
    steps = 0
    while not (next_step := runner.step()).over:
        clock.advance(next_step.in_seconds)
        steps += 1
        if steps % _STEPS_REMEMBERED == 0:
            town.count_and_forget(exchange)
    town.count_and_forget(exchange)
    counts = Counter(runner.campaign.results().values())
    assert counts.total() == people, "a person has no result"
    assert max(town.rings) <= 2, "a person's phone rang more often than allowed"
    if report is not None:
        report.write_text(_report(runner), "utf-8")
    return {
        "cpu_seconds": time.process_time(),
        "cpu_seconds_of_the_service": Direct.cpu_seconds,
        "megabytes": peak_megabytes(),
        "steps": steps,
        "calls": sum(town.rings),
        "list_calls": town.requests["list.calls"],
        "refused": town.refused,
        "days": (clock() - MIDNIGHT) / 86_400,
        **{f"result_{name}": count for name, count in counts.items()},
        "not_called": counts[Result.NOT_CALLED],
        "out_of_hours": town.out_of_hours,
    }


def _report(runner: Runner) -> str:
    campaign = runner.campaign
    attempts: defaultdict[str, list[Attempt]] = defaultdict(list)
    for attempt in runner.ledger.load(person.key for person in campaign.plan.people):
        attempts[attempt.person].append(attempt)
    results = campaign.results()
    endings = [Ending(person, results[person.key], attempts[person.key]) for person in campaign.plan.people]
    moments = [
        attempt.result_known_at or attempt.intended_at for many in attempts.values() for attempt in many
    ]
    summary = summarise(
        "simulated",
        endings,
        (),
        duplicates=0,
        started_at=min(many[0].intended_at for many in attempts.values()),
        ended_at=max(moments),
        points_per_call=campaign.pacing.points.cost,
    )
    limit = campaign.pacing.points.calls_per_minute()
    return render_report(summary, endings, (), calls_per_minute=limit, timezone="Europe/Moscow")


def simulate_in_a_process(people: int) -> dict[str, float]:
    """Simulate a campaign in a process of its own; return the figures by name, as `simulate` does."""
    done = subprocess.run(
        [sys.executable, __file__, str(people)], capture_output=True, text=True, check=True, timeout=7200
    )
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def measure() -> list[Figure]:
    """Compare a campaign of 100 000 people with one of 10 000 people.

    The CPU time and the memory are those of a whole process, with the simulated service.
    """
    small, large = simulate_in_a_process(10_000), simulate_in_a_process(100_000)
    growth = (large["cpu_seconds"] / 100_000) / (small["cpu_seconds"] / 10_000)
    return [
        Figure("campaign of 100 000 people, two days, simulated: CPU", large["cpu_seconds"], "s", at_most=70),
        Figure("… of which the simulated service", large["cpu_seconds_of_the_service"], "s"),
        Figure("memory of the campaign and the service", large["megabytes"], "MB", at_most=200),
        Figure("CPU per person: 100 000 people / 10 000 people", growth, at_most=1.3),
        Figure("calls of the campaign", large["calls"]),
        Figure("people on the list without a call", large["not_called"], at_most=0),
        Figure("calls outside a person's calling hours", large["out_of_hours"], at_most=0),
    ]


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    print(json.dumps(simulate(int(sys.argv[1]), *map(Path, sys.argv[2:]))))
