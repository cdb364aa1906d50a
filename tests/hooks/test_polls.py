"""`Polls` on a clock that only the test moves: when it polls, and how long a poll and a pause may last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import CallApiError, Unanswered
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.watching.watch import Phase, SessionWatch
from airflow_provider_callapi.hooks import polls as polls_module
from airflow_provider_callapi.hooks.polls import Polls

CALL = 5


@dataclass
class Account:
    """An account with one active call, its clock, and the polls that a `Polls` object has sent."""

    now: float = 1_800_000_000.0
    ends_at: float = float("inf")
    failure: CallApiError | None = None
    polls: list[float] = field(default_factory=list)
    time_limits: list[float] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def call(self, request: object, *, time_limit: float) -> Entries[CallSession]:
        self.polls.append(self.now)
        self.time_limits.append(time_limit)
        if self.failure:
            raise self.failure
        return Entries([CallSession(call_session_id=CALL)] if self.now < self.ends_at else [])

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def polling(self) -> Polls:
        def warn(text: str, *values: object) -> None:
            self.warnings.append(text % values)

        return Polls(cast(Client, self), None, warn=warn, clock=lambda: self.now, sleep=self.sleep)

    def wait(self, seconds: float, **options: Any) -> Phase:
        watch = SessionWatch(CALL, appear_by=self.now + 60, deadline=self.now + seconds)
        return self.polling().watch_session(watch, poll_interval=5.0, shared_name="account", **options)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setattr(polls_module, "private_folder", lambda: None)
    return Account()


def test_a_wait_polls_every_interval_until_two_polls_do_not_show_the_call(account: Account) -> None:
    begin = account.now
    account.ends_at = begin + 12

    assert account.wait(600, until="ended") is Phase.ENDED
    assert [at - begin for at in account.polls] == [0, 5, 10, 15, 20]


def test_a_wait_ends_at_its_deadline_and_its_last_poll_may_take_ten_seconds(account: Account) -> None:
    begin = account.now

    assert account.wait(12, until="answered") is Phase.TIMED_OUT
    assert [at - begin for at in account.polls] == [0, 5, 10, 12]
    assert account.time_limits == [12, 10, 10, 10]


def test_a_failed_poll_is_logged_and_the_next_poll_follows_after_the_interval(account: Account) -> None:
    account.failure = Unanswered("timeout", method="list.calls")
    snapshots = account.polling().poll_snapshots(5.0)

    assert next(snapshots).failure is account.failure
    account.failure = None
    assert CALL in next(snapshots).sessions
    assert len(account.warnings) == 1
    assert "Polling the active calls failed" in account.warnings[0]


def test_an_exception_after_a_poll_ends_the_wait(account: Account) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        account.wait(600, until="ended", after_each_poll=stop)
    assert len(account.polls) == 1
