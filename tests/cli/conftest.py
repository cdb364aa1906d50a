"""The fixture that runs a command of ``airflow callapi`` through Airflow's own parser."""

from __future__ import annotations

from types import SimpleNamespace

import pytest


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
        return SimpleNamespace(code=code, out=out, err=err)

    return run
