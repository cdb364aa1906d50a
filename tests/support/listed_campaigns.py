"""Campaigns whose lists are files from spreadsheets, and the results that they write.

Each file in ``tests/data/lists/`` stands for a kind of damage. The number in its name groups the kinds.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from airflow_fakes import VNUMBER, Task
from campaign_desk import campaign

LISTS = Path(__file__).parents[1] / "data" / "lists"
A, B, C = "79260000001", "79260000002", "79260000003"
PEOPLE = [{"phone": A, "name": "Анна"}, {"phone": B, "name": "Борис"}, {"phone": C, "name": "Вера"}]
CALL = {
    "method": "start.informer_call",
    "virtual_phone_number": VNUMBER,
    "contact_message": {"type": "tts", "value": "Здравствуйте, {{ contact.name }}"},
}


def path(name: str) -> str:
    return f"file://{LISTS / name}"


def calls(desk, contacts: Any = PEOPLE, **changes: Any) -> Task:
    if isinstance(contacts, str):
        contacts = path(contacts)
    return campaign(desk, **{"contacts": contacts, "call": CALL, **changes})


def table(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        head = text.readline()
        text.seek(0)
        return list(csv.DictReader(text, delimiter=next((c for c in ";\t" if c in head), ",")))
