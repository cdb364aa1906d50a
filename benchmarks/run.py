"""Run all benchmarks and print one table. The exit code is 1 if a figure breaks its limit."""

from __future__ import annotations

import sys
import time

import call_ends
import campaign_databases
import campaign_naive
import campaign_points
import campaign_simulation
import comparison
import dag_file
import emulator_load
import import_cost
import ledgers
import list_calls
import list_rows
import many_waits
import shared_poll
import tls_starts
from measuring import show

BENCHMARKS = (
    import_cost,
    dag_file,
    list_calls,
    list_rows,
    tls_starts,
    emulator_load,
    shared_poll,
    call_ends,
    many_waits,
    campaign_points,
    campaign_simulation,
    campaign_databases,
    campaign_naive,
    ledgers,
    comparison,
)


def main() -> int:
    begin = time.monotonic()
    print(f"{'figure':<68} {'measured':<15} limit")
    status = max([show(benchmark.measure()) for benchmark in BENCHMARKS])
    print(f"{'A LIMIT IS BROKEN' if status else 'all limits are kept'} ({time.monotonic() - begin:.0f} s)")
    return status


if __name__ == "__main__":
    sys.exit(main())
