"""The commands of ``airflow callapi``: one request each, a table or a line on stdout, errors on stderr.

A command that could not do what it was asked to ends with 1. Points that are used up are not waited
for: whoever looks at a terminal wants to know.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from airflow.cli.simple_table import AirflowConsole
from airflow.providers.common.compat.sdk import AirflowException
from airflow.utils.helpers import ask_yesno
from rich.markup import escape

from airflow_provider_callapi.api.errors import CallApiError, mask_phones
from airflow_provider_callapi.api.methods import ListCalls, ListTalkOptions, ReleaseCall
from airflow_provider_callapi.api.models import CallSession, Leg, parse_time
from airflow_provider_callapi.hooks.callapi import CallApiHook


def calls(args: Namespace) -> None:
    """The active calls."""
    with _hook(args) as hook:
        rows = [
            _call_row(session, hook.settings.timezone, args.show_phone_numbers)
            for session in hook.call(ListCalls())
        ]
    _show(rows, args)


def limits(args: Namespace) -> None:
    """The points left, as any answer tells them; list.calls is free."""
    with _hook(args) as hook:
        try:
            hook.call(ListCalls())
        except CallApiError:
            if hook.limits is None:  # a refusal may tell them too
                raise
        told = hook.limits
    if told is None:
        _fail("the service did not say how many points are left")
    rows = [
        {
            "per": window,
            "limit": getattr(told, f"{window}_limit"),
            "left": getattr(told, f"{window}_remaining"),
            "reset_in_seconds": getattr(told, f"{window}_reset"),
        }
        for window in ("minute", "day")
    ]
    _show(rows, args)


def talk_options(args: Namespace) -> None:
    """What the buttons of a phone do during a talk."""
    with _hook(args) as hook:
        rows = [
            {
                "button": option.button,
                "does": option.mnemonic,
                "name": option.name,
                "with": option.button_value and (option.button_value.value or option.button_value.id),
            }
            for option in hook.call(ListTalkOptions())
        ]
    _show(rows, args)


def release(args: Namespace) -> None:
    """End a call, after a yes; one that is over already is a success."""
    name = f"call session {args.call_session_id}"
    if not args.yes:
        if not sys.stdin.isatty():
            _fail(f"nobody is here to confirm that {name} be released; give --yes")
        if not ask_yesno(f"Release {name}? People may be talking. (y/n) "):
            _fail(f"{name} was not released")
    with _hook(args) as hook:
        done = hook.call(ReleaseCall(call_session_id=args.call_session_id))
    _say(f"{name} {'was over already' if done.already else 'is released'}")


def check(args: Namespace) -> None:
    """Whether the connection works, and why not."""
    with _hook(args) as hook:
        works, message = hook.test_connection()
    if not works:
        _fail(message)
    _say(message)


def emulator(args: Namespace) -> None:
    """The telephone exchange, until it is told to stop."""
    from airflow_provider_callapi.emulator.__main__ import main  # noqa: PLC0415 - uvicorn, and no hook

    sys.exit(main(args.options))


@contextmanager
def _hook(args: Namespace) -> Iterator[CallApiHook]:
    """A hook for the connection; what goes wrong ends the command with a line instead of a traceback."""
    # as `airflow connections test` does: a connection may be in the metadata database
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
    try:
        with CallApiHook(args.conn_id, max_limit_wait=0) as hook:
            yield hook
    except (CallApiError, AirflowException) as error:
        _fail(str(error))


def _call_row(session: CallSession, timezone: str, whole: bool) -> dict[str, Any]:
    def shown(text: str) -> str:
        return text if whole else mask_phones(text)

    return {
        "session": session.call_session_id,
        "direction": session.direction,
        "since": _utc(session.start_time, timezone),
        "contact": shown(session.contact_phone_number or ""),
        "legs": [shown(f"{_who(leg)}: {leg.state}") for leg in session.legs],
        "tags": [tag.tag_name or tag.tag_id for tag in session.tags],
        "external_id": session.external_id,
    }


def _who(leg: Leg) -> str:
    if not leg.is_operator:
        return "contact"
    return leg.employee_full_name or leg.called_phone_number or "operator"


def _utc(text: str | None, timezone: str) -> str | None:
    """The service's zone-less time as UTC; as it is, where it cannot be read."""
    try:
        return text and parse_time(text, timezone).strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return text


def _show(rows: list[dict[str, Any]], args: Namespace) -> None:
    """Airflow's own way to print a table, json, yaml or plain text."""
    if args.output == "table":  # rich reads [brackets] there as markup
        rows = [{name: _escaped(value) for name, value in row.items()} for row in rows]
    AirflowConsole().print_as(rows, output=args.output)


def _escaped(value: Any) -> Any:
    if isinstance(value, list):
        return [_escaped(inner) for inner in value]
    return "" if value is None else escape(str(value))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _fail(text: str) -> NoReturn:
    sys.stderr.write(f"airflow callapi: {text}\n")
    sys.exit(1)
