"""A telephone exchange that answers the vendor's Call API and Data API, for demos and tests.

Use one of:

- the pytest fixture ``callapi_emulator``;
- ``with Emulator(Exchange()) as emulator: requests.post(f"{emulator.url}/v4.0", …)``;
- without a port: ``Exchange().session().post("https://callapi.comagic.ru/v4.0", …)``;
- the command ``python -m airflow_provider_callapi.emulator``.

The section "Differences and assumptions" of docs/emulator.md lists what differs from the real service.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_callapi.emulator.account import (
        Account,
        Employee,
        Key,
        Operation,
        Scenario,
        TalkOption,
    )
    from airflow_provider_callapi.emulator.calls.call import Call
    from airflow_provider_callapi.emulator.calls.script import Script
    from airflow_provider_callapi.emulator.calls.state_diagram import Role, State
    from airflow_provider_callapi.emulator.clock import FastClock, ManualClock
    from airflow_provider_callapi.emulator.exchange import Exchange
    from airflow_provider_callapi.emulator.faults import Fault
    from airflow_provider_callapi.emulator.journal import Entry
    from airflow_provider_callapi.emulator.profile import Profile
    from airflow_provider_callapi.emulator.server import Emulator

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
    "Operation",
    "Profile",
    "Role",
    "Scenario",
    "Script",
    "State",
    "TalkOption",
]

_NAMES_BY_MODULE = {
    "account": ("Account", "Employee", "Key", "Operation", "Scenario", "TalkOption"),
    "calls.call": ("Call",),
    "calls.script": ("Script",),
    "calls.state_diagram": ("Role", "State"),
    "clock": ("FastClock", "ManualClock"),
    "exchange": ("Exchange",),
    "faults": ("Fault",),
    "journal": ("Entry",),
    "profile": ("Profile",),
    "server": ("Emulator",),
}
_MODULE_BY_NAME = {name: module for module, names in _NAMES_BY_MODULE.items() for name in names}


def __getattr__(name: str) -> Any:
    # Import on use. pytest imports this package with the plugin in every run of every user.
    if name in _MODULE_BY_NAME:
        return getattr(importlib.import_module(f"{__name__}.{_MODULE_BY_NAME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
