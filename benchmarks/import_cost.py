"""Compare the import time of our operators with the import time of the HTTP provider's operator.

Each measurement uses a fresh interpreter that has already imported ``airflow.sdk``, as the DAG processor
has. The measurements of the two modules take turns, so the machine's load affects both in the same way.
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
airflow.sdk.BaseOperator, airflow.sdk.BaseHook  # these are lazy: this line imports their modules
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
    """Run Python code in a fresh interpreter. Return the number of seconds that the code prints."""
    # keep compiled modules, as an Airflow installation does
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    printed = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    return float(printed.splitlines()[-1])


def measure() -> list[Figure]:
    """Measure the two imports and the provider info, in milliseconds, and the ratio of the imports."""
    codes = {
        "ours": _IMPORT.format(module=OURS),
        "theirs": _IMPORT.format(module=THEIRS),
        "info": _PROVIDER_INFO,
    }
    times: dict[str, list[float]] = {name: [] for name in codes}
    for code in codes.values():
        seconds(code)  # compile the modules and fill the disk cache
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
