"""The tables and trees of the documentation agree with the code."""

from __future__ import annotations

import importlib.util
import json
import re
from contextlib import nullcontext

import pytest
from documentation import (
    PAGES,
    READMES,
    ROOT,
    block,
    in_each_language,
    original,
    table,
    tables,
    without_words,
)
from sqlalchemy import create_engine, inspect

from airflow_provider_callapi import exceptions
from airflow_provider_callapi.api import errors
from airflow_provider_callapi.api.methods import METHODS
from airflow_provider_callapi.api.request import Repeat
from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.campaign.engine.redial import REDIAL_DELAYS
from airflow_provider_callapi.calls.campaign.outcomes import RESULT_MEANINGS
from airflow_provider_callapi.calls.outcomes.finish_reasons import finish_reasons
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import NotANumber
from airflow_provider_callapi.calls.phone_numbers.strict import read_contact
from airflow_provider_callapi.calls.single_call import call_journal
from airflow_provider_callapi.cli.definition import get_callapi_cli_commands
from airflow_provider_callapi.connection.hosts import BRANDS
from airflow_provider_callapi.databases.results_table import open_results_table
from airflow_provider_callapi.databases.table_name import TableName
from airflow_provider_callapi.emulator import Fault, Profile
from airflow_provider_callapi.emulator.errors import ERRORS
from airflow_provider_callapi.emulator.profile import PROFILE_NAMES
from airflow_provider_callapi.emulator.remote_control import (
    AdvanceRequest,
    FaultRequest,
    InboundRequest,
    ScriptsRequest,
)
from airflow_provider_callapi.emulator.services.call_api import HANDLERS
from airflow_provider_callapi.notifications.callapi import CallApiNotifier
from airflow_provider_callapi.operators import branch, call_control, start_call
from airflow_provider_callapi.operators.calls_report import CallApiCallsReportOperator
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator
from airflow_provider_callapi.sensors.call_session import CallApiSessionSensor

EXAMPLES = ROOT / "airflow_provider_callapi" / "example_dags"
OPERATORS = {
    operator.request_type.method: name
    for module in (start_call, call_control)
    for name, operator in vars(module).items()
    if name.startswith("CallApi") and "request_type" in vars(operator)
}
"""Method → the name of its Airflow operator, from the code."""


def test_the_tables_of_operators_are_complete_and_correct():
    rows = table("operators/starting.md", "operator") + table("operators/steering.md", "operator")

    assert {row[1]: row[0] for row in rows} == OPERATORS


def test_the_table_of_coverage_is_complete_and_correct():
    rows = {row[0]: row[1:] for row in table("operators/steering.md", "method")}

    assert list(rows) == list(METHODS)
    assert set(HANDLERS) == set(METHODS)
    for method, (request, operator, emulator, component, again) in rows.items():
        kind = METHODS[method]
        assert request == kind.__name__
        assert operator == OPERATORS.get(method, operator), method
        assert operator.startswith("–") is (method not in OPERATORS), method
        assert emulator == "yes"
        assert component == kind.component.name.lower(), method
        assert again == ("no" if kind.repeat is Repeat.NEVER else "yes"), method


def test_the_table_of_faults_is_complete_and_correct():
    rows = {row[0]: row[2] for row in table("emulator.md", "fault")}

    assert rows == {fault.name: "yes" if fault.carried_out else "no" for fault in Fault}


def test_the_table_of_the_profiles_fields_agrees_with_the_code():
    defaults = Profile().model_dump(mode="json")
    expected = [
        [name, json.dumps(defaults[name]), " ".join((field.description or "").replace("`", "").split())]
        for name, field in Profile.model_fields.items()
    ]

    assert table("emulator.md", "field of a profile") == expected


def test_the_table_of_the_packages_profiles_is_complete_and_correct():
    names = [row[0] for row in table("emulator.md", "profile")]
    differences = [Profile.named(name).model_dump(mode="json", exclude_defaults=True) for name in names[1:]]

    def cell(value):
        if isinstance(value, list):
            return ", ".join(value)
        return value if isinstance(value, str) else json.dumps(value)

    expected = [
        [field, *(cell(profile[field]) if field in profile else "–" for profile in differences)]
        for field in Profile.model_fields
        if any(field in profile for profile in differences)
    ]

    assert tuple(names) == PROFILE_NAMES
    assert table("emulator.md", "field that differs") == expected


def test_the_bodies_for_the_remote_control_agree_with_the_code():
    rows = {row[0]: row[1].partition(" (")[0] for row in table("emulator.md", "POST")}
    kinds = {
        "script": ScriptsRequest,
        "fault": FaultRequest,
        "inbound": InboundRequest,
        "clock": AdvanceRequest,
    }

    assert {name: kind.example for name, kind in kinds.items()} == {name: rows[name] for name in kinds}
    for kind in kinds.values():
        assert kind.parse(kind.example)


@pytest.mark.parametrize("module", [exceptions, errors], ids=lambda module: module.__name__)
def test_the_trees_of_errors_agree_with_the_code(module):
    tree = (module.__doc__ or "").partition("::\n\n")[2].partition("\n\n")[0]
    drawn = "\n".join(line.removeprefix("    ").rstrip() for line in tree.splitlines()).rstrip()

    assert drawn.replace("``", "") in PAGES["errors.md"]
    assert f"\n{without_words(drawn)}\n" in without_words(PAGES["ru/errors.md"])


def test_the_table_of_the_journal_agrees_with_the_code():
    says = re.findall(r"^(\w+) {4,}(\S.*)$", call_journal.__doc__ or "", re.MULTILINE)
    assert [tuple(row) for row in table("reliability.md", "journal stage")] == says


@in_each_language("errors.md")
def test_every_mnemonic_of_the_code_is_explained_with_the_class_of_the_code(page):
    rows = [row for rows in tables(page) for row in rows if len(row) == 6]
    explained = {row[0]: row[1:3] for row in rows}
    done = {mnemonic for kind in METHODS.values() for mnemonic in kind.already_done_errors}

    assert len(explained) == len(rows), "a mnemonic has two rows"
    assert set(ERRORS) | set(errors._BY_MNEMONIC) | done <= set(explained)
    for mnemonic, (codes, kind) in explained.items():
        for code in map(int, re.findall(r"-32\d{3}", codes)):
            error = errors.rejection({"code": code, "data": {"mnemonic": mnemonic}}, method="x")
            assert type(error).__name__ == kind, (mnemonic, code)
        if mnemonic in ERRORS:
            assert str(ERRORS[mnemonic][0]) in codes, mnemonic


@in_each_language("errors.md")
def test_only_a_mnemonic_that_means_already_done_is_called_a_success(page):
    rows = {row[0]: row[4] for rows in tables(page) for row in rows if len(row) == 6}
    done = {mnemonic for kind in METHODS.values() for mnemonic in kind.already_done_errors} - {
        "access_token_invalid"
    }

    assert {mnemonic for mnemonic, we in rows.items() if re.search("a success|успехом", we)} == done | {
        "duplicate_entity"
    }


@in_each_language("operators/campaigns.md")
def test_the_results_of_a_campaign_and_their_redials_agree_with_the_code(page):
    rows = table(page, "result")

    meanings = {row[0]: row[1] for row in rows}
    assert set(meanings) == {result.value for result in RESULT_MEANINGS}
    assert page != original(page) or all(meanings[result] == text for result, text in RESULT_MEANINGS.items())
    said = {row[0]: re.match(r"(?:after|через) (\d+) (?:min|мин)", row[2]) for row in rows}
    delays = {name: float(found[1]) * 60 for name, found in said.items() if found}
    assert delays == {result.value: delay for result, delay in REDIAL_DELAYS.items() if delay}


@in_each_language("operators/campaigns.md")
def test_the_columns_of_the_table_of_results_agree_with_the_code(page, tmp_path, monkeypatch):
    file = tmp_path / "dwh.sqlite"
    monkeypatch.setenv("AIRFLOW_CONN_DWH", json.dumps({"conn_type": "sqlite", "host": str(file)}))
    open_results_table(TableName("dwh", "calls"))
    database = create_engine(f"sqlite:///{file}")

    named = [column for row in table(page, "column") for column in row[0].split(", ")]
    assert sorted(named) == sorted(column["name"] for column in inspect(database).get_columns("calls"))


@in_each_language("operators/lists.md")
def test_the_phone_numbers_of_the_table_are_read_as_the_table_shows(page):
    rows = re.findall(r"^\| (.*`.*\d.*`.*) \| (\d{11}|\S+:) ?.*\|$", PAGES[page], re.MULTILINE)

    assert len(rows) >= 8
    for written, read in rows:
        for number in re.findall(r"`([^`]+)`", written):
            with nullcontext() if read.isdigit() else pytest.raises(NotANumber):
                assert read_contact(number, "RU") == read


def test_the_routes_of_the_branch_agree_with_the_code():
    routes = {f"if_{route}" for route in branch.get_args(branch.Route)}

    assert {row[0] for row in table("operators/waiting.md", "route")} == routes


def named_templates(page, subject):
    """Return the parameters that a page's sentence about templates names for an operator or a kind of it."""
    verb = "renders" if page == original(page) else "рендерит"
    pattern = rf"{subject}\s(?:also\s)?{verb}\s[^:.]*:([^.]*)\."
    (named,) = re.findall(pattern, PAGES[page])
    return set(re.findall(r"`(\w+)`", named))


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        ("operators/alerts.md", CallApiNotifier),
        ("operators/call-reports.md", CallApiCallsReportOperator),
        ("operators/campaigns.md", CallApiCampaignOperator),
        ("operators/waiting.md", CallApiSessionSensor),
        ("operators/waiting.md", branch.CallApiBranchOperator),
        ("ru/operators/campaigns.md", CallApiCampaignOperator),
    ],
)
def test_the_page_of_an_operator_names_the_parameters_that_take_templates(page, kind):
    expected = {"dry_run" if name == "is_dry_run" else name for name in kind.template_fields}

    assert named_templates(page, f"`{kind.__name__}`") == expected


@pytest.mark.parametrize(
    ("page", "subject", "module"),
    [
        ("operators/starting.md", "A start operator", start_call),
        ("operators/steering.md", "A control operator", call_control),
    ],
)
def test_the_pages_of_the_api_methods_name_the_other_parameters_that_take_templates(page, subject, module):
    others = set()
    for name, kind in vars(module).items():
        if name in OPERATORS.values():
            assert set(kind.request_type.model_fields) <= set(kind.template_fields)
            others |= set(kind.template_fields) - set(kind.request_type.model_fields)

    assert named_templates(page, subject) == others


def test_every_finish_reason_is_on_its_page_with_the_meaning_of_the_code():
    """A new finish reason needs a row on the page, and a row of the page a finish reason of the code."""
    assert {row[0]: tuple(row[1:]) for row in table("finish-reasons.md", "finish reason")} == {
        name: (reason.meaning, reason.category or "", "yes" if reason.proves_no_answer else "")
        for name, reason in finish_reasons().items()
    }


def test_the_configuration_on_the_page_of_standalone_fits_the_form_of_the_example():
    conf = re.search(r"trigger callapi_informer_call --conf '(.*)'", block(PAGES["standalone.md"], "trigger"))
    example = EXAMPLES.joinpath("informer_call.py").read_text("utf-8")

    assert conf is not None
    for name, value in json.loads(conf[1]).items():
        assert re.search(rf'"{name}": Param\(', example), name
        assert isinstance(value, str)


def test_no_reference_points_to_a_document_that_is_not_in_the_repository():
    """A chapter's number means nothing to a reader who has only the repository."""
    code = [
        *ROOT.glob("airflow_provider_callapi/**/*.py"),
        *ROOT.glob("tests*/**/*.py"),
        *ROOT.glob("demo/*.py"),
    ]
    texts = {path.name: path.read_text("utf-8") for path in code if path.name != "test_docs.py"} | PAGES

    pattern = r"[Ss]ection \d+ of the|notes? §|§ ?\d|\bdesign\.md\b"
    assert {name: found for name, text in texts.items() if (found := re.findall(pattern, text))} == {}


def test_code_blocks_in_docstrings_stay_blocks_in_the_reference():
    spec = importlib.util.spec_from_file_location("docstrings", ROOT / "docs" / "docstrings.py")
    docstrings = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(docstrings)

    page = docstrings.to_markdown("Use ``it``:\n\n.. code-block:: python\n\n    it()\n\nMore.")

    assert page == "Use `it`:\n\n```python\nit()\n```\nMore."


def test_every_command_and_option_is_in_the_tables():
    group = get_callapi_cli_commands()[0]
    options = {flag for command in group.subcommands for arg in command.args for flag in arg.flags}

    commands = {row[0].split()[2] for row in table("command-line.md", "command")}
    assert commands == {command.name for command in group.subcommands}
    named = {row[0].split()[0] for row in table("command-line.md", "option")}
    assert named == {flag for flag in options if flag.startswith("--")} - {"--no-interactive"}


def test_the_page_about_security_names_spellings_that_logs_shorten_and_spellings_that_they_do_not():
    page = ROOT.joinpath("SECURITY.md").read_text("utf-8")
    about = page.partition("every spelling of a number.**")[2].partition("\n- ")[0]
    shortened, _, whole = about.partition("It does not shorten")

    (example,) = re.findall(r"`([^`]*\d[^`]*)`", shortened)
    assert mask_phones(example) == "8916…4567"
    examples = re.findall(r"`([^`]*\d[^`]*)`", whole)
    assert examples
    assert [mask_phones(example) for example in examples] == examples


def test_the_class_names_on_the_pages_agree_with_the_code():
    known = "".join(path.read_text("utf-8") for path in ROOT.glob("airflow_provider_callapi/**/*.py"))

    named = set(re.findall(r"\bCall(?:Api)?[A-Z]\w+", "".join([*PAGES.values(), *READMES.values()])))
    named -= {brand.name for brand in BRANDS}

    assert {name for name in named if not re.search(rf"\bclass {name}\b|^ *{name} = ", known)} == set()
