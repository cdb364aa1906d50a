"""Read the settings in an Airflow connection of type ``callapi``. Every error names the invalid field."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from airflow_provider_callapi.api.credentials import AccessKey, Credentials, LoginSession
from airflow_provider_callapi.api.transport.loopback import is_loopback
from airflow_provider_callapi.api.values.value_kinds import problem_text
from airflow_provider_callapi.calls.iana_zones import is_iana_zone
from airflow_provider_callapi.connection.account_zone import DEFAULT_TIMEZONE
from airflow_provider_callapi.connection.hosts import BRANDS, DEFAULT_HOST, data_api_host
from airflow_provider_callapi.exceptions import ConnectionSettingsInvalid

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

CONN_TYPE = "callapi"
"""The type of the Airflow connections that this package reads."""
_FORM_PREFIX = f"extra__{CONN_TYPE}__"
"""The prefix that older Airflow versions give to the names of a form's own fields."""
_NEAR = 0.75
"""The smallest similarity (0 to 1) at which an unknown name counts as a misspelt name of a field."""
_OTHER_NAMES = {
    "tz": "timezone",
    "zone": "timezone",
    "ssl": "verify",
    "sslverify": "verify",
    "verifyssl": "verify",
    "ca": "verify",
    "cabundle": "verify",
    "usedataapi": "data_api",
    "dataapienabled": "data_api",
    "dataapiurl": "data_api_host",
    "version": "api_version",
    "readtimeout": "timeout",
    "requesttimeout": "timeout",
}
"""Other usual name of a field, in lower case and without signs → the field."""
LONGEST_TIMEOUT = 86_400
"""The longest time limit of one request in seconds. Sockets cannot count much longer times."""
_ENTER = {
    "timeout": f"enter a number of seconds, more than 0 and at most {LONGEST_TIMEOUT}, e.g. 30",
    "data_api": "enter true or false",
    "allow_http": "enter true or false",
}
"""Field of the extra that is no text → what to enter."""
_VERSION_IN_PATH = re.compile(r"/v[0-9]+(\.[0-9]+)?/*$", re.IGNORECASE)
_LARGEST_PORT = 65_535
_BARE_IPV6 = re.compile(r"[0-9a-f]*(:[0-9a-f.]*){2,}", re.IGNORECASE)
_HOST = re.compile(r"[\w-]{1,63}(\.[\w-]{1,63})*\.?|.*:.*")
"""A host name or an IPv6 address, without brackets. `urlsplit` has checked the address."""


class FieldInvalid(ValueError):
    """A field of the Airflow connection is invalid.

    :ivar field: ``host``, ``port``, ``password``, ``extra``, or a field of the extra, e.g. ``extra.timeout``.
    :ivar problem: what is wrong, and what the field must contain. ``problem`` never contains the field's
        value.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class _ExtraFields(BaseModel):
    """The fields in the extra (a JSON object) of an Airflow connection, such as ``{"timeout": 30}``."""

    # Not strict: forms and URIs store all values as text, such as ``"30"`` and ``"true"``.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    api_version: str = "v4.0"
    timeout: float = Field(30.0, gt=0, le=LONGEST_TIMEOUT, allow_inf_nan=False)
    timezone: str | None = None
    data_api: bool = False
    data_api_host: str | None = None
    verify: bool | str = True
    allow_http: bool = False

    @field_validator("timeout", mode="before")
    @classmethod
    def _refuse_flag(cls, value: Any) -> Any:
        if isinstance(value, bool):  # pydantic would read true as one second
            raise ValueError(_ENTER["timeout"])
        return value

    @field_validator("verify", mode="before")
    @classmethod
    def _parse_verify(cls, value: Any) -> bool | str:
        text = str(value).strip().lower()
        if text in ("true", "1", "false"):  # 0 must not switch the verification off: only the word false does
            return text != "false"
        if not isinstance(value, str):
            raise ValueError("enter true, or the path of a file")
        return value

    @field_validator("verify")
    @classmethod
    def _check_readable(cls, value: bool | str) -> bool | str:
        if isinstance(value, str) and not os.access(value, os.R_OK):
            raise ValueError(
                "this machine has no such file, or may not read it; enter true, or the path of a file"
            )
        return value

    @field_validator("api_version")
    @classmethod
    def _check_version(cls, value: str) -> str:
        if not re.fullmatch(r"v\d+\.\d+", value, re.ASCII):
            raise ValueError("enter a version, e.g. v4.0")
        return value

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, value: str | None) -> str | None:
        if value is not None and not is_iana_zone(value):
            raise ValueError("enter an IANA zone, e.g. Europe/Moscow")
        return value


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
            extra_fields = _parse_extra(extra)
            allow_http = extra_fields.allow_http
            # A file with a secret often ends with a line break. A password may contain blanks, a key cannot.
            login = (login or "").strip()
            password = (password or "").strip("\r\n" if login else None)
            if not password:
                raise FieldInvalid(
                    "password",
                    "empty; enter the login's password, or a permanent access key and no login",
                )
            base = _base_url("host", host or DEFAULT_HOST, port, allow_http)
            data_url = None
            if extra_fields.data_api:
                data_host = extra_fields.data_api_host or _derive_data_api_host(base)
                data_url = _base_url("extra.data_api_host", data_host, None, allow_http) + "/v2.0"
                if any(urlsplit(data_url).hostname == brand.call_api for brand in BRANDS):
                    raise FieldInvalid("extra.data_api_host", "this is a host of the Call API")
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


def _parse_extra(extra: str | None) -> _ExtraFields:
    try:
        values = json.loads(extra or "{}")
    except (ValueError, RecursionError):  # RecursionError: brackets nested too deeply
        values = None
    if not isinstance(values, dict):
        raise FieldInvalid("extra", "enter a JSON object")
    # a name without the prefix counts more than the same name with the prefix
    names = sorted(values, key=lambda name: not name.startswith(_FORM_PREFIX))
    fields = {
        name.removeprefix(_FORM_PREFIX): values[name] for name in names if values[name] not in (None, "")
    }
    for name in fields.keys() - _ExtraFields.model_fields.keys():
        if any(map(_closest_field, _names_inside(fields[name]))):
            raise FieldInvalid(f"extra.{name}", "enter these fields directly in extra, not in an object")
        if meant := _closest_field(name):
            raise FieldInvalid(f"extra.{name}", f"there is no such field; did you mean {meant}?")
    try:
        return _ExtraFields.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
    name = str(first["loc"][0])
    is_own_check = first["type"] == "value_error"
    raise FieldInvalid(
        f"extra.{name}", problem_text(first) if is_own_check else _ENTER.get(name, "enter a text")
    )


def _names_inside(value: Any) -> list[str]:
    """Return the names of the fields of a JSON object, given as a dict or as text.

    Any other value gives an empty list.
    """
    if isinstance(value, str) and value.lstrip().startswith("{"):
        return re.findall(r'"(\w+)"\s*:', value)
    return list(value) if isinstance(value, dict) else []


def _derive_data_api_host(call_api_url: str) -> str:
    """Return the base URL of the Data API that belongs to a Call API's URL.

    :raises FieldInvalid: the Call API's host is not known.
    """
    name = urlsplit(call_api_url).hostname or ""
    host = data_api_host(name)
    if host is None:
        raise FieldInvalid(
            "extra.data_api_host",
            "the Data API of this Call API host is not known; enter the host of the Data API, "
            "e.g. dataapi.comagic.ru",
        )
    return call_api_url if host == name else call_api_url.replace(name, host, 1)


def _closest_field(name: str) -> str | None:
    """Return the field of the connection that a name probably means, e.g. ``timezone`` for ``tz``.

    None: no field is similar.
    """
    name = name.removeprefix(_FORM_PREFIX)
    if other := _OTHER_NAMES.get(_fold(name)):
        return other
    known = {_fold(field): field for field in _ExtraFields.model_fields}
    found = difflib.get_close_matches(_fold(name), known, n=1, cutoff=_NEAR)
    # account_timezone means timezone, and enable_data_api means data_api
    found += [field for field in sorted(known, key=len, reverse=True) if field in _fold(name)]
    return known[found[0]] if found else None


def _fold(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())


def _mixes_alphabets(host: str) -> bool:
    """Return whether a word of a host has letters of the Latin alphabet, and of another one."""
    words = re.findall(r"[\w-]+", host)
    alphabets = ({unicodedata.name(sign, "").split()[0] for sign in word if sign.isalpha()} for word in words)
    return any("LATIN" in found and len(found) > 1 for found in alphabets)


def _base_url(field: str, host: str, port: int | None, allow_http: bool) -> str:
    """Return the base URL for a host or a URL. Blanks around the text are ignored.

    :raises FieldInvalid: the host, the URL or the port cannot be used.
    """
    host = host.strip()
    if _mixes_alphabets(host):  # such a host may only look like the vendor's, and would get the password
        raise FieldInvalid(field, "letters of two alphabets stand in one word of the host; write it again")
    if _BARE_IPV6.fullmatch(host):  # Airflow removes the brackets from the URI of a connection
        host = f"[{host}]"
    try:
        parts = urlsplit(host if "://" in host else f"https://{host}")
        name, own_port = parts.hostname or "", parts.port
    except ValueError:
        parts, name, own_port = urlsplit(""), "", None
    surplus = "@" in parts.netloc or parts.query or parts.fragment
    # urlsplit drops a line end inside a host, so the password would go to another host
    if parts.scheme not in ("http", "https") or surplus or not (host.isprintable() and _HOST.fullmatch(name)):
        raise FieldInvalid(field, f"enter a host name, or a URL such as https://{DEFAULT_HOST}")
    if parts.scheme == "http" and not (allow_http or is_loopback(name)):
        raise FieldInvalid(
            field,
            "plain http would send the credentials unencrypted; use https, "
            'or set "Allow plain http" (extra.allow_http)',
        )
    if _VERSION_IN_PATH.search(parts.path):
        raise FieldInvalid(field, "enter the host without a version such as /v4.0")
    if port is not None and (type(port) is not int or not 1 <= port <= _LARGEST_PORT):
        raise FieldInvalid("port", f"enter a number from 1 to {_LARGEST_PORT}, or leave the field empty")
    if None not in (port, own_port) and port != own_port:
        raise FieldInvalid("port", "the field host has another port; remove one of the two ports")
    port = port or own_port
    name = f"[{name}]" if ":" in name else name
    return f"{parts.scheme}://{name}" + (f":{port}" if port else "") + parts.path.rstrip("/")


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
