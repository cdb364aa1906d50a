"""The witness for ends: what it asks the Data API, how often, and what a watch makes of the answers."""

from __future__ import annotations

import pytest
from data_api import DataApi

from airflow_provider_callapi.api.errors import Unanswered
from airflow_provider_callapi.api.models import CallSession, Limits
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.watching.end_witness import EndWitness
from airflow_provider_callapi.calls.watching.observation import Observation
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.calls.watching.watch import Phase, SessionWatch
from airflow_provider_callapi.calls.watching.witness_source import WitnessSource

AT = 1_800_000_000.0
FINISHED = {"id": 1, "finish_time": "2027-01-15 11:00:00", "talk_duration": 7, "communication_id": 9}


class Desk:
    """A witness, the warnings it has written, and the watch of call 1."""

    def __init__(self, data_api: DataApi) -> None:
        self.data_api = data_api
        self.warnings: list[str] = []
        source = WitnessSource(data_api, "Europe/Moscow", lambda: "Europe/Moscow", self.warnings.append)
        self.witness = EndWitness(source)
        self.watch = SessionWatch(1, AT + 900, AT + 900, observation=Observation(listed=True))

    def poll(self, at: float, *listed: int) -> Phase:
        taken = Snapshot(at, {number: CallSession(call_session_id=number) for number in listed})
        return self.watch.update(self.witness.extend(taken, self.watch.awaited_end(taken)))

    def requests(self) -> int:
        return len(self.data_api.asked)


def test_a_report_with_a_finish_time_ends_the_wait_at_the_first_absence():
    desk = Desk(DataApi([FINISHED]))

    assert desk.poll(AT, 1) is Phase.APPEARED
    assert desk.requests() == 0
    assert desk.poll(AT + 5) is Phase.ENDED

    call = desk.watch.extend_outcome(Outcome(1, "af-1"))
    assert (call.status, call.answered, call.source, call.talk_seconds, call.communication_id) == (
        "ended",
        True,
        "data_api",
        7,
        9,
    )
    assert desk.requests() == 1  # a talk needs no report of the legs


def test_a_report_ends_the_wait_although_an_entry_of_the_list_can_never_be_read():
    """Such a list proves the absence of no call, so its polls alone would end no wait before its timeout."""
    for listed in (True, False):
        desk = Desk(DataApi([FINISHED]))
        desk.watch = SessionWatch(1, AT + 900, AT + 900, observation=Observation(listed=listed))
        taken = Snapshot(AT + 5, left_out=1)

        assert desk.watch.awaited_end(taken) == (1,)
        assert desk.watch.update(desk.witness.extend(taken, desk.watch.awaited_end(taken))) is Phase.ENDED


@pytest.mark.parametrize(("external_id", "phase"), [("other", Phase.APPEARED), ("Mine", Phase.ENDED)])
def test_a_report_with_another_external_id_ends_no_wait(external_id, phase):
    desk = Desk(DataApi([{**FINISHED, "call_api_external_id": "mine"}]))
    desk.watch = SessionWatch(
        1, AT + 900, AT + 900, observation=Observation(listed=True, external_id=external_id)
    )
    assert desk.poll(AT + 5) is phase


@pytest.mark.parametrize(("contact_first", "answered"), [(True, None), (False, False)])
def test_the_legs_of_others_prove_no_answer_only_if_the_contact_is_called_last(contact_first, answered):
    failed = {**FINISHED, "talk_duration": 0, "finish_reason": "sip_offline"}
    operators = {"id": 1, "call_session_id": 1, "connect_time": None, "is_operator": True}
    desk = Desk(DataApi([failed], [operators]))
    desk.watch = SessionWatch(1, AT + 900, AT + 900, observation=Observation(listed=True))

    assert desk.poll(AT + 5) is Phase.ENDED
    assert desk.watch.extend_outcome(Outcome(1, contact_first=contact_first)).answered is answered


def test_the_witness_asks_for_the_legs_of_all_calls_without_a_talk_with_one_request():
    busy = {**FINISHED, "talk_duration": 0, "finish_reason": "subscriber_busy"}
    silent = [{**busy, "id": number} for number in (1, 2, 3)]
    desk = Desk(DataApi(silent))
    taken = Snapshot(AT)

    ends = desk.witness.extend(taken, [1, 2, 3]).ends

    assert ends.keys() == {1, 2, 3}
    assert desk.requests() == 2


def test_a_report_whose_legs_are_missing_does_not_end_the_wait():
    desk = Desk(DataApi([{**FINISHED, "talk_duration": 0, "finish_reason": "success_finish"}]))
    desk.poll(AT, 1)

    assert desk.poll(AT + 5) is Phase.APPEARED
    assert desk.watch.reported_end is None


def test_a_report_whose_legs_never_come_ends_the_wait_after_half_a_minute():
    """An entry that cannot be read leaves open whether the call is active: only the report ends the wait."""
    desk = Desk(DataApi([{**FINISHED, "talk_duration": 0, "finish_reason": "success_finish"}]))
    ends = []
    for seconds in range(0, 45, 5):
        taken = Snapshot(AT + seconds, left_out=1)
        ends.append(desk.witness.extend(taken, [1]).ends.keys() == {1})

    assert ends == [False] * 6 + [True] * 3
    assert desk.requests() == 8, "of the call and of its legs, at most once in ten seconds"


@pytest.mark.parametrize("report", [None, {"id": 1}])
def test_two_snapshots_without_the_call_are_necessary_if_no_report_proves_its_end(report):
    desk = Desk(DataApi([report] if report else []))
    desk.poll(AT, 1)

    assert desk.poll(AT + 5) is Phase.APPEARED
    assert desk.poll(AT + 10) is Phase.ENDED
    assert desk.watch.extend_outcome(Outcome(1)).source == "list.calls"
    assert desk.requests() == 1


def test_a_failure_of_the_data_api_ends_no_wait_and_pauses_the_witness_for_a_minute():
    desk = Desk(DataApi(refuse=lambda request: Unanswered("timeout", method=request.method)))
    for number in range(11):
        taken = Snapshot(AT + 5 * number)
        assert not desk.witness.extend(taken, [number + 1]).ends

    assert desk.requests() == 1
    assert len(desk.warnings) == 1


def test_the_witness_asks_three_times_in_ten_minutes_on_an_account_with_late_reports():
    desk = Desk(DataApi())
    for number in range(100):
        desk.witness.extend(Snapshot(AT + 5 * number), [number + 1])

    assert desk.requests() == 3
    desk.witness.extend(Snapshot(AT + 700), [900])
    assert desk.requests() == 4


def test_a_call_that_is_listed_again_has_not_ended():
    desk = Desk(DataApi([FINISHED]))
    desk.poll(AT, 1)

    assert desk.poll(AT + 5, 1) is Phase.APPEARED
    assert not desk.witness.ends_in(Snapshot(AT + 5, {1: CallSession(call_session_id=1)}))


def test_the_witness_pauses_while_few_points_are_left():
    desk = Desk(DataApi([FINISHED]))
    desk.data_api.limits = Limits(day_limit=100, day_remaining=10)
    desk.witness.extend(Snapshot(AT), [1])
    desk.witness.extend(Snapshot(AT + 100), [2])

    assert desk.requests() == 1


def test_the_witness_forgets_an_end_after_a_minute():
    desk = Desk(DataApi([FINISHED]))
    desk.witness.extend(Snapshot(AT), [1])

    assert desk.witness.extend(Snapshot(AT + 30), []).ends
    assert not desk.witness.extend(Snapshot(AT + 61), []).ends


@pytest.mark.parametrize("seconds", [3_600.0, 86_400.0])
@pytest.mark.parametrize("failure", [None, Unanswered("no answer")])
def test_the_witness_asks_again_after_the_clock_was_set_back(failure, seconds):
    data_api = DataApi(refuse=lambda request: failure)
    desk = Desk(data_api)
    desk.poll(AT, 1)
    desk.poll(AT + 5)
    before = desk.requests()
    data_api.refuse, data_api.calls = lambda request: None, [FINISHED]

    taken = Snapshot(AT - seconds)
    assert desk.witness.extend(taken, [1]).ends.keys() == {1}
    assert desk.requests() == before + 1
