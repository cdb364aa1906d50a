"""Read the settings in an Airflow connection of type ``callapi``. Every error names the invalid field."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, SecretStr

from airflow_provider_callapi.api.credentials import AccessKey, Credentials, LoginSession
from airflow_provider_callapi.connection.account_zone import DEFAULT_TIMEZONE
from airflow_provider_callapi.connection.base_urls import base_url, data_api_base_url
from airflow_provider_callapi.connection.extra_fields import read_extra
from airflow_provider_callapi.connection.field_invalid import FieldInvalid
from airflow_provider_callapi.connection.hosts import DEFAULT_HOST
from airflow_provider_callapi.exceptions import ConnectionSettingsInvalid

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

CONN_TYPE = "callapi"
"""The type of the Airflow connections that this package reads."""


class ConnectionSettings(BaseModel):
    """The settings in an Airflow connection: addresses, credentials, and how to send requests.

    :ivar url: base URL of the Call API, including the version: ``https://callapi.comagic.ru/v4.0``.
    :ivar data_api_url: base URL of the Data API, including the version. None: the connection does not use
        the Data API.
    :ivar login: the user name. None: ``password`` is a permanent access key, so there is no login.
    :ivar password: the password of ``login``, or a permanent access key.
    :ivar timeout: the longest time for one request, in seconds.
    :ivar timezone: IANA name of the account's time zone. None: the package asks the Data API for the zone.
    :ivar verify: whether the package verifies TLS certificates. A text: the path of a file with the CA
        certificates to trust.
    """

    model_config = ConfigDict(frozen=True)

    conn_id: str
    url: str
    data_api_url: str | None
    login: str | None
    password: SecretStr
    timeout: float
    timezone: str | None
    verify: bool | str

    @classmethod
    def from_fields(
        cls,
        conn_id: str,
        *,
        host: str | None,
        port: int | None,
        login: str | None,
        password: str | None,
        extra: str | None,
    ) -> Self:
        """Check the fields of an Airflow connection, and return the settings.

        :param host: the host or the base URL of the Call API. None: ``callapi.comagic.ru``.
        :param extra: a JSON object as text. None: all settings in the extra have their defaults.
        :raises ConnectionSettingsInvalid: a field is invalid. The message names the connection and the field.
        """
        texts = {"host": host, "login": login, "password": password, "extra": extra}
        try:
            for field, value in texts.items():
                if not isinstance(value, str | None):  # a secrets backend can return any type
                    raise FieldInvalid(field, "a text is needed")
            extra_fields = read_extra(extra)
            allow_http = extra_fields.allow_http
            # A file with a secret often ends with a line break. A password may contain blanks, a key cannot.
            login = (login or "").strip()
            password = (password or "").strip("\r\n" if login else None)
            if not password:
                raise FieldInvalid(
                    "password",
                    "empty; enter the login's password, or a permanent access key and no login",
                )
            base = base_url("host", host or DEFAULT_HOST, port, allow_http=allow_http)
            data_url = None
            if extra_fields.data_api:
                data_host = extra_fields.data_api_host
                data_url = data_api_base_url(base, data_host, allow_http=allow_http) + "/v2.0"
        except FieldInvalid as invalid:
            raise ConnectionSettingsInvalid(f"connection {conn_id}, {invalid}") from invalid
        return cls(
            conn_id=conn_id,
            url=f"{base}/{extra_fields.api_version}",
            data_api_url=data_url,
            login=login or None,
            password=SecretStr(password),
            timeout=extra_fields.timeout,
            timezone=extra_fields.timezone or (None if data_url else DEFAULT_TIMEZONE),
            verify=extra_fields.verify,
        )

    @property
    def period_timezone(self) -> str:
        """IANA name of the time zone in which report requests state their period.

        This is the zone in the Airflow connection, or ``Europe/Moscow`` if the connection names no zone.

        The service reads the period in the account's zone, which may be another one. So the period must
        begin a day before the wanted interval or earlier, and end a day after it.
        """
        return self.timezone or DEFAULT_TIMEZONE

    @property
    def account_digest(self) -> str:
        """A hash of the Call API's URL, the user name and the password: 32 hexadecimal digits.

        The hash stands for the account, and does not reveal the credentials.
        """
        secret = self.password.get_secret_value()
        return hashlib.sha256("\0".join((self.url, self.login or "", secret)).encode()).hexdigest()[:32]

    def renews(self, other: ConnectionSettings) -> bool:
        """Return whether these settings have another login or password than ``other``, for the same services.

        A key must not be sent to another host. The services of another host do not know the calls.
        """
        mine, before = (
            (each.login, each.password.get_secret_value(), each.url, each.data_api_url)
            for each in (self, other)
        )
        return mine[:2] != before[:2] and mine[2:] == before[2:]

    def credentials(self) -> Credentials:
        """Return new credentials for one client.

        The Call API client and the Data API client need separate credentials, because each service may refuse
        the other service's token.
        """
        secret = self.password.get_secret_value()
        return LoginSession(self.login, secret) if self.login else AccessKey(secret)


def read_settings(connection: Connection) -> ConnectionSettings:
    """Return the settings of an Airflow connection of type ``callapi``.

    The function parses the text of the extra itself, because Airflow's ``extra_dejson`` may mask values of
    the extra, such as ``Europe/Moscow``, in the logs.

    :raises ConnectionSettingsInvalid: the connection has another type, or a field is invalid. The error
        message names the connection, and the type or the field.
    """
    if connection.conn_type != CONN_TYPE:
        # the password of another service must not be sent to the vendor
        raise ConnectionSettingsInvalid(
            f"connection {connection.conn_id} has the type {connection.conn_type!r}; a connection of the "
            f"type {CONN_TYPE!r} is needed"
        )
    return ConnectionSettings.from_fields(
        connection.conn_id,
        host=connection.host,
        port=connection.port,
        login=connection.login,
        password=connection.password,
        extra=connection.extra,
    )
