"""A start operator whose worker is killed or frozen at an exact point of its first try.

The patches live in the process of one task and end with it, because Airflow forks a process for every try.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from urllib3.connection import HTTPConnection

from airflow_provider_callapi.calls.single_call.call_journal import Journal
from airflow_provider_callapi.calls.single_call.lifecycle import CallLifecycle
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.calls.watching.watch import Phase, SessionWatch
from airflow_provider_callapi.hooks.polls import Polls
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator


class Killer:
    """Kill or freeze the worker, once.

    :param note: a file that does not exist yet. It receives the time of the kill and the killed processes.
    :param only_task: kill only the task's process, as the kernel does when memory runs out. By default the
        killer first kills the supervisor, which is LocalExecutor's worker, as the death of a machine does.
        Then no process reports the end, and only the scheduler can detect it.
    :param freeze: stop the processes instead, as a suspended machine does. They continue later, after
        Airflow has given the task to another worker.
    """

    def __init__(self, note: Path, *, only_task: bool, freeze: bool) -> None:
        self.note = note
        self.pids = [os.getpid()] if only_task else [os.getppid(), os.getpid()]
        self.signal = signal.SIGSTOP if freeze else signal.SIGKILL

    def kill(self) -> None:
        """Kill the processes. Do nothing if the note exists."""
        draft = self.note.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps({"at": time.time(), "pids": self.pids}))
        try:
            os.link(draft, self.note)  # a link shows the complete file or no file
        except FileExistsError:
            return
        for pid in self.pids:
            os.kill(pid, self.signal)

    def before(self, owner: type, name: str) -> None:
        """Kill instead of calling a method."""
        self._around(owner, name, before=self.kill)

    def after(self, owner: type, name: str) -> None:
        """Kill after a method has done its work, before its caller gets the result."""
        self._around(owner, name, after=self.kill)

    def after_request(self) -> None:
        """Kill when the answer to the next start request has arrived at this machine but is not read yet."""
        original = HTTPConnection.getresponse

        def getresponse(connection: HTTPConnection) -> Any:
            select.select([connection.sock], [], [], 10)
            self.kill()
            return original(connection)

        def listen() -> None:
            HTTPConnection.getresponse = getresponse  # type: ignore[method-assign]

        self._around(Journal, Journal.store_intent.__name__, after=listen)

    def at_third_snapshot(self) -> None:
        """Kill while the worker waits for the call."""
        original, snapshots = Polls.observe, 0

        def observe(polls: Polls, watch: SessionWatch, snapshot: Snapshot) -> Phase:
            nonlocal snapshots
            snapshots += 1
            if snapshots == 3:
                self.kill()
            return original(polls, watch, snapshot)

        Polls.observe = observe  # type: ignore[method-assign]

    @staticmethod
    def _around(
        owner: type,
        name: str,
        *,
        before: Callable[[], None] | None = None,
        after: Callable[[], None] | None = None,
    ) -> None:
        original = getattr(owner, name)

        @wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if before:
                before()
            result = original(*args, **kwargs)
            if after:
                after()
            return result

        setattr(owner, name, wrapper)


_POINTS: dict[str, Callable[[Killer], None]] = {
    "nothing stored": lambda killer: killer.before(Journal, Journal.store_intent.__name__),
    "intent stored": lambda killer: killer.after(Journal, Journal.store_intent.__name__),
    "request left": Killer.after_request,
    "answer read": lambda killer: killer.before(Journal, Journal.mark_started.__name__),
    "answer stored": lambda killer: killer.after(Journal, Journal.mark_started.__name__),
    "waiting": Killer.at_third_snapshot,
    "event read": lambda killer: killer.before(CallLifecycle, CallLifecycle._ended.__name__),
}


class KilledWorker(CallApiStartInformerCallOperator):
    """A call that speaks a message to a contact. If ``dies_at`` is set, the worker dies at this point.

    The note of the kill has the name of the DAG, and of the map index if the task is mapped.
    """

    def __init__(
        self, *, dies_at: str | None = None, only_task: bool = False, freeze: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.dies_at = dies_at
        self.only_task = only_task
        self.freeze = freeze

    def execute(self, context: Any) -> Any:
        self._prepare(context)
        return super().execute(context)

    def execute_complete(self, context: Any, event: Any = None, **known: Any) -> Any:
        self._prepare(context)
        return super().execute_complete(context, event, **known)

    def _prepare(self, context: Any) -> None:
        if self.dies_at:
            map_index = context["ti"].map_index
            name = self.dag_id if map_index < 0 else f"{self.dag_id}-{map_index}"
            note = Path(os.environ["CALLAPI_KILLS"], name)
            _POINTS[self.dies_at](Killer(note, only_task=self.only_task, freeze=self.freeze))
