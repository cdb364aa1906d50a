"""Compare the reading of a DAG file of 100 start operators with a file of 100 operators of the HTTP provider.

The DAG processor reads each file again and again. At the second reading, the modules are already imported.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from statistics import median

import measuring  # noqa: F401 - sets the Airflow home before Airflow's first import
from measuring import Figure, show

OPERATORS = 100
ROUNDS = 20
WARM_UP = 3

_FILE = """
from airflow.sdk import DAG
from {module} import {operator}

with DAG("measured", schedule=None) as dag:
    for number in range({operators}):
        {operator}(task_id=f"task_{{number}}", {arguments})
"""
_OURS = _FILE.format(
    module="airflow_provider_callapi.operators.start_call",
    operator="CallApiStartInformerCallOperator",
    operators=OPERATORS,
    arguments=(
        'virtual_phone_number="74993720692", contact="{{ params.phone }}", deferrable=True, '
        'wait_for_completion=True, contact_message={"type": "tts", "value": "Hello {{ ds }}"}'
    ),
)
_THEIRS = _FILE.format(
    module="airflow.providers.http.operators.http",
    operator="HttpOperator",
    operators=OPERATORS,
    arguments=(
        'http_conn_id="callapi", endpoint="/v4.0", method="POST", deferrable=True, '
        'data="{{ params.phone }}", headers={"Content-Type": "application/json"}'
    ),
)


def _reader(text: str) -> Callable[[], None]:
    code = compile(text, "dag_file.py", "exec")

    def read() -> None:
        exec(code, {"__name__": "measured"})

    return read


def measure() -> list[Figure]:
    """Measure the CPU time of both readings in milliseconds, and the ratio. The readings alternate."""
    readers = {"ours": _reader(_OURS), "theirs": _reader(_THEIRS)}
    took: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(WARM_UP + ROUNDS):
        for name, read in readers.items():
            gc.collect()  # the garbage of one file must not slow down the other
            begin = time.process_time()
            read()
            took[name].append(time.process_time() - begin)
    ours, theirs = (median(took[name][WARM_UP:]) * 1000 for name in readers)
    return [
        Figure(f"a DAG file of {OPERATORS} start operators, read again", ours, "ms"),
        Figure(f"a DAG file of {OPERATORS} HttpOperators, read again", theirs, "ms"),
        Figure("DAG file, read again: start operators / HttpOperators", ours / theirs, at_most=2.1),
    ]


if __name__ == "__main__":
    sys.exit(show(measure()))
