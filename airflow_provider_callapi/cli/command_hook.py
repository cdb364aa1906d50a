"""Open a hook for an ``airflow callapi`` command. An error ends the command with one line of text."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager

from airflow.providers.common.compat.sdk import AirflowException, AirflowNotFoundException

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.cli.interruption import interruptible
from airflow_provider_callapi.cli.output import fail, warn
from airflow_provider_callapi.connection.account_zone import DEFAULT_TIMEZONE, fetch_timezone
from airflow_provider_callapi.exceptions import with_advice
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.supervision.metadata_database import use_metadata_database
from airflow_provider_callapi.supervision.short_hook import ShortTimeoutHook


@contextmanager
def open_hook(args: Namespace) -> Iterator[CallApiHook]:
    """Open a hook for the Airflow connection that the option ``--conn-id`` names.

    An API error or an Airflow error in the ``with`` block ends the command: with the exit code ``1`` and one
    line of text on stderr, without a traceback. Ctrl-C ends the command with the exit code ``130``.
    """
    use_metadata_database()
    try:
        with interruptible(), ShortTimeoutHook(args.conn_id, max_limit_wait=0) as hook:
            yield hook
    except CallApiError as error:
        fail(with_advice(error))
    except AirflowNotFoundException as error:
        fail(f"{error}. Add it with `airflow connections add`, or name another one with --conn-id")
    except AirflowException as error:
        fail(str(error))


def read_timezone(hook: CallApiHook) -> str:
    """Return the IANA name of the account's time zone, or ``Europe/Moscow`` if the zone is not known."""
    zone = hook.settings.timezone
    try:
        return zone or fetch_timezone(hook.data_api.client.call, warn)
    except CallApiError as error:
        warn(f"the times may be wrong, because the account's time zone is not known: {error}")
        return DEFAULT_TIMEZONE
