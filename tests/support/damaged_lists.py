"""Random lists with the damage that lists of real people have, and what the author of each list meant.

Each list is made from a seed. Thousands of lists therefore cost little, and a test can rebuild a failing
list.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

SEPARATORS = (";", ";", ",", "\t", "|")
ENCODINGS = ("utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1251", "cp866", "koi8-r", "utf-16-le")
LINE_ENDS = ("\n", "\n", "\r\n", "\r")
PHONE_HEADINGS = (
    "phone",
    "phone",
    "phone",
    "Phone",
    " PHONE ",
    "ph\u200bone",
    "phon",
    "Телефон",
    "phone_number",
)
ZONE_HEADINGS = ("timezone", "timezone", "TimeZone", "time_zone", "time\u200bzone", "timezon", "Часовой пояс")
ZONES = (
    ("Asia/Vladivostok", "Asia/Vladivostok"),
    ("+10:00", "Etc/GMT-10"),
    ("UTC+3", "Etc/GMT-3"),
    ("MSK", "Europe/Moscow"),
    ("", None),
    ("nan", None),
    ("+3", "invalid"),
    ("Москва", "invalid"),
)
"""What is written → the zone in which the person may be rung. None: the operator's zone."""
_LETTERS = "абвгдежзиклмнопрст"


@dataclass
class Truth:
    """What the author of a list meant.

    :ivar names: the names of the people. Each person has a different name.
    :ivar numbers: name → the number, as E.164 digits. None: the written number is no number.
    :ivar zones: name → the IANA name of the person's time zone. None: the operator's zone. ``invalid``: the
        zone is not certain.
    """

    names: list[str] = field(default_factory=list)
    numbers: dict[str, str | None] = field(default_factory=dict)
    zones: dict[str, str | None] = field(default_factory=dict)


def spell(chance: random.Random, number: str) -> tuple[str, str | None]:
    """Return a spelling of a Russian number, and the number that the spelling certainly means, or None."""
    local = number[1:]
    area, rest = local[:3], local[3:]
    grouped = f"{area} {rest[:3]}-{rest[3:5]}-{rest[5:]}"
    forms: Sequence[tuple[str, str | None]] = (
        (number, number),
        (number, number),
        (number, number),
        (f"+{number}", number),
        (f"8{local}", number),
        (f"8 {grouped}", number),
        (f"+7 ({area}) {rest[:3]}-{rest[3:5]}-{rest[5:]}", number),
        (f"+7\u00a0{grouped}".replace("-", "\u2011"), number),
        (f"{number[:4]}\u200e{number[4:]}", number),
        (f"7.{area}.{rest[:3]}.{rest[3:5]}.{rest[5:]}", number),
        (f"'{number}", number),
        (f"{number}.0", number),
        (f"+{number}.0", number),
        (f"+7 {grouped} (2)", number),
        (f"8 {grouped} доб. 12", number),
        (f"{number[0]}.{number[1:5]}E10", None),
        (number[:-1], None),
        (f"{number}7", None),
        ("", None),
        ("nan", None),
    )
    return chance.choice(forms[:11] if chance.random() < 0.85 else forms)


def contacts(seed: int) -> tuple[str, bytes, Truth]:
    """Return (suffix, bytes, truth) of a contact list."""
    chance = random.Random(seed)
    truth = Truth()
    has_zones = chance.random() < 0.4
    heading = [chance.choice(PHONE_HEADINGS if chance.random() < 0.3 else ("phone",)), "name", "debt"]
    if has_zones:
        heading.append(chance.choice(ZONE_HEADINGS))
    rows: list[list[str]] = []
    for position in range(chance.randint(1, 5)):
        name = "Я" + chance.choice(_LETTERS) + _LETTERS[position] + chance.choice(_LETTERS)
        number = f"7926000000{chance.randint(0, 7)}"
        written, meant = spell(chance, number)
        row = [written, name, str(chance.randint(1, 999))]
        zone: str | None = None
        if has_zones:
            text, zone = chance.choice(ZONES)
            row.append(text)
        truth.names.append(name)
        truth.numbers[name] = meant
        truth.zones[name] = zone
        rows.append(row)
    return (".csv", _write(chance, heading, rows), truth)


def do_not_call(seed: int) -> tuple[str, bytes, set[str]]:
    """Return (suffix, bytes, numbers that must not be rung) of a do-not-call list."""
    chance = random.Random(seed)
    if chance.random() < 0.02:
        return ".csv", b"", {f"7926000000{n}" for n in range(8)}  # the protected people are unknown
    heading = [chance.choice(PHONE_HEADINGS if chance.random() < 0.2 else ("phone",))]
    if chance.random() < 0.5:
        heading.append(chance.choice(("comment", "date", "Mobile", "моб. тел.", "phone")))
    protected: set[str] = set()
    rows = []
    for _ in range(chance.randint(0, 4)):
        cells = []
        for name in heading:
            if name in ("comment", "date"):
                cells.append(chance.choice(("", "просил не звонить", "2026", 'зовут "Яна"')))
                continue
            numbers = [f"7926000000{chance.randint(0, 7)}" for _ in range(chance.choice((1, 1, 1, 2)))]
            spelled = [spell(chance, number) for number in numbers]
            protected |= {
                number for number, (text, _) in zip(numbers, spelled, strict=True) if text not in ("", "nan")
            }
            cells.append(chance.choice((", ", " / ", " ", "; ")).join(text for text, _ in spelled))
        rows.append(cells)
    return ".csv", _write(chance, heading, rows), protected


def _write(chance: random.Random, heading: list[str], rows: list[list[str]]) -> bytes:
    separator = chance.choice(SEPARATORS)
    end = chance.choice(LINE_ENDS)
    lines = [separator.join(_quoted(cell, separator) for cell in row) for row in (heading, *rows)]
    for damage in _DAMAGES:
        if chance.random() < 0.05:
            lines = damage(chance, lines, separator)
    text = end.join(lines) + chance.choice(("", end, end, end + end))
    encoding = chance.choice(ENCODINGS if chance.random() < 0.3 else ("utf-8",))
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode("utf-8")


def _quoted(cell: str, separator: str) -> str:
    if separator in cell or '"' in cell or "\n" in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _change_cell(change: Callable[[str], str]) -> Callable[[random.Random, list[str], str], list[str]]:
    def damage(chance: random.Random, lines: list[str], separator: str) -> list[str]:
        at = chance.randrange(len(lines))
        cells = lines[at].split(separator)
        where = chance.randrange(len(cells))
        cells[where] = change(cells[where])
        return [*lines[:at], separator.join(cells), *lines[at + 1 :]]

    return damage


def _insert(
    line: Callable[[random.Random, str], str],
) -> Callable[[random.Random, list[str], str], list[str]]:
    def damage(chance: random.Random, lines: list[str], separator: str) -> list[str]:
        at = chance.randint(1, len(lines))
        return [*lines[:at], line(chance, separator), *lines[at:]]

    return damage


_DAMAGES = (
    _change_cell(lambda cell: f'"{cell}'),
    _change_cell(lambda cell: f'{cell}"'),
    _change_cell(lambda cell: f'"{cell}" и сын'),
    _change_cell(lambda cell: f'"{cell}"'),
    _change_cell(lambda cell: f" {cell} "),
    _change_cell(lambda cell: f"\ufeff{cell}"),
    lambda chance, lines, separator: [f"{line}{separator}" for line in lines],
    lambda chance, lines, separator: [*lines[:1], *(f"{line}{separator}лишнее" for line in lines[1:])],
    lambda chance, lines, separator: lines[1:] or lines,
    lambda chance, lines, separator: [f"sep={separator}", *lines],
    lambda chance, lines, separator: [*lines[:1], *(line.replace(separator, ",") for line in lines[1:])],
    _insert(lambda chance, separator: separator * chance.randint(0, 4)),
    _insert(lambda chance, separator: f" {separator} "),
)
"""Each damage changes the lines of a list: quotes, marks, separators, the heading, blank rows."""
