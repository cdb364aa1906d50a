"""Reads the phone numbers and SIP numbers in the rows of a do-not-call list.

The name and the values of a column decide how the column is read:

- A column that is named like a phone number, such as ``phone`` or ``mobile``: each value with a digit must be
  readable. A failed formula, such as ``#N/A``, is unreadable, too.
- Any other column, such as ``comment``: the numbers in its texts are used, and other texts are ignored.
  Exception: if the column mainly contains phone numbers, a text that looks like a mistyped number is reported
  as unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from contextlib import suppress
from dataclasses import dataclass, field

from airflow_provider_callapi.api.values.number_text import FEWEST_DIGITS, count_digits, fold, only_digits
from airflow_provider_callapi.calls.lists.column_names import fold_name, shown_name
from airflow_provider_callapi.calls.lists.json_rows import Row
from airflow_provider_callapi.calls.lists.phone_columns import phone_columns
from airflow_provider_callapi.calls.lists.rounded_numbers import (
    SINGLE_PRECISION,
    RoundedNumbers,
    has_lost_digits,
    parts_of_cell,
    refuse_single_precision,
)
from airflow_provider_callapi.calls.phone_numbers.comparison import contact_key
from airflow_provider_callapi.calls.phone_numbers.generous import find_numbers, search_numbers
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import (
    ROUNDED,
    ROUNDED_LIST,
    NotANumber,
    NumberingPlan,
)
from airflow_provider_callapi.calls.phone_numbers.shortened import complete_numbers
from airflow_provider_callapi.calls.phone_numbers.strict import read_contact
from airflow_provider_callapi.calls.phone_numbers.suspicious import RANGE, digits_meant, is_rounded_number
from airflow_provider_callapi.calls.texts.empty_values import is_blank, is_failed_formula
from airflow_provider_callapi.calls.texts.shown_values import stored_text

_END_OF_RANGE = re.compile(
    "(phone|number|tel|mobile|msisdn|номер|тел|телефон|моб)(number|num|номер)?"
    "(to|till|until|end|last|finish|по|до|конец|кон|окончание)"
)
_NO_PHONE_NUMBER = "no phone number, and no contact of the campaign is such a SIP number"
_FAILED = "an error of a spreadsheet, such as #N/A or ####, stands in the place of a number"


class ExcludedNumbers:
    """Reads the rows of a do-not-call list one after another, and remembers the rows that it cannot read.

    An id such as ``CL-1045``, or an e-mail address, looks like a SIP number. It excludes no one. So an entry
    that is only a SIP number is unreadable, unless the campaign dials SIP numbers of the same domain.

    :param region: ISO 3166 code of the country of numbers without a country code.
    :param other_regions: the same for the other countries to which the campaign calls. A number without a
        country code may belong to each of them, and then excludes a person in each of them.
    :param sip_domains: the domains of the SIP numbers that the campaign dials, see `sip_domain`.
    """

    def __init__(
        self, region: str, *, other_regions: Set[str] = frozenset(), sip_domains: Set[str] = frozenset()
    ) -> None:
        self._region = region
        self._other_regions = other_regions
        self._sip_domains = sip_domains
        self._problems: dict[int, str] = {}
        self._others: dict[str, _OtherColumn] = {}
        self._rounded = RoundedNumbers()

    def read(self, line: int, row: Row) -> Iterator[str]:
        """Yield the numbers in one row: E.164 digits, such as ``79260000001``, and SIP numbers.

        SIP numbers have the form that `contact_key` returns.

        :param line: the position of the row in the list. The method adds entries that it cannot read, with
            this position, to `unreadable`.
        :raises ListUnreadable: it is not certain which column contains the numbers. Or the column has 32-bit
            floats.
        """
        if isinstance(row, str):
            row = {"phone": row}
        if is_blank(row):
            return
        phones = phone_columns(tuple(row))
        for name in phones:
            refuse_single_precision(name, row[name])
            for text in map(stored_text, parts_of_cell(row[name])):
                if count_digits(text):  # a text without digits, such as "-", is no phone number
                    self._rounded.add(text, line)
        # The shown text of a date, such as 31.12.2026, can be read as a number of Denmark.
        values = {name: stored_text(value) for name, value in row.items() if value is not None}
        for name in filter(_is_end_of_range, values):
            if count_digits(values[name]):
                self._problems.setdefault(line, f"column {shown_name(name)}: {RANGE}")
        numbers = [number for name in phones for number in self._read_entry(line, values.pop(name, ""))]
        yield from numbers
        if not numbers:
            self._problems.setdefault(line, "no number")
        elif not any(number.isdigit() or sip_domain(number) in self._sip_domains for number in numbers):
            self._problems.setdefault(line, _NO_PHONE_NUMBER)
        for name, text in values.items():
            column = self._others.setdefault(name, _OtherColumn(name))
            yield from column.read(line, text, self._region, lost_digits=has_lost_digits(row[name]))

    def unreadable(self) -> dict[int, str]:
        """Return the unreadable rows: number of the row → what is wrong, in the order of the rows."""
        problems = {**dict.fromkeys(self._rounded.lines(), ROUNDED_LIST), **self._problems}
        for column in self._others.values():
            for line, problem in column.problems():
                problems.setdefault(line, problem)
        return dict(sorted(problems.items()))

    def _read_entry(self, line: int, text: str) -> frozenset[str]:
        if is_failed_formula(text):
            self._problems.setdefault(line, _FAILED)
            return frozenset()
        try:
            numbers = find_numbers(text, self._region)
        except NotANumber as problem:
            if count_digits(text):  # a text without digits, such as "-", is no mistyped number
                self._problems.setdefault(line, str(problem))
            return search_numbers(text, self._region).union(self._read_elsewhere(text))
        return numbers.union(complete_numbers(text, numbers, self._region), self._read_elsewhere(text))

    def _read_elsewhere(self, text: str) -> Iterator[str]:
        """Yield the number that a text is in each of the other countries to which the campaign calls."""
        digits = only_digits(text)
        for region in self._other_regions:
            if NumberingPlan.of(region).has_national_length(digits):  # a quick answer for most texts
                with suppress(NotANumber):
                    yield contact_key(read_contact(text, region))


def sip_domain(number: str) -> str:
    """Return the domain of a SIP number in lower case. Empty: the SIP number has no domain."""
    return contact_key(number).partition("@")[2]


def _is_end_of_range(name: object) -> bool:
    """Return whether a column seems to contain the last number of a range: ``phone_to``, ``Номер по``."""
    return _END_OF_RANGE.fullmatch(fold_name(name)) is not None


@dataclass
class _OtherColumn:
    """A column of a do-not-call list whose name is not one of the known names for phone columns."""

    name: str
    long: int = 0  # how many values have enough digits for a phone number
    phones: int = 0  # how many of them certainly are phone numbers
    suspects: list[tuple[int, str]] = field(default_factory=list)
    rounded: RoundedNumbers = field(default_factory=RoundedNumbers)

    def read(self, line: int, text: str, region: str, *, lost_digits: bool) -> frozenset[str]:
        """Return all phone numbers and SIP numbers in one value of the column.

        If the value seems to be a damaged phone number, remember this for `problems`.

        :param line: the number of the row.
        :param lost_digits: True: the database has stored the value as a 32-bit float.
        """
        if is_failed_formula(text):
            self.suspects.append((line, _FAILED))
            return frozenset()
        if is_rounded_number(text, region):
            self.long += 1
            self.phones += 1
            self.suspects.append((line, ROUNDED))
            return frozenset()
        digits = count_digits(text)
        if digits > FEWEST_DIGITS // 2:  # otherwise, ООО would be three zeros
            digits = len(digits_meant(text))
        if digits < FEWEST_DIGITS:
            return search_numbers(text, region) if digits else frozenset()  # each SIP number has a digit
        self.long += 1
        self.rounded.add(text, line)
        if lost_digits:
            self.suspects.append((line, SINGLE_PRECISION))
        try:
            numbers = find_numbers(text, region)
        except NotANumber as problem:
            if _seems_mistyped(text):
                self.suspects.append((line, str(problem)))
            numbers = search_numbers(text, region)
        else:
            self.phones += any(_is_written_whole(number, text, region) for number in numbers)
        return numbers | complete_numbers(text, numbers, region)

    def problems(self) -> Iterator[tuple[int, str]]:
        """Yield (number of the row, what is wrong) for each value that seems to be a damaged phone number.

        Yield nothing if the column does not seem to be a column of phone numbers. It seems to be one if more
        than half of its values with seven or more digits are phone numbers.
        """
        if self.phones * 2 > self.long:
            for line, problem in (*self.suspects, *((line, ROUNDED_LIST) for line in self.rounded.lines())):
                yield line, f"column {shown_name(self.name)}: {problem}"


def _seems_mistyped(text: str) -> bool:
    """Return whether a text without a readable number seems to be one: it has far more digits than letters.

    Examples: ``моб. 000-00-03``, ``8926ООО-00-03``. The letters of a label or of a mistake are few.
    """
    letters = digits = 0
    for word in re.findall(r"[^\W_]+", text):
        meant = digits_meant(word)
        if len(meant) < len(word):  # a word, and not OOO0003
            meant = only_digits(word)
            letters += len(word) - len(meant)
        digits += len(meant)
    return letters * 2 <= digits


def _is_written_whole(number: str, text: str, region: str) -> bool:
    # Ids with ten or twelve digits, such as tax numbers, can be valid numbers of some country.
    digits = count_digits(re.sub(r"[.,]0+$", "", fold(text)))
    return number.startswith(NumberingPlan.of(region).country_code) and digits >= len(number)
