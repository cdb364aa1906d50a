"""The detector: fed looks, it tells each start, answer and end once, and nothing that no look showed."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.api.errors import Unanswered
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.events import EVENT_KINDS, CallFilter, EventDetector
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.snapshot import Snapshot
from airflow_provider_callapi.calls.tolerance import PollTolerance

CONTACT, EMPLOYEE, VNUMBER = "79161234567", "79260000001", "74993720692"


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


def look(at: float, *sessions: CallSession) -> Snapshot:
    return Snapshot(at, {one.call_session_id: one for one in sessions})


def failed(at: float) -> Snapshot:
    return Snapshot(at, failure=Unanswered("no answer"))


def told(watch: EventDetector, *looks: Snapshot) -> list[tuple[float, str, int]]:
    return [
        (event.seen_at, event.kind, event.call.call_session_id)
        for one in looks
        for event in watch.update(one)
    ]


def begun(**changes) -> EventDetector:
    """A watch whose first look, at 0, showed nothing."""
    watch = EventDetector(**changes)
    assert watch.update(look(0)) == []
    return watch


def test_a_call_is_told_as_started_answered_and_ended_by_the_first_look_that_shows_it():
    looks = (
        look(5, session(1)),
        look(10, session(1)),
        look(15, session(1, "Разговор")),
        look(20, session(1, "На удержании")),
        look(25),
        look(30),
        look(35),
    )

    assert told(begun(), *looks) == [(5, "started", 1), (15, "answered", 1), (30, "ended", 1)]


def test_a_call_first_seen_in_a_talk_has_started_and_is_answered():
    started, answered = begun().update(look(5, session(1, "Разговор")))

    assert (started.kind, started.call.answered) == ("started", None)
    assert (answered.kind, answered.call.answered, answered.call.answered_at) == ("answered", True, 5)


def test_a_call_that_was_not_seen_answered_ends_without_a_word_on_the_answer():
    watch = begun()
    (_, ended) = [event for one in (look(5, session(1)), look(10), look(15)) for event in watch.update(one)]

    assert (ended.kind, ended.call.status, ended.call.answered) == ("ended", "ended", None)
    assert (ended.call.ended_at, ended.seen_at) == (10, 15), "it ended before 10, which is certain at 15"


def test_one_look_without_a_call_is_not_its_end():
    looks = (look(5, session(1)), look(10), look(15, session(1)), look(20), look(25, session(1)))

    assert told(begun(), *looks) == [(5, "started", 1)]


def test_a_failed_look_proves_nothing():
    looks = (look(5, session(1)), look(10), failed(15), failed(20), failed(25), look(30, session(1)))

    assert told(begun(), *looks) == [(5, "started", 1)]


def test_a_first_look_that_failed_is_no_first_look():
    watch = EventDetector()

    assert told(watch, failed(0), look(5, session(1)), look(10, session(1))) == []


def test_the_first_look_only_says_what_is_there_and_news_of_it_is_told_from_then_on():
    looks = (
        look(0, session(1), session(2, "Разговор")),
        look(5, session(1), session(2, "Разговор")),
        look(10, session(1, "Разговор")),
        look(15, session(1, "Разговор")),
        look(20),
        look(25),
    )

    assert told(EventDetector(), *looks) == [(10, "answered", 1), (15, "ended", 2), (25, "ended", 1)]


def test_a_call_that_was_told_as_ended_and_is_listed_again_is_no_news():
    looks = (
        look(5, session(1)),
        look(10),
        look(15),
        look(20, session(1, "Разговор")),
        look(25),
        look(30),
        look(300, session(1)),
    )

    assert told(begun(), *looks) == [(5, "started", 1), (15, "ended", 1)]


def test_what_has_ended_is_not_kept_for_ever():
    watch = begun(ended_kept=600)
    told(watch, look(5, session(1)), look(10), look(15))
    assert list(watch.to_json()["ended"]) == ["1"]

    watch.update(look(611))

    assert watch.to_json()["ended"] == {}


def test_after_too_long_a_gap_it_begins_anew():
    watch = begun(longest_gap=3600)
    watch.update(look(5, session(1)))

    assert told(watch, failed(10), look(3606, session(2)), look(3611, session(2))) == []
    assert told(watch, look(3616), look(3621)) == [(3621, "ended", 2)]


def test_a_shorter_gap_is_caught_up_with():
    watch = begun(longest_gap=3600)
    watch.update(look(5, session(1)))

    assert told(watch, look(3605, session(2)), look(3610, session(2))) == [
        (3605, "started", 2),
        (3610, "ended", 1),
    ]


# --- which calls ---


@pytest.mark.parametrize(
    ("call_filter", "numbers"),
    [
        (CallFilter(), {1, 2, 3}),
        (CallFilter(direction="in"), {1, 3}),
        (CallFilter(direction="out"), {2}),
        (CallFilter(virtual_phone_numbers=("74951045771",)), {3}),
        (CallFilter(virtual_phone_numbers=("74951045771", VNUMBER)), {1, 2, 3}),
        (CallFilter(contacts=("7495", "7812")), {2}),
        (CallFilter(contacts=(CONTACT,)), {1}),
        (CallFilter(direction="out", contacts=(CONTACT,)), set()),
    ],
)
def test_only_wanted_calls_are_told(call_filter, numbers):
    watch = begun(call_filter=call_filter)

    news = told(
        watch,
        look(
            5,
            session(1),
            session(2, direction="out", contact_phone_number="74959268686"),
            session(3, virtual_phone_number="74951045771", contact_phone_number=None),
        ),
    )

    assert {number for _, _, number in news} == numbers


def test_a_call_that_was_told_stays_watched_whatever_becomes_of_its_fields():
    watch = begun(call_filter=CallFilter(contacts=(CONTACT,)))
    looks = (look(5, session(1)), look(10, session(1, contact_phone_number="79260000002")), look(15))

    assert told(watch, *looks) == [(5, "started", 1)]


# --- the payload ---


def test_a_payload_is_the_dict_of_a_call_in_plain_json_and_holds_no_persons_number():
    watch = begun()
    (event,) = watch.update(look(5, session(1, external_id="mine", tags=[{"tag_id": 36}])))

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
def test_the_contacts_number_is_told_and_stored_only_if_asked_for(asked):
    watch = begun(include_phone_numbers=asked)
    (event,) = watch.update(look(5, session(1)))

    assert event.to_json().get("contact_phone_number") == (CONTACT if asked else None)
    assert (CONTACT in json.dumps(watch.to_json())) is asked
    assert EMPLOYEE not in json.dumps(watch.to_json())


def test_an_end_is_told_with_what_was_known_of_the_call():
    watch = begun(include_phone_numbers=True)
    looks = (look(5, session(1, "Разговор", external_id="mine")), look(10), look(15))

    ended = [event for one in looks for event in watch.update(one)][-1].to_json()

    assert (ended["event"], ended["answered"], ended["answered_at"]) == (
        "ended",
        True,
        "1970-01-01T00:00:05Z",
    )
    assert (ended["contact_phone_number"], ended["external_id"]) == (CONTACT, "mine")


# --- across processes ---


def reborn(watch: EventDetector) -> EventDetector:
    """Another process, which reads what this one has written."""
    after = EventDetector(watch.call_filter, watch.include_phone_numbers)
    after.restore(json.loads(json.dumps(watch.to_json(), allow_nan=False)))
    return after


def test_a_memory_makes_a_restart_tell_what_happened_meanwhile_and_nothing_twice():
    watch = begun()
    told(watch, look(5, session(1), session(2), session(3, "Разговор")), look(10))

    after = reborn(watch)

    assert (
        told(after, look(60, session(2, "Разговор"), session(3, "Разговор"), session(4)))
        == [
            (60, "started", 4),
            (60, "answered", 2),
            (60, "ended", 1),
        ]
        or told(after) == []
    )


@pytest.mark.parametrize(
    "memory",
    [
        {},
        {"at": 1},
        {"at": "x", "calls": {}, "ended": {}},
        {"at": 1, "calls": {"1": {}}, "ended": {}},
        {"at": 1, "calls": {}, "ended": {"1": None}},
        [],
    ],
)
def test_a_memory_that_cannot_be_read_is_named_and_changes_nothing(memory):
    watch = EventDetector()

    with pytest.raises(ValueError, match="not the state of an event detector"):
        watch.restore(memory)
    assert watch.to_json() == {"at": None, "calls": {}, "ended": {}}


def test_of_a_call_that_is_over_hardly_anything_is_remembered():
    """A memory is written anew at each event, and Airflow warns of large ones."""
    watch = begun(include_phone_numbers=True)
    calls = [session(number) for number in range(1, 101)]
    assert len(told(watch, look(5, *calls), look(10), look(15))) == 200

    memory = json.dumps(watch.to_json())

    assert len(memory) < 30 * len(calls)
    assert CONTACT not in memory
    assert told(reborn(watch), look(20, *calls), look(25), look(30)) == [], "and it is told once"


def test_an_older_memory_changes_nothing():
    watch = begun()
    told(watch, look(5, session(1)))
    old = watch.to_json()
    told(watch, look(10, session(1), session(2)))
    newest = watch.to_json()

    watch.restore(old)

    assert watch.to_json() == newest


# --- any sequence ---

STATES = st.sampled_from(["Дозвон", "На очереди", "Разговор", "На удержании", "Разъединено", "что-то новое"])
LOOKS = st.one_of(
    st.none(),  # failed
    st.just("restart with a memory"),
    st.dictionaries(st.integers(1, 4), STATES, max_size=4),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(LOOKS, max_size=40), st.integers(1, 3))
def test_each_event_is_told_at_most_once_in_order_and_only_of_what_a_look_showed(steps, misses):
    watch = EventDetector(tolerance=PollTolerance(misses=misses))
    news = defaultdict(list)
    shown, answered, absent, there_at_first = set(), set(), defaultdict(int), None
    for number, step in enumerate(steps):
        if isinstance(step, str):
            watch = reborn(watch) if there_at_first is not None else EventDetector()
            watch.tolerance = PollTolerance(misses=misses)
            continue
        at = 5.0 * number
        sessions = [] if step is None else [session(one, state) for one, state in step.items()]
        events = watch.update(failed(at) if step is None else look(at, *sessions))
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
            news[one].append(event.kind)
            assert one in shown
            assert event.kind != "answered" or one in answered
            assert event.kind != "ended" or absent[one] >= misses

    assert shown - (there_at_first or set()) <= set(news), "nothing that a look showed is kept back"
    for one, kinds in news.items():
        assert kinds == [kind for kind in EVENT_KINDS if kind in kinds], "each once, in order"
        assert ("started" in kinds) == (one not in there_at_first), "of others, the start comes first"
