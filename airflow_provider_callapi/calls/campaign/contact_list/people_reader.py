"""Reads a contact list: which people to call, and from which rows no one is called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from airflow_provider_callapi.api.values.number_text import fold
from airflow_provider_callapi.calls.campaign.attempt_ids import external_id
from airflow_provider_callapi.calls.campaign.contact_list.call_template import CallTemplate
from airflow_provider_callapi.calls.campaign.contact_list.people import (
    Duplicate,
    Person,
    Plan,
    Skipped,
    own_number,
)
from airflow_provider_callapi.calls.campaign.contact_list.row_templates import InvalidRow
from airflow_provider_callapi.calls.campaign.contact_list.shard import WHOLE_LIST, Shard
from airflow_provider_callapi.calls.campaign.contact_list.time_zones import (
    describe_backwards,
    is_backwards,
    read_time_zone,
)
from airflow_provider_callapi.calls.lists.call_flags import CallFlags
from airflow_provider_callapi.calls.lists.column_names import shown_name
from airflow_provider_callapi.calls.lists.columns import find_columns, is_other_heading
from airflow_provider_callapi.calls.lists.contradicting_columns import (
    Contradictions,
    describe_ban,
    describe_country,
    find_contradictions,
)
from airflow_provider_callapi.calls.lists.countries import CountryColumns
from airflow_provider_callapi.calls.lists.rounded_numbers import RoundedNumbers
from airflow_provider_callapi.calls.lists.unnamed_zones import SignedColumns, refuse_unnamed_zone
from airflow_provider_callapi.calls.phone_numbers.generous import numbers_in_sip, search_numbers
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import ROUNDED_LIST, NotANumber
from airflow_provider_callapi.calls.phone_numbers.strict import read_contact
from airflow_provider_callapi.calls.texts.empty_values import is_blank, without_failed_formulas
from airflow_provider_callapi.calls.texts.shown_values import stored_text
from airflow_provider_callapi.calls.unreadable_list import ListUnreadable

_OTHER_HEADING = (
    "other names of columns than in the first line; two lists seem to be joined. Write their columns in one "
    "order under the same names, and remove this row"
)
_TRIAL_ID = external_id("", "", 1)
"""The ``external_id`` of the request that only checks a row, if the author gives no id."""


def read_people(
    rows: Iterable[Mapping[str, Any] | str],
    template: CallTemplate,
    *,
    key_of: Callable[[str], str],
    timezone: str,
    shard: Shard = WHOLE_LIST,
) -> Plan:
    """Read a contact list. Return the people to call, the invalid rows and the duplicates.

    If several rows have the same number, the person of the first valid row is called. If the rows with this
    number, also the invalid ones, name different time zones, the person is not called. A SIP number whose
    name is a phone number, such as ``79260000011@example.com``, counts as this number.

    :param rows: the rows of the list. A row is a number, or a mapping from column to value. The column
        ``timezone`` contains the person's time zone.
    :param template: makes the start request of each person.
    :param key_of: a function that takes a number, as `own_number` returns it, and returns the person's key
        in the ledger.
    :param timezone: IANA name of the time zone of people whose row has no time zone.
    :param shard: the part of the list to keep.
    :raises ListUnreadable: it is not certain what a column means.
    :raises ListUnreadable: a program has probably rounded many numbers, see `RoundedNumbers`. Or the numbers
        come from a column of 32-bit floats.
    """
    reader = _PeopleReader(template, key_of, timezone, shard)
    for line, given in enumerate(rows, start=1):
        reader.read({"phone": given} if isinstance(given, str) else given, line)
    return reader.finish()


class _Row(NamedTuple):
    """A row of the contact list.

    :ivar cells: column → value; None replaces each failed formula, such as ``#REF!``.
    :ivar zone: the text of the column ``timezone``, also of a failed formula. None: the cell is empty.
    :ivar against: why no one is called from this row, judged by its columns.
    :ivar flags: the columns that forbid the call if the whole list shows that they are flags.
    :ivar abroad: the columns with another country, if the whole list shows that they contain countries.
    """

    cells: Mapping[str, Any]
    zone: str | None
    line: int
    against: Contradictions
    flags: list[str]
    abroad: list[str]


class _PeopleReader:
    """Reads a contact list row by row, and makes the `Plan`. For the parameters, see `read_people`."""

    def __init__(
        self, template: CallTemplate, key_of: Callable[[str], str], timezone: str, shard: Shard
    ) -> None:
        self._template = template
        self._key_of = key_of
        self._timezone = timezone
        self._shard = shard
        self._plan = Plan()
        self._met: dict[str, Person] = {}
        """Number, as `own_number` returns it → the person of the first valid row with the number."""
        self._other_zones: dict[str, list[tuple[str, int]]] = {}
        """Number → (time zone, line) of its invalid rows and its duplicates that name a time zone."""
        self._banned: dict[str, int] = {}
        """Number → line of the first row that forbids the call."""
        self._backwards: set[str] = set()
        self._signed = SignedColumns()
        self._flags = CallFlags(template.columns)
        self._flagged: list[tuple[_Row, str | None]] = []
        """The rows with `_Row.flags`, and the number to call, if it can be read."""
        self._countries = CountryColumns(template.region, template.columns)
        self._abroad: dict[str, list[str]] = {}
        """Number without ``+`` of a person → `_Row.abroad` of the person's row."""
        self._rounded: defaultdict[str | None, RoundedNumbers] = defaultdict(RoundedNumbers)
        """Column → its rounded numbers. None: the numbers to call."""

    def read(self, given: Mapping[str, Any], line: int) -> None:
        """Read one row, and add it to the people to call, the invalid rows or the duplicates.

        Blank rows and rows of other shards are added to none of them.

        :raises ListUnreadable: it is not certain what a column means.
        """
        row = self._clean(given, line)
        if row.flags:
            self._flagged.append((row, None))
        if row.against.ban is not None:
            self._protect_people(row)
        try:
            contact = self._read_number(row)
        except (NotANumber, InvalidRow) as error:
            self._add_without_number(row, error)
            return
        self._plan.rows += 1
        numbers = frozenset() if contact.isdigit() else numbers_in_sip(contact, self._template.region)
        number = own_number(contact, numbers)
        if row.flags:
            self._flagged[-1] = (row, number)
        if not self._shard.has_person(number):
            return
        if row.against.ban is not None:
            self._banned.setdefault(number, line)
            self._skip(row, InvalidRow(row.against.ban))
            return
        if first := self._met.get(number):
            why = f"the number of row {first.line}"
            self._plan.duplicates.append(Duplicate(row.cells, row.line, why, contact))
            self._add_other_zone(row, number)
            return
        try:
            person = self._make_person(row, self._key_of(number), contact, numbers)
        except (NotANumber, InvalidRow) as error:
            self._skip(row, error)
            self._add_other_zone(row, number)
            return
        self._met[number] = person
        if row.abroad and contact.isdigit() and not self._has_country_code(row):
            self._abroad[number] = row.abroad
        self._plan.people.append(person)

    def finish(self) -> Plan:
        """Return the plan. Use this method after the last row.

        :raises ListUnreadable: a column not named ``timezone`` contains time zones, or a spreadsheet has
            rounded many of the phone numbers.
        """
        self._signed.refuse()
        self._flags.refuse()
        self._skip_flagged()
        self._skip_banned()
        self._skip_abroad()
        self._skip_contradictions()
        for column, rounded in self._rounded.items():
            if lines := rounded.lines():
                where = "" if column is None else f"column {shown_name(column)}: "
                raise ListUnreadable(f"row {lines[0]}: {where}{ROUNDED_LIST}")
        self._plan.warnings += [
            f"timezone: {describe_backwards(zone)}, because zones of this form have the opposite sign"
            for zone in sorted(self._backwards)
        ]
        return self._plan

    def _clean(self, given: Mapping[str, Any], line: int) -> _Row:
        cells = without_failed_formulas(given)
        columns = find_columns(tuple(cells), needs_phone=self._template.reads_phone)
        against = find_contradictions(cells, self._template.region, self._template.columns)
        flags = self._flags.add(cells, line)
        abroad = self._countries.add(cells)
        if columns.timezone is None:
            refuse_unnamed_zone(cells, line)
            self._signed.add(cells, line)
            return _Row(cells, None, line, against, flags, abroad)
        zone = given[columns.timezone]
        return _Row(cells, None if zone is None or zone == "" else str(zone), line, against, flags, abroad)

    def _add_without_number(self, row: _Row, error: NotANumber | InvalidRow) -> None:
        """Add a row whose number cannot be read: a blank row, an invalid row, or the heading of another list.

        :param error: why the number cannot be read.
        :raises ListUnreadable: the row seems to be the heading of another list.
        """
        self._add_zone_of_unread_number(row)
        if is_blank(row.cells):
            self._plan.has_blank_rows = True
            return
        if is_other_heading(row.cells):
            raise ListUnreadable(f"row {row.line}: {_OTHER_HEADING}") from None
        self._plan.rows += 1
        if self._shard.has_row(row.line):
            self._skip(row, error)

    def _read_number(self, row: _Row) -> str:
        """Return the number to call: E.164 digits, or a SIP number.

        :raises InvalidRow: the author's template for the number cannot be filled in from this row.
        :raises NotANumber: the filled-in text is no number that can be called.
        :raises ListUnreadable: a number of the row comes from a column of 32-bit floats.
        """
        written = self._template.written_number(row.cells)
        self._rounded[None].add(self._template.listed_number(row.cells, written), row.line)
        for column, text in self._template.other_listed_numbers(row.cells):
            self._rounded[column].add(text, row.line)
        return read_contact(written, self._template.region)

    def _make_person(self, row: _Row, key: str, contact: str, numbers: frozenset[str]) -> Person:
        """Return the person of a row.

        :raises InvalidRow: the time zone cannot be read, the row makes no valid start request, or a column
            has an extension or another country.
        """
        if row.against.extension is not None:
            raise InvalidRow(row.against.extension)
        if row.against.country is not None and contact.isdigit() and not self._has_country_code(row):
            raise InvalidRow(row.against.country)
        zone = self._read_zone(row)
        person = Person(key, contact, zone, row.cells, row.line, numbers)
        self._template.request(person, self._template.own_external_id(person) or _TRIAL_ID)
        return person

    def _has_country_code(self, row: _Row) -> bool:
        return fold(self._template.written_number(row.cells)).startswith(("+", "00"))

    def _read_zone(self, row: _Row) -> str:
        """Return the IANA name of a person's time zone.

        A row without a zone has the campaign's ``timezone``.

        :raises InvalidRow: the zone cannot be read.
        """
        if row.zone is None:
            return self._timezone
        zone = read_time_zone(row.zone)
        if zone is None:
            raise InvalidRow(
                "timezone: not certainly a time zone; write an IANA name, or an offset such as +03:00"
            )
        if is_backwards(zone) and zone == row.zone.strip():
            self._backwards.add(zone)  # Etc/GMT-3 is UTC+3: the campaign warns the author
        return zone

    def _skip(self, row: _Row, error: NotANumber | InvalidRow) -> None:
        column = self._template.number_column if len(row.cells) > 1 else None  # a plain list has no columns
        where = "contact" if column is None else f"column {shown_name(column)}"
        why = f"{where}: {error}" if isinstance(error, NotANumber) else str(error)
        self._plan.invalid.append(Skipped(row.cells, row.line, why))

    def _add_other_zone(self, row: _Row, number: str) -> None:
        """Record the time zone of a row from which no one is called: an invalid row or a duplicate."""
        # The zone is compared with the zone in the person's own row.
        if row.zone is not None:
            self._other_zones.setdefault(number, []).append((row.zone, row.line))

    def _protect_people(self, row: _Row) -> None:
        """Record that no one may call any number in a row that forbids the call.

        Like in a do-not-call list, a number counts in any column, and beside other words.
        """
        for value in row.cells.values():
            for number in search_numbers(stored_text(value), self._template.region):
                self._banned.setdefault(number, row.line)

    def _add_zone_of_unread_number(self, row: _Row) -> None:
        """Record the time zone of an invalid row for each number that its number may be."""
        if row.zone is None:
            return
        try:
            written = self._template.written_number(row.cells)
        except (NotANumber, InvalidRow):
            return
        for number in search_numbers(written, self._template.region):
            self._add_other_zone(row, number)

    def _skip_flagged(self) -> None:
        reasons = {}
        for row, number in self._flagged:
            column = next(filter(self._flags.is_flag, row.flags), None)
            if column is None:
                continue
            self._protect_people(row)
            if number is not None:
                self._banned.setdefault(number, row.line)
                if (person := self._met.get(number)) and person.line == row.line:
                    reasons[number] = describe_ban(column)
        self._take_out(reasons)

    def _skip_banned(self) -> None:
        # One row that forbids the call protects the person, also from another row with the number.
        self._take_out(
            {
                number: f"row {line} with the same number seems to forbid the call"
                for number, line in self._banned.items()
                if number in self._met
            }
        )

    def _skip_abroad(self) -> None:
        reasons = {}
        for number, columns in self._abroad.items():
            column = next(filter(self._countries.is_country, columns), None)
            if column is not None and number in self._met:
                reasons[number] = describe_country(column, self._template.region)
        self._take_out(reasons)

    def _skip_contradictions(self) -> None:
        # If the rows of a person name different time zones, the person becomes an invalid row.
        reasons = {}
        for number, others in self._other_zones.items():
            person = self._met.get(number)
            line = person and next((line for zone, line in others if _is_other_zone(zone, person)), None)
            if line:
                reasons[number] = (
                    f"timezone: row {line} names another time zone for the same number; write one zone"
                )
        self._take_out(reasons)

    def _take_out(self, reasons: Mapping[str, str]) -> None:
        """Make invalid rows of people: number of a person → why no one may call the number."""
        people = {number: self._met.pop(number) for number in reasons}
        for number, person in people.items():
            self._plan.invalid.append(Skipped(person.row, person.line, reasons[number]))
        if people:
            keys = {person.key for person in people.values()}
            self._plan.people = [person for person in self._plan.people if person.key not in keys]


def _is_other_zone(text: str, person: Person) -> bool:
    """Return whether a second row of a person names another time zone than the first row.

    :param text: the time zone in the second row.
    :param person: has the values of the first row.
    """
    zone = read_time_zone(text)
    if zone is not None:
        return zone != person.zone
    column = find_columns(tuple(person.row), needs_phone=False).timezone
    return column is None or person.row[column] in (None, "")
