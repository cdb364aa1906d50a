"""No watch and no search counts an active call as absent, in any shape that the service gives to the call."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, cast

import pytest
from answer_mutations import mutated
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.api import entries
from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.errors import Unanswered
from airflow_provider_callapi.api.methods import ListCalls
from airflow_provider_callapi.calls.unconfirmed_call import UnconfirmedCall
from airflow_provider_callapi.calls.watching.events import EventDetector
from airflow_provider_callapi.calls.watching.observation import Observation
from airflow_provider_callapi.calls.watching.snapshot import Snapshot, take_snapshot
from airflow_provider_callapi.calls.watching.watch import Phase, SessionWatch

FOLDER = Path(__file__).parents[2] / "data" / "answers"
FILES = ["20_list_array", "21_list_object", "22_list_english", "23_list_never_talk"]
CALL = 5600000001
CONTACT = "79000000002"
AT = 1_800_000_000.0


def listed(name: str) -> list[Any]:
    body = json.loads((FOLDER / f"{name}.json").read_text())["answers"]["list.calls"]["body"]
    data = body["result"]["data"]
    return data if isinstance(data, list) else [data]


ACTIVE = {name: listed(name) for name in FILES}
OTHER = {"call_session_id": 5600000002, "external_id": None, "legs": [], "tags": []}


class Answering:
    """A client whose service answers ``list.calls`` with given data."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def call(self, request: ListCalls, *, time_limit: float) -> Any:
        try:
            return request.convert_answer(self.data)
        except ValueError as error:
            raise Unanswered("not a list") from error


def snapshot_of(data: Any, at: float = AT) -> Snapshot:
    return take_snapshot(cast(Client, Answering(data)), lambda: at)


def new_watch(**observation: Any) -> SessionWatch:
    return SessionWatch(CALL, AT, AT + 1e6, observation=Observation(**observation))


@pytest.mark.parametrize(
    ("name", "answered"), [(FILES[0], True), (FILES[1], True), (FILES[2], True), (FILES[3], False)]
)
def test_an_answer_of_the_service_shows_the_call_and_its_answer(name: str, answered: bool) -> None:
    watch = new_watch()
    expected = Phase.ANSWERED if answered else Phase.APPEARED
    data = json.loads((FOLDER / f"{name}.json").read_text())["answers"]["list.calls"]["body"]["result"][
        "data"
    ]
    assert watch.update(snapshot_of(data)) is expected


@given(data=st.data(), name=st.sampled_from(FILES), listed_before=st.booleans())
@settings(max_examples=300)
def test_a_call_in_any_shape_never_counts_as_ended(
    data: st.DataObject, name: str, listed_before: bool
) -> None:
    watch, detector = new_watch(listed=listed_before), EventDetector()
    detector.update(snapshot_of(ACTIVE[name]))
    for number in range(4):
        shown = data.draw(mutated([*ACTIVE[name], OTHER], not_null=["call_session_id"]))
        snapshot = snapshot_of(shown, AT + number)
        assert watch.update(snapshot) in (Phase.EXPECTED, Phase.APPEARED, Phase.ANSWERED)
        assert not snapshot.proves_absence(CALL)
        assert not [
            event
            for event in detector.update(snapshot)
            if event.kind == "ended" and event.call.call_session_id == CALL
        ]
    assert (watch.observation.misses, watch.observation.missing_since) == (0, None)


@given(data=st.data(), name=st.sampled_from(FILES[1:]))
@settings(max_examples=300)
def test_an_unconfirmed_call_in_any_shape_is_found_or_not_proven_absent(
    data: st.DataObject, name: str
) -> None:
    lost = UnconfirmedCall("x-1", CONTACT, None, "Europe/Moscow")
    snapshot = snapshot_of(data.draw(mutated(ACTIVE[name], not_null=["call_session_id", "external_id"])))
    if snapshot.failure is None:
        found = any(map(lost.matches, snapshot.sessions.values()))
        assert found or lost.doubt_about(snapshot)


@given(data=st.data())
@settings(max_examples=200)
def test_a_shape_never_shows_an_answer_that_the_call_does_not_have(data: st.DataObject) -> None:
    watch = new_watch()
    watch.update(snapshot_of(data.draw(mutated(ACTIVE["23_list_never_talk"]))))
    assert watch.observation.answered_at is None


@given(data=st.data(), name=st.sampled_from(FILES))
def test_an_operators_leg_is_never_the_answer_of_the_contact(data: st.DataObject, name: str) -> None:
    """Only the operator talks, and the flags that distinguish the legs have any shape."""
    [session] = json.loads(json.dumps(ACTIVE[name]))
    for leg in session["legs"]:
        if not leg["is_operator"]:
            leg["state"] = "Дозвон"
    watch = new_watch()
    watch.update(snapshot_of(data.draw(mutated([session]))))
    assert watch.observation.answered_at is None


# --- what is left out ---


@pytest.mark.parametrize("junk", [None, 5, "x", [], {}, {"call_session_id": ""}, {"call_session_id": 0}])
def test_a_snapshot_with_an_entry_without_a_readable_id_proves_no_absence(junk: Any) -> None:
    snapshot = snapshot_of([junk, OTHER])
    assert snapshot.left_out == 1
    assert list(snapshot.sessions) == [OTHER["call_session_id"]]
    watch = new_watch(listed=True)
    for _ in range(5):
        assert watch.update(snapshot) is Phase.APPEARED
    assert UnconfirmedCall("x-1", CONTACT, None, "UTC").doubt_about(snapshot)


def test_a_snapshot_that_proves_no_absence_resets_the_count_of_misses() -> None:
    watch = new_watch(listed=True)
    watch.update(snapshot_of([OTHER]))
    watch.update(snapshot_of([None]))
    assert (watch.observation.misses, watch.observation.missing_since) == (0, None)
    assert watch.update(snapshot_of([OTHER])) is Phase.APPEARED
    assert watch.update(snapshot_of([OTHER])) is Phase.ENDED


def test_an_unreadable_shape_does_not_hide_the_end_of_the_wait_at_the_deadline() -> None:
    watch = SessionWatch(CALL, AT, AT + 10, observation=Observation(listed=True))
    assert watch.update(snapshot_of([None], AT + 11)) is Phase.TIMED_OUT


def test_each_kind_of_unknown_shape_is_logged_once_without_its_value(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(entries, "_logged", set())
    entry = {**OTHER, "legs": [{"leg_id": {"x": "79000000002"}, "called_phone_number": "79000000002"}]}
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            snapshot_of(
                [
                    entry,
                    {"call_session_id": "79000000003"},
                    {"call_session_id": ["79000000003"]},
                    "79000000004",
                ]
            )
    assert len(caplog.messages) == len(set(caplog.messages)) == 5
    assert "Leg.leg_id: an object cannot be read" in caplog.text
    assert "7900000000" not in caplog.text


def test_a_call_that_is_listed_twice_is_read_from_the_better_entry() -> None:
    [whole] = ACTIVE["21_list_object"]
    for entries_ in ([whole, {"call_session_id": CALL}], [{"call_session_id": CALL}, whole]):
        assert snapshot_of(entries_).sessions[CALL].external_id == "x-1"


@pytest.mark.parametrize("turned", [False, True])
def test_an_answer_counts_whichever_of_two_entries_of_a_call_shows_it(turned: bool) -> None:
    """Each entry shows one leg of the call."""
    [whole] = ACTIVE["21_list_object"]
    legs = [
        {"leg_id": 1, "called_phone_number": whole["contact_phone_number"], "is_operator": False},
        {"leg_id": 2, "called_phone_number": "74950000001", "is_operator": True, "state": "Дозвон"},
    ]
    legs[0]["state"] = "Разговор"
    entries_ = [{**whole, "legs": [leg], "tags": [{"tag_id": leg["leg_id"]}]} for leg in legs]
    snapshot = snapshot_of(entries_[::-1] if turned else entries_)

    session = snapshot.sessions[CALL]
    assert snapshot.shows_answer(session)
    assert {leg.leg_id for leg in session.legs} == {tag.tag_id for tag in session.tags} == {1, 2}
