"""The plan states what a run does, and the transcript in the documentation is a real run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from known_numbers import VNUMBER
from verify_world import CONTACT, DEAD, SECOND, World

from airflow_provider_callapi.emulator import Profile
from airflow_provider_callapi.verify.bench import Options
from airflow_provider_callapi.verify.judgements.assumptions import table
from airflow_provider_callapi.verify.judgements.judgement import Context
from airflow_provider_callapi.verify.probes import MOST_CALLS, PROBES, select
from airflow_provider_callapi.verify.rendering import can_run, plan_text, table_text

PAGE = Path(__file__).parents[2] / "docs" / "verify.md"
WIDTH = 110


def plan(options: Options, *only: str, finished: tuple[str, ...] = (), with_calls: bool = True) -> str:
    probes = select(only, with_calls=with_calls)
    return " ".join(plan_text(probes, options, conn_id="callapi_default", finished=finished).split())


def table_of_probes() -> str:
    rows = [
        f"| `{probe.name}` | {probe.finds} | {probe.calls or '–'} | {probe.points or 'all of a minute'} |"
        for probe in PROBES
    ]
    return "\n".join(rows)


def transcript(folder: Path) -> str:
    world = World(Profile.named("seen"), folder / "state.json", login=True)
    text = plan_text(select(), world.options, conn_id="callapi_default", finished=[])
    findings = world.verify()
    context = Context(findings, world.options.timezone, has_data_api=True, now=world.clock())
    return "\n".join([text, "Begin? (y/n) y", *world.said, table_text(table(context), WIDTH), ""])


@pytest.mark.needs_airflow("3.2", "commands of providers, and a newer library for tables")
def test_the_transcript_in_the_documentation_is_a_real_run(tmp_path):
    found = re.search(r"<!-- test: transcript -->\n```text\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)

    assert found
    assert found[1] == transcript(tmp_path)


def test_the_table_of_probes_in_the_documentation_agrees_with_the_code():
    assert table_of_probes() in PAGE.read_text("utf-8")


def test_the_plan_states_calls_points_and_bound():
    text = plan(Options(CONTACT, VNUMBER, DEAD, SECOND))

    assert "It places 8 calls to the phone that --contact names" in text
    assert f"never more than {MOST_CALLS} in total" in text
    assert re.search(r"about \d+ points \(rate-limit units\), and takes about \d+ minutes", text)
    assert not any(number in text for number in (CONTACT, VNUMBER, DEAD, SECOND))


def test_the_plan_names_the_omitted_and_the_finished_probes():
    text = plan(Options(CONTACT, VNUMBER), finished=("heard", "errors"))

    assert "It places 3 calls" in text
    assert "Left out: dead_operator, which needs --dead-operator." in text
    assert "Left out: talk, which needs --second-number." in text
    assert "Already done: errors, heard." in text


def test_the_plan_of_a_finished_run_is_empty():
    names = tuple(probe.name for probe in PROBES)

    assert plan(Options(CONTACT, VNUMBER), finished=names).startswith("There is nothing left to do")


def test_a_plan_whose_probes_all_lack_a_number_names_the_numbers():
    text = plan(Options(CONTACT, VNUMBER), "dead_operator", "talk")

    assert text.startswith(
        "There is nothing left to do. Left out: dead_operator, which needs --dead-operator."
    )


def test_the_plan_without_calls_places_none():
    assert "It places no call." in plan(Options(), with_calls=False)
    assert not any(probe.calls for probe in select(with_calls=False))


def test_using_up_the_points_runs_only_on_request_and_with_a_warning():
    assert "limit_exceeded" not in [probe.name for probe in select()]
    assert "Warning: limit_exceeded uses up all points" in plan(Options(CONTACT, VNUMBER), "limit_exceeded")


def test_an_unknown_probe_is_an_error_that_lists_the_names():
    with pytest.raises(ValueError, match="herd: there is no such probe; use one of errors, login, points"):
        select(["herd"])


def test_a_probe_runs_only_with_the_numbers_that_it_needs():
    runnable = [probe.name for probe in PROBES if can_run(probe, Options(None, VNUMBER, DEAD, SECOND))]

    assert runnable == [probe.name for probe in PROBES if not probe.calls]


@pytest.mark.parametrize("name", ["document", "seen", "callgear"])
def test_the_points_of_the_plan_are_about_the_points_of_the_run(name, tmp_path):
    world = World(Profile.named(name), tmp_path / "state.json", login=True)
    world.verify()
    account, now = world.exchange.account, world.clock()

    services = (world.exchange.call_api, world.exchange.services["v2.0"])
    used = sum(
        account.day_limit - service.points(account).limits(now)["day_remaining"] for service in services
    )

    planned = sum(probe.points for probe in select())
    assert used <= planned <= 2 * used


@pytest.mark.parametrize("width", [40, 80, 110, 200])
def test_the_table_fits_the_terminal_and_breaks_no_verdict(width, tmp_path):
    world = World(Profile.named("seen"), tmp_path / "state.json")
    text = table_text(
        table(Context(world.verify("errors", "heard"), "Europe/Moscow", True, world.clock())), width
    )

    assert max(map(len, text.splitlines())) <= max(width, 110)
    verdicts = {line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")}
    assert verdicts == {"", "verdict", "confirmed", "contradicted", "not known"}
