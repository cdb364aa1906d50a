"""The definition of the ``airflow callapi`` commands: found by Airflow, and cheap to import."""

from __future__ import annotations

import subprocess
import sys

import pytest

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


def test_the_group_is_found_by_airflow_and_lists_its_commands():
    from airflow.cli import cli_parser

    group = cli_parser.ALL_COMMANDS_DICT["callapi"]

    assert sorted(command.name for command in group.subcommands) == COMMANDS


def test_the_definitions_cost_the_start_of_airflows_cli_nothing_heavy():
    code = (
        "import sys, airflow.cli.cli_config, airflow_provider_callapi; before = set(sys.modules);"
        "from airflow_provider_callapi.cli.definition import get_callapi_cli_commands as get; get();"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.split() == [
        "airflow_provider_callapi.cli",
        "airflow_provider_callapi.cli.definition",
    ]
