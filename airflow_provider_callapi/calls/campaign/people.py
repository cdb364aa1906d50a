"""From the rows of a contact list to the people who will be called, and the call that each of them gets."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, Undefined, UndefinedError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from airflow_provider_callapi.api.errors import InvalidParameters, mask_phones
from airflow_provider_callapi.api.methods import METHODS, StartCall
from airflow_provider_callapi.calls.campaign.hours import is_timezone
from airflow_provider_callapi.calls.campaign.phone_numbers import NotANumber, normalise

_ROW = "contact"
_ID = "external_id"
SURPLUS = "(no column)"
"""Where a row has the values for which its list has no column."""
_NUMBER = "{{ contact.phone }}"
_LONGEST_ID = 240
"""Characters of an author's external_id: a ledger keeps 255, and the number of the attempt is added."""


class _Missing(StrictUndefined):
    """A name that is not there."""

    @property
    def _undefined_message(self) -> str:
        if isinstance(self._undefined_obj, Mapping):
            return f"the row has no column {self._undefined_name!r}"
        return str(super()._undefined_message)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Where an author's templates meet a stranger's row: what is not there is not spoken."""

    def __init__(self) -> None:
        super().__init__(undefined=_Missing, finalize=_spoken)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A row's column, also one that is called ``items``, before a method of mappings."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def _spoken(value: Any) -> Any:
    """What a template puts into a text; "Hello None" is said to nobody."""
    if value is None:
        raise UndefinedError("a value is empty (null); {{ … or 'a default' }} speaks another one")
    if callable(value) and not isinstance(value, Undefined):
        raise UndefinedError("the row has no such column")
    return value


class InvalidRow(ValueError):
    """This row makes no call; the text names the field, without its value."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to be called.

    :ivar key: how the ledger knows the person.
    :ivar contact: the number, E.164 digits, or a SIP number.
    :ivar zone: IANA time zone of the person's own clock.
    :ivar row: what the contact list says of the person.
    :ivar line: the row's number in the list, 1 for the first.
    """

    key: str
    contact: str = field(repr=False)
    zone: str
    row: Mapping[str, Any] = field(repr=False)
    line: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that makes no call, and why."""

    row: Mapping[str, Any] = field(repr=False)
    line: int
    why: str


@dataclass
class Plan:
    """The contact list, read.

    :ivar duplicates: rows of people who were on the list already.
    """

    people: list[Person] = field(default_factory=list)
    invalid: list[Skipped] = field(default_factory=list)
    duplicates: int = 0


class CallTemplate:
    """The call that everybody gets, with the row of each filled in.

    :param call: ``{"method": "start.informer_call", …}``, the method's own parameters; every string is a
        Jinja template with the row as ``contact``. ``contact`` itself is ``{{ contact.phone }}`` by default.
    :param values: what templates may use besides the row.
    :raises ValueError: names what is wrong with the template itself.
    """

    def __init__(self, call: Mapping[str, Any], values: Mapping[str, Any] | None = None) -> None:
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
        self._environment = _Sandbox()
        self._values = dict(values or {})
        self._fields = {
            name: self._compiled(value, f"call.{name}") for name, value in {_ROW: _NUMBER, **fields}.items()
        }
        self.personal = frozenset(name for name, value in self._fields.items() if _is_template(value))
        """The parameters made from a person's row: a refusal of another one concerns everybody."""

    def number(self, row: Mapping[str, Any]) -> str:
        """The number to be called, as the row has it.

        :raises InvalidRow: names the field.
        """
        return str(self._rendered(_ROW, row))

    def own_external_id(self, person: Person) -> str | None:
        """The author's own id of a person's call; None: there is none, or it is empty.

        :raises InvalidRow: it cannot be made from this row.
        """
        own = self._rendered(_ID, person.row) if _ID in self._fields else None
        if isinstance(own, str) and len(own) > _LONGEST_ID:
            raise InvalidRow(f"call.{_ID}: longer than the {_LONGEST_ID} characters that are kept")
        if isinstance(own, str) and person.contact[-10:] in re.sub(r"[^0-9]", "", own):
            raise InvalidRow(f"call.{_ID}: holds the phone number; ids are told in logs as they are")
        return own or None

    def request(self, person: Person, external_id: str) -> StartCall:
        """The call of one person.

        :param external_id: the id of the attempt, see `external_id`.
        :raises InvalidRow: names the field.
        """
        known = {_ROW: person.contact, _ID: external_id}
        values = {name: self._rendered(name, person.row) for name in self._fields if name not in known}
        try:
            return self.request_type.from_values({**values, **known})
        except InvalidParameters as error:
            raise InvalidRow(str(error)) from None

    def _rendered(self, name: str, row: Mapping[str, Any]) -> Any:
        return _render(self._fields[name], {**self._values, _ROW: row}, f"call.{name}")

    def _compiled(self, value: Any, where: str) -> Any:
        if isinstance(value, Mapping):
            return {name: self._compiled(inner, f"{where}.{name}") for name, inner in value.items()}
        if not isinstance(value, str) or not ("{{" in value or "{%" in value):
            return value
        try:
            template = self._environment.from_string(value)
        except TemplateError as error:
            raise ValueError(f"{where}: {error}") from None
        if _ROW in meta.find_undeclared_variables(self._environment.parse(value)):
            return template
        try:
            return template.render(self._values)  # the same for everybody
        except Exception:  # every row will say why
            return template


def read_people(
    rows: Iterable[Mapping[str, Any] | str],
    template: CallTemplate,
    *,
    campaign: str,
    key_of: Callable[[str], str],
    region: str,
    timezone: str,
    shard: tuple[int, int] = (1, 1),
) -> Plan:
    """Read a contact list: numbers are normalised, and everybody is on it once.

    :param rows: of each person: a mapping, or only the number. A ``timezone`` in it is the person's own.
    :param campaign: its name, from which the ids of its calls are made.
    :param key_of: how the ledger knows the person with a number.
    :param shard: (which, of how many), by the number: the same list, read by every shard, is called once.
    """
    plan = Plan()
    seen: set[str] = set()
    which, shards = shard
    for line, given in enumerate(rows, start=1):
        row = {"phone": given} if isinstance(given, str) else given
        mine = line % shards == which - 1  # a row without a number is told by one shard
        try:
            if row.get(SURPLUS):
                raise InvalidRow("more values than columns: one that holds a separator needs quotes")
            contact = normalise(template.number(row), region)
            mine = _digest(contact) % shards == which - 1
            if not mine:
                continue
            if contact in seen:
                plan.duplicates += 1
                continue
            zone = str(row.get("timezone") or timezone)
            if not is_timezone(zone):
                raise InvalidRow("timezone: not a time zone of the IANA list")
            person = Person(key_of(contact), contact, zone, row, line)
            template.request(person, external_id(campaign, contact, 1, template.own_external_id(person)))
        except NotANumber as error:
            skipped = Skipped(row, line, f"contact: {error}")
        except InvalidRow as error:
            skipped = Skipped(row, line, str(error))
        else:
            seen.add(contact)
            plan.people.append(person)
            continue
        if mine:
            plan.invalid.append(skipped)
    return plan


def external_id(campaign: str, contact: str, attempt: int, own: str | None = None) -> str:
    """The id by which a lost call is found; without a phone number, and not to be looked up by one.

    :param own: the author's: ``own``, ``own-2``, ``own-3``, by the attempt.
    """
    if own is not None:
        return own if attempt == 1 else f"{own}-{attempt}"
    digest = hashlib.sha256(f"{campaign}\n{contact}".encode()).hexdigest()
    return f"afc-{digest[:24]}-{attempt}"


def fingerprint(campaign: str, contact: str) -> str:
    """A person's key where a phone number may not be stored."""
    return hashlib.sha256(f"{campaign}\n{contact}".encode()).hexdigest()[24:40]


def read_shard(text: str | None) -> tuple[int, int]:
    """``"2/4"`` as (2, 4).

    :raises ValueError: names the field.
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


def _digest(contact: str) -> int:
    return int.from_bytes(hashlib.sha256(contact.encode()).digest()[:8])


def _is_template(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_is_template(inner) for inner in value.values())
    return isinstance(value, Template)


def _render(value: Any, values: Mapping[str, Any], where: str) -> Any:
    if isinstance(value, dict):
        return {name: _render(inner, values, f"{where}.{name}") for name, inner in value.items()}
    if not isinstance(value, Template):
        return value
    try:
        return value.render(values)
    except TemplateError as error:
        raise InvalidRow(f"{where}: {mask_phones(str(error))}") from None
    except Exception as error:  # whatever an expression of the author's does with this row
        raise InvalidRow(f"{where}: {type(error).__name__} in its template") from None
