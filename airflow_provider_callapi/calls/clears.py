"""Finds out whether a user has cleared a task after an earlier try."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self


@dataclass(frozen=True)
class Clears:
    """Numbers of a try. By comparing them, a later try finds out whether a user has cleared the task.

    :ivar generation: Airflow's ``max_tries``. A clear sets it to the number of tries plus ``retries``.
    :ivar retries: the number ``retries`` of the task in the DAG file of the try. None: not known.
    :ivar run_clears: how often users have cleared tasks of the DAG run.
    :ivar tries_before: how many tries of the task came before this try. None: not known.
    """

    generation: int
    retries: int | None = None
    run_clears: int = 0
    tries_before: int | None = None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """Return the numbers of the try that has stored a record: the record has a key for each number."""
        return cls(**{each.name: record[each.name] for each in fields(cls) if each.name in record})

    def since(self, earlier: Clears) -> bool:
        """Return whether a user has cleared the task since an earlier try.

        :param earlier: what the earlier try knew of the clears.
        """
        if self.generation != earlier.generation:
            return True
        first, last = earlier.tries_before, self.tries_before
        if self.run_clears == earlier.run_clears or first is None or last is None:
            return False
        # If the DAG file has fewer retries than before, a clear can leave max_tries unchanged: the clear came
        # after so many tries. Otherwise, a user has cleared another task of the DAG run.
        tries_until_clear = self.generation - (self.retries or 0)
        return first < tries_until_clear <= last
