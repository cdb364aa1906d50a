"""With any profile, an answered person is rung once and an unreached person does not count as answered."""

from __future__ import annotations

import pytest
from airflow_desk import new_desk
from airflow_fakes import CONTACT, informer_task
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from profile_story import PROFILES
from required_answers import simple_task, try_often

from airflow_provider_callapi.emulator import Script

ANSWERED = {
    "operator fails": (simple_task, Script.operator_fails("max_out_call_reached", rings=3, employee_rings=2)),
    "heard to the end": (informer_task, Script(rings=3, talks=20)),
    "hung up at once": (informer_task, Script(rings=3, talks=1)),
    "talk": (simple_task, Script(rings=3, talks=60)),
}
NOT_ANSWERED = {
    "busy": (informer_task, Script.busy(4)),
    "no answer": (simple_task, Script.no_answer(25)),
    "operator unreachable": (simple_task, Script.operator_fails("sip_offline")),
}
TRIES = 3
REPORT_COMES_TOO_LATE = 100.0
"""Seconds. If the report comes later, the operators may give up before the report shows the answer."""
OPEN_TO_ALL = {
    "allowed_ips": None,
    "call_api_host": None,
    "data_api_host": None,
    "weights": {},
    "day_limit": 100_000,
    "minute_limit": 1_000,
}


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    profile=PROFILES.map(lambda profile: profile.model_copy(update=OPEN_TO_ALL)),
    story=st.sampled_from(sorted({**ANSWERED, **NOT_ANSWERED})),
    deferrable=st.booleans(),
    login=st.booleans(),
)
@pytest.mark.needs_airflow("3.3", "task state")
def test_any_profile_rings_an_answered_person_once_and_an_unreached_person_in_each_try(
    profile, story, deferrable, login
):
    make_task, script = {**ANSWERED, **NOT_ANSWERED}[story]
    first = "operator" if story == "operator unreachable" else "contact"
    changes = {"first_call": first} if make_task is simple_task else {}
    with pytest.MonkeyPatch.context() as monkeypatch:
        desk = new_desk(monkeypatch, profile)
        desk.connect(login=login)
        desk.exchange.script(CONTACT, script)
        result = try_often(make_task(desk, require_answer=True, deferrable=deferrable, **changes), TRIES)
        answers = [
            entry for entry in desk.exchange.journal if entry.kind == "answer" and entry.detail == "contact"
        ]

    assert len(answers) == (story in ANSWERED)
    if story in ANSWERED:
        assert desk.exchange.rings(CONTACT) == 1
        if result is None:
            assert profile.report_delay > REPORT_COMES_TOO_LATE
        else:
            assert result["answered"] is True
    else:
        assert result is None
        if profile.report_delay <= REPORT_COMES_TOO_LATE:
            assert desk.exchange.rings(CONTACT) == (0 if story == "operator unreachable" else TRIES)
