"""A telephone exchange that speaks the vendor's Call API, for demos and tests.

    with Emulator(Exchange()) as emulator:
        requests.post(f"{emulator.url}/v4.0", …)

or, without a socket, ``Exchange().session().post("https://callapi.comagic.ru/v4.0", …)``; or
``python -m airflow_provider_callapi.emulator``; or the pytest fixture ``callapi_emulator``.
What it had to guess is listed in docs/emulator.md, under "Differences and guesses".
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_callapi.emulator.account import (
        Account,
        Employee,
        Key,
        Scenario,
        TalkOption,
    )
    from airflow_provider_callapi.emulator.call import Call
    from airflow_provider_callapi.emulator.clock import FastClock, ManualClock
    from airflow_provider_callapi.emulator.exchange import Exchange
    from airflow_provider_callapi.emulator.faults import Fault
    from airflow_provider_callapi.emulator.journal import Entry
    from airflow_provider_callapi.emulator.script import Script
    from airflow_provider_callapi.emulator.server import Emulator
    from airflow_provider_callapi.emulator.state_diagram import Role, State

__all__ = [
    "Account",
    "Call",
    "Employee",
    "Emulator",
    "Entry",
    "Exchange",
    "FastClock",
    "Fault",
    "Key",
    "ManualClock",
    "Role",
    "Scenario",
    "Script",
    "State",
    "TalkOption",
]

_HOMES = {
    "account": ("Account", "Employee", "Key", "Scenario", "TalkOption"),
    "call": ("Call",),
    "clock": ("FastClock", "ManualClock"),
    "exchange": ("Exchange",),
    "faults": ("Fault",),
    "server": ("Emulator",),
    "journal": ("Entry",),
    "script": ("Script",),
    "state_diagram": ("Role", "State"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    # lazily: pytest imports this package with its plugin, in every run of every user
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
