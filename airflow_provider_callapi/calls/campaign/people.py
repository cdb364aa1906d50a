"""Reads a contact list: which people to call, and which start request each person gets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.methods import METHODS, StartCall
from airflow_provider_callapi.calls.campaign.row_templates import (
    ROW,
    InvalidRow,
    compile_templates,
    fill_in,
    has_template,
)
from airflow_provider_callapi.calls.campaign.time_zones import (
    SignedColumns,
    is_backwards,
    read_time_zone,
    refuse_unnamed_zone,
)
from airflow_provider_callapi.calls.lists.columns import Columns, find_columns
from airflow_provider_callapi.calls.lists.empty_values import is_blank, without_failed_formulas
from airflow_provider_callapi.calls.lists.problems import ListUnreadable
from airflow_provider_callapi.calls.lists.rounded_numbers import RoundedNumbers
from airflow_provider_callapi.calls.phone_numbers.comparison import (
    SHOWN_NUMBER,
    contact_key,
    contains_number,
)
from airflow_provider_callapi.calls.phone_numbers.generous import numbers_in_sip
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import ROUNDED_LIST, NotANumber
from airflow_provider_callapi.calls.phone_numbers.request_numbers import read_numbers
from airflow_provider_callapi.calls.phone_numbers.strict import read_contact

_ID = "external_id"
_NUMBER = "{{ contact.phone }}"
_LONGEST_ID = 240
"""How many characters an author's ``external_id`` may have.

A ledger stores up to 255 characters, and later attempts add their number to the id.
"""


@dataclass(frozen=True, slots=True)
class Person:
    """A person to call.

    :ivar key: the person's key in the ledger.
    :ivar contact: the number to call: E.164 digits, or a SIP number.
    :ivar zone: IANA name of the person's time zone.
    :ivar row: the person's row in the contact list: column → value.
    :ivar line: the number of this row in the contact list; the first row is 1.
    :ivar numbers: the phone numbers that the name of a SIP number may mean, as E.164 digits.
    """

    key: str
    contact: str = field(repr=False)
    zone: str
    row: Mapping[str, Any] = field(repr=False)
    line: int
    numbers: frozenset[str] = field(default=frozenset(), repr=False)

    def is_excluded_by(self, numbers: Container[str]) -> bool:
        """Return whether a do-not-call list contains the person.

        :param numbers: the numbers on the list: E.164 digits, and SIP numbers as `contact_key` returns them.
        """
        return contact_key(self.contact) in numbers or any(number in numbers for number in self.numbers)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row of the contact list from which no one is called.

    :ivar row: the row: column → value.
    :ivar line: the number of the row in the contact list; the first row is 1.
    :ivar why: why no one is called, as text. For an invalid row, the text names the field, such as
        ``timezone``, but does not contain the value of the field.
    """

    row: Mapping[str, Any] = field(repr=False)
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Duplicate(Skipped):
    """A row with the same number as an earlier row. The person is called only once.

    :ivar contact: the number of both rows: E.164 digits, or a SIP number.
    """

    contact: str = field(repr=False)


@dataclass
class Plan:
    """The people to call from a contact list, and the rows from which no one is called.

    If the task calls only one shard (a part of the list), ``people``, ``invalid`` and ``duplicates`` contain
    only this shard.

    :ivar people: the people to call, one for each different number.
    :ivar invalid: the rows from which no call can be made.
    :ivar duplicates: the rows with the number of an earlier row.
    :ivar rows: how many rows the contact list has in all shards together, without blank rows.
    :ivar warnings: sentences for the DAG's author about doubtful values, such as the time zone ``Etc/GMT-3``.
    """

    people: list[Person] = field(default_factory=list)
    invalid: list[Skipped] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    rows: int = 0
    warnings: list[str] = field(default_factory=list)


class CallTemplate:
    """Makes the start request of each person of a campaign from the person's row in the contact list.

    :param call: a start method and its parameters: ``{"method": "start.informer_call", …}``. Each string is a
        Jinja template, in which ``contact`` is the person's row. The number to call is the parameter
        ``contact``, default ``{{ contact.phone }}``.
    :param values: further names for the templates: name → value.
    :param region: ISO 3166 code of the country of numbers without a country code.
    :raises ValueError: the method, a parameter or a template is wrong.
    """

    def __init__(
        self, call: Mapping[str, Any], values: Mapping[str, Any] | None = None, *, region: str
    ) -> None:
        fields = dict(call)
        method = fields.pop("method", None)
        request_type = METHODS.get(str(method))
        if request_type is None or not issubclass(request_type, StartCall):
            known = ", ".join(sorted(name for name, kind in METHODS.items() if issubclass(kind, StartCall)))
            raise ValueError(f"call.method: {method!r} is not one of {known}")
        unknown = [name for name in fields if name not in request_type.model_fields]
        if unknown:
            raise ValueError(f"call.{unknown[0]}: {method} has no such parameter")
        self.request_type: type[StartCall] = request_type
        self.region = region
        self._fields: dict[str, Any] = compile_templates({ROW: _NUMBER, **fields}, dict(values or {}), "call")
        if not has_template(self._fields[ROW]):
            raise ValueError(
                "call.contact: a template such as {{ contact.phone }} is needed. A constant is the same "
                "number for every person"
            )
        self.reads_phone = "phone" in str(fields.get(ROW, _NUMBER))
        """Whether the number to call is in the column ``phone``."""
        self.personal = frozenset(name for name, value in self._fields.items() if has_template(value))
        """Names of the parameters whose values differ between people.

        If the service refuses the value of another parameter, it would refuse the call of every person.
        """
        self._own_fields = [name for name in self._fields if name in self.personal - {ROW, _ID}]

    @cached_property
    def _constants(self) -> dict[str, Any]:
        """The parameters whose values are the same for every person.

        :raises InvalidParameters: a phone number in a value cannot be read.
        """
        values = {name: value for name, value in self._fields.items() if name not in self.personal}
        return read_numbers(values, self.region, method=self.request_type.method)

    def written_number(self, row: Mapping[str, Any]) -> str:
        """Return the number to call, as a person's row contains it.

        :param row: the person's row in the contact list: column → value.
        :raises InvalidRow: the author's template for the number cannot be filled in from this row. The error
            message names the field ``call.contact``.
        """
        return str(self._render_field(ROW, row))

    def own_external_id(self, person: Person) -> str | None:
        """Return the ``external_id`` that the author's template gives the first call to a person.

        :return: the id. None: the author gives no ``external_id``, or the id for this person is empty.
        :raises InvalidRow: the template cannot be filled in from the person's row.
        :raises InvalidRow: the id is longer than 240 characters, or contains the phone number.
        """
        own = self._render_field(_ID, person.row) if _ID in self._fields else None
        if isinstance(own, str) and len(own) > _LONGEST_ID:
            raise InvalidRow(f"call.{_ID}: longer than {_LONGEST_ID} characters")
        if isinstance(own, str) and contains_number(own, person.contact):
            raise InvalidRow(f"call.{_ID}: {SHOWN_NUMBER}")
        return own or None

    def request(self, person: Person, external_id: str) -> StartCall:
        """Return the start request that calls one person.

        :param external_id: the ``external_id`` of the attempt, as the function `external_id` returns it.
        :raises InvalidRow: no valid request can be made from the person's row. The error message names the
            field, such as ``call.contact``.
        """
        known = {ROW: person.contact, _ID: external_id}
        # The number to call is read already. Without its +, it could be read as another number.
        own = {name: self._render_field(name, person.row) for name in self._own_fields}
        try:
            own = read_numbers(own, self.region, method=self.request_type.method)
            return self.request_type.from_values({**self._constants, **own, **known})
        except InvalidParameters as error:
            raise InvalidRow(str(error)) from None

    def _render_field(self, name: str, row: Mapping[str, Any]) -> Any:
        return fill_in(self._fields[name], row)


def read_people(
    rows: Iterable[Mapping[str, Any] | str],
    template: CallTemplate,
    *,
    key_of: Callable[[str], str],
    timezone: str,
    shard: tuple[int, int] = (1, 1),
) -> Plan:
    """Read a contact list. Return the people to call, the invalid rows and the duplicates.

    If several rows have the same number, the person of the first valid row is called. A SIP address whose
    name is a phone number, such as ``79260000011@example.com``, counts as this number. If these rows name
    different time zones, the person is not called.

    :param rows: the rows of the list. A row is a number, or a mapping from column to value. The column
        ``timezone`` contains the person's time zone.
    :param template: makes the start request of each person.
    :param key_of: a function: number, as `contact_key` returns it → the person's key in the ledger.
    :param timezone: IANA name of the time zone of people whose row has no time zone.
    :param shard: (number of this shard, how many shards). (2, 4): keep only the second of four parts of the
        list. (1, 1): keep the whole list.
    :raises ListUnreadable: it is not certain what a column means, or many numbers end in five zeros.
    """
    plan = Plan()
    met: dict[str, Person] = {}
    contradicted: dict[str, int] = {}  # number → a later row with another time zone
    backwards: set[str] = set()
    which, shards = shard
    signed, rounded = SignedColumns(), RoundedNumbers()
    for line, given in enumerate(rows, start=1):
        own = {"phone": given} if isinstance(given, str) else given
        row = without_failed_formulas(own)
        columns = find_columns(tuple(row), needs_phone=template.reads_phone)
        if columns.timezone is None:
            refuse_unnamed_zone(row, line)
            signed.add(row, line)
        contact = None
        try:
            written = template.written_number(row)
            contact = read_contact(written, template.region)
            plan.rows += 1
            rounded.add(written, line)
            numbers = frozenset() if contact.isdigit() else numbers_in_sip(contact, template.region)
            own_number = _own_number(contact, numbers)
            if shards > 1 and _digest(own_number) % shards != which - 1:
                continue
            if first := met.get(own_number):
                plan.duplicates.append(Duplicate(row, line, f"the number of row {first.line}", contact))
                if _names_another_zone(own, columns, first.zone):
                    contradicted.setdefault(own_number, line)
                continue
            zone = _zone(own, columns, timezone, backwards)  # a failed formula is no missing time zone
            person = Person(key_of(contact_key(contact)), contact, zone, row, line, numbers)
            template.request(person, template.own_external_id(person) or _TRIAL_ID)
        except (NotANumber, InvalidRow) as error:
            if contact is None:
                if is_blank(row):
                    continue
                plan.rows += 1
                if line % shards != which - 1:  # so that only one shard reports a row without a valid number
                    continue
            why = f"contact: {error}" if isinstance(error, NotANumber) else str(error)
            plan.invalid.append(Skipped(row, line, why))
        else:
            met[own_number] = person
            plan.people.append(person)
    signed.refuse()
    if contradicted:
        _skip_contradicted(plan, contradicted)
    if rounded_lines := rounded.lines():
        raise ListUnreadable(f"row {rounded_lines[0]}: {ROUNDED_LIST}")
    plan.warnings += [
        f"timezone: {zone} is UTC{-int(zone[7:]):+d}, because zones of this form have the opposite sign"
        for zone in sorted(backwards)
    ]
    return plan


def _own_number(contact: str, numbers: frozenset[str]) -> str:
    """Return the phone number of a person, also if the contact is a SIP address with this number as its name.

    If the contact is another SIP number, return this SIP number.

    :param numbers: the phone numbers that the name may mean.
    """
    name = contact.partition("@")[0]
    return name if name in numbers else contact_key(contact)


def _zone(row: Mapping[str, Any], columns: Columns, default: str, backwards: set[str]) -> str:
    """Return the IANA name of a person's time zone: the zone in the person's row, or else ``default``.

    :raises InvalidRow: the zone cannot be read.
    """
    own = row.get(columns.timezone) if columns.timezone else None
    if own is None or own == "":
        return default
    zone = read_time_zone(str(own))
    if zone is None:
        raise InvalidRow(
            "timezone: not certainly a time zone; write an IANA name, or an offset such as +03:00"
        )
    if is_backwards(zone) and zone == str(own).strip():
        backwards.add(zone)  # Etc/GMT-3 is UTC+3: the campaign warns the author
    return zone


def _names_another_zone(row: Mapping[str, Any], columns: Columns, zone: str) -> bool:
    """Return whether a row names a time zone that is not ``zone``. An unreadable one does not count."""
    own = row.get(columns.timezone) if columns.timezone else None
    return own is not None and read_time_zone(str(own)) not in (None, zone)


def _skip_contradicted(plan: Plan, contradicted: Mapping[str, int]) -> None:
    """Make the rows of these people invalid: number → a later row that names another time zone."""
    for person in plan.people:
        if line := contradicted.get(_own_number(person.contact, person.numbers)):
            why = f"timezone: row {line} names another time zone for the same number; write one zone"
            plan.invalid.append(Skipped(person.row, person.line, why))
    plan.people = [
        person for person in plan.people if _own_number(person.contact, person.numbers) not in contradicted
    ]


def external_id(scope: str, contact: str, attempt: int, own: str | None = None) -> str:
    """Return the ``external_id`` of an attempt to call a person, such as ``afc-1f0c…-2`` (second attempt).

    The campaign finds an unconfirmed call by this id.

    :param scope: a text that identifies the campaign and its Airflow deployment, see `Deployment.scope`.
    :param contact: the number to call. The id does not contain the number.
    :param attempt: the number of the attempt; 1 is the first attempt.
    :param own: the author's id for the first attempt, such as ``order-7``. The second attempt gets
        ``order-7-2``. None: the id contains a hash of ``scope`` and ``contact``.
    """
    if own is not None:
        return own if attempt == 1 else f"{own}-{attempt}"
    digest = hashlib.sha256(f"{scope}\n{contact_key(contact)}".encode()).hexdigest()
    return f"afc-{digest[:24]}-{attempt}"


_TRIAL_ID = external_id("", "", 1)
"""The ``external_id`` of the request that only checks a row, if the author gives no id."""


def fingerprint(scope: str, contact: str) -> str:
    """Return a person's fingerprint: 16 hexadecimal digits of a hash of ``scope`` and the phone number.

    The fingerprint identifies the person where the phone number itself must not be stored.

    :param scope: a text that identifies the campaign and its deployment, as `Deployment.scope` returns it.
    :param contact: the number to call.
    """
    return hashlib.sha256(f"{scope}\n{contact_key(contact)}".encode()).hexdigest()[24:40]


def read_shard(text: str | None) -> tuple[int, int]:
    """Return which part (shard) of the contact list a task calls: (number of the shard, how many shards).

    :param text: a text such as ``"2/4"``, the second of four parts, which gives (2, 4). None or empty: the
        whole list, which gives (1, 1).
    :raises ValueError: the text has another form, or there is no shard with this number.
    """
    if not text:
        return 1, 1
    try:
        which, shards = (int(part) for part in str(text).split("/"))
    except ValueError:
        which, shards = 0, 0
    if not 1 <= which <= shards:
        raise ValueError(f'shard: {text!r} is not one of "1/4", "2/4", …')
    return which, shards


def _digest(number: str) -> int:
    return int.from_bytes(hashlib.sha256(number.encode()).digest()[:8])
