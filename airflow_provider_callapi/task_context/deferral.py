"""A deferral as an object. A helper function returns the object, and only the operator defers the task."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True)
class Deferral:
    """The arguments of an operator's ``defer``: the trigger, and how the task continues after the wait.

    :ivar trigger: the Airflow trigger that waits in the triggerer.
    :ivar method_name: the operator's method that gets the trigger's event after the wait, e.g.
        ``execute_complete``.
    :ivar kwargs: further arguments of this method, as plain JSON.
    :ivar timeout: how long the deferral may last. None: no limit.
    """

    trigger: Any
    method_name: str
    kwargs: dict[str, Any]
    timeout: timedelta | None = None
