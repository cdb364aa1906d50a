"""Commands of ``airflow callapi``, run through Airflow's own parser, and a call that they can show."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from airflow_fakes import CONTACT, VNUMBER

from airflow_provider_callapi.api.methods import StartEmployeeCall
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.hooks.callapi import CallApiHook


@dataclass
class CommandRun:
    """What a command has written, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def failed_with_one_line(self) -> bool:
        """Whether the command failed with one line on stderr, nothing on stdout and exit code 1."""
        lines = [line for line in self.err.splitlines() if line.startswith("airflow callapi: ")]
        return self.code == 1 and not self.out and len(lines) == 1 and "Traceback" not in self.err


@pytest.fixture
def callapi(connection, monkeypatch, capsys):
    """Return a function that runs a command and returns its exit code, stdout and stderr."""
    from airflow.cli import cli_parser

    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")  # undone afterwards: a command sets it

    def run(*command):
        capsys.readouterr()
        args = cli_parser.get_parser().parse_args(["callapi", *command])
        try:
            args.func(args)
            code = 0
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        return CommandRun(code, out, err)

    return run


@pytest.fixture
def talk(callapi, exchange):
    """Return the session id of a call that lasts until it is released."""
    exchange.default_script = Script(rings=0, employee_rings=0, talks=None)
    employees = exchange.account.employees
    employees[25] = replace(employees[25], full_name="Иванова [bold] Анна")
    with CallApiHook() as hook:
        request = StartEmployeeCall(
            virtual_phone_number=VNUMBER,
            contact=CONTACT,
            first_call="contact",
            employee={"id": 25},
            external_id="order-[bold]-7",
        )
        return hook.call(request).call_session_id
