"""The command ``airflow callapi find``: the user gives an ``external_id``, and gets the calls with it."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from airflow.utils.cli import suppress_logs_and_warning

from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.masking import mask_number, mask_phones
from airflow_provider_callapi.api.methods import ListCalls
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.count_texts import count_text
from airflow_provider_callapi.calls.unconfirmed_call import UnconfirmedCall
from airflow_provider_callapi.cli.command_hook import open_hook
from airflow_provider_callapi.cli.output import fail, print_rows, warn


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
        rows = [_active_row(session) for session in sessions if sought.matches(session)]
        if sessions.left_out:
            left_out = count_text(sessions.left_out, "active call")
            warn(f"{left_out} cannot be read, and may have external_id {mask_phones(args.external_id)}")
        searched = "no active call"
        if hook.has_data_api:
            searched += ", and no call of the last 30 days in the Data API,"
            report = hook.reports.of_call(external_id=args.external_id)
            if report and report.id not in {row["session"] for row in rows}:
                rows.append(_reported_row(report))
    if not rows:
        more = ""
        if not hook.has_data_api:
            conn_id = hook.callapi_conn_id
            more = (
                ". Ended calls were not searched: tick Use the Data API (extra.data_api) in connection "
                f"{conn_id}"
            )
        if without_id := sum(not (session.external_id or "").strip() for session in sessions):
            shown = count_text(without_id, "active call shows", "active calls show")
            more += f". {shown} no external_id, and may be the call"
        fail(f"{searched} has external_id {mask_phones(args.external_id)}{more}")
    print_rows(rows, args)


def _active_row(session: CallSession) -> dict[str, Any]:
    return {
        "session": session.call_session_id,
        "state": "active",
        "contact": mask_number(session.contact_phone_number or ""),
        "since": session.start_time,
        "until": None,
        "finish_reason": None,
        "talk_seconds": None,
    }


def _reported_row(report: CallReport) -> dict[str, Any]:
    return {
        "session": report.id,
        "state": "ended" if report.finished else "active",
        "contact": mask_number(report.contact_phone_number or ""),
        "since": report.start_time,
        "until": report.finish_time,
        "finish_reason": report.finish_reason,
        "talk_seconds": report.talk_duration,
    }
