"""The commands of ``airflow callapi``: one request each, a table or a line on stdout, errors on stderr.

A command that could not do what it was asked to ends with 1. Nothing is waited for, neither points that
are used up nor a service that hangs: whoever looks at a terminal wants to know. Airflow logs to stdout,
so that nothing is logged, but for ``--verbose``.
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
"""Seconds for one request, where the connection allows more."""
_INTERRUPTED = 130
"""What a shell makes of Ctrl-C."""


@suppress_logs_and_warning
def calls(args: Namespace) -> None:
    """The active calls. A table has what fits a terminal of 80 columns."""
    row = _call_line if args.output == "table" else _call_row
    with _hook(args) as hook:
        rows = [
            row(session, hook.settings.timezone, args.show_phone_numbers)
            for session in hook.get_conn().call(ListCalls())
        ]
    _show(rows, args)


@suppress_logs_and_warning
def limits(args: Namespace) -> None:
    """The points left of both services, as any answer tells them; those that are asked for here are free."""
    trouble = None
    with _hook(args) as hook:
        call_api = hook.get_conn()
        rows = _points("Call API", call_api, lambda: call_api.call(ListCalls()))
        if hook.has_data_api and hook.settings.login is None:
            data_api = hook.data_api.client
            try:
                rows += _points("Data API", data_api, lambda: probe_access(data_api))
            except CallApiError as error:
                trouble = advice(error, service="Data API", host="Data API host")
        elif hook.has_data_api:
            _note("the Data API was not asked: a login there costs a point")
    _show(rows, args)
    if trouble:
        _fail(trouble)


@suppress_logs_and_warning
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
            for option in hook.get_conn().call(ListTalkOptions())
        ]
    _show(rows, args)


@suppress_logs_and_warning
def release(args: Namespace) -> None:
    """End a call, after a yes; one that is not active is a success."""
    name = f"call session {args.call_session_id}"
    with _hook(args) as hook:
        if not args.yes:
            if not sys.stdin.isatty():
                _fail(f"nobody is here to confirm that {name} be released; give --yes")
            if not _is_sure(f"Release {name}? People may be talking. (y/n) "):
                _fail(f"{name} was not released")
        done = hook.call(ReleaseCall(call_session_id=args.call_session_id))
    text = f"{name} {'is not active: it is over, or never was' if done.already else 'is released'}"
    _answer(text, {"session": args.call_session_id, "was_over_already": done.already}, args)


@suppress_logs_and_warning
def check(args: Namespace) -> None:
    """Whether the connection works, and why not."""
    with _hook(args) as hook:
        works, message = hook.test_connection()
    if not works and args.output == "text":
        _fail(message)
    _answer(message, {"works": works, "message": message}, args)
    if not works:
        sys.exit(1)


def emulator(args: Namespace) -> None:
    """The telephone exchange, until it is told to stop."""
    from airflow_provider_callapi.emulator.__main__ import main  # noqa: PLC0415 - uvicorn, and no hook

    sys.exit(main(args.options))


def _is_sure(question: str) -> bool:
    try:
        with redirect_stdout(sys.stderr):  # stdout may be read by a program
            return bool(ask_yesno(question))
    except EOFError:  # Ctrl-D
        sys.stderr.write("\n")
        return False


class _ImpatientHook(CallApiHook):
    @cached_property
    def settings(self) -> ConnectionSettings:
        settings = super().settings
        return settings.model_copy(update={"timeout": min(settings.timeout, _TIMEOUT)})


@contextmanager
def _hook(args: Namespace) -> Iterator[CallApiHook]:
    """A hook for the connection; what goes wrong ends the command with a line instead of a traceback."""
    # as `airflow connections test` does: a connection may be in the metadata database
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
    try:
        with _ImpatientHook(args.conn_id, max_limit_wait=0) as hook:
            yield hook
    except CallApiError as error:
        _fail(advice(error))
    except AirflowException as error:
        _fail(str(error))
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


def _points(service: str, client: Client, ask: Callable[[], object]) -> list[dict[str, Any]]:
    try:
        ask()
    except CallApiError:
        if client.limits is None:  # a refusal may tell them too
            raise
    told = client.limits
    if told is None:
        _fail(f"the {service} did not say how many points are left")
    return [
        {
            "service": service,
            "per": window,
            "limit": getattr(told, f"{window}_limit"),
            "left": getattr(told, f"{window}_remaining"),
            "reset_in_seconds": getattr(told, f"{window}_reset"),
        }
        for window in ("minute", "day")
    ]


# --- a call as a row ---


def _call_row(session: CallSession, timezone: str, whole: bool) -> dict[str, Any]:
    return {
        "session": session.call_session_id,
        "direction": session.direction,
        "since": _utc(session.start_time, timezone, "%Y-%m-%dT%H:%M:%SZ"),
        "contact": _shown(session.contact_phone_number or "", whole),
        "legs": [_shown(f"{_who(leg)}: {leg.state}", whole) for leg in session.legs],
        "tags": [tag.tag_name or tag.tag_id for tag in session.tags],
        "external_id": session.external_id,
    }


def _call_line(session: CallSession, timezone: str, whole: bool) -> dict[str, Any]:
    row = _call_row(session, timezone, whole)
    return {
        "session": row["session"],
        "dir": row["direction"],
        "since": _utc(session.start_time, timezone, "%m-%d %H:%MZ"),
        "contact": row["contact"],
        "legs": row["legs"],
    }


def _shown(text: str, whole: bool) -> str:
    return text if whole else mask_phones(text)


def _who(leg: Leg) -> str:
    if not leg.is_operator:
        return "contact"
    return leg.employee_full_name or leg.called_phone_number or "operator"


def _utc(text: str | None, timezone: str, form: str) -> str | None:
    """The service's zone-less time as UTC; as it is, where it cannot be read."""
    try:
        return text and parse_time(text, timezone).strftime(form)
    except ValueError:
        return text


# --- what a terminal, or a program, reads ---


def _show(rows: list[dict[str, Any]], args: Namespace) -> None:
    """A table or plain text as Airflow prints them; json and yaml with the values as they are."""
    if args.output in ("json", "yaml"):
        _write(rows, args)
        return
    text = _table_text if args.output == "table" else _plain_text
    rows = [{name: text(value) for name, value in row.items()} for row in rows]
    if args.output == "plain" and rows:
        # as Airflow's, but for the ids that look like numbers: they stay as they are
        cells = [list(row.values()) for row in rows]
        sys.stdout.write(tabulate(cells, list(rows[0]), tablefmt="plain", disable_numparse=True) + "\n")
    else:
        AirflowConsole().print_as(rows, output=args.output)


def _table_text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(map(_table_text, value))
    return "" if value is None else escape(str(value))  # rich reads [brackets] as markup


def _plain_text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain_text, value))
    return "" if value is None else str(value)


def _answer(text: str, facts: dict[str, Any], args: Namespace) -> None:
    """A line for a person, the facts for a program."""
    if args.output == "text":
        sys.stdout.write(f"{text}\n")
    else:
        _write(facts, args)


def _write(facts: Any, args: Namespace) -> None:
    if args.output == "json":
        sys.stdout.write(json.dumps(facts, ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write(yaml.dump(facts, allow_unicode=True, sort_keys=False))


def _note(text: str) -> None:
    sys.stderr.write(f"airflow callapi: {text}\n")


def _fail(text: str) -> NoReturn:
    _note(text)
    sys.exit(1)
