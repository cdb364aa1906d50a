"""Tells the next try of a task, without task state, whether an earlier try may have placed a call.

When a try begins, Airflow deletes the XComs of the tries before, and tells the try the keys of these XComs.
So a key itself is the message, and its value does not matter.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import Any

from airflow_provider_callapi.calls.single_call.call_record import RECORD_KEY, Stage
from airflow_provider_callapi.calls.stores import MemoryStore

_KEY = re.compile(r"callapi_start_(\d+)_(sent|withdrawn|sent_again)")
"""The key of an XCom: the number of the try, and what the try says of its start request."""


class StartMark:
    """The message of a try that it may have placed a call.

    :param push: Airflow's ``xcom_push`` of the running task instance.
    :param left_keys: the keys of the XComs that earlier tries have left.
    :param try_number: the number of the running try.
    :param cleared_after: the number of the last try before a user cleared the task. 0: there was no clear.
    :param is_resumed: whether the worker continues a try after a deferral.
    :ivar is_left: whether an earlier try since the clear may have placed a call.
    """

    def __init__(
        self,
        push: Callable[..., object],
        left_keys: Collection[str],
        *,
        try_number: int,
        cleared_after: int,
        is_resumed: bool,
    ) -> None:
        self._push = push
        self._try_number = try_number
        # The worker before the deferral may have withdrawn its message, and nothing withdraws the next one.
        self._next = "sent_again" if is_resumed else "sent"
        self._is_set = False
        said: Mapping[int, set[str]] = defaultdict(set)
        for key in filter(None, map(_KEY.fullmatch, left_keys)):
            said[int(key[1])].add(key[2])
        self.is_left = any(
            number > cleared_after and ("withdrawn" not in words or "sent_again" in words)
            for number, words in said.items()
        )

    def set(self) -> None:
        """Say that this try may have placed a call. Return only after Airflow has stored it."""
        if not self._is_set:
            self._say(self._next)
            self._is_set = True

    def withdraw(self) -> None:
        """Say that this try has placed no call.

        The method says so only once in each try, and not if an earlier try may have placed a call.
        """
        if self._is_set and self._next == "sent" and not self.is_left:
            self._say("withdrawn")
            self._next, self._is_set = "sent_again", False

    def _say(self, word: str) -> None:
        self._push(key=f"callapi_start_{self._try_number}_{word}", value=True)


class MarkingStore(MemoryStore):
    """A store in memory for the journal of a call. It sets the mark before it stores a start request."""

    def __init__(self, mark: StartMark) -> None:
        super().__init__()
        self._mark = mark
        if mark.is_left:
            mark.set()  # Airflow has deleted that of the earlier try

    def set(self, key: str, value: Any) -> None:
        if key == RECORD_KEY:
            if value["stage"] == Stage.NOTHING:
                self._mark.withdraw()
            else:
                self._mark.set()
        super().set(key, value)
