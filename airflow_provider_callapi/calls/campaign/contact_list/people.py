"""The people of a contact list: whom to call, and which rows lead to no call."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from airflow_provider_callapi.calls.campaign.outcomes import Result
from airflow_provider_callapi.calls.phone_numbers.comparison import contact_key


def own_number(contact: str, numbers: Container[str]) -> str:
    """Return the number that identifies a person. It is the same for all rows of a list that mean the person.

    - If ``contact`` is a phone number: its E.164 digits.
    - If ``contact`` is a SIP number, and its name (the part before ``@``) is in ``numbers``: the name. For
      example, ``79260000011@example.com`` becomes ``79260000011``.
    - If ``contact`` is another SIP number: its `contact_key`.

    :param contact: the number to call: E.164 digits, or a SIP number.
    :param numbers: phone numbers, as E.164 digits. A SIP number whose name is one of them means the same
        person.
    """
    name = contact.partition("@")[0]
    return name if name in numbers else contact_key(contact)


@dataclass(frozen=True, slots=True)
class Person:
    """A person to call.

    :ivar key: the person's key in the ledger.
    :ivar contact: the number to call: E.164 digits, or a SIP number.
    :ivar zone: IANA name of the person's time zone.
    :ivar row: the person's row in the contact list: column → value.
    :ivar line: the number of this row in the contact list; the first row is 1.
    :ivar numbers: phone numbers that may belong to the same person, as E.164 digits. If ``contact`` is a SIP
        number whose name (the part before ``@``) reads as phone numbers: these. Otherwise empty.
    """

    key: str = field(repr=False)  # in an SQL ledger, it is the phone number
    contact: str = field(repr=False)
    zone: str
    row: Mapping[str, Any] = field(repr=False)
    line: int
    numbers: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def number(self) -> str:
        """The phone number or SIP number that identifies the person, see `own_number`."""
        return own_number(self.contact, self.numbers)

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
    :cvar result: the result of the row, as the files and tables of results show it.
    """

    result: ClassVar[str] = Result.INVALID.value
    row: Mapping[str, Any] = field(repr=False)
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Duplicate(Skipped):
    """A row with the same number as an earlier row. The person is called only once.

    :ivar contact: the number of both rows: E.164 digits, or a SIP number.
    """

    result: ClassVar[str] = "duplicate"
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
    :ivar has_blank_rows: whether the contact list has rows in which all values are empty.
    :ivar warnings: sentences for the DAG's author about doubtful values, such as the time zone ``Etc/GMT-3``.
    """

    people: list[Person] = field(default_factory=list)
    invalid: list[Skipped] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    rows: int = 0
    has_blank_rows: bool = False
    warnings: list[str] = field(default_factory=list)

    @property
    def skipped(self) -> list[Skipped]:
        """The rows from which no one is called: the invalid rows and the duplicates."""
        return [*self.invalid, *self.duplicates]
