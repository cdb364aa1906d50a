"""What the benchmarks share: a figure with its limit, a fresh Airflow home, an exchange to talk to."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

# Airflow reads this when it is first imported, which is after this file
_HOME = tempfile.mkdtemp(prefix="callapi-benchmarks-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.environ.update(AIRFLOW_HOME=_HOME, AIRFLOW__LOGGING__LOGGING_LEVEL="WARNING")


@dataclass(frozen=True)
class Figure:
    """One measured number. Without a limit it is there to be read, not to be judged."""

    name: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def broken(self) -> bool:
        too_low = self.at_least is not None and self.value < self.at_least
        too_high = self.at_most is not None and self.value > self.at_most
        return too_low or too_high

    @property
    def limit(self) -> str:
        if self.at_least is not None and self.at_most is not None:
            return f"{self.at_least:g} .. {self.at_most:g} {self.unit}".rstrip()
        if self.at_least is not None:
            return f">= {self.at_least:g} {self.unit}".rstrip()
        return "" if self.at_most is None else f"<= {self.at_most:g} {self.unit}".rstrip()


def show(figures: list[Figure]) -> int:
    """Print the rows of the table; 1 where a limit is broken, as an exit code."""
    for figure in figures:
        value = f"{figure.value:.2f} {figure.unit}"
        verdict = "BROKEN" if figure.broken else "ok" if figure.limit else ""
        print(f"{figure.name:<68} {value:<15} {figure.limit:<14} {verdict}".rstrip(), flush=True)
    return int(any(figure.broken for figure in figures))


class ExchangeProcess:
    """The remote control of an emulator in another process, which takes no time of this one."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.key = key
        self._session = requests.Session()

    def receive(self, number: int) -> list[int]:
        """So many people call in, and talk until somebody releases the call; the session ids."""
        phones = [str(79_030_000_000 + i) for i in range(number)]
        return [
            self._session.post(f"{self.url}/emulator/inbound", json={"contact": phone}).json()[
                "call_session_id"
            ]
            for phone in phones
        ]

    def request_times(self, method: str) -> list[float]:
        """When the requests for a method were answered, from the exchange's journal."""
        journal: list[dict[str, Any]] = self._session.get(f"{self.url}/emulator/journal").json()
        return [e["time"] for e in journal if e["kind"] == "request" and e["method"] == method]


@contextmanager
def exchange_process() -> Iterator[ExchangeProcess]:
    """An emulator on a free port for the time of the block; ``callapi_default`` leads to it."""
    script = Path(_HOME, "script.json")
    script.write_text(json.dumps({"default": {"talks": None}}))
    command = ["-m", "airflow_provider_callapi.emulator", "--port", "0", "--script", str(script)]
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        greeting, export = process.stdout.readline(), process.stdout.readline()
        url, exported = re.search(r"http://[\d.:]+", greeting), re.search(r"'(.*)'", export)
        if not url or not exported:
            raise RuntimeError(f"the emulator did not start: {greeting + export!r}")
        connection = json.loads(exported[1])
        os.environ["AIRFLOW_CONN_CALLAPI_DEFAULT"] = json.dumps(connection)
        yield ExchangeProcess(url[0], connection["password"])
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
