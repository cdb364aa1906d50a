"""Finds out whether a user has cleared a task after an earlier try."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Clears:
    """Numbers of a try. By comparing them, a later try finds out whether a user has cleared the task.

    :ivar generation: Airflow's ``max_tries``. A clear sets it to the number of tries plus ``retries``.
    :ivar retries: the number ``retries`` of the task in the DAG file of the try. None: not known.
    :ivar run_clears: how often users have cleared tasks of the DAG run.
    :ivar tries_before: how many tries of the task came before this try.
    """

    generation: int
    retries: int | None = None
    run_clears: int = 0
    tries_before: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the numbers that a later try compares: name → number."""
        return {"generation": self.generation, "retries": self.retries, "run_clears": self.run_clears}

    def since(self, earlier: Clears) -> bool:
        """Return whether a user has cleared the task since an earlier try.

        :param earlier: what the earlier try knew of the clears.
        """
        if self.generation != earlier.generation:
            return True
        # If the DAG file has fewer retries than before, a clear can leave max_tries unchanged. But a user may
        # have cleared another task of the DAG run.
        can_be_unchanged = self.generation == self.tries_before + (self.retries or 0)
        return can_be_unchanged and earlier.retries is not None and self.run_clears != earlier.run_clears
