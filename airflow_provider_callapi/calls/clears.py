"""Finds out whether a user has cleared a task after an earlier try."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Clears:
    """Three numbers of a try. By comparing them, a later try finds out whether a user has cleared the task.

    :ivar generation: Airflow's ``max_tries``. A clear sets it to the number of tries plus ``retries``.
    :ivar retries: the number ``retries`` of the task in the DAG file of the try. None: not known.
    :ivar run_clears: how often users have cleared tasks of the DAG run.
    """

    generation: int
    retries: int | None = None
    run_clears: int = 0

    def since(self, earlier: Clears) -> bool:
        """Return whether a user has cleared the task since an earlier try.

        :param earlier: what the earlier try knew of the clears.
        """
        # If the DAG file has one retry less than before, the clear after one try leaves max_tries unchanged.
        other_retries = earlier.retries is not None and self.retries != earlier.retries
        return self.generation != earlier.generation or (
            other_retries and self.run_clears != earlier.run_clears
        )
