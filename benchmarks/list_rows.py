"""Compare the CPU time of reading a contact list with the time that the module `csv` needs for the same file.

`read_people` finds the columns, reads the phone numbers and time zones, fills in the templates and checks the
start request of each person.

Usage: ``python benchmarks/list_rows.py [ROWS]``
"""

from __future__ import annotations

import csv
import io
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from measuring import Figure, show

from airflow_provider_callapi.calls.campaign.contact_list.call_template import CallTemplate
from airflow_provider_callapi.calls.campaign.contact_list.people_reader import read_people
from airflow_provider_callapi.calls.lists.csv_rows import read_csv

ROWS = 20_000
ROUNDS = 5
CALL = {
    "method": "start.informer_call",
    "virtual_phone_number": "74993720692",
    "contact_message": {"type": "tts", "value": "Hello {{ contact.name }}, your order is ready on {{ ds }}"},
}
SPELLINGS = (
    "7{}",
    "8{}",
    "{}",
    "+7{}",
    "8 ({0[0]}{0[1]}{0[2]}) {0[3]}{0[4]}{0[5]}-{0[6]}{0[7]}-{0[8]}{0[9]}",
)
"""Five ways in which people write a Russian phone number. Four of five rows have one of the first two."""


def contact_list(rows: int) -> str:
    """Return a CSV file with the columns ``phone``, ``name`` and ``timezone``."""
    lines = ["phone,name,timezone"]
    for index in range(rows):
        spelling = SPELLINGS[index % 2] if index % 5 else SPELLINGS[2 + index // 5 % 3]
        number = f"9{100_000_000 + index * 7:09d}"
        name, zone = (("Anna", "Europe/Moscow"), ("Анна", "Asia/Omsk"))[index % 2]
        lines.append(f"{spelling.format(number)},{name} {index},{zone}")
    return "\r\n".join(lines)


def _read(text: str) -> int:
    plan = read_people(
        read_csv(iter(io.StringIO(text, newline="").readline, "")),
        CallTemplate(CALL, {"ds": "2026-03-02"}, region="RU"),
        key_of=str,
        timezone="Europe/Moscow",
    )
    assert not plan.invalid
    return len(plan.people)


def _read_csv_alone(text: str) -> int:
    return sum(1 for _ in csv.DictReader(io.StringIO(text, newline="")))


def measure(rows: int = ROWS) -> list[Figure]:
    """Measure the microseconds of CPU per row. Both ways alternate, and each value is a median."""
    text = contact_list(rows)
    ways: dict[str, Callable[[str], Any]] = {"csv": _read_csv_alone, "list": _read}
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, read in ways.items():
            begin = time.process_time()
            assert read(text) == rows
            took[name].append((time.process_time() - begin) * 1_000_000 / rows)
    return [
        Figure("a row of a contact list: csv.DictReader alone", median(took["csv"]), "µs"),
        Figure(
            "a row of a contact list: numbers, templates, checked request",
            median(took["list"]),
            "µs",
            at_most=45,
        ),
    ]


if __name__ == "__main__":
    sys.exit(show(measure(*map(int, sys.argv[1:]))))
