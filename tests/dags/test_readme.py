"""The README's commands and its DAG work for a newcomer, word for word, in a separate Airflow."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from documentation import README, READMES, ROOT, block
from packaging.version import Version

pytestmark = pytest.mark.example

COMMANDS = os.environ.get("CALLAPI_README_COMMANDS", Path(sys.executable).parent)
"""The folder of ``airflow`` and ``python``. tests_package/ sets the folder of another environment."""
PORT = "8484"
"""The README's port. The test replaces it with a free port."""
MOST_LINES = 150
PATIENCE = 240.0


@pytest.fixture
def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


@pytest.fixture
def newcomer(tmp_path, free_port):
    """Return a function that runs the README's blocks in one shell, in an environment with only Airflow."""
    home = tmp_path / "home"
    home.mkdir()
    bin_folder = tmp_path / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    (bin_folder / "activate").write_text(f"PATH={COMMANDS}:$PATH\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}

    shells = []

    def run(*blocks):
        script = "\n".join(["set -eo pipefail", *blocks]).replace(PORT, free_port)
        with output.open("w") as file:
            shells.append(
                subprocess.Popen(
                    [shutil.which("bash"), "-c", script],
                    cwd=tmp_path,
                    env={**environment, "HOME": str(home)},
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # the group's id also ends the exchange
                )
            )
        assert shells[-1].wait(timeout=PATIENCE) == 0, output.read_text()[-5000:]
        return output.read_text()

    output = tmp_path / "output"
    run.dag_file = home / "callapi-airflow" / "dags" / "reminder.py"
    yield run
    for shell in shells:
        with suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)


def closes(port):
    """Return whether the port closes within a minute. A server first finishes its answers before it ends."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)):
                return True
        time.sleep(0.1)
    return False


@pytest.fixture(scope="module")
def has_check():
    """Return whether the Airflow in ``COMMANDS`` has ``airflow callapi check``."""
    ask = "from importlib.metadata import version; print(version('apache-airflow-core'))"
    answer = subprocess.run([Path(COMMANDS) / "python", "-c", ask], stdout=subprocess.PIPE, check=True)
    return Version(answer.stdout.decode()) >= Version("3.2")


@pytest.mark.timeout(300)
def test_the_exact_steps_of_the_readme_lead_to_an_answered_and_tagged_call(newcomer, free_port, has_check):
    assert "Save this code as `~/callapi-airflow/dags/reminder.py`" in README
    save = f"cat > {newcomer.dag_file} <<'END'\n{block(README, 'dag')}END\n"
    list_calls = f"calls=$(curl -sf http://127.0.0.1:{free_port}/emulator/calls)\n"

    connect = block(README, "connect")
    if not has_check:
        assert "`airflow callapi check` tests the connection and needs Airflow 3.2" in " ".join(
            README.split()
        )
        connect = connect.replace("airflow callapi check\n", "")
    run_it, kill = block(README, "run").splitlines()
    done = newcomer(
        block(README, "begin"),
        connect,
        save,
        run_it,
        list_calls,
        kill,
        'echo "at the end: $calls"',
    )

    assert ("Connected; 0 active calls" in done) == has_check
    assert "the log contains `call done` and `answered=True`" in README
    assert re.search("call done .*answered=True", done)
    call = done.partition("at the end: ")[2]
    assert call.count('"call_session_id"') == 1
    assert '"contact_phone_number":"79161234567"' in call
    assert '"tag_id":36' in call
    assert closes(int(free_port)), "the exchange was left running"


def test_the_readme_holds_exactly_one_dag_of_ten_lines():
    assert len(re.findall(r"```python", README)) == 1
    assert len(re.findall(r"\bDAG\(", README)) == 1
    assert len(block(README, "dag").splitlines()) == 10


@pytest.mark.parametrize("readme", READMES.values(), ids=READMES)
def test_every_make_target_in_a_readme_exists(readme):
    targets = set(re.findall(r"^([\w-]+):", ROOT.joinpath("Makefile").read_text(), re.MULTILINE))

    named = set(re.findall(r"^(?:.*`)?make ([\w-]+)", readme, re.MULTILINE))

    assert {"demo", "docs"} <= named <= targets


@pytest.mark.parametrize("readme", READMES.values(), ids=READMES)
def test_a_readme_is_short_and_its_links_work(readme):
    assert len(readme.splitlines()) <= MOST_LINES
    links = re.findall(r"\]\(((?!http)[^)#]+)", readme)
    assert links
    assert [link for link in links if not (ROOT / link).is_file()] == []
