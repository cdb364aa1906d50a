"""What our operators add to the parse of a DAG file, beside what the HTTP provider's add.

Every measurement is a fresh interpreter in which ``airflow.sdk`` is imported already, as in the DAG
processor. The two modules take turns, so that a busy machine is busy for both.
"""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median

from measuring import Figure, show

OURS = "airflow_provider_callapi.operators.start_call"
THEIRS = "airflow.providers.http.operators.http"
ROUNDS = 7

_IMPORT = """
import time
import airflow.sdk
airflow.sdk.BaseOperator, airflow.sdk.BaseHook  # lazy: what they need is imported here
begin = time.perf_counter()
import {module}
print(time.perf_counter() - begin)
"""

_PROVIDER_INFO = """
import time
from importlib.metadata import entry_points
(entry_point,) = (
    point
    for point in entry_points(group="apache_airflow_provider")
    if point.module.startswith("airflow_provider_callapi.")
)
begin = time.perf_counter()
entry_point.load()()
print(time.perf_counter() - begin)
"""


def seconds(code: str) -> float:
    """What a fresh interpreter prints, which is the time that it took."""
    # compiled modules are kept, as they are wherever Airflow runs
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    printed = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    return float(printed.splitlines()[-1])


def measure() -> list[Figure]:
    """The two imports and the provider info; milliseconds and a ratio."""
    codes = {
        "ours": _IMPORT.format(module=OURS),
        "theirs": _IMPORT.format(module=THEIRS),
        "info": _PROVIDER_INFO,
    }
    times: dict[str, list[float]] = {name: [] for name in codes}
    for code in codes.values():
        seconds(code)  # compiles, and fills the disk's cache
    for _ in range(ROUNDS):
        for name, code in codes.items():
            times[name].append(seconds(code))
    ours, theirs, info = (median(times[name]) * 1000 for name in codes)
    return [
        Figure(f"import {OURS}", ours, "ms"),
        Figure(f"import {THEIRS}", theirs, "ms"),
        Figure("import: ours / the HTTP provider's", ours / theirs, at_most=1.0),
        Figure("provider info: load the entry point and call it", info, "ms", at_most=10.0),
    ]


if __name__ == "__main__":
    sys.exit(show(measure()))
