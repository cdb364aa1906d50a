"""Tools that several benchmarks share: figures with limits, an Airflow home, an exchange process."""

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

import psutil
import requests

# Airflow reads these variables on its first import, which happens after this line
_HOME = tempfile.mkdtemp(prefix="callapi-benchmarks-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.environ.update(AIRFLOW_HOME=_HOME, AIRFLOW__LOGGING__LOGGING_LEVEL="WARNING")


def peak_megabytes() -> float:
    """Return the largest memory of this process so far, in megabytes.

    The peak that `resource.getrusage` returns contains the memory of the parent that has forked the process.
    """
    status = Path("/proc/self/status").read_text("ascii")
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


@dataclass(frozen=True)
class Figure:
    """One measured number. The optional limits are ``at_least`` and ``at_most``."""

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
    """Print the figures as a table. Return the exit code: 1 if a figure breaks its limit, otherwise 0."""
    for figure in figures:
        value = f"{figure.value:.2f} {figure.unit}"
        verdict = "BROKEN" if figure.broken else "ok" if figure.limit else ""
        print(f"{figure.name:<68} {value:<15} {figure.limit:<14} {verdict}".rstrip(), flush=True)
    return int(any(figure.broken for figure in figures))


class ExchangeProcess:
    """The remote control of an emulator that runs in another process and uses no CPU time of this process."""

    def __init__(self, url: str, key: str, pid: int) -> None:
        self.url = url
        self.key = key
        self._process = psutil.Process(pid)
        self._session = requests.Session()

    def receive(self, number: int) -> list[int]:
        """Place inbound calls that last until a request releases them. Return the session ids of the calls.

        :param number: how many calls.
        """
        phones = [str(79_030_000_000 + i) for i in range(number)]
        return [
            self._session.post(f"{self.url}/emulator/inbound", json={"contact": phone}).json()[
                "call_session_id"
            ]
            for phone in phones
        ]

    def cpu_seconds(self) -> float:
        """Return the CPU time that the exchange has used so far."""
        used = self._process.cpu_times()
        return float(used.user + used.system)

    def request_times(self, method: str) -> list[float]:
        """Return when the exchange answered each request for a method, in epoch seconds."""
        journal: list[dict[str, Any]] = self._session.get(f"{self.url}/emulator/journal").json()
        return [e["time"] for e in journal if e["kind"] == "request" and e["method"] == method]


@contextmanager
def exchange_process(*options: str) -> Iterator[ExchangeProcess]:
    """Run an emulator on a free port inside a ``with`` block.

    Inside the block, the Airflow connection ``callapi_default`` leads to the emulator.

    :param options: further options of the emulator's command, e.g. ``--load`` and ``10000``.
    """
    script = Path(_HOME, "script.json")
    script.write_text(json.dumps({"default": {"talks": None}}))
    command = ["-m", "airflow_provider_callapi.emulator", "--port", "0", "--script", str(script)]
    process = subprocess.Popen([sys.executable, *command, *options], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        greeting, export = process.stdout.readline(), process.stdout.readline()
        url, exported = re.search(r"http://[\d.:]+", greeting), re.search(r"'(.*)'", export)
        if not url or not exported:
            raise RuntimeError(f"the emulator did not start: {greeting + export!r}")
        connection = json.loads(exported[1])
        os.environ["AIRFLOW_CONN_CALLAPI_DEFAULT"] = json.dumps(connection)
        yield ExchangeProcess(url[0], connection["password"], process.pid)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
