"""Measure a simulated campaign of a million people: its CPU time and the peak of its memory.

The figures are those of a whole process, with the simulated service. ``make bench`` does not run this module,
because the campaign takes minutes.
"""

from __future__ import annotations

import sys

from campaign_simulation import simulate_in_a_process
from measuring import Figure, show


def measure(people: int = 1_000_000) -> list[Figure]:
    """Simulate a campaign whose people are called within two days."""
    figures = simulate_in_a_process(people)
    scale = people / 1_000_000
    return [
        Figure(f"campaign of {people} people: CPU", figures["cpu_seconds"], "s", at_most=600 * scale),
        Figure("… of which the simulated service", figures["cpu_seconds_of_the_service"], "s"),
        Figure("memory of the campaign and the service", figures["megabytes"], "MB", at_most=1_200),
        Figure("calls of the campaign", figures["calls"]),
        Figure("people on the list without a call", figures["not_called"], at_most=0),
        Figure("calls outside a person's calling hours", figures["out_of_hours"], at_most=0),
    ]


if __name__ == "__main__":
    sys.exit(show(measure(*map(int, sys.argv[1:]))))
