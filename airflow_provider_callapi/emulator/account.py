"""One customer of the emulated telephone exchange: access keys, numbers, employees, tags and limits.

A test may change every field of an `Account` while the exchange runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from airflow_provider_callapi.api.request import Component

OptionMnemonic = Literal[
    "finish_conversation",
    "tag_call",
    "record_talk",
    "transfer_call",
    "run_scenario",
    "call_coach",
    "receive_fax",
    "save_numa",
]


@dataclass
class Key:
    """A permanent access key of an account.

    :ivar expires_at: epoch seconds; None: the key never expires.
    :ivar blocked: True: requests with the key fail with ``access_token_blocked``.
    """

    expires_at: float | None = None
    blocked: bool = False


@dataclass
class Employee:
    """An employee of an account.

    :ivar phone_numbers: the employee's phones. A call to the employee rings the phones in this order, one
        after the other, until one answers.
    :ivar other_numbers: the SIP number and the extension of the employee, e.g. ``("sip25", "125")``.
    :ivar coach: the phone number of the employee's coach. None: the employee has no coach.
    """

    id: int
    full_name: str
    phone_numbers: tuple[str, ...] = ()
    other_numbers: tuple[str, ...] = ()
    coach: str | None = None


@dataclass(frozen=True)
class Operation:
    """An operation of a scenario: one step that a call passes.

    Examples are a menu, and the step that follows a phone key.

    :ivar tag_id: the tag that the operation sets on the call; None: the operation sets no tag.
    """

    id: int
    name: str
    tag_id: int | None = None


@dataclass
class Scenario:
    """A scenario: a rule of the account that connects a call with an employee, or plays a menu.

    An operation is a step of the scenario.

    :ivar employee_id: the id of the employee. None: the contact only hears the menu.
    :ivar begins_with: the operations that every call with this scenario passes when the contact answers.
    :ivar keys: phone key → the operation that the call passes when the contact presses the key.
    """

    id: int
    name: str
    employee_id: int | None = None
    begins_with: tuple[Operation, ...] = ()
    keys: dict[str, Operation] = field(default_factory=dict)


@dataclass(frozen=True)
class TalkOption:
    """A talk option: an action that an employee starts with a phone button during a talk.

    :ivar button: the phone button, for example ``"1"``.
    :ivar mnemonic: the kind of the action, for example ``tag_call``.
    :ivar name: the account's name for the talk option.
    :ivar value: id and name of the tag or scenario that the action uses, e.g. ``(36, "Answered")``. None: the
        action uses no tag and no scenario.
    """

    button: str
    mnemonic: OptionMnemonic
    name: str
    value: tuple[int, str] | None = None


def _default_employees() -> dict[int, Employee]:
    return {
        25: Employee(
            id=25,
            full_name="Иванова Анна",
            phone_numbers=("79260000001",),
            other_numbers=("sip25", "125"),
            coach="79260000009",
        ),
        26: Employee(
            id=26,
            full_name="Петров Пётр",
            phone_numbers=("79260000002", "79260000003"),
            other_numbers=("sip26", "126"),
        ),
    }


def _default_scenarios() -> dict[int, Scenario]:
    return {
        23456: Scenario(id=23456, name="Отдел продаж", employee_id=25),
        23457: Scenario(
            id=23457,
            name="Подтверждение",
            begins_with=(Operation(501, "Меню"),),
            keys={
                "1": Operation(502, "Подтверждено", tag_id=254),
                "2": Operation(503, "Перезвонить"),
                "3": Operation(504, "Отказ"),
            },
        ),
    }


def _default_tags() -> dict[int, str]:
    return {36: "Answered", 37: "Not answered", 38: "Ended", 254: "Целевой"}


def _default_media() -> dict[int, str]:
    return {
        2701: "Музыка переадресации",
        2561: "Вам звонят с сайта",
        237: "Приветствие",
        2034: "Музыка удержания",
    }


def _default_talk_options() -> list[TalkOption]:
    return [
        TalkOption("1", "tag_call", "Проставить тег", (254, "Целевой")),
        TalkOption("2", "record_talk", "Диктофон"),
        TalkOption("3", "call_coach", "Позвонить тренеру"),
        TalkOption("4", "transfer_call", "Трансфер"),
        TalkOption("5", "run_scenario", "Выполнить сценарий", (23456, "Отдел продаж")),
        TalkOption("6", "receive_fax", "Принять факс"),
        TalkOption("7", "save_numa", "Сохранить АОН в группу"),
        TalkOption("0", "finish_conversation", "Завершить разговор"),
    ]


@dataclass
class Account:
    """One customer (account) of the telephone exchange.

    Points are the API's rate-limit units. Each of the two APIs counts its own points.

    :ivar key: the token of a permanent key that needs no entry in ``keys``.
    :ivar keys: token → permanent key. An entry for ``key`` can block this token or let it expire.
    :ivar active: False: every request fails with ``account_inactive``.
    :ivar virtual_numbers: the numbers that the account has rented.
    :ivar locked: numbers and SIP lines that the Data API shows as locked. Start requests accept them.
    :ivar manages_numbers: whether the account has the vendor's number management. False: start requests
        with a ``virtual_phone_usage_rule`` other than ``fixed`` fail.
    :ivar number_scenarios: virtual number → id of the scenario that ``start.vnumber_call`` uses.
    :ivar blacklist: phone numbers of contacts. Start requests for these contacts fail. Inbound calls from
        these contacts end at once.
    :ivar forbidden_prefixes: beginnings of contacts' phone numbers, e.g. ``{"44"}``. Start requests for
        these numbers fail.
    :ivar forbidden_methods: API methods. Requests for them fail with ``forbidden``.
    :ivar components_off: parts of the Call API that the account lacks. Requests for their methods fail.
    :ivar ip_whitelist: the IP addresses that may use the Call API. None: every address may.
    :ivar data_api_whitelist: the IP addresses that may use the Data API.
    :ivar minute_limit: how many points the account may use in a minute.
    :ivar day_limit: how many points the account may use on a day.
    :ivar weights: API method → points that a successful request costs. Without an entry, a
        request costs 0 points for a Call API method in `points.FREE_METHODS`, and 1 for any other method.
    :ivar tts_max_length: the largest number of characters in a text-to-speech message.
    :ivar forced_recording: True: all talks are recorded, and a request to stop the recording fails.
    :ivar timezone: IANA name of the account's time zone.
    :ivar deprecated_version: a version of the API, e.g. ``v3.0``, whose answers contain a deprecation notice.
        None: no answer contains a notice.
    :ivar token_lifetime: seconds from a login until its temporary token expires.
    """

    login: str = "demo"
    password: str = "demo-password"  # noqa: S105  # valid only in the emulator
    key: str = "demo-key"
    keys: dict[str, Key] = field(default_factory=dict)
    active: bool = True
    virtual_numbers: set[str] = field(default_factory=lambda: {"74993720692", "74951045771"})
    locked: set[str] = field(default_factory=set)
    manages_numbers: bool = True
    number_scenarios: dict[str, int] = field(default_factory=lambda: {"74993720692": 23456})
    employees: dict[int, Employee] = field(default_factory=_default_employees)
    scenarios: dict[int, Scenario] = field(default_factory=_default_scenarios)
    media: dict[int, str] = field(default_factory=_default_media)
    tags: dict[int, str] = field(default_factory=_default_tags)
    talk_options: list[TalkOption] = field(default_factory=_default_talk_options)
    blacklist: set[str] = field(default_factory=set)
    forbidden_prefixes: set[str] = field(default_factory=set)
    forbidden_methods: set[str] = field(default_factory=set)
    components_off: set[Component] = field(default_factory=set)
    ip_whitelist: set[str] | None = None
    data_api_whitelist: set[str] = field(default_factory=lambda: {"127.0.0.1", "::1"})
    minute_limit: int = 1_000
    day_limit: int = 100_000
    weights: dict[str, int] = field(default_factory=dict)
    tts_max_length: int = 1_000
    forced_recording: bool = False
    timezone: str = "Europe/Moscow"
    version: str = "v4.0"
    deprecated_version: str | None = None
    token_lifetime: float = 3600.0

    def permanent_key(self, token: str) -> Key | None:
        """Return the permanent key with this token, or None if the account has no such key."""
        return self.keys.get(token) or (Key() if token == self.key else None)

    def find_employee(self, number: str) -> Employee | None:
        """Return the employee with a phone number, a SIP number or an extension.

        :param number: for example ``79260000001``, ``sip25`` or ``125``.
        :return: the employee; None: the account has no employee with this number.
        """
        for employee in self.employees.values():
            if number in employee.phone_numbers or number in employee.other_numbers:
                return employee
        return None
