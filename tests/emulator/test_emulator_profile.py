"""Profiles: each field changes what a client sees, and a wrong profile is an error that names the field."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from profile_story import CUT_OFF, DATA_API, PROFILES, Client, story_seen_by_a_client
from pydantic import ValidationError

from airflow_provider_callapi.emulator import Exchange, Profile, Script
from airflow_provider_callapi.emulator.profile import DOCUMENT, PROFILE_NAMES, OddShape

CHANGES: dict[str, dict[str, Any]] = {
    "talk_is_listed": {"talk_is_listed": "never"},
    "state_language": {"state_language": "english"},
    "appear_delay": {"appear_delay": 2.0},
    "vanish_after": {"vanish_after": 1.0, "vanish_seconds": 2.0},
    "vanish_seconds": {"vanish_seconds": 2.0},
    "start_time_format": {"start_time_format": "utc"},
    "external_id_is_listed": {"external_id_is_listed": False},
    "operator_leg_is_operator": {"operator_leg_is_operator": False},
    "session_reason": {"session_reason": "contact"},
    "own_leg_reasons": {"own_leg_reasons": True},
    "report_delay": {"report_delay": 70.0},
    "ongoing_report_delay": {"ongoing_report_delay": None},
    "ongoing_talk_is_reported": {"ongoing_talk_is_reported": True},
    "ongoing_legs_are_reported": {"ongoing_legs_are_reported": True},
    "talk_duration_from": {"talk_duration_from": "employee"},
    "unanswered_calls_are_lost": {"unanswered_calls_are_lost": False},
    "youngest_date_from": {"youngest_date_from": 21_600.0},
    "future_date_till_is_allowed": {"future_date_till_is_allowed": False},
    "refused_fields": {"refused_fields": {"full_record_file_link": "parameter_component_disabled"}},
    "refused_filters": {"refused_filters": ("call_api_external_id",)},
    "odd_shapes": {"odd_shapes": ("null_tags",)},
    "allowed_ips": {"allowed_ips": ("127.0.0.1", "::1")},
    "call_api_host": {"call_api_host": "callapi.callgear.com"},
    "data_api_host": {"data_api_host": "dataapi.callgear.com"},
    "token_end_field": {"token_end_field": None},
    "login_metadata": {"login_metadata": False},
    "tokens_are_shared": {"tokens_are_shared": True},
    "error_http_status": {"error_http_status": 403},
    "errors_repeat_id": {"errors_repeat_id": False},
    "errors_have_limits": {"errors_have_limits": False},
    "charset_is_required": {"charset_is_required": False},
    "weights": {"weights": {"list.calls": 1}},
    "day_limit": {"day_limit": 750},
    "minute_limit": {"minute_limit": 150},
    "limit_exceeded_leaves_undone": {"limit_exceeded_leaves_undone": False},
    "timezone": {"timezone": "Asia/Yekaterinburg"},
}
"""Field → values that differ from the profile ``document``."""


def test_the_table_of_changes_contains_every_field():
    assert list(CHANGES) == list(Profile.model_fields)


@pytest.mark.parametrize("field", CHANGES)
def test_every_field_changes_what_a_client_sees(field):
    without_field = {name: value for name, value in CHANGES[field].items() if name != field}

    assert story_seen_by_a_client(Profile(**CHANGES[field])) != story_seen_by_a_client(
        Profile(**without_field)
    )


@pytest.mark.parametrize("shape", get_args(OddShape))
def test_every_odd_shape_changes_what_a_client_sees(shape):
    assert story_seen_by_a_client(Profile(odd_shapes=(shape,))) != story_seen_by_a_client(DOCUMENT)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(profile=PROFILES)
def test_a_profile_as_json_behaves_as_the_profile(profile):
    copy = Profile.parse(profile.model_dump_json())

    assert copy == profile
    assert story_seen_by_a_client(copy) == story_seen_by_a_client(profile)


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_every_profile_of_the_package_is_readable_and_works_on_this_machine(name):
    client = Client(Profile.named(name).model_copy(update={"call_api_host": None, "data_api_host": None}))

    assert client.send(DATA_API, "get.tags") is not None
    assert client.send("https://callapi.comagic.ru/v4.0", "list.calls") == []


def test_the_profile_document_has_all_defaults():
    assert Profile.named("document") == DOCUMENT == Profile()


def test_the_brands_differ_in_hosts_and_time_zones():
    brands = [Profile.named(name) for name in ("comagic", "novofon", "callgear")]

    assert len({brand.call_api_host for brand in brands}) == len({brand.timezone for brand in brands}) == 3
    assert [brand.data_api_host for brand in brands] == [
        "dataapi.comagic.ru",
        "dataapi-jsonrpc.novofon.ru",
        "dataapi.callgear.com",
    ]


@pytest.mark.parametrize(
    ("profile", "error"),
    [
        ({"report_dealy": 3}, "report_dealy: there is no such field; report_delay is similar"),
        ({"colour": "red"}, "colour: there is no such field"),
        ({"report_delay": "3"}, "report_delay: Input should be a valid number"),
        ({"report_delay": -1}, "report_delay: Input should be greater than or equal to 0"),
        ({"talk_is_listed": False}, "talk_is_listed: Input should be 'at_answer', 'in_talk' or 'never'"),
        ({"odd_shapes": ["square"]}, "odd_shapes.0: Input should be 'empty_virtual_number'"),
        ({"timezone": "Moscow"}, "timezone: must be an IANA time zone"),
        ({"timezone": "../../etc"}, "timezone: must be an IANA time zone"),
        ([], "the JSON: Input should be an object"),
    ],
)
def test_a_wrong_profile_is_an_error_that_names_the_field(profile, error):
    with pytest.raises(ValueError, match="^" + error.replace(".", r"\.")) as caught:
        Profile.parse(json.dumps(profile))

    assert "\n" not in str(caught.value)


def test_a_text_that_is_not_json_is_an_error():
    with pytest.raises(ValueError, match="the JSON: Invalid JSON"):
        Profile.parse("{report_delay: 3}")


def test_an_unknown_name_is_an_error_that_lists_the_names():
    with pytest.raises(ValueError, match="sean: no such profile; use one of document, seen, comagic"):
        Profile.named("sean")


def test_a_profile_is_loaded_by_name_or_from_a_file(tmp_path):
    file = tmp_path / "measured.json"
    file.write_text('{"report_delay": 7}')

    assert Profile.load("seen") == Profile.named("seen")
    assert Profile.load(str(file)) == Profile(report_delay=7.0)
    file.write_text('{"report_delay": 7}', "utf-8-sig")
    assert Profile.load(str(file)) == Profile(report_delay=7.0)
    with pytest.raises(FileNotFoundError):
        Profile.load(str(tmp_path / "missing.json"))


def test_a_profile_cannot_change():
    with pytest.raises(ValidationError):
        DOCUMENT.report_delay = 3.0


def test_a_reset_keeps_the_profile():
    exchange = Exchange(profile=Profile(report_delay=7.0))
    exchange.report_lag = 30.0
    exchange.reset()

    assert exchange.report_lag == 7.0


def test_an_account_that_a_test_passes_keeps_its_own_settings():
    exchange = Exchange(account=Profile(day_limit=5).new_account(), profile=Profile(day_limit=7))

    assert exchange.account.day_limit == 5
    assert Exchange(profile=Profile(day_limit=7)).account.day_limit == 7


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("ending_leg", "max_out_call_reached"),
        ("operator", "max_out_call_reached"),
        ("contact", "operator_disconnects"),
    ],
)
def test_the_session_has_the_finish_reason_of_the_leg_that_the_profile_states(rule, reason):
    client = Client(Profile(session_reason=rule, own_leg_reasons=True))
    client.exchange.script(CUT_OFF, Script.operator_fails("max_out_call_reached"))
    client.start(CUT_OFF, "start.simple_call", operator="79035550000", first_call="contact")
    client.clock.advance(60)
    (call,) = client.exchange.calls

    assert call.finish_reason == reason
    assert [leg.finish_reason for leg in call.legs] == ["operator_disconnects", "max_out_call_reached"]
    assert [leg.answered_at is not None for leg in call.legs] == [True, False]


def test_the_profile_value_any_gives_the_finish_reasons_of_both_legs():
    client = Client(Profile(session_reason="any"))
    client.exchange.script(CUT_OFF, Script.operator_fails("max_out_call_reached"))
    for _ in range(4):
        client.start(CUT_OFF, "start.simple_call", operator="79035550000", first_call="contact")
    client.clock.advance(60)

    assert {call.finish_reason for call in client.exchange.calls} == {
        "operator_disconnects",
        "max_out_call_reached",
    }
