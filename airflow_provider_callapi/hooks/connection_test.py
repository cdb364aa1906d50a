"""What Airflow's *Test connection* does: asks both services something that costs no points."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from airflow_provider_callapi.api.advice import advice
from airflow_provider_callapi.api.data_api import GetCallsReport
from airflow_provider_callapi.api.errors import AccessDenied, CallApiError, InvalidParameters
from airflow_provider_callapi.api.methods import ListCalls
from airflow_provider_callapi.exceptions import ConnectionSettingsInvalid
from airflow_provider_callapi.hooks.settings import FieldInvalid
from airflow_provider_callapi.provider_info import form_label

if TYPE_CHECKING:
    from airflow_provider_callapi.api.client import Client
    from airflow_provider_callapi.hooks.callapi import CallApiHook


class _DoesNotWork(Exception):
    """The text says why, and what to do."""


def try_connection(hook: CallApiHook) -> tuple[bool, str]:
    """Whether the connection works, and a text for whoever may edit it.

    The text may name the address that the account has to let in; never the credentials.
    """
    try:
        return True, " ".join([*_try_call_api(hook), *_try_data_api(hook)])
    except _DoesNotWork as problem:
        return False, str(problem)
    except ConnectionSettingsInvalid as invalid:
        cause = invalid.__cause__
        if isinstance(cause, FieldInvalid):  # what the form is about has no name yet: Airflow makes one up
            return False, f'"{form_label(cause.field)}": {cause.problem}.'
        return False, str(invalid)


def _try_call_api(hook: CallApiHook) -> Iterator[str]:
    client = hook.get_conn()
    try:
        yield f"Connected; {len(client.call(ListCalls()))} active calls."
    except AccessDenied as error:
        if error.mnemonic != "component_disabled":
            raise _DoesNotWork(advice(error)) from error
        yield (
            "Connected, but list.calls is not available: calls can be started, and not be waited for. "
            + advice(error)
        )
    except CallApiError as error:
        raise _DoesNotWork(advice(error)) from error
    version = client.api_version
    if version is not None and version.deprecated:
        yield (
            f"Version {version.current_version} of the Call API is about to go: "
            f'set "API version" to {version.latest_version}.'
        )


def _try_data_api(hook: CallApiHook) -> Iterator[str]:
    if not hook.has_data_api:
        return
    if hook.settings.login is not None:
        yield "The Data API was not tried: a login there costs a point."
        return
    try:
        knock(hook.data_api.client)
    except CallApiError as error:
        told = advice(error, service="Data API", host="Data API host")
        raise _DoesNotWork(f"The Call API works, the Data API does not. {told}") from error
    yield "The Data API works, too."


def knock(data_api: Client) -> None:
    """Be let in by the Data API, which costs no points with an access key. Logging in costs one.

    :raises CallApiError: it does not let this client in, or does not work.
    """
    # Whatever the Data API does costs a point, and what it refuses none: it is asked for a report that
    # it refuses to everybody (of more than three months), after it has let somebody in.
    too_long = GetCallsReport(
        date_from="2020-01-01 00:00:00", date_till="2020-12-31 00:00:00", fields=["id"], limit=1
    )
    with suppress(InvalidParameters):
        data_api.call(too_long)
