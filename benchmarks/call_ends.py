"""Measure the delay between the end of a call and the end of the wait for it, with a simulated clock.

An account has 2,000 calls of random length, a poll every five seconds. Three waits are measured: until two
regular polls do not list the call (as before), with second looks on a steady account, and with the reports of
the Data API. A second account omits each call once for three seconds: no wait may end then.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, field, replace

from measuring import Figure, show

CALLS = 2_000
INTERVAL = 5.0
REPORT_DELAY = 3.0
"""Seconds from the end of a call to its report."""
FOREVER = 1e12


@dataclass
class Account:
    """An account whose calls begin one after the other, some seconds apart, and last up to a minute and a
    half.

    :ivar seconds_apart: seconds between two beginnings, on average.
    :ivar vanish_for: seconds for which the list omits each call once.
    """

    seconds_apart: float
    vanish_for: float = 0.0
    begins: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(1)
        for number in range(CALLS):
            begin = (number + self._chance.random()) * self.seconds_apart
            self.begins.append(begin)
            self.ends.append(begin + 20 + 70 * self._chance.random())

    def listed(self, at: float) -> list[int]:
        """Return the numbers of the calls that ``list.calls`` shows at a time."""
        newest = min(int(at / self.seconds_apart) + 1, CALLS)
        oldest = max(int((at - 90) / self.seconds_apart) - 1, 0)
        return [number for number in range(oldest, newest) if self._is_listed(number, at)]

    def _is_listed(self, number: int, at: float) -> bool:
        vanishes = self.begins[number] + 10
        is_hidden = vanishes <= at < vanishes + self.vanish_for
        return self.begins[number] <= at < self.ends[number] and not is_hidden


@dataclass
class Waits:
    """What became of the waits for all calls of an account."""

    delays: list[float] = field(default_factory=list)
    false_ends: int = 0
    polls: int = 0

    def percentile(self, share: float) -> float:
        """Return the delay that this share of the waits does not exceed, in seconds.

        The first tenth of the waits is left out: a new account is not steady yet.
        """
        delays = sorted(self.delays[CALLS // 10 :])
        return delays[int(share * len(delays))]


def wait_for_all(account: Account, *, second_looks: bool = False, reports: bool = False) -> Waits:
    """Wait for the ends of all calls of an account, and return the delays."""
    from airflow_provider_callapi.api.data_api import CallReport
    from airflow_provider_callapi.api.models import CallSession
    from airflow_provider_callapi.calls.outcomes.answers import FinishedCall
    from airflow_provider_callapi.calls.outcomes.outcome import ReportedEnd
    from airflow_provider_callapi.calls.watching.absence_history import SECOND_LOOK_AFTER, AbsenceHistory
    from airflow_provider_callapi.calls.watching.snapshot import Snapshot
    from airflow_provider_callapi.calls.watching.watch import Phase, SessionWatch

    history, waits, at = AbsenceHistory(), Waits(), 0.0
    watches: dict[int, SessionWatch] = {}
    sessions = [CallSession(call_session_id=number + 1) for number in range(CALLS)]
    done: set[int] = set()
    while at < CALLS * account.seconds_apart + 200:
        waits.polls += 1
        listed = {number: sessions[number] for number in account.listed(at)}
        snapshot = Snapshot(at, {number + 1: session for number, session in listed.items()})
        extended = history.extend(snapshot)
        if second_looks:
            snapshot = extended
        for number in listed.keys() - watches.keys() - done:
            watches[number] = SessionWatch(number + 1, FOREVER, FOREVER)
        if reports:
            missing = [number for number, watch in watches.items() if watch.awaited_end(snapshot)]
            ended = [number for number in missing if account.ends[number] + REPORT_DELAY <= at]
            reported = {
                number + 1: ReportedEnd(FinishedCall(CallReport(id=number + 1), None), "UTC")
                for number in ended
            }
            snapshot = replace(snapshot, ends=reported)
        for number, watch in list(watches.items()):
            if watch.update(snapshot) is Phase.ENDED:
                del watches[number]
                done.add(number)
                waits.false_ends += at < account.ends[number]
                waits.delays.append(at - account.ends[number])
        if second_looks and history.permits_second_look({number + 1 for number in watches}):
            history.begin_second_look()
            at += SECOND_LOOK_AFTER
        else:
            at += INTERVAL
    return waits


def measure() -> list[Figure]:
    """Measure the delays in seconds, the number of polls relative to regular polls, and the false ends."""
    few, many = Account(100.0), Account(9.0)
    regular = wait_for_all(few)
    steady = wait_for_all(few, second_looks=True)
    busy = wait_for_all(many, second_looks=True)
    reported = wait_for_all(many, reports=True)
    vanishing = wait_for_all(Account(100.0, vanish_for=3.0), second_looks=True)
    return [
        Figure("end of a call to end of the wait, two regular polls, p50", regular.percentile(0.5), "s"),
        Figure("end of a call to end of the wait, two regular polls, p95", regular.percentile(0.95), "s"),
        Figure("… steady account, one call at a time, p50", steady.percentile(0.5), "s", at_most=3.0),
        Figure("… steady account, one call at a time, p95", steady.percentile(0.95), "s", at_most=5.5),
        Figure("… polls, divided by regular polls", steady.polls / regular.polls, at_most=1.1),
        Figure("… steady account, seven calls at a time, p50", busy.percentile(0.5), "s"),
        Figure("… seven calls, reports three seconds after the end, p50", reported.percentile(0.5), "s"),
        Figure("… seven calls, reports three seconds after the end, p95", reported.percentile(0.95), "s"),
        Figure("false ends, each call vanishes for three seconds", vanishing.false_ends, at_most=0),
    ]


if __name__ == "__main__":
    sys.exit(show(measure()))
