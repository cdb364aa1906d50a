"""The command: its connection, its end, and its errors."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys

import pytest
import requests

from airflow_provider_callapi.emulator.__main__ import main


def test_the_command_prints_a_connection_and_ends_cleanly(tmp_path):
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"default": {"rings": 1}}))
    command = [sys.executable, "-m", "airflow_provider_callapi.emulator", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--speed", "1000", "--script", str(script), "--profile", "callgear", "--load", "7"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        line = process.stdout.readline()
        name, _, connection = line.strip().partition("=")
        assert name == "export AIRFLOW_CONN_CALLAPI_DEFAULT"
        port = json.loads(connection.strip("'"))["port"]
        assert json.loads(connection.strip("'"))["extra"]["timezone"] == "Europe/Berlin"
        assert requests.get(f"http://127.0.0.1:{port}/calls.json", timeout=5).json()["active"]
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (0, "")
    finally:
        process.kill()


def test_the_default_port_is_not_the_port_of_airflow(capsys):
    from airflow.configuration import conf

    with pytest.raises(SystemExit):
        main(["--help"])
    shown = re.search(r"port to listen on \(default:\s+(\d+)\)", capsys.readouterr().out)
    assert shown is not None
    assert int(shown[1]) == 8484 != conf.getint("api", "port")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "{taken}"], "--port {taken}: .*in use"),
        (["--host", "203.0.113.1"], "--host 203.0.113.1 "),
        (["--port", "70000"], "--port: must be a number from 0 to 65535"),
        (["--speed", "0"], "--speed: must be a number greater than 0"),
        (["--speed", "fast"], "--speed: must be a number greater than 0"),
        (["--load", "0"], "--load: must be a number from 1 to 100000"),
        (["--load", "many"], "--load: must be a number from 1 to 100000"),
        (["--notify", "localhost:8080/callapi"], "--notify: must be a URL that begins with http://"),
        (["--notify", "http://["], "--notify: must be a URL that begins with http://"),
        (["--profile", "sean"], "--profile: .*sean"),
        (["--profile", "{bad}"], "--profile: default: there is no such field"),
        (["--script", "nowhere.json"], "--script: .*nowhere.json"),
        (["--script", "{bad}"], "--script: default.answer: "),
    ],
)
def test_the_command_reports_a_wrong_option_in_one_line(emulator, tmp_path, capsys, arguments, message):
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps({"default": {"answer": "maybe"}}))
    given = {"taken": emulator.port, "bad": bad}

    try:
        code = main([argument.format(**given) for argument in arguments])
    except SystemExit as error:  # argparse exits
        code = error.code

    assert code == 2
    stderr = capsys.readouterr().err
    assert re.search(f"error: .*{message.format(**given)}", stderr.splitlines()[-1])
    assert "Traceback" not in stderr
