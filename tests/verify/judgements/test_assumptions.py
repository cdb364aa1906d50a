"""The table: a verdict for each assumption, and the settings to change, with a margin."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from verify_world import CONTACT, World

from airflow_provider_callapi.calls.watching.poll_interval import POLL_INTERVAL
from airflow_provider_callapi.emulator import Profile, Script
from airflow_provider_callapi.operators._call.base_operator import StartCallOperator
from airflow_provider_callapi.verify.findings import CallSeen, Findings, LegSeen
from airflow_provider_callapi.verify.judgements import judgement
from airflow_provider_callapi.verify.judgements.assumptions import ASSUMPTIONS, Row, table
from airflow_provider_callapi.verify.judgements.judgement import Context, with_margin
from airflow_provider_callapi.verify.probes import PROBES

PICKED_UP = "The legs' report shows that the contact picked up, whatever the reason of the call is."
NOT_PICKED_UP = "The legs' report shows that the contact did not pick up."


def rows_of(world: World, findings: Findings, *, has_data_api: bool = True) -> dict[str, Row]:
    context = Context(findings, world.options.timezone, has_data_api, world.clock())
    return {row.assumption: row for row in table(context)}


def test_the_defaults_agree_with_those_of_the_operators():
    parameters = inspect.signature(StartCallOperator.__init__).parameters

    assert parameters["appear_timeout"].default == judgement.APPEAR_TIMEOUT
    assert parameters["report_timeout"].default == judgement.REPORT_TIMEOUT
    assert parameters["poll_interval"].default == POLL_INTERVAL


def test_every_probe_belongs_to_an_assumption_and_every_named_probe_exists():
    named = {name for assumption in ASSUMPTIONS for name in assumption.probes}

    assert named == {probe.name for probe in PROBES}


@given(st.floats(0, 10_000))
def test_a_margin_is_at_least_twice_the_measurement(seconds):
    assert with_margin(seconds) >= 2 * seconds + 10
    assert with_margin(seconds) % 5 == 0


@pytest.mark.parametrize(
    ("change", "assumption", "settings"),
    [
        ({"appear_delay": 40.0}, "list.calls shows a placed call soon.", {"appear_timeout": "90"}),
        (
            {"vanish_after": 2.0, "vanish_seconds": 6.0},
            "list.calls shows an active call until its end.",
            {"poll_interval": "25"},
        ),
        ({"report_delay": 100.0}, "The report contains a finished call soon.", {"report_timeout": "215"}),
        (
            {"timezone": "Asia/Kolkata"},
            "The connection has the account's time zone.",
            {"timezone": "Asia/Kolkata"},
        ),
        (
            {"weights": {"list.calls": 1}, "day_limit": 1_000},
            "list.calls costs no points.",
            {"poll_interval": "173"},
        ),
        (
            {"ongoing_report_delay": None, "report_delay": 100.0},
            "The report with ongoing calls contains an active call soon.",
            {"absence_proven_after": "1030"},
        ),
        (
            {"ongoing_report_delay": None, "external_id_is_listed": False},
            "The report with ongoing calls contains an active call soon.",
            {"absence_proven_after": "leave empty"},
        ),
        ({"talk_is_listed": "never"}, "The contact's leg shows a state of talking from the answer on.", {}),
        ({"youngest_date_from": 90_000.0}, "The reports accept a date_from of a day ago.", {}),
        ({"odd_shapes": ("null_tags",)}, "The values in answers have the documented shapes.", {}),
        (
            {"refused_filters": ("id",)},
            "The reports accept all fields and filters that the package uses.",
            {},
        ),
        ({"operator_leg_is_operator": False}, "An operator who is no employee has is_operator.", {}),
    ],
)
def test_an_assumption_that_does_not_hold_is_contradicted_with_the_setting_to_change(
    change, assumption, settings, tmp_path
):
    world = World(Profile(**change), tmp_path / "state.json")

    row = rows_of(world, world.verify())[assumption]

    assert (row.verdict, row.settings) == ("contradicted", settings)


def test_a_service_as_documented_contradicts_only_the_second_witness(tmp_path):
    world = World(Profile(), tmp_path / "state.json", login=True)

    rows = rows_of(world, world.verify())

    assert {text: row.verdict for text, row in rows.items() if row.verdict != "confirmed"} == {
        "The reports show the answer of an active call.": "contradicted",
        "A start request without points left places no call.": "not known",
    }
    assert {name: value for row in rows.values() for name, value in row.settings.items()} == {
        "absence_proven_after": "300"
    }


def test_a_service_that_does_not_list_external_ids_makes_the_data_api_necessary(tmp_path):
    world = World(Profile(external_id_is_listed=False), tmp_path / "state.json", data_api=False)

    row = rows_of(world, world.verify("heard"), has_data_api=False)["list.calls contains the external_id."]

    assert (row.verdict, row.settings) == ("contradicted", {"data_api": "true"})


def test_an_assumption_without_findings_is_unknown_and_names_its_probes(tmp_path):
    world = World(Profile(), tmp_path / "state.json")

    rows = rows_of(world, Findings(refusals={"heard": "the start request failed: component_disabled"}))

    assert {row.verdict for row in rows.values()} == {"not known"}
    assert rows["list.calls costs no points."].seen == "run the probes points"
    assert "heard: the start request failed" in rows["list.calls shows a placed call soon."].seen


def test_a_person_who_does_not_pick_up_contradicts_no_assumption(tmp_path):
    world = World(Profile(), tmp_path / "state.json")
    world.say = world.said.append
    world.exchange.script(CONTACT, Script.no_answer())

    rows = rows_of(world, world.verify("heard", "hung_up", "dead_operator"))

    assert rows[PICKED_UP].verdict == "not known"


def test_a_mailbox_that_answers_is_named_where_no_answer_was_expected(tmp_path):
    world = World(Profile(), tmp_path / "state.json")
    world.say = world.said.append

    row = rows_of(world, world.verify("not_answered"))[NOT_PICKED_UP]

    assert row.verdict == "contradicted"
    assert "a mailbox or a person has answered" in row.seen


def test_an_answered_call_whose_legs_show_no_answer_contradicts_the_assumption(tmp_path):
    legs = [LegSeen(side="contact", finish_reason="sip_offline"), LegSeen(side="operator")]
    findings = Findings(calls={"dead_operator_1": CallSeen(legs=legs, finish_reason="sip_offline")})

    assert rows_of(World(Profile(), tmp_path / "s"), findings)[PICKED_UP].verdict == "contradicted"


def test_no_absence_is_proven_while_no_measurement_shows_that_a_service_shows_the_external_id(tmp_path):
    findings = Findings(calls={"talk": CallSeen(ongoing_asked_until=60.0)})

    row = rows_of(World(Profile(), tmp_path / "s"), findings)[
        "The report with ongoing calls contains an active call soon."
    ]

    assert row.settings == {"absence_proven_after": "leave empty"}


@pytest.mark.parametrize(
    ("call", "seen"),
    [
        (
            CallSeen(appeared=1, gaps=[(4, 7)], ended=20, left_list=20),
            "7 s, 4 s after its appearance",
        ),
        (CallSeen(appeared=1, gaps=[(4, 2)], ended=20, left_list=10), "8 s, before its end"),
    ],
)
def test_the_longest_absence_of_a_call_is_named_with_its_place(call, seen, tmp_path):
    world = World(Profile(), tmp_path / "state.json")

    row = rows_of(world, Findings(calls={"heard_1": call}))["list.calls shows an active call until its end."]

    assert row.seen == f"missing for {seen}"


def test_a_connection_zone_with_the_times_of_the_accounts_zone_is_right(tmp_path):
    world = World(Profile(), tmp_path / "state.json")
    world.options = replace(world.options, timezone="Europe/Simferopol")  # the account is in Europe/Moscow

    row = rows_of(world, world.verify(with_calls=False))["The connection has the account's time zone."]

    assert (row.verdict, row.settings) == ("confirmed", {})
