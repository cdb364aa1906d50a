"""The definition of the ``airflow callapi`` commands: found by Airflow, and cheap to import."""

from __future__ import annotations

import argparse
import subprocess
import sys

import pytest

from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.api.values.object_ids import LARGEST_ID
from airflow_provider_callapi.cli.definition import _SESSION_ID

pytestmark = pytest.mark.needs_airflow("3.2", "commands of providers")

COMMANDS = [
    "calls",
    "campaigns",
    "check",
    "employees",
    "emulator",
    "find",
    "limits",
    "media",
    "numbers",
    "release",
    "scenarios",
    "tags",
    "talk-options",
    "verify",
]


def test_airflow_finds_the_command_group_with_its_commands():
    from airflow.cli import cli_parser

    group = cli_parser.ALL_COMMANDS_DICT["callapi"]

    assert sorted(command.name for command in group.subcommands) == COMMANDS


@pytest.fixture(scope="module")
def imported() -> list[list[str]]:
    """What a process imports for the definitions, and what it then imports for the commands."""
    code = """
import sys
import airflow.cli.cli_config, airflow_provider_callapi

before = set(sys.modules)
from airflow_provider_callapi.cli.definition import get_callapi_cli_commands

get_callapi_cli_commands()
print(*sorted(set(sys.modules) - before))
import airflow.cli.cli_parser
import airflow.cli.commands.connection_command

airflow.cli.cli_parser.get_parser()
before = set(sys.modules)
import airflow_provider_callapi.cli.account_lists
import airflow_provider_callapi.cli.commands
import airflow_provider_callapi.cli.find_call

print(*sorted(set(sys.modules) - before))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True
    )
    lines = done.stdout.splitlines()
    return [lines[0].split(), lines[-1].split()]  # Airflow may print log lines between them


def test_the_definitions_import_only_themselves_at_the_start_of_airflows_cli(imported):
    assert imported[0] == [
        "airflow_provider_callapi.cli",
        "airflow_provider_callapi.cli.definition",
    ]


ROOMS_OF_A_COMMAND = {
    "api", "calls", "cli", "connection", "databases", "exceptions", "hooks", "observability", "parameters",
    "system_clock",
    "supervision",
}  # fmt: skip
HTTP_CLIENT = {"certifi", "charset_normalizer", "idna", "requests", "urllib3"}


def test_a_command_imports_only_the_http_client_and_a_few_packages_of_the_provider(imported):
    added = [name.split(".") for name in imported[1]]
    rooms = {room for package, *room in added if package == "airflow_provider_callapi" for room in room[:1]}
    packages = {package for package, *_ in added if not package.startswith("_")}
    assert rooms <= ROOMS_OF_A_COMMAND
    assert packages - sys.stdlib_module_names <= HTTP_CLIENT | {"airflow", "airflow_provider_callapi"}


@pytest.mark.parametrize("session", ["0", "00", "-5", "1.5", "x", "", "٣", "9" * 5000, str(LARGEST_ID + 1)])
def test_release_refuses_a_value_that_is_no_session_id_in_one_sentence(capsys, session):
    parser = argparse.ArgumentParser()
    _SESSION_ID.add_to_parser(parser)

    with pytest.raises(SystemExit):
        parser.parse_args(["--", session])

    assert "a session id is a whole number from 1" in capsys.readouterr().err


def test_release_accepts_the_largest_session_id_that_a_list_of_calls_can_contain():
    parser = argparse.ArgumentParser()
    _SESSION_ID.add_to_parser(parser)

    session = CallSession(call_session_id=LARGEST_ID).call_session_id
    assert parser.parse_args([str(session)]).call_session_id == session
