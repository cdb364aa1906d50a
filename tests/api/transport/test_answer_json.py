"""The fast readers of ``list.calls`` return what the careful reader returns, for any bytes.

There is a fast reader of a whole answer, and a fast reader of one entry.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest
from answer_mutations import JUNK, mutated
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from airflow_provider_callapi.api import entries, list_entry
from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.credentials import AccessKey
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.methods import ListCalls
from airflow_provider_callapi.api.models import CallSession, Leg, Tag
from airflow_provider_callapi.api.transport.answer_json import load_exact_envelope, load_json
from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc, Reply, _HttpAnswer, _parse_reply

DOCUMENTED: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": "1",
    "result": {
        "data": [
            {
                "call_session_id": 5600000001,
                "direction": "out",
                "start_time": "2026-07-03 12:26:48",
                "virtual_phone_number": "74950000001",
                "contact_phone_number": "79000000002",
                "external_id": "заказ-1",
                "tags": [{"tag_id": 5, "tag_name": "x"}],
                "legs": [
                    {
                        "leg_id": 2,
                        "calling_phone_number": "74950000001",
                        "called_phone_number": "79000000002",
                        "is_operator": False,
                        "employee_id": None,
                        "employee_full_name": "Ann",
                        "record_call_enabled": True,
                        "state": "Дозвон",
                    }
                ],
            },
            {"call_session_id": 5600000002, "external_id": None, "legs": [], "tags": []},
            {"call_session_id": 5600000003, "legs": [{"leg_id": 3}, {"leg_id": 4, "is_operator": None}]},
        ],
        "metadata": {"limits": {"day_limit": 10, "minute_remaining": 3}, "total_items": 3},
    },
}


class CannedRpc:
    """A service whose every answer has the same bytes."""

    def __init__(self, content: bytes, *, fast: bool) -> None:
        self.content = content
        self.fast = fast

    def send(self, method: str, params: Any, *, exact_type: Any, **_: Any) -> Reply:
        answer = _HttpAnswer("a test", 200, self.content, None)
        return _parse_reply(answer, method, "1", exact_type if self.fast else None, unique_names=False)


def read(content: bytes, *, fast: bool) -> Any:
    """Return everything that a caller can observe of an answer: the entries, the notes, the limits."""
    entries._logged.clear()
    client = Client(cast(JsonRpc, CannedRpc(content, fast=fast)), AccessKey("key"), clock=lambda: 0.0)
    try:
        sessions = client.call(ListCalls())
    except CallApiError as error:
        return type(error), str(error)
    parts: list[CallSession | Leg | Tag] = [
        part for session in sessions for part in (session, *session.tags, *session.legs)
    ]
    facts = [(part.model_fields_set, part.model_extra, part.model_dump(mode="json")) for part in parts]
    text = repr((sessions, sessions.left_out, sessions.left_out_ids, sessions.total, facts))
    return list(sessions), text, sorted(entries._logged), client.limits


def assert_same(content: bytes) -> bool:
    """Check an answer, and return whether the fast reader of whole answers accepts it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(list_entry, "_read_exactly", list_entry._read_leniently)
        careful = read(content, fast=False)
    is_exact = load_exact_envelope(content, ListCalls.exact_type) is not None
    assert read(content, fast=False) == careful
    assert read(content, fast=True) == careful
    return is_exact


@pytest.fixture(autouse=True, scope="module")
def _logged_again_afterwards() -> Iterator[None]:
    before = set(entries._logged)
    yield
    entries._logged.update(before)


def test_the_fast_reader_accepts_an_answer_of_the_documented_shape() -> None:
    content = json.dumps(DOCUMENTED).encode()
    assert assert_same(content)


@settings(max_examples=100)
@given(data=st.data())
def test_both_readers_return_the_same_for_an_answer_with_entries_in_any_shape(data: st.DataObject) -> None:
    listed = data.draw(mutated(DOCUMENTED["result"]["data"], most=2))
    result = {**DOCUMENTED["result"], "data": listed}
    text = json.dumps({**DOCUMENTED, "result": result}, ensure_ascii=data.draw(st.booleans()))
    event(f"accepted: {assert_same(text.encode())}")


@settings(max_examples=60)
@given(data=st.data())
def test_both_readers_return_the_same_for_an_answer_in_any_envelope(data: st.DataObject) -> None:
    [envelope] = [data.draw(mutated([DOCUMENTED], most=2))]
    envelope = envelope[0] if isinstance(envelope, list) and envelope else envelope
    if isinstance(envelope, dict) and data.draw(st.booleans()):
        name = data.draw(st.sampled_from(["metadata", "error", "unknown"]))
        envelope[name] = data.draw(st.sampled_from([*JUNK, {"limits": {"day_limit": 7}}]))
    event(f"accepted: {assert_same(json.dumps(envelope).encode())}")


TEXT = json.dumps(DOCUMENTED, ensure_ascii=False).encode()
PIECES = [
    *(
        b'"',
        b"\\",
        b",",
        b"[]",
        b"{}",
        b"-",
        b"0",
        b".0",
        b"\x00",
        b"\n",
        b"\x7f",
        b"\xff",
        b"null",
        b"true",
        b"NaN",
    ),
    *(b"\\ud800", b"\\ud83d\\ude00", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"1e400", b"1" * 30, b"1" * 5000),
    *(b"[" * 70 + b"]" * 70, b"[" * 5000, b'"call_session_id": 7, ', b'"id": "2", ', b'"model_extra": {}, '),
]


@settings(max_examples=300)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(TEXT)), st.integers(0, 3), st.sampled_from([b"", *PIECES])), max_size=2
    )
)
@example(changes=[(0, 0, b"\xef\xbb\xbf")])
@example(changes=[(314, 0, b"\xed\xa0\x80")])
def test_both_readers_return_the_same_for_any_bytes(changes: list[tuple[int, int, bytes]]) -> None:
    content = TEXT
    for at, removed, inserted in changes:
        content = content[:at] + inserted + content[at + removed :]
    event(f"accepted: {assert_same(content)}")


@pytest.mark.parametrize("name", ["id", "call_session_id", "external_id", "tags", "leg_id", "metadata"])
@pytest.mark.parametrize("value", [b"null", b"7", b'"1"', b"[]", b"{}"])
def test_both_readers_use_the_last_of_two_equal_keys(name: str, value: bytes) -> None:
    key = json.dumps(name).encode() + b": "
    for content in (
        TEXT.replace(key, key + value + b", " + key),
        TEXT.replace(b"}", b", " + key + value + b"}"),
    ):
        assert_same(content)


def test_an_unknown_field_is_kept() -> None:
    assert_same(TEXT.replace(b'"tag_id"', b'"colour": "red", "tag_id"'))
    [tag] = CallSession.model_validate({"call_session_id": 1, "tags": [{"tag_id": 1, "colour": "red"}]}).tags
    assert tag.model_extra == {"colour": "red"}


@pytest.mark.parametrize(
    "key", [b'"call_session_id"', b'"tag_id"', b'"leg_id"'], ids=["in each call", "in a tag", "in each leg"]
)
def test_an_unknown_field_does_not_need_the_slow_reader(key: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    slow: list[type] = []
    read_leniently = list_entry._read_leniently
    monkeypatch.setattr(
        list_entry, "_read_leniently", lambda kind, values: slow.append(kind) or read_leniently(kind, values)
    )
    content = TEXT.replace(key, b'"is_lost": false, ' + key)

    assert "'is_lost': False" in read(content, fast=True)[1]
    assert slow == []


def test_a_field_that_an_entry_lacks_differs_from_null() -> None:
    assert CallSession(call_session_id=1) != CallSession(call_session_id=1, external_id=None)
    lacking = CallSession(call_session_id=1)
    assert (lacking.external_id, lacking.tags, lacking.legs) == (None, (), ())
    assert (Leg(leg_id=1).is_operator, Leg(leg_id=1).state) == (False, "")
    assert lacking.model_fields_set == {"call_session_id"}


@given(text=st.text(st.sampled_from('\0\\u"x'), max_size=9))
@example(text="\\\\u0000\0\0")
def test_no_text_of_an_answer_contains_the_character_that_postgresql_refuses(text: str) -> None:
    wanted = text.replace("\0", "\ufffd")

    assert load_json(json.dumps({text: [text, 7]}).encode()) == {wanted: [wanted, 7]}
    named = json.dumps(DOCUMENTED).replace("заказ-1", "\0")
    assert_same(named.encode())
