"""The Data API methods that read the emulated account, or put a number on its blacklist.

The methods read the account's name and time zone, and the lists of virtual numbers, employees, scenarios,
media files, SIP lines and blacklisted numbers.

Source: the vendor's public documentation of the Data API v2.0, as far as the client uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from airflow_provider_callapi.api.account import CreatePhoneNumberToBlacklist, GetAccount
from airflow_provider_callapi.emulator.account import Account, Employee, Scenario
from airflow_provider_callapi.emulator.calls.switchboard import Switchboard
from airflow_provider_callapi.emulator.errors import RpcError
from airflow_provider_callapi.emulator.services.list_page import build_page
from airflow_provider_callapi.emulator.services.service import Handler, RpcResult

T = TypeVar("T")
Columns = Mapping[str, Callable[[T], Any]]  # field of the answer → function from an object to its value


class _Owned(NamedTuple, Generic[T]):
    """An object together with the account that owns the object."""

    account: Account
    item: T


class _SipLine(NamedTuple):
    employee: Employee
    number: str


def get_account(switchboard: Switchboard, account: Account, request: GetAccount) -> list[dict[str, Any]]:
    """Return the name and the time zone of the account.

    :return: one entry, e.g. ``[{"app_id": 1, "name": "demo", "timezone": "Europe/Moscow"}]``.
    """
    return [{"app_id": 1, "name": account.login, "timezone": account.timezone}]


def sip_numbers(employee: Employee) -> Iterator[str]:
    """Yield the SIP numbers of an employee, e.g. ``sip25``.

    `Employee.other_numbers` contains SIP numbers and extensions. An extension consists of digits only.
    """
    return (number for number in employee.other_numbers if not number.isdigit())


def _extension(employee: Employee) -> dict[str, str] | None:
    numbers = [number for number in employee.other_numbers if number.isdigit()]
    return {"extension_phone_number": numbers[0]} if numbers else None


def _phones(employee: Employee) -> list[dict[str, Any]]:
    return [
        {"phone_id": place, "phone_number": number, "channels_count": 1, "dial_time": 60, "status": "active"}
        for place, number in enumerate(employee.phone_numbers, 1)
    ]


def _number_scenarios(owned: _Owned[str]) -> list[dict[str, Any]]:
    account, number = owned
    scenario = account.scenarios.get(account.number_scenarios.get(number, 0))
    return [{"scenario_id": scenario.id, "scenario_name": scenario.name}] if scenario else []


def _billing_state(owned: _Owned[str]) -> str:
    account, number = owned
    return "manual_lock" if number in account.locked else "active"


_NUMBERS: Columns[_Owned[str]] = {
    "id": lambda owned: int(owned.item),
    "virtual_phone_number": lambda owned: owned.item,
    "status": _billing_state,
    "type": lambda owned: "va",
    "name": lambda owned: None,
    "scenarios": _number_scenarios,
}
_EMPLOYEES: Columns[Employee] = {
    "id": lambda employee: employee.id,
    "full_name": lambda employee: employee.full_name,
    "phone_numbers": _phones,
    "extension": _extension,
}
_SCENARIOS: Columns[_Owned[Scenario]] = {
    "id": lambda owned: owned.item.id,
    "name": lambda owned: owned.item.name,
    "virtual_phone_numbers": lambda owned: [
        number for number, scenario in owned.account.number_scenarios.items() if scenario == owned.item.id
    ],
}
_MEDIA: Columns[tuple[int, str]] = {
    "id": lambda media: media[0],
    "name": lambda media: media[1],
    "type": lambda media: "user",
    "duration": lambda media: 5,
}
_SIP_LINES: Columns[_Owned[_SipLine]] = {
    "id": lambda owned: owned.item.employee.id,
    "phone_number": lambda owned: owned.item.number,
    "type": lambda owned: "in_out",
    "billing_state": lambda owned: _billing_state(_Owned(owned.account, owned.item.number)),
    "physical_state": lambda owned: "Зарегистрирован",
    "status": lambda owned: "active",
    "employee_id": lambda owned: owned.item.employee.id,
    "employee_full_name": lambda owned: owned.item.employee.full_name,
}
_BLACKLIST: Columns[str] = {
    "id": int,
    "phone_number": lambda number: number,
    "add_comment": lambda number: None,
    "add_date_time": lambda number: None,
}


def _owned(account: Account, objects: Iterable[T]) -> Iterator[_Owned[T]]:
    return (_Owned(account, each) for each in objects)


def _sip_lines(account: Account) -> Iterator[_SipLine]:
    for employee in account.employees.values():
        for number in sip_numbers(employee):
            yield _SipLine(employee, number)


def _list_handler(read: Callable[[Account], Iterable[T]], columns: Columns[T]) -> Handler:
    """Return the function that answers requests for a list of the account, e.g. the list of employees."""

    def handle(switchboard: Switchboard, account: Account, request: Any) -> RpcResult:
        fields = request.fields or list(columns)
        return build_page(read(account), columns, fields, request, filterable=frozenset(columns))

    return handle


def block_number(
    switchboard: Switchboard, account: Account, request: CreatePhoneNumberToBlacklist
) -> RpcResult:
    """Put a number on the account's blacklist, and return the new entry: its id and the number.

    :raises RpcError: ``duplicate_entity``: the number is already on the blacklist.
    """
    if request.phone_number in account.blacklist:
        raise RpcError("duplicate_entity", "phone_number", request.phone_number)
    account.blacklist.add(request.phone_number)
    return RpcResult(data={"id": int(request.phone_number), "phone_number": request.phone_number})


HANDLERS: dict[str, Handler] = {
    "get.account": get_account,
    "get.virtual_numbers": _list_handler(
        lambda account: _owned(account, sorted(account.virtual_numbers)), _NUMBERS
    ),
    "get.employees": _list_handler(lambda account: account.employees.values(), _EMPLOYEES),
    "get.scenarios": _list_handler(lambda account: _owned(account, account.scenarios.values()), _SCENARIOS),
    "get.media_files": _list_handler(lambda account: account.media.items(), _MEDIA),
    "get.sip_lines": _list_handler(lambda account: _owned(account, _sip_lines(account)), _SIP_LINES),
    "get.blacklist_phone_numbers": _list_handler(lambda account: sorted(account.blacklist), _BLACKLIST),
    "create.phone_number_to_blacklist": block_number,
}
"""Data API method → function that answers from the account."""
