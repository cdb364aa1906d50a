"""Snapshots that the waiting tasks of one host share, so that together they send fewer polls.

When a snapshot is due, one task polls and writes the snapshot to a file. The other tasks read the file. If
the files cannot be used, each task polls by itself.

Only the operating-system user of the worker can read the files. The files contain no phone numbers.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_provider_callapi.api.entries import tells
from airflow_provider_callapi.api.models import CallSession, Tag
from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.watching.absence_history import SECOND_LOOK_AFTER, AbsenceHistory
from airflow_provider_callapi.calls.watching.snapshot import Snapshot

FOLDER_PREFIX = "airflow-callapi-"
"""The name of the folder in the host's folder for temporary files, without the number of the user."""
_PATIENCE = 5.0
"""Seconds after the due time for which a task waits for a poll of another task. Then it polls on its own."""
_STEP = 0.2
"""The longest time in seconds between two readings of the file."""
_FORMAT = 1
"""The version of the file's format. A file of another version is ignored, and overwritten."""


def private_folder() -> Path | None:
    """Return the folder for the shared snapshots. Create the folder if it does not exist.

    Only the operating-system user of this process can read the folder.

    :return: the folder. None: another operating-system user owns the folder or can read the folder, or the
        folder cannot be created.
    """
    folder = Path(tempfile.gettempdir(), f"{FOLDER_PREFIX}{os.geteuid()}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return None
    is_private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o077
    return folder if is_private and status.st_uid == os.geteuid() else None


@dataclass(frozen=True)
class _Shared:
    """The content of the file that the processes of a host share: the newest snapshot, and its history."""

    snapshot: Snapshot
    history: AbsenceHistory


class HostSnapshots:
    """Gives the results of polls (snapshots) to one task that waits for the end of a call.

    The tasks of one host and one account share their polls through files.

    :param folder: the folder of the shared files, from `private_folder`.
    :param name: the name of the shared files, without the ending. It stands for the account.
    :param call_session_id: the session id of the call.
    :param interval: seconds between two polls.
    :param take_snapshot: a function that polls the active calls once, and returns the snapshot. This class
        adds what earlier polls have shown about missing calls, see `AbsenceHistory`.
    :param until: the end of the wait, epoch seconds. A poll is due at this time at the latest.
    :param clock: returns epoch seconds.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        call_session_id: int,
        interval: float,
        take_snapshot: Callable[[], Snapshot],
        until: float,
        clock: Callable[[], float],
    ) -> None:
        self._file = folder / f"{name}.json"
        self._lock_file = folder / f"{name}.lock"
        self._watched = (call_session_id,)
        self._interval = interval
        self._take_snapshot = take_snapshot
        self._until = until
        self._clock = clock
        self._due_at = clock()
        self._newest_at = math.nextafter(self._due_at, 0.0)
        """The time of the newest snapshot of this task. The first snapshot is taken after the wait began."""
        self._is_second_look_due = False
        self._history = AbsenceHistory()
        """What the polls so far have shown about missing calls. Counts if the shared file does not exist."""
        self._read_version: tuple[int, int] | None = None

    def poll(self, sleep: Callable[[float], None]) -> Iterator[Snapshot]:
        """Yield the snapshots that the processes of this host share, one after the other, without end.

        :param sleep: a function that sleeps for a number of seconds, until the next snapshot.
        """
        while True:
            while (snapshot := self.next()) is None:
                until_due = self._due_at - self._clock()
                sleep(min(_STEP, until_due) if until_due > 0 else _STEP)
            yield snapshot

    def next(self) -> Snapshot | None:
        """Return the next snapshot: from another task of this host, or from a poll of this task.

        The method polls only if no new snapshot is stored and a poll is due. If the poll fails, the method
        returns a snapshot with the failure, and does not share this snapshot with the other tasks.

        :return: the snapshot. None: no new snapshot is stored yet. Either no poll is due, or another task is
            polling. If the other task has not stored a snapshot after five seconds, this task may poll.
        """
        now = self._clock()
        if now < self._newest_at:  # the clock was set back: a poll is due now, and not at the old time
            self._newest_at, self._due_at = math.nextafter(now, 0.0), min(self._due_at, now)
        if (shared := self._read_newer()) is not None:
            return self._deliver(shared)
        if now < self._due_at:
            return None
        with self._locked() as is_locked:
            if is_locked is None:
                return self._poll_alone()
            if is_locked:
                # Another task may have polled between the first reading and the lock.
                shared = self._read_newer()
                return self._deliver(shared) if shared is not None else self._poll_and_share()
        if now < min(self._due_at + _PATIENCE, self._until):
            return None
        return self._poll_alone()

    def _poll_alone(self) -> Snapshot:
        return self._schedule(self._history.extend(self._take_snapshot()))

    def _poll_and_share(self) -> Snapshot:
        previous = self._read()
        history = previous.history if previous is not None else self._history
        if self._is_second_look_due:
            history.begin_second_look()
        snapshot = self._take_snapshot()
        if snapshot.failure is not None:
            return self._schedule(snapshot)
        shared = _Shared(history.extend(snapshot), history)
        self._write(shared)
        return self._deliver(shared)

    def _deliver(self, shared: _Shared) -> Snapshot:
        """Return the snapshot in ``shared``, and set the time at which this task polls next."""
        snapshot = self._schedule(shared.snapshot)
        self._history = shared.history
        self._is_second_look_due = shared.history.permits_second_look(self._watched)
        if self._is_second_look_due:  # an extra poll, sooner than the usual interval
            self._due_at = min(snapshot.at + min(SECOND_LOOK_AFTER, self._interval), self._until)
        return snapshot

    def _schedule(self, snapshot: Snapshot) -> Snapshot:
        self._newest_at, self._is_second_look_due = snapshot.at, False
        self._due_at = min(snapshot.at + snapshot.pause(self._interval), self._until)
        return snapshot

    def _read_newer(self) -> _Shared | None:
        """Return the shared file's content if it is newer than this task's last poll result, else None."""
        try:
            status = self._file.stat()
        except OSError:
            return None
        version = (status.st_ino, status.st_mtime_ns)
        if version == self._read_version:
            return None
        self._read_version = version
        shared = self._read()
        # A time in the future does not count as newer: the clock was set back.
        is_newer = shared is not None and self._newest_at < shared.snapshot.at <= self._clock()
        return shared if is_newer else None

    def _read(self) -> _Shared | None:
        """Return the content of the shared file. None: the file does not exist or cannot be read."""
        try:
            content = json.loads(self._file.read_bytes())
            return _from_json(content) if content["format"] == _FORMAT else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def _write(self, shared: _Shared) -> None:
        """Replace the content of the shared file. If this fails, change nothing and raise no error."""
        new_file = self._file.with_suffix(f".{os.getpid()}.new")
        try:
            new_file.write_text(json.dumps(_to_json(shared)))
            new_file.chmod(0o600)
            new_file.replace(self._file)
        except OSError:
            new_file.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[bool | None]:
        """Try once to reserve the next poll for this task. The reservation ends with the ``with`` block.

        Yield whether this task has the reservation. Yield None if the files cannot be used, e.g. because a
        cleaner of temporary files has removed the folder.
        """
        try:
            descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            yield None
            return
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)


def _to_json(shared: _Shared) -> dict[str, Any]:
    """Return the content of the shared file as plain JSON, without phone numbers."""
    snapshot = shared.snapshot
    return {
        "format": _FORMAT,
        "at": snapshot.at,
        "left_out": snapshot.left_out,
        "answered": [
            number for number, session in snapshot.sessions.items() if snapshot.shows_answer(session)
        ],
        "calls": {
            str(number): {
                **({"external_id": _without_phone(session.external_id)} if session.external_id else {}),
                **({"tags": [tag.tag_id for tag in session.tags]} if tells(session, "tags") else {}),
            }
            for number, session in snapshot.sessions.items()
        },
        "history": shared.history.to_json(),
    }


def _from_json(content: dict[str, Any]) -> _Shared:
    sessions = {}
    for number, facts in content["calls"].items():
        known: dict[str, Any] = {"call_session_id": int(number), "external_id": facts.get("external_id")}
        if "tags" in facts:
            known["tags"] = tuple(Tag(tag_id=tag_id) for tag_id in facts["tags"])
        sessions[int(number)] = CallSession(**known)
    history = AbsenceHistory.from_json(content["history"])
    snapshot = Snapshot(
        content["at"],
        sessions,
        answered=frozenset(content["answered"]),
        left_out=content["left_out"],
        needed_absence=history.needed_absence,
    )
    return _Shared(snapshot, history)


def _without_phone(external_id: str) -> str | None:
    """Return an ``external_id``, or None if the id contains a phone number."""
    return external_id if mask_phones(external_id) == external_id else None
