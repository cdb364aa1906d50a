"""A sensor that waits for a call in each of its modes."""

from __future__ import annotations

from typing import Any

import pytest
from airflow_fakes import Task

from airflow_provider_callapi.sensors.call_session import CallApiSessionSensor

WAIT_MODES: dict[str, dict[str, Any]] = {
    "poke": {},
    "reschedule": {"mode": "reschedule"},
    "deferral": {"deferrable": True},
}
wait_modes = pytest.mark.parametrize("wait_mode", WAIT_MODES)
ENDED = {
    "call_session_id": 1,
    "external_id": "mine",
    "status": "ended",
    "answered": True,
    "observed": True,
    "ended_at": "2025-10-09T08:53:20Z",
    "tags": [36],
    "source": "data_api",
}


def sensor(session: Any, **changes: Any) -> CallApiSessionSensor:
    return CallApiSessionSensor(
        **{"task_id": "wait", "call_session_id": session, "poke_interval": 5, "timeout": 600, **changes}
    )


def waiting(desk: Any, session: Any, wait_mode: str, **changes: Any) -> Task:
    return Task(desk, lambda: sensor(session, **WAIT_MODES[wait_mode], **changes))
