"""The functions that run the ``airflow callapi`` commands.

A command prints a table or a line of text to stdout, and errors to stderr. A failed command exits with ``1``.
If the points are used up or the service is slow, a command fails soon, because a user waits for the output.
Commands log only with ``--verbose``, because Airflow's log also goes to stdout.
"""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import cached_property
from typing import Any, NoReturn

from airflow.cli.simple_table import AirflowConsole
from airflow.providers.common.compat.sdk import AirflowException
from airflow.utils import yaml
from airflow.utils.cli import suppress_logs_and_warning
from airflow.utils.helpers import ask_yesno
from rich.markup import escape
from tabulate import tabulate

from airflow_provider_callapi.api.advice import advice
from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.data_api import probe_access
from airflow_provider_callapi.api.errors import CallApiError, mask_phones
from airflow_provider_callapi.api.methods import ListCalls, ListTalkOptions, ReleaseCall
from airflow_provider_callapi.api.models import CallSession, Leg, parse_time
from airflow_provider_callapi.connection.settings import ConnectionSettings
from airflow_provider_callapi.hooks.callapi import CallApiHook

_TIMEOUT = 10.0
"""The longest time in seconds that a command waits for an answer."""
_INTERRUPTED_EXIT_CODE = 130
"""The exit code of a shell command after Ctrl-C."""


@suppress_logs_and_warning
def calls(args: Namespace) -> None:
    """Print the active calls. The table output contains only the columns that fit into 80 characters."""
    to_row = _table_row if args.output == "table" else _call_row
    with _open_hook(args) as hook:
        sessions = hook.get_conn().call(ListCalls())
        rows = [to_row(session, hook.settings.timezone, args.show_phone_numbers) for session in sessions]
    _print_rows(rows, args)
    if sessions.left_out:
        _warn(f"{sessions.left_out} more active calls are not shown: their session id cannot be read")


@suppress_logs_and_warning
def limits(args: Namespace) -> None:
    """Print the points (rate-limit units) left at the Call API and at the Data API.

    The command's own requests cost no points.
    """
    data_api_problem = None
    with _open_hook(args) as hook:
        call_api = hook.get_conn()
        rows = _limit_rows("Call API", call_api, lambda: call_api.call(ListCalls()))
        if hook.has_data_api and hook.settings.login is None:
            data_api = hook.data_api.client
            try:
                rows += _limit_rows("Data API", data_api, lambda: probe_access(data_api))
            except CallApiError as error:
                data_api_problem = advice(error, service="Data API", host="Data API host")
        elif hook.has_data_api:
            _warn("the Data API was not checked: a login there costs a point")
    _print_rows(rows, args)
    if data_api_problem:
        _fail(data_api_problem)


@suppress_logs_and_warning
def talk_options(args: Namespace) -> None:
    """Print the talk options: the actions that employees can start with phone buttons during a talk."""
    with _open_hook(args) as hook:
        rows = [
            {
                "button": option.button,
                "does": option.mnemonic,
                "name": option.name,
                "with": option.button_value and (option.button_value.value or option.button_value.id),
            }
            for option in hook.get_conn().call(ListTalkOptions())
        ]
    _print_rows(rows, args)


@suppress_logs_and_warning
def release(args: Namespace) -> None:
    """Ask the user for a confirmation, and end an active call.

    If the call has already ended, the command succeeds too.
    """
    session = f"call session {args.call_session_id}"
    with _open_hook(args) as hook:
        if not args.yes:
            if not sys.stdin.isatty():
                _fail(f"no terminal to confirm the release of {session}; use --yes")
            if not _confirm(f"Release {session}? People may be talking. (y/n) "):
                _fail(f"{session} was not released")
        done = hook.call(ReleaseCall(call_session_id=args.call_session_id))
    text = f"{session} {'is not active: it has ended or never existed' if done.already else 'is released'}"
    _print_result(text, {"session": args.call_session_id, "was_over_already": done.already}, args)


@suppress_logs_and_warning
def check(args: Namespace) -> None:
    """Test the Airflow connection and print the result. Exit with ``1`` if the connection does not work."""
    with _open_hook(args) as hook:
        works, message = hook.test_connection()
    if not works and args.output == "text":
        _fail(message)
    _print_result(message, {"works": works, "message": message}, args)
    if not works:
        sys.exit(1)


def emulator(args: Namespace) -> None:
    """Run the emulator until the user stops it. The emulator is a simulated telephone exchange."""
    from airflow_provider_callapi.emulator.__main__ import main  # noqa: PLC0415 - imports uvicorn

    sys.exit(main(args.options))


def _confirm(question: str) -> bool:
    try:
        with redirect_stdout(sys.stderr):  # stdout may be read by a program
            return bool(ask_yesno(question))
    except EOFError:  # Ctrl-D
        sys.stderr.write("\n")
        return False


class _ShortTimeoutHook(CallApiHook):
    """A hook that waits at most `_TIMEOUT` seconds for the answer to each request."""

    @cached_property
    def settings(self) -> ConnectionSettings:
        settings = super().settings
        return settings.model_copy(update={"timeout": min(settings.timeout, _TIMEOUT)})


@contextmanager
def _open_hook(args: Namespace) -> Iterator[CallApiHook]:
    """Open a hook for the Airflow connection that the option ``--conn-id`` names.

    An error ends the command with one line of text instead of a traceback.
    """
    # allows the hook to read the metadata database, as `airflow connections test` does
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
    try:
        with _ShortTimeoutHook(args.conn_id, max_limit_wait=0) as hook:
            yield hook
    except CallApiError as error:
        _fail(advice(error))
    except AirflowException as error:
        _fail(str(error))
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED_EXIT_CODE)


def _limit_rows(service: str, client: Client, send: Callable[[], object]) -> list[dict[str, Any]]:
    """Send a request to one service.

    Return two table rows: the points left of this minute and of this day.

    Points are the API's rate-limit units.
    """
    try:
        send()
    except CallApiError:
        if client.limits is None:  # an error can contain the limits, too
            raise
    limits = client.limits
    if limits is None:
        _fail(f"the answer of the {service} does not show how many points are left")
    return [
        {
            "service": service,
            "per": window,
            "limit": getattr(limits, f"{window}_limit"),
            "left": getattr(limits, f"{window}_remaining"),
            "reset_in_seconds": getattr(limits, f"{window}_reset"),
        }
        for window in ("minute", "day")
    ]


# --- rows of calls ---


def _call_row(session: CallSession, timezone: str, show_phone_numbers: bool) -> dict[str, Any]:
    """Return an active call as a table row with all columns.

    The row is for every output format except ``table``.
    """
    return {
        "session": session.call_session_id,
        "direction": session.direction,
        "since": _to_utc(session.start_time, timezone, "%Y-%m-%dT%H:%M:%SZ"),
        "contact": _mask(session.contact_phone_number or "", show_phone_numbers),
        "legs": [_mask(f"{_leg_name(leg)}: {leg.state}", show_phone_numbers) for leg in session.legs],
        "tags": [tag.tag_name or tag.tag_id for tag in session.tags],
        "external_id": session.external_id,
    }


def _table_row(session: CallSession, timezone: str, show_phone_numbers: bool) -> dict[str, Any]:
    """Return an active call as a table row with only those columns that fit into 80 characters."""
    row = _call_row(session, timezone, show_phone_numbers)
    return {
        "session": row["session"],
        "dir": row["direction"],
        "since": _to_utc(session.start_time, timezone, "%m-%d %H:%MZ"),
        "contact": row["contact"],
        "legs": row["legs"],
    }


def _mask(text: str, show_phone_numbers: bool) -> str:
    return text if show_phone_numbers else mask_phones(text)


def _leg_name(leg: Leg) -> str:
    if not leg.is_operator:
        return "contact"
    return leg.employee_full_name or leg.called_phone_number or "operator"


def _to_utc(text: str | None, timezone: str, time_format: str) -> str | None:
    """Convert a time from the service to UTC text. If the text is not a time, return the text unchanged."""
    try:
        return text and parse_time(text, timezone).strftime(time_format)
    except ValueError:
        return text


# --- output ---


def _print_rows(rows: list[dict[str, Any]], args: Namespace) -> None:
    """Print table rows in the form that the option ``--output`` names.

    The forms are ``table``, ``plain``, ``json`` and ``yaml``. In ``json`` and ``yaml``, numbers and lists
    keep their types.
    """
    if args.output in ("json", "yaml"):
        _print_data(rows, args)
        return
    to_text = _table_text if args.output == "table" else _plain_text
    rows = [{name: to_text(value) for name, value in row.items()} for row in rows]
    if args.output == "plain" and rows:
        # Airflow's own plain output would reformat ids that look like numbers
        cells = [list(row.values()) for row in rows]
        sys.stdout.write(tabulate(cells, list(rows[0]), tablefmt="plain", disable_numparse=True) + "\n")
    else:
        AirflowConsole().print_as(rows, output=args.output)


def _table_text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(map(_table_text, value))
    return "" if value is None else escape(str(value))  # rich treats [brackets] as markup


def _plain_text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain_text, value))
    return "" if value is None else str(value)


def _print_result(text: str, data: dict[str, Any], args: Namespace) -> None:
    """Print a command's result in the form that the option ``--output`` names.

    With ``text``, print only the text. With ``json`` or ``yaml``, print the data.
    """
    if args.output == "text":
        sys.stdout.write(f"{text}\n")
    else:
        _print_data(data, args)


def _print_data(data: Any, args: Namespace) -> None:
    if args.output == "json":
        sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write(yaml.dump(data, allow_unicode=True, sort_keys=False))


def _warn(text: str) -> None:
    sys.stderr.write(f"airflow callapi: {text}\n")


def _fail(text: str) -> NoReturn:
    _warn(text)
    sys.exit(1)
