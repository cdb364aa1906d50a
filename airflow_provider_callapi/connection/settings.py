"""What a connection of type ``callapi`` says, read once and checked, with the field named in every error."""

from __future__ import annotations

import ipaddress
import json
import os
import re
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from airflow_provider_callapi.api.credentials import AccessKey, Credentials, LoginSession
from airflow_provider_callapi.exceptions import ConnectionSettingsInvalid

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

DEFAULT_HOST = "callapi.comagic.ru"


class FieldInvalid(ValueError):
    """A field cannot be used.

    :ivar field: ``host``, ``port``, ``password``, ``extra``, or ``extra.timeout`` and the like.
    :ivar problem: why, and what is needed; never the value.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class _Extra(BaseModel):
    """The connection's extra fields; values may be text, as a form or a URI writes them."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    api_version: str = "v4.0"
    timeout: float = Field(30.0, gt=0, allow_inf_nan=False)
    timezone: str = "Europe/Moscow"
    data_api: bool = False
    data_api_host: str | None = None
    verify: bool | str = True
    allow_http: bool = False

    @field_validator("verify", mode="before")
    @classmethod
    def _flag_or_path(cls, value: Any) -> Any:
        return {"true": True, "false": False}.get(str(value).strip().lower(), value)

    @field_validator("verify")
    @classmethod
    def _is_there(cls, value: bool | str) -> bool | str:
        if isinstance(value, str) and not os.access(value, os.R_OK):
            raise ValueError(
                "this machine has no such file, or may not read it; true, or the path of a file is needed"
            )
        return value

    @field_validator("api_version")
    @classmethod
    def _is_a_version(cls, value: str) -> str:
        if not re.fullmatch(r"v\d+\.\d+", value, re.ASCII):
            raise ValueError("a version is needed, e.g. v4.0")
        return value

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder of zones is no zone
            raise ValueError("an IANA zone is needed, e.g. Europe/Moscow") from error
        return value


class ConnectionSettings(BaseModel):
    """Where the services are and how to be let in.

    :ivar conn_id: the connection that they were read from.
    :ivar url: base URL of the Call API with its version.
    :ivar data_api_url: base URL of the Data API; None where the connection does not use it.
    """

    model_config = ConfigDict(frozen=True)

    conn_id: str
    url: str
    data_api_url: str | None
    login: str | None
    password: SecretStr
    timeout: float
    timezone: str
    verify: bool | str

    @classmethod
    def read(
        cls,
        conn_id: str,
        *,
        host: str | None,
        port: int | None,
        login: str | None,
        password: str | None,
        extra: str | None,
    ) -> Self:
        """Read an Airflow connection's fields.

        :raises ConnectionSettingsInvalid: names the connection and the field, and what to do.
        """
        try:
            fields = _read_extra(extra)
            if not password:
                raise FieldInvalid(
                    "password",
                    "empty; enter the login's password, or a permanent access key with the login left empty",
                )
            base = _base_url("host", host or DEFAULT_HOST, port, fields.allow_http)
            data_url = None
            if fields.data_api:
                data_host = fields.data_api_host or base.replace("//callapi.", "//dataapi.", 1)
                data_url = _base_url("extra.data_api_host", data_host, None, fields.allow_http) + "/v2.0"
        except FieldInvalid as invalid:
            raise ConnectionSettingsInvalid(f"connection {conn_id}, {invalid}") from invalid
        return cls(
            conn_id=conn_id,
            url=f"{base}/{fields.api_version}",
            data_api_url=data_url,
            login=login or None,
            password=SecretStr(password),
            timeout=fields.timeout,
            timezone=fields.timezone,
            verify=fields.verify,
        )

    def credentials(self) -> Credentials:
        """New credentials; a token of one service is not assumed to be valid in the other."""
        secret = self.password.get_secret_value()
        return LoginSession(self.login, secret) if self.login else AccessKey(secret)


def _read_extra(extra: str | None) -> _Extra:
    try:
        given = json.loads(extra or "{}")
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise FieldInvalid("extra", "a JSON object is needed")
    try:
        return _Extra.model_validate({name: v for name, v in given.items() if v not in (None, "")})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
    raise FieldInvalid(f"extra.{first['loc'][0]}", first["msg"].removeprefix("Value error, "))


def _base_url(field: str, host: str, port: int | None, allow_http: bool) -> str:
    try:
        parts = urlsplit(host if "://" in host else f"https://{host}")
        name, port = parts.hostname, parts.port or port
    except ValueError:
        parts, name = urlsplit(""), None
    if not name or parts.scheme not in ("http", "https") or parts.query or parts.username:
        raise FieldInvalid(field, f"a host name or a URL such as https://{DEFAULT_HOST} is needed")
    if parts.scheme == "http" and not (allow_http or _is_loopback(name)):
        raise FieldInvalid(
            field,
            "plain http would send the credentials in the clear; use https, "
            'or "Allow plain http" (extra.allow_http)',
        )
    name = f"[{name}]" if ":" in name else name
    return f"{parts.scheme}://{name}" + (f":{port}" if port else "") + parts.path.rstrip("/")


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def read_settings(connection: Connection) -> ConnectionSettings:
    """Read an Airflow connection of type ``callapi``.

    Its extra is read here: ``extra_dejson`` has every value masked in the logs, "Europe/Moscow" too.
    """
    return ConnectionSettings.read(
        connection.conn_id,
        host=connection.host,
        port=connection.port,
        login=connection.login,
        password=connection.password,
        extra=connection.extra,
    )
