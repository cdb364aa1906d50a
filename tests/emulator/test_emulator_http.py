"""The exchange on a port: the service, the page, the remote control, the command and the fixture."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.credentials import AccessKey, LoginSession
from airflow_provider_callapi.api.jsonrpc import JsonRpc
from airflow_provider_callapi.api.methods import ListCalls, StartInformerCall
from airflow_provider_callapi.emulator import Emulator, Exchange, Script
from airflow_provider_callapi.emulator.__main__ import main

CONTACT = "79161234567"
HEADERS = {"Content-Type": "application/json; charset=UTF-8"}


def start(contact=CONTACT):
    message = {"type": "tts", "value": "Привет"}
    return StartInformerCall(virtual_phone_number="74993720692", contact=contact, contact_message=message)


def client_of(emulator, credentials=None):
    rpc = JsonRpc(f"{emulator.url}/v4.0", timeout=5)
    clock = emulator.exchange.clock
    return Client(rpc, credentials or AccessKey("demo-key"), clock=clock)


def control(emulator, action, body=None):
    url = f"{emulator.url}/emulator/{action}"
    answer = requests.get(url, timeout=5) if body is None else requests.post(url, json=body, timeout=5)
    return answer.json()


def test_the_fixture_is_an_emulator_in_real_time(callapi_emulator):
    callapi_emulator.exchange.script(CONTACT, Script(rings=0.0, talks=0.3))
    assert abs(callapi_emulator.exchange.clock() - time.time()) < 1
    client = client_of(callapi_emulator)
    client.call(start())
    (session,) = client.call(ListCalls())
    assert session.legs[0].state == "Разговор"
    time.sleep(0.4)
    assert client.call(ListCalls()) == []


def test_an_emulator_over_http_has_the_clock_that_its_exchange_was_given(emulator, clock):
    client = client_of(emulator, LoginSession("demo", "demo-password"))
    client.call(start())
    clock.advance(3)
    (session,) = client.call(ListCalls())
    assert session.legs[0].state == "Разговор"
    assert client.limits is not None
    assert client.limits.minute_remaining == 999


def test_the_connection_is_one_that_airflow_reads(callapi_emulator):
    connection = callapi_emulator.connection()
    assert connection == {
        "conn_type": "callapi",
        "host": "http://127.0.0.1",
        "port": callapi_emulator.port,
        "password": "demo-key",
        "extra": {
            "timezone": "Europe/Moscow",
            "data_api": True,
            "data_api_host": callapi_emulator.url,
        },
    }
    assert callapi_emulator.connection(login=True)["login"] == "demo"
    assert json.loads(json.dumps(connection)) == connection
    callapi_emulator.exchange.account.version = "v4.1"
    assert callapi_emulator.connection()["extra"]["api_version"] == "v4.1"


def test_two_emulators_share_an_exchange(exchange):
    with Emulator(exchange) as one, Emulator(exchange) as other:
        client_of(one).call(start())
        assert len(client_of(other).call(ListCalls())) == 1


def test_the_page_stands_alone_and_shows_the_calls(emulator):
    page = requests.get(emulator.url, timeout=5)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "http://" not in page.text
    assert "https://" not in page.text
    client_of(emulator).call(start())
    client_of(emulator).call(start("79161230000"))
    emulator.exchange.script("79161230000", Script())
    shown = requests.get(f"{emulator.url}/calls.json", timeout=5).json()
    assert [call["contact_phone_number"] for call in shown["active"]] == ["79161230000", CONTACT]
    assert shown["limits"]["minute_remaining"] == 998
    emulator.exchange.clock.advance(20)
    shown = requests.get(f"{emulator.url}/calls.json", timeout=5).json()
    assert shown["active"] == []
    assert shown["finished"][0]["finish_reason"] == "success_finish"


def test_another_process_scripts_moves_time_and_reads_the_journal(emulator):
    scripts = {"scripts": {CONTACT: {"answer": "busy", "rings": 2}}, "default": {"rings": 7}}
    control(emulator, "script", scripts)
    assert emulator.exchange.default_script == Script(rings=7)
    client_of(emulator).call(start())
    now = control(emulator, "clock", {"advance": 2})["now"]
    assert now == emulator.exchange.clock()
    assert control(emulator, "calls")[0]["finish_reason"] == "subscriber_busy"
    assert [entry["kind"] for entry in control(emulator, "journal")] == [
        "start",
        "ring",
        "request",
        "end",
    ]
    fault = {"fault": "HTML", "method": "start.informer_call", "times": 1}
    control(emulator, "fault", fault)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "start.informer_call", "params": {}})
    url = f"{emulator.url}/v4.0"
    assert "Technical works" in requests.post(url, data=body, headers=HEADERS, timeout=5).text
    session = control(emulator, "inbound", {"contact": CONTACT})["call_session_id"]
    assert emulator.exchange.call(session).method == "inbound"
    control(emulator, "reset", {})
    assert control(emulator, "calls") == []


@pytest.mark.parametrize(
    ("action", "body", "field", "says"),
    [
        ("script", {"scripts": {CONTACT: {"ringing": 2}}}, f"scripts.{CONTACT}.ringing", "no such field"),
        ("script", {CONTACT: {"answer": "busy"}}, CONTACT, "no such field"),
        ("script", {"default": {"answer": "maybe"}}, "default.answer", "'busy'"),
        ("script", {"default": {"rings": "long"}}, "default.rings", "number"),
        ("script", [], "the JSON", "object"),
        ("fault", {"fault": "earthquake"}, "fault", "drop_before, drop_after"),
        ("fault", {}, "fault", "required"),
        ("fault", {"fault": "hang", "metod": "list.calls"}, "metod", "no such field"),
        ("inbound", {"contact": CONTACT, "employee_id": 4711}, "employee_id", "25"),
        ("clock", {}, "advance", "required"),
        ("clock", {"advance": -1}, "advance", "greater than or equal to 0"),
    ],
)
def test_a_mistake_in_the_remote_control_is_told_with_its_field(emulator, action, body, field, says):
    answer = requests.post(f"{emulator.url}/emulator/{action}", json=body, timeout=5)

    assert answer.status_code == 400
    told, _, sentence = answer.json()["error"].partition(": ")
    assert told == field
    assert says in sentence


def test_what_is_no_json_is_told(emulator):
    answer = requests.post(f"{emulator.url}/emulator/script", data="{rings: 2}", timeout=5)

    assert (answer.status_code, answer.json()["error"][:23]) == (400, "the JSON: Invalid JSON:")


def test_only_posts_of_a_version_are_the_services(callapi_emulator):
    url = callapi_emulator.url
    assert requests.get(f"{url}/v4.0", timeout=5).status_code == 404
    assert requests.post(f"{url}/other", data="{}", timeout=5).status_code == 404
    chunked = requests.post(f"{url}/v4.0", data=iter([b"{}"]), headers=HEADERS, timeout=5)
    assert chunked.status_code == 411


def test_many_threads_get_a_session_each(exchange):
    exchange.account.minute_limit = 10_000

    def work(number):
        rpc = JsonRpc("https://x/v4.0", new_session=exchange.session)
        client = Client(rpc, AccessKey("demo-key"), clock=exchange.clock)
        for _ in range(10):
            client.call(ListCalls())
            exchange.clock.advance(0.1)
            yield client.call(start(f"7916{number:07d}")).call_session_id

    with ThreadPoolExecutor(8) as pool:
        sessions = [s for part in pool.map(lambda n: list(work(n)), range(8)) for s in part]
    assert len(set(sessions)) == 80
    assert exchange.limits()["day_remaining"] == 100_000 - 80
    assert [exchange.rings(f"7916{number:07d}") for number in range(8)] == [10] * 8
    exchange.clock.advance(60)
    assert exchange.active_calls == []


def test_the_command_prints_a_connection_and_ends_cleanly(tmp_path):
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"default": {"rings": 1}}))
    command = [sys.executable, "-m", "airflow_provider_callapi.emulator", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--speed", "1000", "--script", str(script)],
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
        assert requests.get(f"http://127.0.0.1:{port}/calls.json", timeout=5).ok
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (0, "")
    finally:
        process.kill()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--port", "{taken}"], "--port {taken}: .*in use"),
        (["--host", "203.0.113.1"], "--host 203.0.113.1 "),
        (["--port", "70000"], "--port: a number from 0 to 65535"),
        (["--speed", "0"], "--speed: a number above 0"),
        (["--speed", "fast"], "--speed: a number above 0"),
        (["--script", "nowhere.json"], "--script: .*nowhere.json"),
        (["--script", "{bad}"], "--script: default.answer: "),
    ],
)
def test_a_wrong_option_of_the_command_is_told_in_one_line(emulator, tmp_path, capsys, arguments, says):
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps({"default": {"answer": "maybe"}}))
    given = {"taken": emulator.port, "bad": bad}

    try:
        code = main([argument.format(**given) for argument in arguments])
    except SystemExit as error:  # argparse's way
        code = error.code

    assert code == 2
    told = capsys.readouterr().err
    assert re.search(f"error: .*{says.format(**given)}", told.splitlines()[-1])
    assert "Traceback" not in told


def test_the_pytest_plugin_is_cheap_to_import():
    code = (
        "import sys; import airflow_provider_callapi.emulator.pytest_plugin;"
        "heavy = {'uvicorn', 'starlette', 'requests', 'pydantic', 'airflow', 'pendulum'};"
        "print(*heavy & set(sys.modules))"
    )
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr


def test_the_public_names_are_there():
    import airflow_provider_callapi.emulator as package

    for name in package.__all__:
        assert getattr(package, name).__name__ == name
    with pytest.raises(AttributeError):
        package.Nothing  # noqa: B018
    assert package.Exchange is Exchange
