"""A campaign on an emulated exchange with a clock that the test moves, and means to disturb the campaign."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from json_store import JsonStore
from known_numbers import ANNA, CALL

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.credentials import AccessKey
from airflow_provider_callapi.api.data_api import OPERATIONS_FIELD, REPORT_FIELDS
from airflow_provider_callapi.api.errors import CallApiError, LimitExceeded
from airflow_provider_callapi.api.models import Limits
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc
from airflow_provider_callapi.calls.campaign.attempt_ids import external_id
from airflow_provider_callapi.calls.campaign.contact_list.call_template import CallTemplate
from airflow_provider_callapi.calls.campaign.contact_list.people import Person
from airflow_provider_callapi.calls.campaign.contact_list.people_reader import read_people
from airflow_provider_callapi.calls.campaign.engine.account_points import AccountPoints
from airflow_provider_callapi.calls.campaign.engine.campaign import Campaign
from airflow_provider_callapi.calls.campaign.engine.pacing import Pacing
from airflow_provider_callapi.calls.campaign.engine.redial import REDIAL_DELAYS
from airflow_provider_callapi.calls.campaign.gateway import CampaignGateway
from airflow_provider_callapi.calls.campaign.ledger import Ledger
from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.campaign.rules import Rules
from airflow_provider_callapi.calls.campaign.run.runner import NextStep, Runner
from airflow_provider_callapi.calls.campaign.wishes import Wish
from airflow_provider_callapi.calls.outcomes.answers import FinishedCall
from airflow_provider_callapi.calls.reports.finished_calls import fetch_finished_calls
from airflow_provider_callapi.calls.reports.report_refusals import Refusals
from airflow_provider_callapi.calls.reports.report_requests import ReportRequests
from airflow_provider_callapi.calls.watching.snapshot import take_snapshot
from airflow_provider_callapi.emulator import Exchange, ManualClock, Profile
from airflow_provider_callapi.ledgers.paged import PagedLedger

START = "start.informer_call"
RULES = Rules(redial=REDIAL_DELAYS, report_timeout=300.0, timezone="Europe/Moscow")
NO_POINTS = LimitExceeded(
    "no points",
    params={"limit_type": "day"},
    limits=Limits(day_limit=5, day_remaining=0, day_reset=80_000, minute_limit=5, minute_remaining=5),
)


class World:
    """One account, one ledger, and one campaign that runs in one process after another."""

    def __init__(self, numbers: Iterable[str] = (ANNA,), rules: Rules = RULES, **overrides: Any) -> None:
        self.clock = ManualClock(overrides.pop("start", 1_760_000_000.0))
        self.exchange = Exchange(self.clock, profile=overrides.pop("profile", Profile()))
        self.call_api = self.client("v4.0")
        self.data_api = self.client("v2.0")
        self.rules = rules
        self.template = CallTemplate(overrides.pop("call", CALL), region="RU")
        self.rows: list[Any] = [{"phone": number, "name": "Anna"} for number in numbers]
        self.pages = JsonStore()
        self.new_ledger: Callable[[], Ledger] = lambda: PagedLedger(self.pages)
        self.new_external_id: Callable[[Person, int], str] = lambda person, attempt: external_id(
            "test", person.contact, attempt
        )
        asked = [OPERATIONS_FIELD] if overrides.pop("asks_operations", False) else []
        self.report_fields = [*REPORT_FIELDS, *asked]
        self.overrides = overrides
        self.excluded: set[str] | None = set()
        self.wish: Wish | None = None
        self.log: list[str] = []
        self.runner = self.process()

    def client(self, version: str) -> Client:
        rpc = JsonRpc(f"https://service.test/{version}", new_session=self.exchange.session)
        return Client(rpc, AccessKey(self.exchange.account.key), clock=self.clock)

    def process(self) -> Runner:
        """Simulate that the campaign's process dies, and return the runner of the next process."""
        plan = read_people(self.rows, self.template, key_of=str, timezone="Europe/Moscow")
        ledger = self.new_ledger()
        campaign = Campaign(
            plan,
            list(ledger.load(person.key for person in plan.people)),
            self.rules,
            Pacing(AccountPoints()),
            personal=self.template.personal,
            new_external_id=self.new_external_id,
            now=self.clock(),
        )
        self.runner = self.new_runner(campaign, ledger)
        return self.runner

    def new_runner(self, campaign: Campaign, ledger: Ledger) -> Runner:
        gateway = replace(self.gateway(), **self.overrides)
        return Runner(campaign, self.template, ledger, gateway, poll_interval=10.0)

    def replace_ledger(self, ledger: Ledger) -> None:
        """Give the running campaign another ledger, from which the campaign has loaded no attempts."""
        self.runner = self.new_runner(self.campaign, ledger)

    def gateway(self) -> CampaignGateway:
        return CampaignGateway(
            start=self.start,
            take_snapshot=lambda: take_snapshot(self.call_api, self.clock),
            limits=lambda: self.call_api.limits,
            reports=self.reports if self.rules.report_timeout is not None else None,
            reported_calls=self.reported_calls if self.rules.report_timeout is not None else None,
            tag_active=lambda session_id, tag_id: None,
            tag_finished=lambda communication_id, tag_id: None,
            do_not_call=lambda: self.excluded,
            wish=lambda: self.wish,
            clock=self.clock,
            log=self.log.append,
            error=self.log.append,
        )

    def start(self, requests: Sequence[Any]) -> list[Any]:
        return [self.started(request) for request in requests]

    def started(self, request: Any) -> Any:
        try:
            return self.call_api.call(request)
        except CallApiError as error:
            return error

    def reports(self, since: float, sessions: Collection[int] | None) -> Any:
        return fetch_finished_calls(
            self.data_api,
            since=since,
            until=self.clock(),
            timezone=self.rules.timezone,
            fields=self.report_fields,
            sessions=sessions,
        )

    def reported_calls(self, since: float) -> Any:
        requests = ReportRequests(self.data_api, Refusals(), self.rules.timezone)
        return requests.calls(since, self.clock(), ongoing=True)

    def run(self, seconds: float = 86_400.0) -> NextStep:
        """Run the campaign until the campaign is over, or for at most ``seconds`` of the simulated clock."""
        until = self.clock() + seconds
        for _ in range(20_000):
            next_step = self.runner.step()
            if next_step.over or self.clock() + next_step.in_seconds > until:
                self.clock.advance(0.0 if next_step.over else max(0.0, until - self.clock()))
                return next_step
            self.clock.advance(next_step.in_seconds)
        raise AssertionError(f"the campaign does not end: {next_step}")

    @property
    def campaign(self) -> Campaign:
        return self.runner.campaign

    def results(self) -> dict[str, Result]:
        """Return a dict: phone number of each person → result of the person."""
        return self.campaign.results()

    def ring_times(self, number: str) -> list[float]:
        return [e.time for e in self.exchange.journal if e.kind == "ring" and e.phone == number]


def with_report_fields(call: FinishedCall, **fields: Any) -> FinishedCall:
    return replace(call, report=call.report.model_copy(update=fields))


def no_phone_rang(call: FinishedCall, reason: str) -> FinishedCall:
    """The call ended with a reason before the contact's phone rang."""
    return with_report_fields(replace(call, answered=False, contact_finish_reason=None), finish_reason=reason)


def without_lines(world: World, phone: str) -> None:
    """The account has no free line: the call ends at once, and no phone has rung."""
    reports = world.reports

    def reported(*wanted: Any) -> Any:
        return [
            no_phone_rang(call, "no_resources") if call.report.contact_phone_number == phone else call
            for call in reports(*wanted)
        ]

    world.overrides["reports"] = reported
    world.process()


def with_ledger(world: World, ledger: Ledger) -> World:
    """Begin the campaign's next process with this ledger."""
    world.new_ledger = lambda: ledger
    world.process()
    return world


def asked_sessions(world: World) -> list[set[int] | None]:
    """Let the campaign of a world remember the call session ids of its requests for reports."""
    asked: list[set[int] | None] = []
    fetch = world.reports

    def reported(since: float, sessions: Any) -> Any:
        asked.append(None if sessions is None else set(sessions))
        return fetch(since, sessions)

    world.overrides["reports"] = reported
    world.process()
    return asked
