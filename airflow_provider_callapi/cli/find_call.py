"""The command ``airflow callapi find``: the user gives an ``external_id``, and gets the calls with it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from airflow.utils.cli import suppress_logs_and_warning

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.methods import ListCalls
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.api.values.masking import mask_number, mask_phones
from airflow_provider_callapi.calls.texts.count_texts import count_text
from airflow_provider_callapi.calls.unconfirmed_call import UnconfirmedCall
from airflow_provider_callapi.cli.command_hook import open_hook, read_timezone
from airflow_provider_callapi.cli.output import fail, print_rows, show_time, time_column, warn
from airflow_provider_callapi.hooks.callapi import CallApiHook


@suppress_logs_and_warning
def find(args: Namespace) -> None:
    """Print the calls with the ``external_id`` that the user gives: all active calls, and one finished call.

    The user finds the ``external_id`` of a call that may have been placed in the log of the failed task, in
    the error `CallUnresolved`.

    If the connection uses the Data API, the command searches the reports of the last 30 days for the newest
    finished call. If no call is found, the command exits with ``1``.
    """
    if not args.external_id.strip():
        fail("the external_id is empty")
    with open_hook(args) as hook:
        sessions = hook.get_conn().call(ListCalls())
        sought = UnconfirmedCall(args.external_id, contact=None, since=None, timezone="UTC")
        active = [session for session in sessions if sought.matches(session)]
        calls: list[CallSession | CallReport] = [*active]
        if sessions.left_out:
            left_out = count_text(sessions.left_out, "active call")
            warn(f"{left_out} cannot be read, and may have external_id {mask_phones(args.external_id)}")
        if hook.has_data_api:
            report = hook.reports.of_call(external_id=args.external_id)
            if report and report.id not in {call.call_session_id for call in active}:
                calls.append(report)
        timezone = read_timezone(hook) if calls else ""
    if not calls:
        fail(_nothing_found(args.external_id, sessions, hook))
    print_rows([_row(call, timezone, args) for call in calls], args)


def _nothing_found(external_id: str, sessions: Sequence[CallSession], hook: CallApiHook) -> str:
    """Return the text of the error: what was searched without success, and where the call may still be.

    :param sessions: the active calls.
    """
    searched, more = "no active call", ""
    if hook.has_data_api:
        searched += ", and no call of the last 30 days in the Data API,"
    else:
        more = (
            ". Ended calls were not searched: tick Use the Data API (extra.data_api) in connection "
            f"{hook.callapi_conn_id}"
        )
    if without_id := sum(not (session.external_id or "").strip() for session in sessions):
        shown = count_text(without_id, "active call shows", "active calls show")
        more += f". {shown} no external_id, and may be the call"
    return f"{searched} has external_id {mask_phones(external_id)}{more}"


def _row(call: CallSession | CallReport, timezone: str, args: Namespace) -> dict[str, Any]:
    """Return a call as a dict with its columns. The services send local times of the account."""
    report = call if isinstance(call, CallReport) else None

    def shown(time: str | None) -> str | None:
        return show_time(time, timezone, args, seconds=True)

    return {
        "session": call.call_session_id if isinstance(call, CallSession) else call.id,
        "state": "ended" if report and report.finished else "active",
        "contact": mask_number(call.contact_phone_number or ""),
        time_column("since", args): shown(call.start_time),
        time_column("until", args): shown(report.finish_time) if report else None,
        "finish_reason": report and report.finish_reason,
        "talk_seconds": report and report.talk_duration,
    }
