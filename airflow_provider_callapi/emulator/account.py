"""A customer of the exchange and everything that is set up in the customer's cabinet.

Every field may be changed by a test while the exchange runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from airflow_provider_callapi.api.methods import Component

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
    """A permanent key.

    :ivar expires_at: epoch seconds; None: never.
    """

    expires_at: float | None = None
    blocked: bool = False


@dataclass
class Employee:
    """An employee.

    :ivar phone_numbers: the active ones, in the order in which they are called.
    :ivar other_numbers: SIP number and extension, by which the employee can be reached as well.
    :ivar coach: the phone of the coach in the employee's settings.
    """

    id: int
    full_name: str
    phone_numbers: tuple[str, ...] = ()
    other_numbers: tuple[str, ...] = ()
    coach: str | None = None


@dataclass
class Scenario:
    """A scenario: it calls one employee."""

    id: int
    name: str
    employee_id: int


@dataclass(frozen=True)
class TalkOption:
    """A button of the phone during a talk; ``value`` is the tag's or scenario's id and name."""

    button: str
    mnemonic: OptionMnemonic
    name: str
    value: tuple[int, str] | None = None


def _employees() -> dict[int, Employee]:
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


def _scenarios() -> dict[int, Scenario]:
    return {23456: Scenario(id=23456, name="Отдел продаж", employee_id=25)}


def _tags() -> dict[int, str]:
    return {36: "Answered", 37: "Not answered", 38: "Ended", 254: "Целевой"}


def _media() -> dict[int, str]:
    return {
        2701: "Музыка переадресации",
        2561: "Вам звонят с сайта",
        237: "Приветствие",
        2034: "Музыка удержания",
    }


def _talk_options() -> list[TalkOption]:
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
    """One customer.

    :ivar key: a permanent key that works; `keys` holds others, and may overrule this one.
    :ivar virtual_numbers: rented numbers. 800 numbers may be rented, but not used for calls.
    :ivar number_scenarios: virtual number → scenario id, for ``start.vnumber_call``.
    :ivar blacklist: contacts that may not be called.
    :ivar forbidden_prefixes: directions that the security rules forbid, e.g. ``{"44"}``.
    :ivar forbidden_methods: methods that the user has no rights for.
    :ivar ip_whitelist: None: every address is welcome (to the Call API).
    :ivar data_api_whitelist: addresses that the Data API serves; it has no "everyone".
    :ivar weights: points of a method, where they differ from the default (`points.weight`).
    :ivar forced_recording: talks are recorded and nobody can switch it off.
    :ivar deprecated_version: a version about to go (``v3.0``): its answers say so.
    :ivar token_lifetime: seconds that a login lasts.
    """

    login: str = "demo"
    password: str = "demo-password"  # noqa: S105  # the emulator's, nobody's
    key: str = "demo-key"
    keys: dict[str, Key] = field(default_factory=dict)
    active: bool = True
    virtual_numbers: set[str] = field(default_factory=lambda: {"74993720692", "74951045771"})
    number_scenarios: dict[str, int] = field(default_factory=lambda: {"74993720692": 23456})
    employees: dict[int, Employee] = field(default_factory=_employees)
    scenarios: dict[int, Scenario] = field(default_factory=_scenarios)
    media: dict[int, str] = field(default_factory=_media)
    tags: dict[int, str] = field(default_factory=_tags)
    talk_options: list[TalkOption] = field(default_factory=_talk_options)
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
        """The permanent key behind a token, if it is one."""
        return self.keys.get(token) or (Key() if token == self.key else None)

    def employee_at(self, number: str) -> Employee | None:
        """Who can be reached at a number, SIP number or extension."""
        for employee in self.employees.values():
            if number in employee.phone_numbers or number in employee.other_numbers:
                return employee
        return None
