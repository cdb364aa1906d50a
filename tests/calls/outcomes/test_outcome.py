"""The outcome of a call: as an XCom, and with the Data API's report."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.calls.outcomes.answers import FinishedCall
from airflow_provider_callapi.calls.outcomes.outcome import Outcome, with_report

# --- the XCom ---

moments = st.none() | st.integers(0, 4_000_000_000_000_000).map(lambda micros: micros / 1_000_000)
outcomes = st.builds(
    Outcome,
    call_session_id=st.integers(1, 2**63 - 1),
    external_id=st.none() | st.text(max_size=64),
    status=st.sampled_from(["started", "ended"]),
    answered=st.sampled_from([True, False, None]),
    attempt=st.integers(1, 9),
    started_at=moments,
    answered_at=moments,
    ended_at=moments,
    observed=st.booleans(),
    finish_reason=st.none() | st.text(max_size=20),
    talk_seconds=st.none() | st.integers(0, 86_400),
    tags=st.lists(st.integers(1, 2**31)).map(tuple),
    operations=st.none() | st.lists(st.text()).map(tuple),
    source=st.sampled_from(["start", "list.calls", "data_api"]),
)
TIMES = ("started_at", "answered_at", "ended_at")
FULL = Outcome(
    call_session_id=206597836,
    external_id="af-1",
    status="ended",
    answered=True,
    attempt=2,
    started_at=1_700_000_000.0,
    answered_at=1_700_000_005.5,
    ended_at=1_700_000_060.000001,
    observed=True,
    finish_reason="success",
    talk_seconds=54,
    tags=(36, 38),
    operations=("Меню", "Подтверждено"),
    source="data_api",
)


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value, allow_nan=False))


def test_the_xcom_of_a_call_is_plain_json_with_iso_times_in_utc() -> None:
    promised = {
        "call_session_id": 206597836,
        "external_id": "af-1",
        "status": "ended",
        "answered": True,
        "attempt": 2,
        "started_at": "2023-11-14T22:13:20Z",
        "answered_at": "2023-11-14T22:13:25.500000Z",
        "ended_at": "2023-11-14T22:14:20.000001Z",
        "observed": True,
        "finish_reason": "success",
        "talk_seconds": 54,
        "tags": [36, 38],
        "operations": ["Меню", "Подтверждено"],
        "source": "data_api",
    }
    xcom = through_json(FULL.to_xcom())
    assert {name: xcom.get(name) for name in promised} == promised


@given(outcomes)
def test_an_outcome_comes_back_from_json_as_it_was(outcome: Outcome) -> None:
    back = Outcome.from_xcom(through_json(outcome.to_xcom()))
    for name in Outcome.__struct_fields__:
        expected = getattr(outcome, name)
        if name in TIMES and expected is not None:
            expected = pytest.approx(expected, abs=1e-6)
        assert getattr(back, name) == expected, name
    assert back.to_xcom() == outcome.to_xcom(), "a second trip moved something"


@given(outcomes)
def test_times_are_iso_8601_in_utc_with_the_z(outcome: Outcome) -> None:
    xcom = outcome.to_xcom()
    for name in TIMES:
        epoch, text = getattr(outcome, name), xcom[name]
        if epoch is None:
            assert text is None
        else:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", text)
            assert datetime.fromisoformat(text).timestamp() == pytest.approx(epoch, abs=1e-6)


def test_a_time_with_an_offset_is_the_same_moment() -> None:
    text = "2023-11-15T01:13:20+03:00"
    back = Outcome.from_xcom({"call_session_id": 1, "started_at": text})
    assert back.started_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC).timestamp()


def test_the_keys_of_a_later_version_are_ignored() -> None:
    assert Outcome.from_xcom({**FULL.to_xcom(), "cost": 12.5, "legs": [{}]}) == FULL


def test_a_session_id_alone_is_a_call_with_no_other_known_facts() -> None:
    assert Outcome.from_xcom({"call_session_id": 7}) == Outcome(7)
    assert Outcome(7).answered is None
    assert Outcome.from_xcom({"call_session_id": 7, "tags": None}) == Outcome(7)


def test_a_call_that_an_older_version_stored_has_unknown_operations() -> None:
    stored = {name: value for name, value in FULL.to_xcom().items() if name != "operations"}
    assert Outcome.from_xcom(stored) == replace(FULL, operations=None)


@pytest.mark.parametrize(
    ("reported", "operations"),
    [
        ({}, ("earlier",)),
        ({"scenario_operations": []}, ()),
        (
            {"scenario_operations": [{"id": 2, "name": " Later "}, {"id": 1, "name": "Menu"}]},
            ("Later", "Menu"),
        ),
    ],
)
def test_the_reports_operations_replace_the_known_ones_in_the_reports_order(
    reported: dict[str, Any], operations: tuple[str, ...]
) -> None:
    finished = FinishedCall(CallReport.model_validate({"id": 1, **reported}), None)
    call = with_report(Outcome(1, operations=("earlier",)), finished, "UTC")
    assert call.operations == operations


@pytest.mark.parametrize("value", [{}, {"external_id": "af-1", "status": "ended"}, {"session": 5}])
def test_a_dict_without_a_session_id_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="call_session_id"):
        Outcome.from_xcom(value)


@pytest.mark.parametrize("text", ["soon", "", "2023-11-14/2023-11-15"])
def test_a_time_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|parse"):
        Outcome.from_xcom({"call_session_id": 7, "ended_at": text})


@pytest.mark.parametrize("text", ["206597836", " 206597836 "])
def test_a_session_id_that_a_template_made_text_is_the_number(text: str) -> None:
    read = Outcome.from_xcom({"call_session_id": text}).call_session_id
    assert (read, type(read)) == (206597836, int), "no snapshot would ever show such a call"


@pytest.mark.parametrize("nonsense", [None, "", "next"])
def test_a_session_id_that_is_no_number_is_refused(nonsense: Any) -> None:
    with pytest.raises(ValueError, match="call_session_id: not a number"):
        Outcome.from_xcom({"call_session_id": nonsense})


# --- with the report of a finished call ---


def report(**fields: Any) -> CallReport:
    return CallReport(id=7, **fields)


SEEN = Outcome(
    7,
    "af-1",
    answered=True,
    attempt=2,
    started_at=1_767_250_000.0,
    answered_at=1_767_250_810.0,
    ended_at=1_767_250_999.0,
    observed=True,
    tags=(36,),
    source="list.calls",
)


def test_a_final_outcome_has_the_facts_of_the_report_and_keeps_what_only_list_calls_showed() -> None:
    reported = report(
        communication_id=99,
        finish_time="2026-01-01 10:02:30",
        finish_reason="subscriber_disconnects",
        talk_duration=42,
        tags=[{"tag_id": 36}, {"tag_id": 38}],
    )
    assert with_report(SEEN, FinishedCall(reported, True), "Europe/Moscow") == Outcome(
        7,
        "af-1",
        status="ended",
        answered=True,
        attempt=2,
        started_at=SEEN.started_at,
        answered_at=SEEN.answered_at,
        ended_at=datetime(2026, 1, 1, 7, 2, 30, tzinfo=UTC).timestamp(),
        observed=True,
        finish_reason="subscriber_disconnects",
        talk_seconds=42,
        tags=(36, 38),
        communication_id=99,
        source="data_api",
    )


@pytest.mark.parametrize(("zone", "hour"), [("UTC", 10), ("Asia/Vladivostok", 0), ("Europe/Kaliningrad", 8)])
def test_the_reports_times_are_in_the_accounts_zone(zone: str, hour: int) -> None:
    call = with_report(Outcome(7), FinishedCall(report(finish_time="2026-01-01 10:00:00"), True), zone)
    assert call.ended_at == datetime(2026, 1, 1, hour, tzinfo=UTC).timestamp()


@given(
    zones=st.lists(st.sampled_from(sorted(available_timezones())), min_size=2, max_size=2),
    start=st.integers(1_767_250_000, 1_798_780_000),
    talk=st.integers(1, 1_500),
    seen_after=st.none() | st.integers(0, 60),
)
def test_an_end_in_another_time_zone_than_the_accounts_is_not_used(
    zones: list[str], start: int, talk: int, seen_after: int | None
) -> None:
    """If the time zone is wrong, the end that polls have seen stays, or no end is known."""
    account, configured = map(ZoneInfo, zones)
    end = start + talk
    seen = None if seen_after is None else end + seen_after
    written = datetime.fromtimestamp(end, account).strftime("%Y-%m-%d %H:%M:%S")
    finished = FinishedCall(report(finish_time=written), True)

    call = with_report(Outcome(7, started_at=start, ended_at=seen), finished, configured.key)

    offset, other = (datetime.fromtimestamp(end, where).utcoffset() for where in (account, configured))
    if offset == other:
        assert call.ended_at == end
    elif call.ended_at != seen:
        assert call.ended_at is not None
        assert start - 600 <= call.ended_at <= (end + 24 * 3600 if seen is None else seen + 600)


@pytest.mark.parametrize("answered", [True, False, None])
def test_an_answer_that_a_snapshot_showed_overrides_the_report(
    answered: bool | None,
) -> None:
    finished = FinishedCall(report(), answered, "subscriber_busy")
    assert with_report(replace(SEEN, answered=None), finished, "UTC").answered is answered
    assert with_report(SEEN, finished, "UTC").answered is True
    assert with_report(SEEN, finished, "UTC").contact_finish_reason == "subscriber_busy"


@pytest.mark.parametrize("tags", [None, []])
@pytest.mark.parametrize("end", [None, "01.01.2026 10:02"])
def test_a_report_without_tags_or_a_readable_end_removes_nothing_that_was_observed(
    tags: Any, end: str | None
) -> None:
    reported = report(tags=tags, finish_time=end, finish_reason="success_finish")
    call = with_report(SEEN, FinishedCall(reported, True), "UTC")
    assert (call.ended_at, call.tags, call.status) == (SEEN.ended_at, (36,), "ended")


@pytest.mark.parametrize("hour", [0, 1])
@pytest.mark.parametrize("is_seen", [True, False])
def test_the_end_is_near_the_call_in_the_hour_that_occurs_twice(hour: int, is_seen: bool) -> None:
    """In Berlin, clocks are set back from 03:00 to 02:00 on 25 October 2026."""
    start = datetime(2026, 10, 25, hour, 20, tzinfo=UTC).timestamp()
    call = Outcome(1, started_at=start, ended_at=start + 125 if is_seen else None)
    reported = report(finish_time="2026-10-25 02:22:02")

    assert with_report(call, FinishedCall(reported, True), "Europe/Berlin").ended_at == start + 122


@pytest.mark.parametrize(
    ("text", "value"), [("false", False), ("true", True), ("False", False), ("0", False)]
)
def test_a_flag_that_became_a_text_is_no_answer_by_itself(text: str, value: bool) -> None:
    """A form, a template or another DAG can make texts of an XCom's values, and every text is true."""
    assert Outcome.from_xcom({"call_session_id": "17", "answered": text}).answered is value


@pytest.mark.parametrize(
    "wrong",
    [
        *({"answered": value} for value in ("no", "maybe", 2, [])),
        *({"tags": value} for value in ("36", {"36": 1}, ["x"])),
        *({"status": "Refused"}, {"observed": "perhaps"}, {"talk_seconds": "long"}),
    ],
)
def test_a_dict_with_another_value_than_a_calls_is_refused_and_not_shown(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not the dict of a call") as refused:
        Outcome.from_xcom({"call_session_id": 17, **wrong})
    assert "Refused" not in str(refused.value)


def test_tags_may_be_texts() -> None:
    assert Outcome.from_xcom({"call_session_id": 17, "tags": ["36", 37]}).tags == (36, 37)
