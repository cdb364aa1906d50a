"""A trigger that waits for one call, for the tests of this trigger and of the parts that triggers share."""

from __future__ import annotations

from typing import Any

from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.triggers.call_session import CallApiSessionTrigger


def trigger(session: int, now: float, **changes: Any) -> CallApiSessionTrigger:
    return CallApiSessionTrigger(
        **{
            "callapi_conn_id": "callapi_default",
            "call": Outcome(session, started_at=now).to_xcom(),
            "until": "ended",
            "poll_interval": 5.0,
            "appear_by": now + 60,
            "deadline": now + 600,
            **changes,
        }
    )
