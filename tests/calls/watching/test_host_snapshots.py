"""Snapshots that the tasks of a host share: how often they poll, what they see, what the files contain."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.api.errors import Unanswered
from airflow_provider_callapi.api.models import CallSession, Leg, LegState, Tag
from airflow_provider_callapi.calls.watching.host_snapshots import HostSnapshots, private_folder
from airflow_provider_callapi.calls.watching.snapshot import Snapshot

INTERVAL = 5.0
FOREVER = 1e12
CONTACT = "79161234567"


@dataclass
class Host:
    """A host with a folder for the files, an account, and a clock that only the test moves."""

    folder: Path
    now: float = 1_800_000_000.0
    listed: dict[int, CallSession] = field(default_factory=dict)
    polls: list[float] = field(default_factory=list)
    fails: bool = False
    during_poll: Callable[[], object] = lambda: None

    def take_snapshot(self) -> Snapshot:
        self.polls.append(self.now)
        self.during_poll()
        if self.fails:
            return Snapshot(self.now, failure=Unanswered("timeout", method="list.calls"))
        return Snapshot(self.now, dict(self.listed))

    def task(self, call: int = 1, *, interval: float = INTERVAL, until: float = FOREVER) -> HostSnapshots:
        return HostSnapshots(
            self.folder,
            "account",
            call_session_id=call,
            interval=interval,
            take_snapshot=self.take_snapshot,
            until=until,
            clock=lambda: self.now,
        )

    def wait(self, seconds: float, *tasks: HostSnapshots, step: float = 0.2) -> list[list[Snapshot]]:
        """Let all tasks wait, and return the snapshots of each task."""
        seen: list[list[Snapshot]] = [[] for _ in tasks]
        ends = self.now + seconds
        while self.now < ends:
            for number, task in enumerate(tasks):
                if (snapshot := task.next()) is not None:
                    seen[number].append(snapshot)
            self.now += step
        return seen


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_twelve_tasks_send_as_many_polls_as_one_task(host):
    host.wait(60, host.task())
    alone = len(host.polls)
    host.polls.clear()
    host.now += 100

    seen = host.wait(60, *(host.task(number) for number in range(12)))

    assert len(host.polls) == alone
    assert all(snapshots == seen[0] for snapshots in seen)


def test_the_first_snapshot_of_a_task_is_taken_after_the_wait_began(host):
    first = host.task()
    host.wait(1, first)

    (snapshots,) = host.wait(1, host.task())

    assert snapshots[0].at >= host.now - 1.1


@settings(max_examples=30)
@given(
    begins=st.lists(st.floats(0, 60), min_size=1, max_size=8),
    intervals=st.lists(st.sampled_from([1.0, 2.0, 5.0, 30.0]), min_size=8, max_size=8),
)
def test_the_tasks_poll_once_in_the_shortest_interval_and_once_for_each_new_task(begins, intervals):
    with tempfile.TemporaryDirectory() as folder:
        host = Host(Path(folder))
        start = host.now
        tasks: list[HostSnapshots] = []
        seen: list[list[Snapshot]] = []
        while host.now < start + 90:
            while len(tasks) < len(begins) and sorted(begins)[len(tasks)] <= host.now - start:
                tasks.append(host.task(interval=intervals[len(tasks)]))
                seen.append([])
            for number, task in enumerate(tasks):
                if (snapshot := task.next()) is not None:
                    seen[number].append(snapshot)
            host.now += 0.2

        shortest = min(intervals[: len(begins)])
        assert len(host.polls) <= 90 / shortest + len(begins) + 1
        for number, snapshots in enumerate(seen):
            times = [snapshot.at for snapshot in snapshots]
            assert times == sorted(set(times))
            gaps = [later - earlier for earlier, later in pairwise(times)]
            assert all(gap <= intervals[number] + 0.5 for gap in gaps)


def test_a_task_waits_for_the_snapshot_of_another_task_that_polls(host):
    slow, other = host.task(1), host.task(2)
    meanwhile: list[Snapshot | None] = []
    host.during_poll = lambda: meanwhile.append(other.next()) if len(host.polls) == 1 else None

    taken = slow.next()

    assert meanwhile == [None]
    assert other.next() == taken
    assert len(host.polls) == 1


def test_a_task_does_not_wait_forever_for_the_poll_of_another_task(host):
    slow, other = host.task(1), host.task(2)

    def poll_slowly() -> None:
        if len(host.polls) == 1:
            host.now += 11
            assert other.next() is not None

    host.during_poll = poll_slowly
    slow.next()
    assert len(host.polls) == 2


def test_a_task_polls_at_the_end_of_its_time_even_if_another_task_holds_the_lock(host):
    slow, other = host.task(1), host.task(2, until=host.now)
    seen: list[Snapshot | None] = []
    host.during_poll = lambda: seen.append(other.next()) if len(host.polls) == 1 else None
    slow.next()

    assert seen[0] is not None


def test_a_failed_poll_is_not_shared(host):
    host.fails = True
    failing = host.task(1).next()
    host.fails = False

    seen = host.task(2).next()

    assert failing is not None
    assert failing.failure is not None
    assert seen is not None
    assert seen.failure is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"format": 0}', '{"format": 1}', '{"format": 1, "calls": 5}', "\x00"]
)
def test_a_file_that_cannot_be_read_is_replaced(host, content):
    (host.folder / "account.json").write_text(content)

    assert host.task().next() is not None
    assert json.loads((host.folder / "account.json").read_text())["format"] == 1


def test_a_snapshot_from_the_future_is_ignored(host):
    host.task().next()
    host.now -= 3_600  # the clock was set back

    task = host.task()
    snapshot = task.next()

    assert snapshot is not None
    assert snapshot.at == host.now


def test_each_task_polls_on_its_own_without_a_usable_folder(host):
    host.folder = host.folder / "missing"
    seen = host.wait(31, host.task(1), host.task(2))

    assert [len(snapshots) for snapshots in seen] == [7, 7], "at once, and then every five seconds"


def test_a_task_whose_folder_is_removed_goes_on_to_poll_at_the_usual_times(host):
    tasks = [host.task(1), host.task(2)]
    host.wait(11, *tasks)
    for file in host.folder.iterdir():
        file.unlink()
    host.folder.rmdir()

    seen = host.wait(30, *tasks)

    assert [len(snapshots) for snapshots in seen] == [6, 6]


def test_a_task_that_cannot_share_its_polls_any_more_still_knows_how_long_an_active_call_was_missing(host):
    task = host.task()
    for listed in ([1], [], [], [1]):  # the call is missing for five seconds
        host.listed = {number: CallSession(call_session_id=number) for number in listed}
        host.wait(5, task)
    for file in host.folder.iterdir():
        file.unlink()
    host.folder.rmdir()

    (snapshots,) = host.wait(5, task)

    assert [round(snapshot.needed_absence) for snapshot in snapshots] == [5]


def test_a_shared_snapshot_contains_what_a_wait_uses_and_no_phone_number(host):
    leg = Leg(leg_id=1, called_phone_number=CONTACT, state=LegState.TALKING, is_operator=False)
    host.listed = {
        1: CallSession(
            call_session_id=1,
            contact_phone_number=CONTACT,
            virtual_phone_number="74951234567",
            external_id="af-1",
            tags=(Tag(tag_id=36, tag_name="yes"),),
            legs=(leg,),
        ),
        2: CallSession(call_session_id=2, contact_phone_number=CONTACT, external_id=f"call-{CONTACT}"),
    }
    taken = host.task(1).next()
    host.now += 0.2
    other = host.task(2)
    other._newest_at -= 1
    read = other.next()

    assert len(host.polls) == 1
    assert taken is not None
    assert read is not None
    assert [read.shows_answer(session) for session in read.sessions.values()] == [True, False]
    assert (read.sessions[1].external_id, read.sessions[1].tags[0].tag_id) == ("af-1", 36)
    assert read.sessions[2].external_id is None
    content = (host.folder / "account.json").read_text()
    assert CONTACT not in content
    assert "74951234567" not in content


def test_a_steady_account_gets_a_second_look_and_later_tasks_know_that_it_is_steady(host):
    for number in range(100):  # calls that end while only this host waits
        host.listed = {number + 10: CallSession(call_session_id=number + 10)}
        host.task(interval=0.1).next()
        host.now += 1
    host.listed = {}
    host.wait(70, host.task())
    host.listed = {1: CallSession(call_session_id=1)}
    task = host.task(1)
    host.wait(6, task)
    host.listed = {}
    ended_at = host.now
    host.polls.clear()

    host.wait(8, task)

    first, second = host.polls[:2]
    assert first - ended_at <= 5
    assert second - first <= 0.8


def test_the_folder_is_only_for_this_user(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = private_folder()

    assert folder is not None
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o755)
    assert private_folder() is None


def test_a_folder_that_is_a_link_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / f"airflow-callapi-{os.geteuid()}").symlink_to(tmp_path / "elsewhere")

    assert private_folder() is None


WAITING_PROCESS = """
import os, sys, time
from pathlib import Path
from airflow_provider_callapi.calls.watching.host_snapshots import HostSnapshots
from airflow_provider_callapi.calls.watching.snapshot import Snapshot

folder, polls = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
ends_at = float(input())

def take_snapshot():
    with open(polls, "a") as file:
        file.write("poll\\n")
    time.sleep(0.1)
    return Snapshot(time.time())

task = HostSnapshots(folder, "account", call_session_id=1, interval=0.2, take_snapshot=take_snapshot,
                     until=ends_at, clock=time.time)
for snapshot in task.poll(time.sleep):
    if time.time() >= ends_at:
        break
"""


def test_processes_that_wait_at_the_same_time_share_their_polls(tmp_path):
    polls = tmp_path / "polls.txt"
    command = [sys.executable, "-c", WAITING_PROCESS, str(tmp_path), str(polls)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(6)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    ends_at = time.time() + 2
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(f"{ends_at}\n")
        process.stdin.flush()

    assert [process.wait(timeout=60) for process in processes] == [0] * 6
    regular, first_and_last = 2 / 0.2, 2 * 6
    assert len(polls.read_text().splitlines()) <= regular + first_and_last


@pytest.mark.parametrize("seconds", [60.0, 3_600.0, 86_400.0])
def test_tasks_go_on_to_poll_together_after_the_clock_was_set_back(host, seconds):
    tasks = [host.task(number) for number in range(3)]
    host.wait(12, *tasks)
    host.polls.clear()
    host.now -= seconds

    seen = host.wait(30, *tasks)

    assert 6 <= len(host.polls) <= 7, "not as late as the old clock"
    assert all(len(snapshots) >= 6 for snapshots in seen)
