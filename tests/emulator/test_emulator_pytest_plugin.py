"""The fixture ``callapi_emulator``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from emulator_client import CONTACT, http_client, informer_call

from airflow_provider_callapi.api.methods import ListCalls
from airflow_provider_callapi.emulator import Profile, Script


def test_the_fixture_is_an_emulator_in_real_time(callapi_emulator):
    callapi_emulator.exchange.script(CONTACT, Script(rings=0.0, talks=0.3))
    assert abs(callapi_emulator.exchange.clock() - time.time()) < 1
    client = http_client(callapi_emulator)
    client.call(informer_call())
    (session,) = client.call(ListCalls())
    assert session.legs[0].state == "Разговор"
    time.sleep(0.4)
    assert client.call(ListCalls()) == []


@pytest.mark.parametrize(
    ("callapi_profile", "state"),
    [("document", "Разговор"), (Profile(state_language="english"), "Conversation")],
)
def test_a_test_chooses_the_profile_of_the_fixture(callapi_emulator, state):
    callapi_emulator.exchange.script(CONTACT, Script(rings=0.0, talks=None))
    client = http_client(callapi_emulator)
    client.call(informer_call())
    (session,) = client.call(ListCalls())
    assert session.legs[0].state == state


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


PAGE = Path(__file__).parents[2] / "docs" / "emulator.md"

USERS_TESTS = f"""
import pytest
import requests

from airflow_provider_callapi.emulator import Emulator, Script

CONTACT, OTHER = "{CONTACT}", "79169990000"


def ring(emulator, method, params):
    params |= {{"access_token": emulator.exchange.account.key, "virtual_phone_number": "74993720692"}}
    body = {{"jsonrpc": "2.0", "id": 1, "method": method, "params": params}}
    headers = {{"Content-Type": "application/json; charset=UTF-8"}}
    assert "result" in requests.post(emulator.url + "/v4.0", json=body, headers=headers, timeout=5).json()


def inform(emulator, contact):
    message = {{"type": "tts", "value": "Hello"}}
    ring(emulator, "start.informer_call", {{"contact": contact, "contact_message": message}})


def test_expected(callapi_emulator):
    callapi_emulator.exchange.expect_ring(CONTACT, Script(rings=0.1))
    callapi_emulator.exchange.expect_no_other_rings()
    inform(callapi_emulator, CONTACT)


def test_unexpected(callapi_emulator):
    callapi_emulator.exchange.expect_ring(CONTACT, Script(rings=0.1))
    callapi_emulator.exchange.expect_no_other_rings()
    inform(callapi_emulator, CONTACT)
    inform(callapi_emulator, OTHER)


def test_twice(callapi_emulator):
    callapi_emulator.exchange.expect_ring(CONTACT)
    inform(callapi_emulator, CONTACT)
    inform(callapi_emulator, CONTACT)


def test_without_expectations(callapi_emulator):
    inform(callapi_emulator, OTHER)


def test_with_an_error_of_its_own(callapi_emulator):
    callapi_emulator.exchange.expect_ring(CONTACT)
    raise ValueError("its own error")


def ring_later(emulator):
    params = {{"first_call": "operator", "operator": "79260000055", "contact": CONTACT}}
    ring(emulator, "start.simple_call", params)


def test_expected_after_the_end(callapi_emulator):
    callapi_emulator.exchange.expect_ring(CONTACT)
    ring_later(callapi_emulator)


def test_unexpected_after_the_end(callapi_emulator):
    callapi_emulator.exchange.script("79260000055", Script())
    callapi_emulator.exchange.expect_no_other_rings()
    ring_later(callapi_emulator)


@pytest.fixture
def exchange(request):
    return request.getfixturevalue("callapi_emulator").exchange


def test_another_fixture_uses_the_emulator(exchange):
    exchange.expect_ring(CONTACT)
"""


def block_of_the_page(name: str) -> str:
    """Return the code block of docs/emulator.md with this mark."""
    found = re.search(rf"<!-- test: {name} -->\n```\w+\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found, name
    return found[1]


def run_pytest(folder: Path) -> str:
    """Run the tests of a user in a separate pytest, and return its report."""
    folder.joinpath("test_calls.py").write_text(USERS_TESTS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", "--rootdir", folder],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.fixture(scope="module")
def run_of_users_tests(tmp_path_factory) -> str:
    return run_pytest(tmp_path_factory.mktemp("project"))


def outcomes(report: str) -> dict[str, str]:
    lines = re.findall(r"^(\w+) test_calls\.py::(\w+)", report, re.MULTILINE)
    return {test: outcome for outcome, test in lines}


def test_a_test_fails_after_rings_that_it_does_not_expect(run_of_users_tests):
    assert outcomes(run_of_users_tests) == {
        "test_expected": "PASSED",
        "test_unexpected": "FAILED",
        "test_twice": "FAILED",
        "test_without_expectations": "PASSED",
        "test_expected_after_the_end": "PASSED",
        "test_unexpected_after_the_end": "FAILED",
        "test_with_an_error_of_its_own": "FAILED",
        "test_another_fixture_uses_the_emulator": "FAILED",
    }


def test_the_failure_shows_the_masked_number_and_the_method(run_of_users_tests):
    shown = run_of_users_tests

    assert "start.informer_call rang 7916…0000 (contact) once. The test does not expect this call." in shown
    assert block_of_the_page("failure") in shown
    assert "start.informer_call rang 7916…4567 (contact) 2 times. The test expects 1 ring." in shown


def test_a_test_that_fails_by_itself_keeps_its_own_error(run_of_users_tests):
    (section,) = re.findall(
        r"_ test_with_an_error_of_its_own _+\n(.*?)\n_{10}", run_of_users_tests, re.DOTALL
    )

    assert "ValueError: its own error" in section
    assert "did not ring" not in section


def test_a_fixture_of_the_project_with_the_same_name_checks_the_rings_too(tmp_path):
    tmp_path.joinpath("conftest.py").write_text(block_of_the_page("manual"))

    found = outcomes(run_pytest(tmp_path))

    assert (found["test_expected"], found["test_twice"]) == ("PASSED", "FAILED")


def test_the_strict_fixture_of_the_page_checks_every_test(tmp_path):
    tmp_path.joinpath("conftest.py").write_text(block_of_the_page("strict"))

    found = outcomes(run_pytest(tmp_path))

    assert (found["test_expected"], found["test_without_expectations"]) == ("PASSED", "FAILED")
