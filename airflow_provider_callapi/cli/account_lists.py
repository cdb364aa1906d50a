"""The ``airflow callapi`` commands that list the account's numbers, employees, scenarios, media and tags.

The lists show the ids that operators and campaigns need, for example for the parameter ``scenario_id``.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from typing import Any

from airflow.utils.cli import suppress_logs_and_warning

from airflow_provider_callapi.api.account import (
    AccountEmployee,
    AccountScenario,
    AccountTag,
    GetEmployees,
    GetMediaFiles,
    GetScenarios,
    GetTags,
    GetVirtualNumbers,
    MediaFile,
    VirtualNumber,
)
from airflow_provider_callapi.api.list_request import PagedRequest, fetch_list
from airflow_provider_callapi.api.values.masking import mask_number
from airflow_provider_callapi.cli.command_hook import open_hook
from airflow_provider_callapi.cli.output import print_rows, warn


@suppress_logs_and_warning
def numbers(args: Namespace) -> None:
    """Print the account's virtual numbers, each with its name, its status and the ids of its scenarios."""

    def to_row(number: VirtualNumber) -> dict[str, Any]:
        return {
            "number": number.virtual_phone_number,
            "name": number.name,
            "status": number.status,
            "scenarios": [scenario.scenario_id for scenario in number.scenarios or ()],
        }

    _print_list(args, GetVirtualNumbers(), to_row)


@suppress_logs_and_warning
def employees(args: Namespace) -> None:
    """Print the account's employees, each with the id, the name, the phone numbers and the extension.

    Without the option ``--show-phone-numbers``, the phone numbers are shortened: ``7916…4567``.
    """

    def to_row(employee: AccountEmployee) -> dict[str, Any]:
        shown = str if args.show_phone_numbers else mask_number
        phones = employee.phone_numbers or ()
        return {
            "id": employee.id,
            "name": employee.full_name,
            "phones": [f"{shown(phone.phone_number or '')} ({phone.status})" for phone in phones],
            "extension": employee.extension and employee.extension.extension_phone_number,
        }

    _print_list(args, GetEmployees(), to_row)


@suppress_logs_and_warning
def scenarios(args: Namespace) -> None:
    """Print the account's scenarios, each with its id, its name and its virtual numbers."""

    def to_row(scenario: AccountScenario) -> dict[str, Any]:
        return {
            "id": scenario.id,
            "name": scenario.name,
            "numbers": list(scenario.virtual_phone_numbers or ()),
        }

    _print_list(args, GetScenarios(), to_row)


@suppress_logs_and_warning
def media(args: Namespace) -> None:
    """Print the account's sound files, each with its id, its name, its type and its length in seconds.

    The message of a call can play a sound file.
    """

    def to_row(file: MediaFile) -> dict[str, Any]:
        return {"id": file.id, "name": file.name, "type": file.type, "seconds": file.duration}

    _print_list(args, GetMediaFiles(), to_row)


@suppress_logs_and_warning
def tags(args: Namespace) -> None:
    """Print the account's tags, each with its id, its name and whether it is a system tag."""

    def to_row(tag: AccountTag) -> dict[str, Any]:
        return {"id": tag.id, "name": tag.name, "system": tag.is_system}

    _print_list(args, GetTags(), to_row)


def _print_list(args: Namespace, request: PagedRequest[Any], to_row: Callable[[Any], dict[str, Any]]) -> None:
    """Fetch a list from the Data API, such as the account's tags, and print one row for each entry."""
    with open_hook(args) as hook:
        entries = fetch_list(hook.data_api.client.call, request)
    print_rows([to_row(entry) for entry in entries], args)
    if not entries.complete:
        warn("the list is not complete: the Data API sent entries that cannot be read, or too many entries")
