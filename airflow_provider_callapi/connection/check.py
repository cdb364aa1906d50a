"""The connection test that Airflow's button *Test connection* starts. The test places no call.

If the connection uses the Data API, the test also reads the account's time zone, which costs one or two
points (the API's rate-limit units).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import AirflowNotFoundException

from airflow_provider_callapi.api.account import GetAccount
from airflow_provider_callapi.api.advice import advice
from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.data_api import probe_access
from airflow_provider_callapi.api.errors import AccessDenied, CallApiError
from airflow_provider_callapi.api.methods import ListCalls
from airflow_provider_callapi.calls.iana_zones import have_same_times, is_iana_zone
from airflow_provider_callapi.calls.texts.count_texts import count_text
from airflow_provider_callapi.connection.clients import make_client
from airflow_provider_callapi.connection.field_invalid import FieldInvalid
from airflow_provider_callapi.connection.settings import ConnectionSettings
from airflow_provider_callapi.exceptions import ConnectionSettingsInvalid
from airflow_provider_callapi.provider_info import form_label


class _ConnectionUnusable(Exception):
    """The Airflow connection cannot be used. The error message states the reason and what to do."""


def check_connection(read_settings: Callable[[], ConnectionSettings]) -> tuple[bool, str]:
    """Test an Airflow connection of type ``callapi``, and describe the result for the user.

    :param read_settings: reads the connection, and may raise `ConnectionSettingsInvalid`.
    :return: whether the connection works, and a description: ``(True, "Connected; 3 active calls.")``. The
        description contains no credentials, but may contain the IP address of this machine.
    """
    try:
        settings = read_settings()
        return True, " ".join([*_check_call_api(settings), *_check_data_api(settings)])
    except (_ConnectionUnusable, AirflowNotFoundException) as problem:
        return False, str(problem)
    except ConnectionSettingsInvalid as invalid:
        cause = invalid.__cause__
        # Airflow gives a connection under test a random id, so the text names the form's field instead.
        if isinstance(cause, FieldInvalid):
            end = "" if cause.problem.endswith("?") else "."
            return False, f'"{form_label(cause.field)}": {cause.problem}{end}'
        return False, str(invalid)


def _check_call_api(settings: ConnectionSettings) -> Iterator[str]:
    with closing(make_client(settings)) as client:
        try:
            yield f"Connected; {count_text(client.call(ListCalls()).sent, 'active call')}."
        except AccessDenied as error:
            if error.mnemonic != "component_disabled":
                raise _ConnectionUnusable(advice(error)) from error
            yield (
                "Connected, but list.calls is not available: tasks can start calls but cannot wait for them. "
                + advice(error)
            )
        except CallApiError as error:
            raise _ConnectionUnusable(advice(error)) from error
        version = client.api_version
        if version is not None and version.deprecated:
            yield (
                f"Version {version.current_version} of the Call API will be withdrawn: "
                f'set "API version" to {version.latest_version}.'
            )


def _check_data_api(settings: ConnectionSettings) -> Iterator[str]:
    if settings.data_api_url is None:
        return
    with closing(make_client(settings, service="data_api")) as client:
        try:
            probe_access(client)
        except CallApiError as error:
            text = advice(error, service="Data API")
            raise _ConnectionUnusable(f"The Call API works, the Data API does not. {text}") from error
        yield "The Data API works, too."
        yield _check_timezone(settings.timezone, client)


def _check_timezone(timezone: str | None, client: Client) -> str:
    """Return a sentence for the user: the account's time zone, or why it is unknown.

    :raises _ConnectionUnusable: ``timezone`` (from the connection) has other times than the account's zone.
    """
    try:
        zone = client.call(GetAccount()).timezone
    except CallApiError as error:
        return f"The account's time zone was not checked: {error}."
    if not zone or not is_iana_zone(zone):
        return "The account's time zone was not checked: get.account names no zone that this machine knows."
    if timezone is not None and not have_same_times(zone, timezone, datetime.now(UTC).year):
        raise _ConnectionUnusable(
            f"Both services work, but the account's time zone is {zone}, and the connection's is {timezone}. "
            f'Enter {zone} as "{form_label("extra.timezone")}", or leave the field empty.'
        )
    return f"The account's time zone is {zone}."
