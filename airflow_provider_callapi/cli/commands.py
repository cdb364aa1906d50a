"""The functions that run most ``airflow callapi`` commands, such as ``calls`` and ``check``.

A command prints its result to stdout, and errors to stderr. After an error, the exit code is ``1``. The
command ``emulator`` has exit codes of its own. A command logs only with the option ``--verbose``.

If the points (the API's rate-limit units) are used up, or the service is slow, a command fails within
seconds.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from airflow.utils.cli import suppress_logs_and_warning

from airflow_provider_callapi.api.advice import advice
from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.data_api import probe_access
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.methods import ListCalls, ListTalkOptions, ReleaseCall
from airflow_provider_callapi.api.models import CallSession, Leg
from airflow_provider_callapi.api.values.masking import mask_number, mask_phones
from airflow_provider_callapi.calls.named_objects import NamedObjects, fetch_account_lists, find_mistakes
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import NotANumber
from airflow_provider_callapi.calls.phone_numbers.strict import read_destination
from airflow_provider_callapi.calls.texts.count_texts import count_text
from airflow_provider_callapi.cli.command_hook import open_hook, read_timezone
from airflow_provider_callapi.cli.output import (
    confirm,
    fail,
    print_result,
    print_rows,
    show_time,
    time_column,
    warn,
)
from airflow_provider_callapi.hooks.callapi import CallApiHook


@suppress_logs_and_warning
def calls(args: Namespace) -> None:
    """Print the active calls. The table output contains only the columns that fit into 80 characters."""
    to_row = _table_row if args.output == "table" else _call_row
    with open_hook(args) as hook:
        timezone = read_timezone(hook)
        sessions = hook.get_conn().call(ListCalls())
        rows = [to_row(session, timezone, args) for session in sessions]
    print_rows(rows, args)
    if sessions.left_out:
        more = count_text(
            sessions.left_out, "more active call is not shown: its", "more active calls are not shown: their"
        )
        warn(f"{more} session id cannot be read")


@suppress_logs_and_warning
def limits(args: Namespace) -> None:
    """Print how many points (rate-limit units) are left at the Call API and at the Data API.

    The command sends a poll to the Call API, and a free request to the Data API. The vendor does not document
    whether a poll costs points.

    - If the connection does not use the Data API: the command prints only the points of the Call API.
    - If the connection contains a login, and no access key: the command does not ask the Data API, because to
      log in there costs a point.
    """
    data_api_problem = None
    with open_hook(args) as hook:
        call_api = hook.get_conn()
        rows = _limit_rows("Call API", call_api, lambda: call_api.call(ListCalls()))
        if hook.has_data_api and hook.settings.login is None:
            data_api = hook.data_api.client
            try:
                rows += _limit_rows("Data API", data_api, lambda: probe_access(data_api))
            except CallApiError as error:
                data_api_problem = advice(error, service="Data API")
        elif hook.has_data_api:
            warn("the Data API was not checked: a login there costs a point")
    print_rows(rows, args)
    if data_api_problem:
        fail(data_api_problem)


@suppress_logs_and_warning
def talk_options(args: Namespace) -> None:
    """Print the talk options: the actions that employees can start with phone buttons during a talk."""
    with open_hook(args) as hook:
        rows = [
            {
                "button": option.button,
                "does": option.mnemonic,
                "name": option.name,
                "with": option.button_value and (option.button_value.value or option.button_value.id),
            }
            for option in hook.get_conn().call(ListTalkOptions())
        ]
    print_rows(rows, args)


@suppress_logs_and_warning
def release(args: Namespace) -> None:
    """Release (end) an active call. Without the option ``--yes``, first ask the user for a confirmation.

    If the user refuses, the command exits with ``1``. If the call has already ended, the command succeeds.
    """
    session = f"call session {args.call_session_id}"
    with open_hook(args) as hook:
        if not args.yes:
            if not sys.stdin.isatty():
                fail(f"no terminal to confirm the release of {session}; use --yes")
            if not confirm(f"Release {session}? People may be talking. (y/n) "):
                fail(f"{session} was not released")
        done = hook.call(ReleaseCall(call_session_id=args.call_session_id))
    text = f"{session} {'is not active: it has ended or never existed' if done.already else 'is released'}"
    print_result(text, {"session": args.call_session_id, "was_over_already": done.already}, args)


@suppress_logs_and_warning
def check(args: Namespace) -> None:
    """Test the Airflow connection, and print the result.

    If the connection works, the command also checks the objects that the options name. For example,
    ``--scenario 7`` names the scenario with the id 7, and ``--tag 5`` names a tag. The account must have each
    object, and the object must be switched on. If a check fails, or if the connection does not work, the
    command exits with ``1``.
    """
    with open_hook(args) as hook:
        works, message = hook.test_connection()
        problems = _find_problems(hook, _named_objects(args)) if works else []
    if not works and args.output == "text":
        fail(message)
    print_result(message, {"works": works, "message": message, "problems": problems}, args)
    if args.output == "text" and problems:
        fail(" ".join(problems))
    if problems or not works:
        sys.exit(1)


def _named_objects(args: Namespace) -> NamedObjects:
    """Return the ids and numbers that the options of ``airflow callapi check`` name.

    Example: ``--scenario 7`` adds 7 to the field ``scenarios``.
    """
    return NamedObjects(
        virtual_numbers=frozenset(map(_number_or_text, args.virtual_number or ())),
        scenarios=frozenset(args.scenario or ()),
        employees=frozenset((employee, None) for employee in args.employee or ()),
        media_files=frozenset(map(str, args.media_file or ())),
        tags=frozenset(args.tag or ()),
        sip_lines=frozenset(args.sip_line or ()),
    )


def _number_or_text(text: str) -> str:
    """Return a number as the account lists it, e.g. 74951234567. A text that is no number stays unchanged."""
    try:
        return read_destination(text, "RU")
    except NotANumber:
        return text


def _find_problems(hook: CallApiHook, named: NamedObjects) -> list[str]:
    """Return one sentence for each given object that is missing in the account or switched off.

    Example: ``The account has no tag 5.``
    """
    if named == NamedObjects():
        return []
    lists = fetch_account_lists(hook.data_api.client.call, named)
    for sentence in lists.unread:  # the objects of an unread list are not checked
        warn(sentence)
    return find_mistakes(named, lists)


def emulator(args: Namespace) -> None:
    """Run the emulator until the user stops it. The emulator is a simulated telephone exchange."""
    from airflow_provider_callapi.emulator.__main__ import main  # noqa: PLC0415 - imports uvicorn

    sys.exit(main(args.options))


def _limit_rows(service: str, client: Client, send: Callable[[], object]) -> list[dict[str, Any]]:
    """Send a request. Return two rows: the points (rate-limit units) left for this minute and this day.

    ``send`` sends the request.
    """
    try:
        send()
    except CallApiError:
        if client.limits is None:  # an error can contain the limits, too
            raise
    limits = client.limits
    if limits is None:
        fail(f"the answer of the {service} does not show how many points (rate-limit units) are left")
    by_period = {"minute": limits.of("minute"), "day": limits.of("day")}
    return [
        {
            "service": service,
            "per": period,
            "limit": points.limit,
            "left": points.left,
            "reset_in_seconds": points.reset,
        }
        for period, points in by_period.items()
    ]


# --- rows of calls ---


def _call_row(session: CallSession, timezone: str, args: Namespace) -> dict[str, Any]:
    """Return an active call as a dict with all its columns, for the output formats other than ``table``."""
    shown = str if args.show_phone_numbers else mask_number
    id_text = session.external_id
    return {
        "session": session.call_session_id,
        "direction": session.direction,
        time_column("since", args): show_time(session.start_time, timezone, args),
        "contact": shown(session.contact_phone_number or ""),
        "legs": [f"{shown(_leg_name(leg))}: {leg.state}" for leg in session.legs],
        "tags": [tag.tag_name or tag.tag_id for tag in session.tags],
        "external_id": id_text if args.show_phone_numbers or id_text is None else mask_phones(id_text),
    }


def _table_row(session: CallSession, timezone: str, args: Namespace) -> dict[str, Any]:
    """Return an active call as a row of five short columns: the table fits into 80 characters."""
    row = _call_row(session, timezone, args)
    since = time_column("since", args)
    return {
        "session": row["session"],
        "dir": row["direction"],
        since: row[since],
        "contact": row["contact"],
        "legs": row["legs"],
    }


def _leg_name(leg: Leg) -> str:
    if not leg.is_operator:
        return "contact"
    return leg.employee_full_name or leg.called_phone_number or "operator"
