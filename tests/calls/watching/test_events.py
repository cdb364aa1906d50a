"""The event detector reports each start, answer and end once, and nothing that no snapshot showed."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_numbers import VNUMBER

from airflow_provider_callapi.api.errors import Unanswered
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.watching.end_rule import PollTolerance
from airflow_provider_callapi.calls.watching.events import EVENT_KINDS, ActiveCallFilter, EventDetector
from airflow_provider_callapi.calls.watching.snapshot import Snapshot

CONTACT, EMPLOYEE = "79161234567", "79260000001"


def session(number: int, state: str = "На очереди", **changes) -> CallSession:
    contact = changes.get("contact_phone_number", CONTACT)
    return CallSession.model_validate(
        {
            "call_session_id": number,
            "direction": "in",
            "start_time": "2026-10-19T12:26:48.418",
            "virtual_phone_number": VNUMBER,
            "contact_phone_number": contact,
            "legs": [
                {
                    "leg_id": 1,
                    "calling_phone_number": contact,
                    "called_phone_number": VNUMBER,
                    "is_operator": False,
                    "state": state,
                },
                {
                    "leg_id": 2,
                    "calling_phone_number": contact,
                    "called_phone_number": EMPLOYEE,
                    "is_operator": True,
                    "state": "Разговор",
                },
            ],
            **changes,
        }
    )


def snapshot(at: float, *sessions: CallSession) -> Snapshot:
    return Snapshot(at, {one.call_session_id: one for one in sessions})


def failed(at: float) -> Snapshot:
    return Snapshot(at, failure=Unanswered("no answer"))


def reported(detector: EventDetector, *snapshots: Snapshot) -> list[tuple[float, str, int]]:
    return [
        (event.seen_at, event.kind, event.call.call_session_id)
        for each in snapshots
        for event in detector.update(each)
    ]


def after_baseline(**changes) -> EventDetector:
    """Return a detector whose baseline, at 0, has no calls."""
    detector = EventDetector(**changes)
    assert detector.update(snapshot(0)) == []
    return detector


def test_a_call_is_reported_started_answered_and_ended_by_the_first_snapshot_that_shows_it():
    snapshots = (
        snapshot(5, session(1)),
        snapshot(10, session(1)),
        snapshot(15, session(1, "Разговор")),
        snapshot(20, session(1, "На удержании")),
        snapshot(25),
        snapshot(30),
        snapshot(35),
    )

    assert reported(after_baseline(), *snapshots) == [
        (5, "started", 1),
        (15, "answered", 1),
        (30, "ended", 1),
    ]


def test_a_call_first_listed_in_a_talk_has_started_and_is_answered():
    started, answered = after_baseline().update(snapshot(5, session(1, "Разговор")))

    assert (started.kind, started.call.answered) == ("started", None)
    assert (answered.kind, answered.call.answered, answered.call.answered_at) == ("answered", True, 5)


def test_a_call_without_an_observed_answer_ends_with_answered_unknown():
    detector = after_baseline()
    (_, ended) = [
        event
        for each in (snapshot(5, session(1)), snapshot(10), snapshot(15))
        for event in detector.update(each)
    ]

    assert (ended.kind, ended.call.status, ended.call.answered) == ("ended", "ended", None)
    assert (ended.call.ended_at, ended.seen_at) == (10, 15), "it ended before 10, which is certain at 15"


def test_one_miss_is_not_the_end_of_a_call():
    snapshots = (
        snapshot(5, session(1)),
        snapshot(10),
        snapshot(15, session(1)),
        snapshot(20),
        snapshot(25, session(1)),
    )

    assert reported(after_baseline(), *snapshots) == [(5, "started", 1)]


def test_a_failed_poll_proves_nothing():
    snapshots = (
        snapshot(5, session(1)),
        snapshot(10),
        failed(15),
        failed(20),
        failed(25),
        snapshot(30, session(1)),
    )

    assert reported(after_baseline(), *snapshots) == [(5, "started", 1)]


def test_a_failed_first_poll_is_no_baseline():
    detector = EventDetector()

    assert reported(detector, failed(0), snapshot(5, session(1)), snapshot(10, session(1))) == []


def test_the_first_snapshot_is_a_baseline_and_later_ones_report_what_happens_to_its_calls():
    snapshots = (
        snapshot(0, session(1), session(2, "Разговор")),
        snapshot(5, session(1), session(2, "Разговор")),
        snapshot(10, session(1, "Разговор")),
        snapshot(15, session(1, "Разговор")),
        snapshot(20),
        snapshot(25),
    )

    assert reported(EventDetector(), *snapshots) == [(10, "answered", 1), (15, "ended", 2), (25, "ended", 1)]


def test_a_call_that_is_listed_again_after_its_ended_event_has_no_further_events():
    snapshots = (
        snapshot(5, session(1)),
        snapshot(10),
        snapshot(15),
        snapshot(20, session(1, "Разговор")),
        snapshot(25),
        snapshot(30),
        snapshot(300, session(1)),
    )

    assert reported(after_baseline(), *snapshots) == [(5, "started", 1), (15, "ended", 1)]


def test_ended_calls_are_forgotten_after_ten_minutes():
    detector = after_baseline()
    reported(detector, snapshot(5, session(1)), snapshot(10), snapshot(15))
    assert list(detector.to_json()["ended"]) == ["1"]

    detector.update(snapshot(611))

    assert detector.to_json()["ended"] == {}


def test_a_snapshot_after_too_long_a_gap_is_a_baseline():
    detector = after_baseline()
    detector.update(snapshot(5, session(1)))

    assert reported(detector, failed(10), snapshot(3606, session(2)), snapshot(3611, session(2))) == []
    assert reported(detector, snapshot(3616), snapshot(3621)) == [(3621, "ended", 2)]


def test_a_snapshot_after_a_shorter_gap_reports_what_happened_meanwhile():
    detector = after_baseline()
    detector.update(snapshot(5, session(1)))

    assert reported(detector, snapshot(3605, session(2)), snapshot(3610, session(2))) == [
        (3605, "started", 2),
        (3610, "ended", 1),
    ]


# --- which calls ---


@pytest.mark.parametrize(
    ("call_filter", "numbers"),
    [
        (ActiveCallFilter(), {1, 2, 3}),
        (ActiveCallFilter(direction="in"), {1, 3}),
        (ActiveCallFilter(direction="out"), {2}),
        (ActiveCallFilter(virtual_phone_numbers=("74951045771",)), {3}),
        (ActiveCallFilter(virtual_phone_numbers=("74951045771", VNUMBER)), {1, 2, 3}),
        (ActiveCallFilter(contacts=("7495", "7812")), {2}),
        (ActiveCallFilter(contacts=(CONTACT,)), {1}),
        (ActiveCallFilter(direction="out", contacts=(CONTACT,)), set()),
    ],
)
def test_only_calls_that_match_the_filter_have_events(call_filter, numbers):
    detector = after_baseline(call_filter=call_filter)

    events = reported(
        detector,
        snapshot(
            5,
            session(1),
            session(2, direction="out", contact_phone_number="74959268686"),
            session(3, virtual_phone_number="74951045771", contact_phone_number=None),
        ),
    )

    assert {number for _, _, number in events} == numbers


@pytest.mark.parametrize("form", ["7{}", "+7{}", "8{}", "{}", "+7 {}", "+7{}.5"])
@pytest.mark.parametrize(
    "call_filter",
    [
        ActiveCallFilter(contacts=(CONTACT,)),
        ActiveCallFilter(contacts=("7495", "7916")),
        ActiveCallFilter(virtual_phone_numbers=(VNUMBER,)),
    ],
)
def test_a_number_matches_the_filter_in_every_spelling_of_the_service(call_filter, form):
    shown = session(
        1,
        contact_phone_number=form.format(CONTACT[1:]),
        virtual_phone_number=form.format(VNUMBER[1:]),
    )
    another = session(1, contact_phone_number="79261234567", virtual_phone_number="74993720693")

    assert call_filter.matches(shown)
    assert not call_filter.matches(another)


def test_a_watched_call_stays_watched_if_its_fields_stop_matching_the_filter():
    detector = after_baseline(call_filter=ActiveCallFilter(contacts=(CONTACT,)))
    snapshots = (
        snapshot(5, session(1)),
        snapshot(10, session(1, contact_phone_number="79260000002")),
        snapshot(15),
    )

    assert reported(detector, *snapshots) == [(5, "started", 1)]


# --- the payload ---


def test_a_payload_is_the_dict_of_a_call_in_plain_json_and_holds_no_persons_number():
    detector = after_baseline()
    (event,) = detector.update(snapshot(5, session(1, external_id="mine", tags=[{"tag_id": 36}])))

    payload = json.loads(json.dumps(event.to_json(), allow_nan=False))

    call = Outcome.from_xcom(payload)
    assert (call.call_session_id, call.external_id, call.tags, call.observed) == (1, "mine", (36,), True)
    assert payload["event"] == "started"
    assert payload["seen_at"] == "1970-01-01T00:00:05Z"
    assert (payload["direction"], payload["virtual_phone_number"]) == ("in", VNUMBER)
    assert payload["start_time"] == "2026-10-19T12:26:48.418"
    assert CONTACT not in str(payload)
    assert EMPLOYEE not in str(payload)


@pytest.mark.parametrize("asked", [False, True])
def test_the_contacts_number_is_reported_and_stored_only_if_asked_for(asked):
    detector = after_baseline(include_phone_numbers=asked)
    (event,) = detector.update(snapshot(5, session(1)))

    assert event.to_json().get("contact_phone_number") == (CONTACT if asked else None)
    assert (CONTACT in json.dumps(detector.to_json())) is asked
    assert EMPLOYEE not in json.dumps(detector.to_json())


def test_an_ended_event_holds_the_known_facts_about_the_call():
    detector = after_baseline(include_phone_numbers=True)
    snapshots = (snapshot(5, session(1, "Разговор", external_id="mine")), snapshot(10), snapshot(15))

    ended = [event for each in snapshots for event in detector.update(each)][-1].to_json()

    assert (ended["event"], ended["answered"], ended["answered_at"]) == (
        "ended",
        True,
        "1970-01-01T00:00:05Z",
    )
    assert (ended["contact_phone_number"], ended["external_id"]) == (CONTACT, "mine")


# --- across processes ---


def restored(detector: EventDetector) -> EventDetector:
    """Return the detector of another process, which reads the state of this one."""
    after = EventDetector(detector.call_filter, detector.include_phone_numbers)
    after.restore(json.loads(json.dumps(detector.to_json(), allow_nan=False)))
    return after


def test_a_restored_state_reports_what_happened_meanwhile_and_repeats_no_event():
    detector = after_baseline()
    reported(detector, snapshot(5, session(1), session(2), session(3, "Разговор")), snapshot(10))

    after = restored(detector)

    assert (
        reported(after, snapshot(60, session(2, "Разговор"), session(3, "Разговор"), session(4)))
        == [
            (60, "started", 4),
            (60, "answered", 2),
            (60, "ended", 1),
        ]
        or reported(after) == []
    )


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"at": 1},
        {"at": "x", "calls": {}, "ended": {}},
        {"at": 1, "calls": {"1": {}}, "ended": {}},
        {"at": 1, "calls": {}, "ended": {"1": None}},
        [],
    ],
)
def test_an_unreadable_state_is_an_error_and_leaves_the_detector_unchanged(state):
    detector = EventDetector()

    with pytest.raises(ValueError, match="not the state of an event detector"):
        detector.restore(state)
    assert detector.to_json() == {"at": None, "calls": {}, "ended": {}}


def test_the_state_holds_only_the_id_and_the_time_of_an_ended_call():
    """The state is written at each event, and Airflow warns of large states."""
    detector = after_baseline(include_phone_numbers=True)
    calls = [session(number) for number in range(1, 101)]
    assert len(reported(detector, snapshot(5, *calls), snapshot(10), snapshot(15))) == 200

    state = json.dumps(detector.to_json())

    assert len(state) < 30 * len(calls)
    assert CONTACT not in state
    assert reported(restored(detector), snapshot(20, *calls), snapshot(25), snapshot(30)) == [], (
        "and its end is reported once"
    )


def test_an_older_state_does_not_replace_a_newer_one():
    detector = after_baseline()
    reported(detector, snapshot(5, session(1)))
    old = detector.to_json()
    reported(detector, snapshot(10, session(1), session(2)))
    newest = detector.to_json()

    detector.restore(old)

    assert detector.to_json() == newest


# --- any sequence ---

STATES = st.sampled_from(["Дозвон", "На очереди", "Разговор", "На удержании", "Разъединено", "что-то новое"])
STEPS = st.one_of(
    st.none(),  # failed
    st.just("restart with a state"),
    st.dictionaries(st.integers(1, 4), STATES, max_size=4),
)


@settings(max_examples=400)
@given(st.lists(STEPS, max_size=40), st.integers(1, 3))
def test_each_event_is_reported_at_most_once_in_order_and_only_of_what_a_snapshot_showed(steps, misses):
    detector = EventDetector(tolerance=PollTolerance(misses=misses))
    kinds_of = defaultdict(list)
    shown, answered, absent, there_at_first = set(), set(), defaultdict(int), None
    for number, step in enumerate(steps):
        if isinstance(step, str):
            detector = restored(detector) if there_at_first is not None else EventDetector()
            detector.tolerance = PollTolerance(misses=misses)
            continue
        at = 5.0 * number
        sessions = [] if step is None else [session(one, state) for one, state in step.items()]
        events = detector.update(failed(at) if step is None else snapshot(at, *sessions))
        if step is None:
            assert events == []
            continue
        if there_at_first is None:
            there_at_first = set(step)
            assert events == []
        for one in range(1, 5):
            absent[one] = 0 if one in step else absent[one] + 1
        shown |= set(step)
        answered |= {one for one, state in step.items() if state in ("Разговор", "На удержании")}
        for event in events:
            one = event.call.call_session_id
            kinds_of[one].append(event.kind)
            assert one in shown
            assert event.kind != "answered" or one in answered
            assert event.kind != "ended" or absent[one] >= misses

    assert shown - (there_at_first or set()) <= set(kinds_of), "an event that a snapshot showed is missing"
    for one, kinds in kinds_of.items():
        assert kinds == [kind for kind in EVENT_KINDS if kind in kinds], "each once, in order"
        assert ("started" in kinds) == (one not in there_at_first), "of others, the start comes first"
