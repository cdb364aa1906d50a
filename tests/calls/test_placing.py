"""The journal's table, row by row, and the search for an unconfirmed call."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import (
    AccessDenied,
    CallApiError,
    CallRefused,
    InvalidParameters,
    LimitExceeded,
    NotSent,
    ServiceFailed,
    Unanswered,
)
from airflow_provider_callapi.api.methods import StartCall, StartInformerCall
from airflow_provider_callapi.api.models import CallSession, StartedCall
from airflow_provider_callapi.calls.call_gateway import CallGateway
from airflow_provider_callapi.calls.call_journal import _STEPS, Journal, Record, Stage, Step
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.placing import (
    AbsenceNotProven,
    AnswerNotStored,
    Killed,
    ProveAbsence,
    Unresolved,
    place,
)
from airflow_provider_callapi.calls.stores import MemoryStore
from airflow_provider_callapi.calls.unconfirmed_call import CLOCK_DIFFERENCE
from airflow_provider_callapi.calls.watching.snapshot import Snapshot

PERSON, OTHER_PERSON = "79260000001", "79260000002"
OWNER = ("reminders", "manual__2026-01-01", "call", "-1")
KEY = "callapi_call"
EARLIER = 206_597_000
"""The session of an earlier attempt."""
LOST = [Unanswered("no answer"), ServiceFailed("internal error", mnemonic="internal_error")]
PROVEN = [
    NotSent("refused"),
    LimitExceeded("limit"),
    CallRefused("blacklisted"),
    InvalidParameters("contact"),
    AccessDenied("component"),
]


def request_to(
    contact: str = PERSON, text: str = "Hello", external_id: str | None = None
) -> StartInformerCall:
    return StartInformerCall(
        virtual_phone_number="74993720692",
        contact=contact,
        contact_message={"type": "tts", "value": text},
        external_id=external_id,
    )


class Disk:
    """A store of JSON text that remembers every text it has stored.

    :ivar refuses: the stages that the store cannot store.
    """

    def __init__(self) -> None:
        self.written: list[str] = []
        self.refuses: tuple[str, ...] = ()

    def get(self, key: str) -> dict[str, Any] | None:
        record: dict[str, Any] | None = json.loads(self.written[-1]) if self.written else None
        return record

    def set(self, key: str, record: dict[str, Any]) -> None:
        if record["stage"] in self.refuses:
            raise OSError("the API server is down")
        self.written.append(json.dumps(record, allow_nan=False))

    @property
    def stage(self) -> str | None:
        record = self.get(KEY)
        return record["stage"] if record else None


@dataclass
class World:
    """The services as a test needs them, and a record of the requests.

    :ivar answer: what a ``start.*`` is answered with.
    :ivar lists: what list.calls shows at a moment, or how it fails.
    :ivar reports_since: session id → start of further calls that the Data API finds.
    :ivar reports: what the Data API finds; None: the connection has none.
    :ivar reported: the reports of all calls, if the connection has a Data API.
    :ivar left_out: how many active calls at a moment cannot be read.
    """

    answer: Callable[[StartCall], StartedCall] = lambda request: StartedCall(call_session_id=7)
    lists: Callable[[float], list[CallSession] | CallApiError] = lambda now: []
    reports: Callable[[str], int | None] | None = None
    reported: Entries[CallReport] = field(default_factory=Entries)
    left_out: Callable[[float], int] = lambda now: 0
    now: float = 5000.0
    disk: Disk = field(default_factory=Disk)
    sent: list[str | None] = field(default_factory=list)
    polled_at: list[float] = field(default_factory=list)
    report_searches: list[tuple[str, str, float]] = field(default_factory=list)
    reports_since: dict[int, float] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)

    def send(self, request: StartCall) -> StartedCall:
        assert self.disk.stage == "starting", "the intent has to be stored before the request leaves"
        self.sent.append(request.external_id)
        return self.answer(request)

    def snapshots(self) -> Iterator[Snapshot]:
        while True:
            self.polled_at.append(self.now)
            shown = self.lists(self.now)
            if isinstance(shown, CallApiError):
                yield Snapshot(self.now, failure=shown)
            else:
                sessions = {session.call_session_id: session for session in shown}
                yield Snapshot(self.now, sessions, left_out=self.left_out(self.now))
            self.now += 5.0

    def find_reported_call(
        self, external_id: str, contact: str, since: float, others: Collection[int]
    ) -> int | None:
        assert self.reports is not None
        self.report_searches.append((external_id, contact, since))
        for session_id, began in self.reports_since.items():
            if began >= since - CLOCK_DIFFERENCE and session_id not in others:
                return session_id
        found = self.reports(external_id)
        return None if found in others else found

    @property
    def gateway(self) -> CallGateway:
        return CallGateway(
            send=self.send,
            poll_snapshots=self.snapshots,
            find_reported_call=self.find_reported_call if self.reports else None,
            reported_calls=(lambda since: self.reported) if self.reports else None,
            timezone=lambda: "UTC",
            clock=lambda: self.now,
            log=self.log.append,
        )

    def journal(self, generation: int = 0) -> Journal:
        return Journal(self.disk, owner=OWNER, generation=generation)

    def place(self, request: StartCall | None = None, generation: int = 0, **more: Any) -> Outcome:
        """Run one try in a new process."""
        rules = {"appear_timeout": 60.0, **more}
        return place(self.journal(generation), request or request_to(), self.gateway, **rules)


def failing(error: CallApiError) -> Callable[[Any], Any]:
    def fail(_: Any) -> Any:
        raise error

    return fail


def session(number: int, external_id: str | None, contact: str | None = PERSON) -> CallSession:
    return CallSession(call_session_id=number, external_id=external_id, contact_phone_number=contact)


def world_after(stage: Stage, *, contact: str = PERSON, attempt: int = 1, **more: Any) -> World:
    """Return a world whose journal was left in ``stage`` by an earlier try of generation 0."""
    world = World(**more)
    journal = world.journal()
    call = None
    external_id = journal.external_id(request_to(contact), max(attempt, 1))
    if stage in (Stage.STARTED, Stage.ENDED, Stage.DONE, Stage.REDIAL):
        call = Outcome(EARLIER, external_id, attempt=attempt, started_at=4900.0).to_xcom()
    fingerprint = journal.person_fingerprint(request_to(contact))
    record = Record(stage, fingerprint, 0, attempt, external_id, intended_at=4900.0, call=call)
    world.disk.set(KEY, json.loads(json.dumps(record.__dict__)))
    return world


# --- the table ---


def test_the_table_has_a_row_for_every_stage_with_and_without_a_clear() -> None:
    assert set(_STEPS) == {(stage, cleared) for stage in Stage for cleared in (False, True)}


def test_an_empty_journal_places_the_call_as_the_first_attempt() -> None:
    world = World()
    call = world.place()
    assert (call.call_session_id, call.attempt, call.started_at) == (7, 1, 5000.0)
    assert world.sent == [call.external_id]
    assert world.polled_at == []
    assert world.disk.stage == "started"
    assert world.log == ["First attempt: placing the call", "Call session 7: the call is placed"]


@pytest.mark.parametrize("cleared", [False, True])
def test_a_call_that_was_proven_not_to_be_placed_is_placed_as_the_same_attempt(cleared: bool) -> None:
    world = world_after(Stage.NOTHING, attempt=0)
    call = world.place(generation=int(cleared))
    assert (call.attempt, world.sent) == (1, [world.journal().external_id(request_to(), 1)])


@pytest.mark.parametrize("cleared", [False, True])
def test_an_intent_without_a_result_is_searched_for_before_another_start_request(cleared: bool) -> None:
    world = world_after(Stage.STARTING)
    with pytest.raises(Unresolved):
        world.place(generation=int(cleared))
    assert world.sent == []
    assert len(world.polled_at) > 1
    assert world.disk.stage == "unresolved"


@pytest.mark.parametrize("cleared", [False, True])
@pytest.mark.parametrize("stage", [Stage.STARTED, Stage.ENDED])
def test_a_placed_call_is_adopted_even_after_a_clear(stage: Stage, cleared: bool) -> None:
    world = world_after(stage)
    assert world.place(generation=int(cleared)).call_session_id == EARLIER
    assert (world.sent, world.polled_at, world.disk.stage) == ([], [], stage.value)


def test_a_done_call_is_returned_again() -> None:
    world = world_after(Stage.DONE)
    assert world.place().call_session_id == EARLIER
    assert (world.sent, world.polled_at) == ([], [])
    assert world.log == ["Journal stage done: continuing with the call that was placed, without dialling"]


def test_an_unresolved_call_fails_again_without_a_request() -> None:
    world = world_after(Stage.UNRESOLVED)
    with pytest.raises(Unresolved, match="An earlier search did not find the call"):
        world.place()
    assert (world.sent, world.polled_at, world.disk.stage) == ([], [], "unresolved")


@pytest.mark.parametrize("stage", [Stage.DONE, Stage.UNRESOLVED, Stage.REDIAL])
def test_a_persons_clear_after_the_end_places_a_new_attempt_with_its_own_id(stage: Stage) -> None:
    world = world_after(stage)
    call = world.place(generation=1)
    assert (call.call_session_id, call.attempt) == (7, 2)
    assert (
        world.sent
        == [world.journal().external_id(request_to(), 2)]
        != [world.journal().external_id(request_to(), 1)]
    )
    assert world.place(generation=1).call_session_id == 7, "one clear, one call"
    assert len(world.sent) == 1


def test_a_redial_places_a_new_attempt_without_a_clear() -> None:
    world = world_after(Stage.REDIAL)
    assert world.place().attempt == 2


def test_a_clear_during_the_call_is_used_up_and_places_no_new_attempt_after_its_end() -> None:
    world = world_after(Stage.STARTED)
    call = world.place(generation=1)
    world.journal(generation=1).mark_done(call)
    assert world.place(generation=1) == call
    assert world.sent == []


def test_a_clear_that_led_to_a_search_is_used_up_and_places_no_call_after_the_search() -> None:
    world = world_after(Stage.STARTING)
    for _ in range(2):
        with pytest.raises(Unresolved):
            world.place(generation=1)
    assert world.sent == []
    assert world.place(generation=2).attempt == 2, "the next one does"


def test_any_changed_generation_counts_as_a_clear_even_a_lower_one() -> None:
    """The author may have lowered ``retries``, which Airflow's counter of clears contains."""
    world = world_after(Stage.DONE)
    world.place(generation=-1)
    assert len(world.sent) == 1


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("cleared", [False, True])
def test_a_journal_of_another_person_makes_the_try_place_a_new_attempt(stage: Stage, cleared: bool) -> None:
    world = world_after(stage, contact=OTHER_PERSON)
    call = world.place(generation=int(cleared))
    assert (call.call_session_id, call.attempt) == (7, 2)
    assert world.polled_at == []


@pytest.mark.parametrize(
    ("stage", "contact", "cleared", "why"),
    [
        (Stage.NOTHING, PERSON, False, "nothing (an earlier try placed no call): placing the call"),
        (Stage.DONE, PERSON, True, "done, and a user has cleared this task: placing a new attempt"),
        (
            Stage.UNRESOLVED,
            PERSON,
            True,
            "unresolved, and a user has cleared this task: placing a new attempt",
        ),
        (Stage.REDIAL, PERSON, False, "redial (the contact did not answer): placing a new attempt"),
        (Stage.REDIAL, PERSON, True, "redial (the contact did not answer): placing a new attempt"),
        (Stage.DONE, OTHER_PERSON, False, "done of a call to another person: placing a new attempt"),
        (Stage.STARTED, PERSON, True, "started: continuing with the call that was placed, without dialling"),
    ],
)
def test_the_log_states_why_a_try_dials(stage: Stage, contact: str, cleared: bool, why: str) -> None:
    world = world_after(stage, contact=contact)
    world.place(generation=int(cleared))
    assert world.log[0].startswith(f"Journal stage {why}")


# --- whose call it is ---


def test_another_person_has_another_fingerprint_and_another_message_has_not() -> None:
    journal = World().journal()
    fingerprint = journal.person_fingerprint(request_to())
    assert (
        journal.person_fingerprint(request_to(text="Rendered again at 10:05", external_id="x")) == fingerprint
    )
    assert journal.person_fingerprint(request_to(OTHER_PERSON)) != fingerprint


def test_a_retry_that_renders_another_message_adopts_the_call() -> None:
    world = World()
    first = world.place(request_to(text="It is 10:00"))
    again = world.place(request_to(text="It is 10:05"))
    assert again == first
    assert len(world.sent) == 1


def test_a_retry_with_a_sip_number_in_another_case_adopts_the_call() -> None:
    world = World()
    first = world.place(request_to("sip25"))
    assert world.place(request_to("SIP25")) == first
    assert len(world.sent) == 1


def test_the_fingerprint_of_a_phone_number_is_the_hash_of_its_digits_as_in_older_records() -> None:
    journal = Journal(MemoryStore(), owner=("dag", "run", "call", "-1"), generation=0)
    digest = hashlib.sha256("\n".join(("dag", "run", "call", "-1", PERSON)).encode()).hexdigest()
    assert journal.person_fingerprint(request_to()) == digest[:12]


@given(contact=st.from_regex(r"7[0-9]{10}", fullmatch=True), owner=st.tuples(*[st.text(max_size=5)] * 4))
def test_a_fingerprint_is_salted_with_the_owner_and_is_no_number(
    contact: str, owner: tuple[str, ...]
) -> None:
    one = Journal(MemoryStore(), owner=owner, generation=0)
    other = Journal(MemoryStore(), owner=(*owner[:3], owner[3] + "!"), generation=0)
    fingerprint = one.person_fingerprint(request_to(contact))
    assert fingerprint != other.person_fingerprint(request_to(contact)), "or a table of all numbers finds it"
    assert re.fullmatch(r"[0-9a-f]{12}", fingerprint)
    assert fingerprint == Journal(MemoryStore(), owner=owner, generation=9).person_fingerprint(
        request_to(contact)
    )


@given(
    owner=st.tuples(*[st.text(min_size=1, max_size=250)] * 3, st.integers(-1, 5000).map(str)),
    attempt=st.integers(1, 10**6),
)
def test_an_external_id_is_the_same_for_every_try_short_and_without_a_number(
    owner: tuple[str, ...], attempt: int
) -> None:
    def external_id(generation: int, contact: str, attempt: int = attempt) -> str:
        return Journal(MemoryStore(), owner=owner, generation=generation).external_id(
            request_to(contact), attempt
        )

    made = external_id(0, PERSON)
    assert made == external_id(3, PERSON) == external_id(0, OTHER_PERSON)
    assert len(made) <= 64
    assert re.fullmatch(r"af-[0-9a-f]{32}-\d+", made)
    assert PERSON not in made
    assert made != external_id(0, PERSON, attempt + 1)


@pytest.mark.parametrize("position", range(4))
def test_each_part_of_the_owner_makes_another_external_id(position: int) -> None:
    owner = list(OWNER)
    owner[position] += "1"
    other = Journal(MemoryStore(), owner=tuple(owner), generation=0)
    assert other.external_id(request_to(), 1) != World().journal().external_id(request_to(), 1)


def test_the_authors_external_id_is_sent_unchanged_and_numbered_from_the_second_attempt_on() -> None:
    world = World()
    for generation in range(3):
        session_id = 7 + generation
        world.answer = lambda request, number=session_id: StartedCall(call_session_id=number)
        world.place(request_to(external_id="order-77"), generation=generation)
        world.journal(generation).mark_done(Outcome(session_id))
    assert world.sent == ["order-77", "order-77-2", "order-77-3"]


def test_a_retry_that_renders_another_external_id_still_finds_the_call_of_the_first_try() -> None:
    world = World(answer=failing(KeyError("the worker dies")))
    with pytest.raises(KeyError):
        world.place(request_to(external_id="at-10:00"))
    world.lists = lambda now: [session(8, "at-10:00")]
    assert world.place(request_to(external_id="at-10:05")).call_session_id == 8


# --- the record ---

records = st.builds(
    Record,
    stage=st.sampled_from(Stage),
    fingerprint=st.text(alphabet="0123456789abcdef", min_size=12, max_size=12),
    generation=st.integers(-1, 99),
    attempt=st.integers(0, 99),
    external_id=st.text(max_size=64),
    intended_at=st.floats(0, 4e9),
    call=st.none() | st.integers(1, 2**40).map(lambda number: Outcome(number, tags=(1, 2)).to_xcom()),
)


@given(records)
def test_a_record_comes_back_from_json_as_it_was(record: Record) -> None:
    memory = MemoryStore()
    Journal(memory, owner=OWNER, generation=0)._store(record)
    through_json = json.loads(json.dumps(memory.get(KEY), allow_nan=False))
    assert Record.from_json(through_json) == record
    assert isinstance(Record.from_json(through_json).stage, Stage)


def test_a_repeated_authors_id_does_not_adopt_a_call_that_began_long_before_the_intent() -> None:
    """The earlier call to the same contact is still active. It began before the unconfirmed call."""

    def lists(now: float) -> list[CallSession]:
        earlier = session(EARLIER, "order-7")
        return [earlier.model_copy(update={"start_time": "1969-12-31 10:00:00"})]  # 3600; the intent: 5000

    world = World(answer=failing(Unanswered("no answer")), lists=lists)
    with pytest.raises(Unresolved):
        world.place(request_to(external_id="order-7"))

    assert world.sent == ["order-7"]
    assert world.disk.stage == "unresolved"


def test_a_retry_without_a_journal_finds_the_call_of_the_earlier_try_with_any_start_time() -> None:
    """The retry's intent is minutes younger than the call that the earlier try placed."""

    def lists(now: float) -> list[CallSession]:
        placed = session(EARLIER, "order-7")
        return [placed.model_copy(update={"start_time": "1970-01-01 01:12:00"})]  # 11 minutes before 5000

    world = World(lists=lists)
    call = world.place(request_to(external_id="order-7"), search_first=True)

    assert (call.call_session_id, world.sent) == (EARLIER, [])


def test_an_authors_id_finds_the_call_that_began_with_the_intent() -> None:
    def lists(now: float) -> list[CallSession]:
        placed = session(8, "order-7")
        return [placed.model_copy(update={"start_time": "1970-01-01 01:23:21"})]  # 5001

    world = World(answer=failing(Unanswered("no answer")))
    world.lists = lambda now: lists(now) if world.sent else []
    assert world.place(request_to(external_id="order-7")).call_session_id == 8


def test_a_call_with_the_authors_id_that_was_active_before_is_not_the_unconfirmed_call() -> None:
    other = session(8, "order-7")
    world = World(answer=failing(Unanswered("no answer")), lists=lambda now: [other], reports=lambda _: 8)
    with pytest.raises(Unresolved):
        world.place(request_to(external_id="order-7"))
    assert world.journal().current.others == (8,)
    world.lists = lambda now: [other, session(9, "order-7")]
    assert world.place(request_to(external_id="order-7"), if_not_found="at_least_once").call_session_id == 9


def test_a_call_with_a_generated_id_is_placed_without_a_poll() -> None:
    world = World()
    world.place()
    assert world.polled_at == []


@pytest.mark.parametrize("failure", [ServiceFailed("down"), AccessDenied("component"), NotSent("refused")])
def test_active_calls_that_cannot_be_listed_delay_no_call(failure: CallApiError) -> None:
    world = World(lists=lambda now: failure)
    assert world.place(request_to(external_id="order-7")).call_session_id == 7
    assert world.polled_at == [5000.0]


def test_a_record_that_cannot_be_read_stops_the_try_before_a_request() -> None:
    world = World()
    world.disk.set(KEY, {"stage": "of a later version"})
    with pytest.raises((TypeError, ValueError)):
        world.place()
    assert world.sent == []


def test_no_phone_number_is_ever_stored_or_logged() -> None:
    world = World(answer=failing(Unanswered("no answer")), reports=lambda external_id: None)
    with pytest.raises(Unresolved) as raised:
        world.place(if_not_found="at_least_once")
    world.answer = lambda request: StartedCall(call_session_id=7)
    world.place(generation=1)
    shown = "\n".join([*world.disk.written, *world.log, str(raised.value)])
    assert PERSON not in shown
    assert PERSON[1:] not in shown


def test_each_stage_stores_the_call_as_it_was_observed() -> None:
    world = World()
    call = world.place()
    seen = replace(call, observed=True, answered=True, tags=(36,))
    for write, stage in [
        (Journal.mark_active, "started"),
        (Journal.mark_ended, "ended"),
        (Journal.mark_done, "done"),
    ]:
        write(world.journal(), seen)
        assert world.disk.stage == stage
        assert world.journal().current.outcome == seen


# --- no answer came ---


@pytest.mark.parametrize("error", LOST, ids=type)
@pytest.mark.parametrize("appears_after", [0, 20, 55])
def test_a_call_whose_answer_was_lost_is_found_when_it_is_listed(
    error: CallApiError, appears_after: float
) -> None:
    world = World(answer=failing(error))
    external_id = world.journal().external_id(request_to(), 1)
    world.lists = lambda now: [session(8, external_id)] if now >= 5000 + appears_after else []
    call = world.place()
    assert (call.call_session_id, call.external_id, len(world.sent)) == (8, external_id, 1)
    assert world.disk.stage == "started"


@pytest.mark.parametrize("error", LOST, ids=type)
def test_a_call_whose_answer_was_lost_and_that_is_not_found_is_unresolved(error: CallApiError) -> None:
    world = World(answer=failing(error))
    with pytest.raises(Unresolved) as raised:
        world.place()
    text = str(raised.value)
    assert str(error) in text
    assert "may have been placed" in text
    assert str(world.sent[0]) in text
    assert "clear this task to place a new call" in text
    assert (len(world.sent), world.disk.stage) == (1, "unresolved")
    assert world.polled_at[-1] >= 5060, "a call is given the whole appear_timeout to be listed"


@pytest.mark.parametrize("error", PROVEN, ids=type)
def test_a_call_that_is_proven_not_to_be_placed_is_not_searched_for_and_may_be_placed_again(
    error: CallApiError,
) -> None:
    world = World(answer=failing(error))
    with pytest.raises(type(error)):
        world.place()
    assert (world.polled_at, world.disk.stage) == ([], "nothing")
    world.answer = lambda request: StartedCall(call_session_id=7)
    assert world.place().attempt == 1
    assert world.sent[0] == world.sent[1], "nothing was placed under it: the id is still free"


def test_a_crash_while_sending_leaves_an_intent_that_the_next_try_searches_for() -> None:
    world = World(answer=failing(MemoryError()))  # type: ignore[arg-type]
    with pytest.raises(MemoryError):
        world.place()
    assert world.disk.stage == "starting"
    with pytest.raises(Unresolved):
        world.place()
    assert len(world.sent) == 1


@pytest.mark.parametrize("cleared", [False, True])
def test_an_answer_that_cannot_be_stored_is_logged_and_the_next_try_finds_the_call(cleared: bool) -> None:
    world = World()
    world.disk.refuses = ("started",)
    with pytest.raises(
        AnswerNotStored, match=r"call session 7: the phone rings or has rung.*OSError"
    ) as error:
        world.place()
    assert world.log[-1] == "Call session 7: the call is placed"
    assert (world.disk.stage, world.sent[0]) == ("starting", world.journal().current.external_id)
    assert str(world.sent[0]) in str(error.value)

    world.disk.refuses = ()
    world.lists = lambda now: [session(7, world.sent[0])]
    assert world.place(generation=int(cleared)).call_session_id == 7
    assert len(world.sent) == 1


def test_a_found_call_that_cannot_be_stored_is_logged_and_named_in_the_error() -> None:
    world = World(answer=failing(Unanswered("no answer")))
    world.lists = lambda now: [session(7, world.sent[0])]
    world.disk.refuses = ("started",)
    with pytest.raises(AnswerNotStored, match="call session 7"):
        world.place()
    assert "Found call session 7 by its external_id: it was placed" in world.log
    assert (world.disk.stage, len(world.sent)) == ("starting", 1)


def test_a_kill_before_the_send_stores_that_no_call_was_placed() -> None:
    world = World(answer=failing(Killed()))  # type: ignore[arg-type]
    with pytest.raises(Killed):
        world.place()
    assert (world.disk.stage, len(world.sent)) == ("nothing", 1)
    world.answer = World().answer
    assert world.place().attempt == 1


def test_a_kill_during_the_search_leaves_the_intent_so_that_the_next_try_searches_again() -> None:
    world = World(answer=failing(Unanswered("no answer")))

    def polls() -> Iterator[Snapshot]:
        yield Snapshot(world.now)
        raise Killed

    world.snapshots = polls  # type: ignore[method-assign]
    with pytest.raises(Killed):
        world.place(if_not_found="at_least_once")
    assert (world.disk.stage, len(world.sent)) == ("starting", 1)


def test_the_search_time_counts_from_the_lost_answer_and_not_from_the_intent() -> None:
    """The start request may wait a minute for points between the intent and the answer."""
    world = World()

    def slow(_: StartCall) -> StartedCall:
        world.now += 115
        raise Unanswered("no answer")

    world.answer = slow
    external_id = world.journal().external_id(request_to(), 1)
    world.lists = lambda now: [session(8, external_id)] if now >= 5115 + 40 else []
    assert world.place().call_session_id == 8


@pytest.mark.parametrize(
    "other",
    [
        session(9, None),
        session(9, "something-else"),
        session(9, "order-77", OTHER_PERSON),
        session(9, "order-77-2"),
    ],
    ids=["no id", "another id", "another contact", "another attempt"],
)
def test_a_call_is_recognized_by_its_external_id_and_the_contact(other: CallSession) -> None:
    world = World(answer=failing(Unanswered("no answer")), lists=lambda now: [other])
    with pytest.raises(Unresolved):
        world.place(request_to(external_id="order-77"))
    world = World(answer=failing(Unanswered("no answer")))
    world.lists = lambda now: [other, session(8, "order-77")] if world.sent else [other]
    assert world.place(request_to(external_id="order-77")).call_session_id == 8


def test_a_session_that_does_not_name_its_contact_is_recognized_by_the_external_id() -> None:
    world = World(answer=failing(Unanswered("no answer")))
    world.lists = lambda now: [session(8, "order-77", None)] if world.sent else []
    assert world.place(request_to(external_id="order-77")).call_session_id == 8


def test_one_late_miss_does_not_prove_absence() -> None:
    world = World(answer=failing(Unanswered("no answer")))
    external_id = world.journal().external_id(request_to(), 1)
    world.lists = lambda now: [session(8, external_id)] if len(world.polled_at) == 2 else []
    assert world.place(appear_timeout=0.0).call_session_id == 8


# --- the Data API ---


def test_a_call_that_list_calls_never_showed_is_found_in_the_report() -> None:
    world = World(answer=failing(Unanswered("no answer")), reports=lambda external_id: 8)
    assert world.place().call_session_id == 8
    assert world.report_searches == [(world.sent[0], PERSON, 5000.0)]
    assert world.polled_at[-1] >= 5060, "active calls are listed sooner than they are reported"


def test_a_call_that_is_in_no_report_either_is_unresolved() -> None:
    world = World(answer=failing(Unanswered("no answer")), reports=lambda external_id: None)
    with pytest.raises(Unresolved):
        world.place()
    assert len(world.report_searches) == 1


def test_the_report_of_a_later_try_is_searched_from_the_intent_on() -> None:
    world = world_after(Stage.STARTING, reports=lambda external_id: 8)
    assert world.place().call_session_id == 8
    assert world.report_searches[0][2] == 4900.0


# --- errors during the search ---


@pytest.mark.parametrize("reports", [None, lambda external_id: None], ids=["no Data API", "Data API"])
def test_an_error_while_searching_keeps_the_intent_and_a_later_try_searches_again(reports: Any) -> None:
    trouble = Unanswered("list.calls is down")
    world = World(answer=failing(Unanswered("no answer")), lists=lambda now: trouble, reports=reports)
    for _ in range(3):
        with pytest.raises(Unanswered, match=r"list\.calls is down"):
            world.place()
        assert world.disk.stage == "starting"
    external_id = str(world.sent[0])
    world.lists = lambda now: [session(8, external_id)]
    assert world.place().call_session_id == 8
    assert len(world.sent) == 1


def test_ten_failed_polls_are_survived_and_count_neither_as_a_miss_nor_as_found() -> None:
    world = World(answer=failing(Unanswered("no answer")))
    external_id = world.journal().external_id(request_to(), 1)
    shown = [NotSent("1"), [], *[NotSent("x")] * 10, [session(8, external_id)]]
    world.lists = lambda now: shown[len(world.polled_at) - 1]  # type: ignore[return-value]
    assert world.place(appear_timeout=0.0).call_session_id == 8


def test_the_report_decides_if_list_calls_is_forbidden() -> None:
    denied = AccessDenied("list.calls", mnemonic="component_disabled")
    found = World(
        answer=failing(Unanswered("no answer")), lists=lambda now: denied, reports=lambda external_id: 8
    )
    assert found.place().call_session_id == 8
    unknown = World(answer=failing(Unanswered("no answer")), lists=lambda now: denied)
    with pytest.raises(Unresolved):
        unknown.place()
    assert unknown.polled_at == [5000.0], "it would only be refused again"


def test_a_transient_error_of_the_data_api_keeps_the_intent() -> None:
    world = World(answer=failing(Unanswered("no answer")), reports=failing(Unanswered("report is down")))
    with pytest.raises(Unanswered, match="report is down"):
        world.place()
    assert world.disk.stage == "starting"


def test_an_unlisted_call_is_unresolved_and_the_reason_logged_if_the_data_api_is_forbidden() -> None:
    denied = AccessDenied("this address is not on the list", mnemonic="ip_not_whitelisted")
    world = World(answer=failing(Unanswered("no answer")), reports=failing(denied))
    with pytest.raises(Unresolved, match="may have been placed"):
        world.place()
    assert any("not on the list" in line for line in world.log)


def test_a_transient_error_of_one_source_is_raised_if_the_other_source_is_forbidden() -> None:
    world = World(
        answer=failing(Unanswered("no answer")),
        lists=lambda now: AccessDenied("component"),
        reports=failing(Unanswered("report is down")),
    )
    with pytest.raises(Unanswered, match="report is down"):
        world.place()
    assert world.disk.stage == "starting"


# --- at_least_once ---


def test_at_least_once_places_only_one_more_attempt_after_the_search() -> None:
    world = World(answer=failing(Unanswered("no answer")))
    with pytest.raises(Unresolved, match=r"a retry searches for external_id .* and places a new call"):
        world.place(if_not_found="at_least_once")
    journal = world.journal()
    assert world.sent == [journal.external_id(request_to(), 1), journal.external_id(request_to(), 2)]
    assert world.polled_at[-1] >= 5120, "both were searched for"
    assert any("at_least_once" in line for line in world.log)


def test_at_least_once_does_not_place_another_attempt_if_the_first_is_found() -> None:
    world = World(answer=failing(Unanswered("no answer")))
    world.lists = lambda now: [session(8, world.journal().external_id(request_to(), 1))]
    assert world.place(if_not_found="at_least_once").call_session_id == 8
    assert len(world.sent) == 1


@pytest.mark.parametrize("stage", [Stage.STARTING, Stage.UNRESOLVED])
def test_at_least_once_never_skips_the_search(stage: Stage) -> None:
    late = world_after(stage)
    late.lists = lambda now: [session(8, late.journal().external_id(request_to(), 1))]
    assert late.place(if_not_found="at_least_once").call_session_id == 8
    assert late.sent == []


@pytest.mark.parametrize("stage", [Stage.STARTING, Stage.UNRESOLVED])
def test_at_least_once_places_one_new_attempt_a_try(stage: Stage) -> None:
    world = world_after(stage, answer=failing(Unanswered("no answer")))
    for attempt in (2, 3):
        with pytest.raises(Unresolved):
            world.place(if_not_found="at_least_once")
        assert world.sent[attempt - 2 :] == [world.journal().external_id(request_to(), attempt)]


@pytest.mark.parametrize("stage", [Stage.STARTED, Stage.ENDED, Stage.DONE])
def test_at_least_once_does_not_repeat_a_placed_call(stage: Stage) -> None:
    world = world_after(stage)
    assert world.place(if_not_found="at_least_once").call_session_id == EARLIER
    assert world.sent == []


# --- absence that is proven ---

NOT_FOUND: dict[str, Any] = {"answer": failing(Unanswered("no answer")), "reports": lambda external_id: None}


def test_the_absence_of_a_call_in_the_first_search_does_not_prove_absence() -> None:
    world = World(**NOT_FOUND)
    with pytest.raises(AbsenceNotProven) as error:
        world.place(if_not_found=ProveAbsence(300.0))
    assert error.value.proven_at == world.now + 300.0
    assert world.now >= 5060.0, "list.calls may show a new call as late as that"
    assert world.disk.stage == "starting", "the call is still searched for"
    assert len(world.sent) == 1


@pytest.mark.parametrize("seconds", [299.0, 300.0, 86_400.0])
def test_a_worker_that_was_suspended_behind_its_intent_places_no_second_call(seconds: float) -> None:
    """Meanwhile, another try may prove that the call was never placed, and place the call."""
    world = World(reports=lambda external_id: 9 if seconds >= 300 else None)
    store = world.disk.set

    def suspend(key: str, record: dict[str, Any]) -> None:
        store(key, record)
        if len(world.disk.written) == 1:
            world.now += seconds

    world.disk.set = suspend  # type: ignore[method-assign]

    call = world.place(if_not_found=ProveAbsence(300.0))

    assert (call.call_session_id, len(world.sent)) == ((9, 0) if seconds >= 300 else (7, 1))


def test_a_call_that_no_service_shows_long_after_a_first_search_is_placed_as_the_same_attempt() -> None:
    world = World(**NOT_FOUND)
    with pytest.raises(AbsenceNotProven) as error:
        world.place(if_not_found=ProveAbsence(300.0))
    world.now, world.answer = error.value.proven_at, lambda request: StartedCall(call_session_id=9)
    polls = len(world.polled_at)

    call = world.place(if_not_found=ProveAbsence(300.0))

    assert (call.call_session_id, call.attempt) == (9, 1)
    assert world.sent == [world.journal().external_id(request_to(), 1)] * 2
    assert len(world.polled_at) - polls == 2, "one absence in list.calls proves nothing"


def test_a_second_search_that_comes_too_early_does_not_start_the_wait_again() -> None:
    world = World(**NOT_FOUND)
    proven_at = set()
    for _ in range(3):
        with pytest.raises(AbsenceNotProven) as error:
            world.place(if_not_found=ProveAbsence(300.0))
        proven_at.add(error.value.proven_at)
        world.now += 60.0
    assert len(proven_at) == 1
    assert len(world.sent) == 1
    assert "An earlier search did not find the call: searching" in world.log[-1], "no try has ended"


def test_an_old_intent_needs_a_second_search_because_its_call_may_have_just_ended() -> None:
    """The call is no longer active, and the Data API does not report it yet."""
    world = world_after(Stage.STARTING, reports=lambda external_id: None)
    world.now = 9000.0
    with pytest.raises(AbsenceNotProven) as error:
        world.place(if_not_found=ProveAbsence(300.0))
    world.now, world.reports = error.value.proven_at, lambda external_id: 8
    assert world.place(if_not_found=ProveAbsence(300.0)).call_session_id == 8
    assert world.sent == []


def test_a_second_lost_answer_is_searched_for_like_the_first() -> None:
    world = World(**NOT_FOUND)
    for number in range(3):
        with pytest.raises(AbsenceNotProven) as error:
            world.place(if_not_found=ProveAbsence(300.0))
        world.now = error.value.proven_at
        assert len(world.sent) == [1, 2, 2][number], "the second attempt is searched for before a third"


@pytest.mark.parametrize("stage", [Stage.STARTING, Stage.UNRESOLVED])
@pytest.mark.parametrize("where", ["list.calls", "report"])
def test_a_call_that_a_service_shows_is_never_placed_again(stage: Stage, where: str) -> None:
    world = world_after(stage, reports=lambda external_id: 8 if where == "report" else None)
    if where == "list.calls":
        world.lists = lambda now: [session(8, world.journal().external_id(request_to(), 1))]
    world.now = 9000.0
    assert world.place(if_not_found=ProveAbsence(300.0)).call_session_id == 8
    assert world.sent == []


@pytest.mark.parametrize("failing_part", ["lists", "reports"])
@pytest.mark.parametrize("error", [Unanswered("down"), AccessDenied("component")], ids=type)
def test_a_search_that_fails_proves_no_absence(failing_part: str, error: CallApiError) -> None:
    world = world_after(Stage.STARTING, reports=lambda external_id: None)
    if failing_part == "lists":
        world.lists = lambda now: error
    else:
        world.reports = failing(error)
    world.now = 9000.0
    with pytest.raises(type(error)):
        world.place(if_not_found=ProveAbsence(300.0))
    assert (world.sent, world.disk.stage) == ([], "starting")


BEGAN_BEFORE = {"contact_phone_number": PERSON, "start_time": "1970-01-01 01:21:40"}  # 4900


def test_a_reported_call_with_the_authors_id_before_the_intent_makes_the_absence_doubtful() -> None:
    """The call may be the unconfirmed one, if a clock or the time zone is wrong, or another task's."""
    world = World(answer=failing(Unanswered("no answer")), reports=lambda external_id: None)
    with pytest.raises(AbsenceNotProven):
        world.place(request_to(external_id="order-7"), if_not_found=ProveAbsence(300.0))
    world.now = 9000.0
    world.reported = Entries([CallReport(id=8, call_api_external_id="order-7", **BEGAN_BEFORE)])
    with pytest.raises(Unresolved, match="Call session 8 has this task's external_id"):
        world.place(request_to(external_id="order-7"), if_not_found=ProveAbsence(300.0))
    assert (len(world.sent), world.disk.stage) == (1, "unresolved")


def test_an_active_call_with_the_authors_id_that_began_before_the_intent_delays_the_proof() -> None:
    world = World(answer=failing(Unanswered("no answer")), reports=lambda external_id: None)
    with pytest.raises(AbsenceNotProven):
        world.place(request_to(external_id="order-7"), if_not_found=ProveAbsence(300.0))
    world.now = 9000.0
    began = CallSession(call_session_id=8, external_id="order-7", **BEGAN_BEFORE)
    world.lists = lambda now: [began]
    with pytest.raises(Unanswered, match="may be the unconfirmed call"):
        world.place(request_to(external_id="order-7"), if_not_found=ProveAbsence(300.0))
    assert (len(world.sent), world.disk.stage) == (1, "starting")


def test_the_last_poll_before_the_second_start_request_may_show_the_unconfirmed_call() -> None:
    world = World(answer=failing(Unanswered("no answer")), reports=lambda external_id: None)
    request = request_to(external_id="order-7")
    with pytest.raises(AbsenceNotProven):
        world.place(request, if_not_found=ProveAbsence(300.0))
    world.now = 9000.0
    polls = len(world.polled_at)
    world.lists = lambda now: [session(8, "order-7")] if len(world.polled_at) > polls + 2 else []
    with pytest.raises(AbsenceNotProven):
        world.place(request, if_not_found=ProveAbsence(300.0))
    assert world.place(request, if_not_found=ProveAbsence(300.0)).call_session_id == 8
    assert len(world.sent) == 1


PLACED_AT = "1970-01-01 01:23:20"  # 5000


@pytest.mark.parametrize(
    "report",
    [
        {"call_api_external_id": None},
        {"call_api_external_id": ""},
        {"call_api_external_id": " "},
        {"call_api_external_id": None, "contact_phone_number": "8" + PERSON[1:]},
        {"call_api_external_id": None, "contact_phone_number": PERSON[:4] + "***" + PERSON[-4:]},
        {"call_api_external_id": None, "start_time": None},
        {"call_api_external_id": None, "start_time": "noon"},
    ],
    ids=str,
)
def test_a_reported_call_to_the_contact_without_an_id_makes_the_absence_doubtful(
    report: dict[str, Any],
) -> None:
    """The account may not show the ids of its calls."""
    world = World(**NOT_FOUND)
    with pytest.raises(AbsenceNotProven) as error:
        world.place(if_not_found=ProveAbsence(300.0))
    world.now = error.value.proven_at
    facts = {"id": 8, "contact_phone_number": PERSON, "start_time": PLACED_AT, **report}
    world.reported = Entries([CallReport(**facts)])
    with pytest.raises(Unresolved, match="Call session 8 has no external_id, and may be the call of"):
        world.place(if_not_found=ProveAbsence(300.0))
    assert (len(world.sent), world.disk.stage) == (1, "unresolved")


@pytest.mark.parametrize(
    "report",
    [
        {"call_api_external_id": "order-8"},
        {"contact_phone_number": "79260000012"},
        {"contact_phone_number": "7926***0012"},
        {"contact_phone_number": None},
        {"start_time": "1969-12-31 10:00:00"},
    ],
    ids=str,
)
def test_a_reported_call_that_is_certainly_another_call_does_not_make_the_absence_doubtful(
    report: dict[str, Any],
) -> None:
    world = World(**NOT_FOUND)
    with pytest.raises(AbsenceNotProven) as error:
        world.place(if_not_found=ProveAbsence(300.0))
    world.now, world.answer = error.value.proven_at, lambda request: StartedCall(call_session_id=9)
    facts = {"call_api_external_id": None, "contact_phone_number": PERSON, "start_time": PLACED_AT, **report}
    world.reported = Entries([CallReport(id=8, **facts)])
    assert world.place(if_not_found=ProveAbsence(300.0)).call_session_id == 9


def test_a_report_that_cannot_be_read_proves_no_absence() -> None:
    world = World(**NOT_FOUND)
    with pytest.raises(AbsenceNotProven) as error:
        world.place(if_not_found=ProveAbsence(300.0))
    world.now, world.reported = error.value.proven_at, Entries(left_out=1)
    with pytest.raises(Unanswered, match="a report cannot be read"):
        world.place(if_not_found=ProveAbsence(300.0))
    assert (len(world.sent), world.disk.stage) == (1, "starting")


def test_an_unresolved_call_is_placed_once_its_absence_is_proven() -> None:
    world = world_after(Stage.UNRESOLVED, reports=lambda external_id: None)
    with pytest.raises(AbsenceNotProven) as error:
        world.place(if_not_found=ProveAbsence(300.0))
    world.now = error.value.proven_at
    assert world.place(if_not_found=ProveAbsence(300.0)).attempt == 1


# --- a journal that does not outlive a try ---


def test_search_first_adopts_the_active_call_of_an_earlier_try() -> None:
    world = World()
    world.lists = lambda now: [session(8, world.journal().external_id(request_to(), 1))]
    assert world.place(search_first=True).call_session_id == 8
    assert world.sent == []
    assert world.log[0] == "The journal of earlier tries is lost: searching for their call before dialling"


def test_search_first_dials_if_no_call_is_active() -> None:
    world = World()
    assert world.place(search_first=True).call_session_id == 7
    assert len(world.polled_at) == 2, "one absence proves nothing"


@pytest.mark.parametrize("error", [Unanswered("down"), AccessDenied("component")], ids=type)
def test_search_first_does_not_dial_if_the_search_fails(error: CallApiError) -> None:
    world = World(lists=lambda now: error)
    with pytest.raises(type(error)):
        world.place(search_first=True)
    assert world.sent == []


def test_at_least_once_with_search_first_dials_if_list_calls_is_forbidden() -> None:
    world = World(lists=lambda now: AccessDenied("component"))
    assert world.place(search_first=True, if_not_found="at_least_once").call_session_id == 7


def test_place_dials_only_in_the_rows_whose_step_dials() -> None:
    """The Airflow operator checks the step to know whether a late run would dial."""
    for (stage, cleared), step in _STEPS.items():
        world = world_after(stage, answer=failing(NotSent("no")))
        assert world.journal(int(cleared)).next_step(request_to()) is step
        with contextlib.suppress(NotSent, Unresolved):
            world.place(generation=int(cleared))
        assert bool(world.sent) is (step in (Step.DIAL, Step.DIAL_AGAIN)), (stage, cleared)


# --- calls that cannot be read ---


def nameless(number: int, contact: str | None = PERSON) -> CallSession:
    """Return an active call whose ``external_id`` could not be read."""
    return CallSession(call_session_id=number, contact_phone_number=contact)


@pytest.mark.parametrize("if_not_found", ["at_most_once", "at_least_once", ProveAbsence(60.0)], ids=str)
@pytest.mark.parametrize(
    "unreadable",
    [
        {"left_out": lambda now: 1},
        {"lists": lambda now: [nameless(9)]},
        {"lists": lambda now: [nameless(9, None)]},
        {"lists": lambda now: [session(9, None)]},
        {"lists": lambda now: [session(9, "", "8" + PERSON[1:])]},
    ],
    ids=["no id", "no external_id", "no contact either", "null as external_id", "empty external_id"],
)
def test_an_unconfirmed_call_is_not_dialled_again_while_an_active_call_cannot_be_read(
    unreadable: dict[str, Any], if_not_found: Any
) -> None:
    world = World(answer=failing(Unanswered("no answer")), reports=lambda external_id: None, **unreadable)
    for _ in range(3):
        with pytest.raises(Unanswered, match="cannot be read"):
            world.place(if_not_found=if_not_found)
        world.now += 100
    assert len(world.sent) == 1


@pytest.mark.parametrize("others", [[], [session(8, "order-7")]], ids=["alone", "beside another call"])
def test_a_call_with_the_authors_id_is_not_dialled_again_if_the_last_poll_cannot_be_read(
    others: list[CallSession],
) -> None:
    def second_try(unreadable_poll: int) -> World:
        world = World(answer=failing(Unanswered("no answer")), lists=lambda now: others)
        with pytest.raises(AbsenceNotProven) as error:
            world.place(request_to(external_id="order-7"), if_not_found=ProveAbsence(300.0))
        world.now, world.answer = error.value.proven_at, lambda request: StartedCall(call_session_id=9)
        world.left_out = lambda now: int(len(world.polled_at) == unreadable_poll)
        return world

    readable = second_try(unreadable_poll=0)
    assert (
        readable.place(request_to(external_id="order-7"), if_not_found=ProveAbsence(300.0)).call_session_id
        == 9
    )
    unreadable = second_try(unreadable_poll=len(readable.polled_at))
    with pytest.raises(AbsenceNotProven):
        unreadable.place(request_to(external_id="order-7"), if_not_found=ProveAbsence(300.0))
    assert len(unreadable.sent) == 1


def test_the_search_continues_once_all_active_calls_can_be_read_again() -> None:
    world = World(answer=failing(Unanswered("no answer")), left_out=lambda now: int(now < 5030))
    with pytest.raises(Unresolved):
        world.place()
    assert world.disk.stage == "unresolved"
    world = World(answer=failing(Unanswered("no answer")), left_out=lambda now: int(now < 5030))
    external_id = world.journal().external_id(request_to(), 1)
    world.lists = lambda now: [session(8, external_id)] if now >= 5020 else []
    assert world.place().call_session_id == 8


def test_a_call_to_another_person_that_cannot_be_read_is_not_the_unconfirmed_call() -> None:
    world = World(answer=failing(Unanswered("no answer")), lists=lambda now: [nameless(9, OTHER_PERSON)])
    with pytest.raises(Unresolved):
        world.place()
