"""Check the hosts in an Airflow connection of type ``callapi``, and convert them to base URLs.

The password or key of the connection goes to these hosts, so a doubtful host is an error.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from airflow_provider_callapi.api.transport.loopback import is_loopback
from airflow_provider_callapi.connection.field_invalid import FieldInvalid
from airflow_provider_callapi.connection.hosts import BRANDS, DEFAULT_HOST, data_api_host

_VERSION_IN_PATH = re.compile(r"/v[0-9]+(\.[0-9]+)?/*$", re.IGNORECASE)
_LARGEST_PORT = 65_535
_BARE_IPV6 = re.compile(r"[0-9a-f]*(:[0-9a-f.]*){2,}", re.IGNORECASE)
_HOST = re.compile(r"[\w-]{1,63}(\.[\w-]{1,63})*\.?|.*:.*")
"""A host name or an IPv6 address, without brackets. `urlsplit` has checked the address."""


def base_url(field: str, host: str, port: int | None, *, allow_http: bool) -> str:
    """Return the base URL for a host or a URL: ``https://callapi.comagic.ru``.

    :param field: the name of the field with the host, for the error.
    :param host: the host or the URL. Blanks around the text are ignored.
    :param port: the port. None: the port in ``host``, or the usual port of the protocol.
    :param allow_http: whether plain http is allowed for a host that is not this machine.
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


def data_api_base_url(call_api_url: str, host: str | None, *, allow_http: bool) -> str:
    """Return the base URL of the Data API.

    :param call_api_url: the base URL of the Call API.
    :param host: the host or the URL of the Data API. None: the Data API that belongs to the Call API's host.
    :raises FieldInvalid: the host cannot be used, or is a host of the Call API, or no host is known.
    """
    url = base_url("extra.data_api_host", host or _derived_from(call_api_url), None, allow_http=allow_http)
    if any(urlsplit(url).hostname == brand.call_api for brand in BRANDS):
        raise FieldInvalid("extra.data_api_host", "this is a host of the Call API")
    return url


def _derived_from(call_api_url: str) -> str:
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


def _mixes_alphabets(host: str) -> bool:
    """Return whether a word of a host has letters of the Latin alphabet, and of another one."""
    words = re.findall(r"[\w-]+", host)
    alphabets = ({unicodedata.name(sign, "").split()[0] for sign in word if sign.isalpha()} for word in words)
    return any("LATIN" in found and len(found) > 1 for found in alphabets)
