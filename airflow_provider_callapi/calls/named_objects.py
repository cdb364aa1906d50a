"""Checks, before anyone is dialled, that the account has the objects that start requests name.

The objects are virtual numbers, scenarios, employees, media files, tags and SIP lines.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from airflow_provider_callapi.api.account import (
    AccountEmployee,
    AccountScenario,
    AccountTag,
    GetEmployees,
    GetMediaFiles,
    GetScenarios,
    GetSipLines,
    GetTags,
    GetVirtualNumbers,
    MediaFile,
    SipLine,
    VirtualNumber,
)
from airflow_provider_callapi.api.entries import Entries
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.list_request import fetch_list
from airflow_provider_callapi.api.methods import Employee, Message, StartCall
from airflow_provider_callapi.api.values.masking import mask_number, mask_phones
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import is_phone_number

_NUMBER_OFF = frozenset({"waiting", "cleaning", "prereserved", "reserved", "manual_lock", "limit_lock"})
"""The states in which the account cannot use a virtual number."""
_LINE_OFF = frozenset({"inactive", "manual_lock", "limit_lock"})
"""The states in which a SIP line or a telephone does not ring."""


@dataclass(frozen=True)
class NamedObjects:
    """The objects that appear in some start requests, such as a virtual number or a scenario.

    The account must have these objects.

    :ivar virtual_numbers: the virtual numbers, as E.164 digits.
    :ivar scenarios: the ids of scenarios.
    :ivar tags: the ids of tags.
    :ivar employees: pairs (id of an employee, number to ring). If the number is None, the service rings all
        numbers of the employee.
    :ivar media_files: the ids of media files, as text.
    :ivar sip_lines: the SIP numbers among the contacts.
    """

    virtual_numbers: frozenset[str] = frozenset()
    scenarios: frozenset[int] = frozenset()
    employees: frozenset[tuple[int, str | None]] = frozenset()
    media_files: frozenset[str] = frozenset()
    tags: frozenset[int] = frozenset()
    sip_lines: frozenset[str] = frozenset()

    @classmethod
    def of(cls, requests: Iterable[StartCall], tags: Iterable[int] = ()) -> Self:
        """Collect the virtual numbers, scenarios and other objects that appear in start requests.

        :param requests: the start requests.
        :param tags: ids of the tags that the calls get.
        """
        found: dict[str, set[Any]] = {each.name: set() for each in fields(cls)}
        for request in requests:
            for name, value in _names_in(request):
                found[name].add(value)
        found["tags"] |= set(tags)
        return cls(**{name: frozenset(values) for name, values in found.items()})


def _names_in(request: StartCall) -> Iterator[tuple[str, Any]]:
    """Yield the objects that a start request names, as pairs such as ``("scenarios", 7)``."""
    yield "virtual_numbers", request.virtual_phone_number
    if not is_phone_number(request.contact):
        yield "sip_lines", request.contact
    for name, value in request:
        if name == "scenario_id" and value is not None:
            yield "scenarios", value
        elif name == "media_file_id" and value is not None:
            yield "media_files", str(value)
        elif isinstance(value, Message) and value.type == "media":
            yield "media_files", value.value.strip()
        elif isinstance(value, Employee):
            yield "employees", (value.id, value.phone_number)


@dataclass(frozen=True)
class AccountLists:
    """The objects that the account has, such as its virtual numbers. A list that was not read is None.

    :ivar unread: a sentence with the reason for each list that could not be read, e.g. ``The account's tags
        were not checked: …``.
    """

    virtual_numbers: Entries[VirtualNumber] | None = None
    scenarios: Entries[AccountScenario] | None = None
    employees: Entries[AccountEmployee] | None = None
    media_files: Entries[MediaFile] | None = None
    tags: Entries[AccountTag] | None = None
    sip_lines: Entries[SipLine] | None = None
    unread: Sequence[str] = field(default=())


_REQUESTS: dict[str, Any] = {
    "virtual_numbers": GetVirtualNumbers,
    "scenarios": GetScenarios,
    "employees": GetEmployees,
    "media_files": GetMediaFiles,
    "tags": GetTags,
    "sip_lines": GetSipLines,
}


def fetch_account_lists(call: Callable[[Any], Any], named: NamedObjects) -> AccountLists:
    """Fetch the account's lists that `find_mistakes` compares with ``named``, e.g. the list of scenarios.

    The function raises no `CallApiError`, because the check must not prevent calls. A list that could not be
    fetched stays None.

    :param call: a function that sends a request to the Data API and returns the answer.
    :param named: the objects that appear in start requests, e.g. a scenario. The function fetches only the
        lists that are needed to check these objects.
    """
    needed = {name for name in _REQUESTS if getattr(named, name)}
    if named.employees:
        needed.add("sip_lines")  # a SIP line can be an employee's only telephone
    lists: dict[str, Any] = {}
    unread = []
    outage: CallApiError | None = None
    for name in (name for name in _REQUESTS if name in needed):
        problem = outage
        if problem is None:
            try:
                lists[name] = fetch_list(call, _REQUESTS[name]())
            except CallApiError as error:
                problem, outage = error, None if error.permanent else error
        if problem is not None:
            unread.append(f"The account's {name.replace('_', ' ')} were not checked: {problem}")
    return AccountLists(**lists, unread=tuple(unread))


def find_mistakes(named: NamedObjects, lists: AccountLists) -> list[str]:
    """Return a sentence for each object, such as a scenario, that the account lacks or has switched off.

    Example: ``The account has no scenario 7.`` The sentences contain no complete phone number.

    - If a list of the account was not read: its objects are not checked.
    - If a list was read only in part: no object counts as missing from this list.

    :param named: the objects that the parameters of a task name.
    :param lists: the objects that the account has.
    """
    return [
        *_find_numbers(named.virtual_numbers, lists.virtual_numbers),
        *_find_by_id("scenario", named.scenarios, lists.scenarios),
        *_find_employees(named.employees, lists),
        *_find_by_id("media file", named.media_files, lists.media_files),
        *_find_by_id("tag", named.tags, lists.tags),
        *_find_sip_lines(named.sip_lines, lists.sip_lines),
    ]


def _find_by_id(
    kind: str, ids: Collection[int | str], entries: Entries[Any] | None, key: str = "id"
) -> Iterator[str]:
    """Yield a sentence for each id that a list of the account lacks: ``The account has no tag 36.``

    If the list was not read completely, yield nothing.
    """
    if entries is None or not entries.complete:  # a missing id may be in the part that was not read
        return
    known = {str(getattr(entry, key)) for entry in entries}
    for each in sorted(ids, key=str):
        if str(each) not in known:
            # An author may have written a phone number as an id.
            shown = (mask_phones if key == "id" else mask_number)(str(each))
            # The number is shortened, so the author cannot compare it with another one.
            more = ": `airflow callapi numbers` lists its numbers" if kind == "virtual number" else ""
            yield f"The account has no {kind} {shown}{more}."


def _find_numbers(numbers: Collection[str], entries: Entries[VirtualNumber] | None) -> Iterator[str]:
    yield from _find_by_id("virtual number", numbers, entries, "virtual_phone_number")
    states = ((entry.virtual_phone_number, _number_off(entry)) for entry in entries or ())
    yield from _find_off("virtual number", numbers, states)


def _find_sip_lines(numbers: Collection[str], entries: Entries[SipLine] | None) -> Iterator[str]:
    yield from _find_by_id("SIP line", numbers, entries, "phone_number")
    states = ((entry.phone_number, _line_off(entry)) for entry in entries or ())
    yield from _find_off("SIP line", numbers, states)


def _find_off(kind: str, numbers: Collection[str], states: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    """Yield a sentence for each virtual number or SIP line in ``numbers`` that is switched off.

    ``states``: pairs (number, why it is off; None: it is on).
    """
    by_number: dict[str, list[str | None]] = {}
    for number, state in states:
        if number in numbers:
            by_number.setdefault(number, []).append(state)
    for number, found in sorted(by_number.items()):
        if all(found):  # the account's list may have several entries for a number
            yield f"The {kind} {mask_number(number)} is off ({found[0]})."


def _number_off(number: VirtualNumber) -> str | None:
    """Return the state of a virtual number that is switched off, e.g. ``manual_lock``.

    None: the account can use the number, or the state is not known.
    """
    return number.status if number.status in _NUMBER_OFF else None


def _line_off(line: SipLine) -> str | None:
    """Return the state of a SIP line that is switched off, e.g. ``inactive``.

    None: the line can ring, or its state is not known.
    """
    return next((state for state in (line.billing_state, line.status) if state in _LINE_OFF), None)


def _find_employees(named: Collection[tuple[int, str | None]], lists: AccountLists) -> Iterator[str]:
    yield from _find_by_id("employee", {employee for employee, _ in named}, lists.employees)
    employees = {entry.id: entry for entry in lists.employees or ()}
    for employee_id, number in sorted(named, key=str):
        entry = employees.get(employee_id)
        telephones = _telephones(entry, lists.sip_lines) if entry else None
        if entry is None or telephones is None:
            continue
        if number is None and not any(telephones.values()):
            yield f"Employee {employee_id} has no telephone that is switched on."
        elif number not in (None, _extension(entry)) and not telephones.get(str(number)):
            shown = mask_number(str(number))
            yield f"The telephone {shown} of employee {employee_id} does not exist or is off."


def _extension(employee: AccountEmployee) -> str | None:
    return employee.extension.extension_phone_number if employee.extension else None


def _telephones(employee: AccountEmployee, lines: Entries[SipLine] | None) -> dict[str, bool] | None:
    """Return an employee's telephones: number → whether the telephone is on.

    None: the numbers or the SIP lines are not completely known.
    """
    phones = employee.phone_numbers
    if (
        phones is None
        or lines is None
        or not lines.complete
        or any(phone.phone_number is None for phone in phones)
    ):
        return None
    # an extension behind another company's number follows after dots: 74955140578...2345
    is_on = {str(phone.phone_number).split("...")[0]: phone.status not in _LINE_OFF for phone in phones}
    for line in lines:
        if line.employee_id == employee.id:
            is_on[line.phone_number] = is_on.get(line.phone_number, True) and _line_off(line) is None
    return is_on
