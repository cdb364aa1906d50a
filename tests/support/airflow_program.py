"""Airflow's command line in a process of its own, as a shell would start it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence

_SEPARATOR = "--- the next command ---"
_PROGRAM = f"""
import json, sys
from airflow.__main__ import main
for command in json.loads(sys.argv[1]):
    sys.argv = ["airflow", *command]
    main()
    print({_SEPARATOR!r}, flush=True)
"""


def stdout_of(*commands: Sequence[str], **environment: str) -> list[str]:
    """Run commands such as ``["providers", "list"]``, and return what each of them writes to stdout.

    One process runs all commands, because Airflow's import takes seconds.

    :param environment: further environment variables: name → value.
    """
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, json.dumps(commands)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    *outputs, rest = done.stdout.split(f"{_SEPARATOR}\n")
    assert not rest
    return outputs
