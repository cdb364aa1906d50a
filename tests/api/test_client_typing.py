"""mypy in strict mode, with the project's settings, infers the type that ``client.call`` returns."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def mypy(source: Path, cache: Path) -> list[str]:
    """Return the errors that mypy finds in a file."""
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", "--strict"]
    command += ["--no-error-summary", "--hide-error-context", "--no-color-output"]
    command += ["--follow-imports", "silent", "--cache-dir", str(cache), str(source)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if ": error:" in line]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy")


@pytest.mark.timeout(240)
def test_a_type_checker_knows_every_answer(cache: Path) -> None:
    assert mypy(HERE / "typing_client.py", cache) == []


WRONG = """
from typing import assert_type
from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.methods import ListCalls, Message, Request, TagCall
from airflow_provider_callapi.api.models import Done, StartedCall

def wrong(client: Client) -> None:
    assert_type(client.call(TagCall(call_session_id=1, tag_id=2)), StartedCall)  # assert-type
    assert_type(client.call(ListCalls()), Done)  # assert-type
    client.call(ListCalls()).call_session_id  # attr-defined
    TagCall(call_session_id="1", tag_id=2)  # arg-type
    TagCall(call_session_id=1)  # call-arg
    TagCall(call_session_id=1, tag_id=2, colour="red")  # call-arg
    Message(type="mp3", value="1")  # arg-type
    request: Request[StartedCall] = ListCalls()  # assignment
    client.call("list.calls")  # arg-type
"""


@pytest.mark.timeout(240)
def test_a_type_checker_refuses_each_wrong_use(cache: Path, tmp_path: Path) -> None:
    source = tmp_path / "wrong.py"
    source.write_text(WRONG)
    found = {
        (int(match[1]), match[2])
        for line in mypy(source, cache)
        if (match := re.search(r":(\d+): error: .*\[([a-z-]+)\]$", line))
    }
    expected = {
        (number, line.rsplit("# ", 1)[1])
        for number, line in enumerate(WRONG.splitlines(), 1)
        if "  # " in line
    }
    assert expected <= found, (expected - found, found)
