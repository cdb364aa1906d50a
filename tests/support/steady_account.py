"""The history of an account on which many calls have ended and none came back."""

from __future__ import annotations

from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.watching.absence_history import AbsenceHistory
from airflow_provider_callapi.calls.watching.snapshot import Snapshot


def steady_history() -> AbsenceHistory:
    """Return the history of an account on which a hundred calls have ended. The newest snapshot is empty."""
    history = AbsenceHistory()
    for number in range(100):
        session_id = 1_000 + number
        history.add(Snapshot(float(number), {session_id: CallSession(call_session_id=session_id)}))
    history.add(Snapshot(100.0))
    history.add(Snapshot(160.0))
    return history
