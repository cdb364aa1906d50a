"""Placing a call once."""

from __future__ import annotations

import hashlib


def external_id_for(dag_id: str, run_id: str, task_id: str, map_index: int, attempt: int) -> str:
    """The id by which a lost call is found again: the same for every try of the same attempt.

    At most 64 characters, and no phone number in it: a hash of whose call it is, and the attempt.
    """
    owner = "\n".join((dag_id, run_id, task_id, str(map_index)))
    return f"af-{hashlib.sha256(owner.encode()).hexdigest()[:32]}-{attempt}"
