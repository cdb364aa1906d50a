"""Recognises the addresses of this machine.

A request to this machine must not go through a proxy, which would read the secrets in the request.
"""

from __future__ import annotations

import ipaddress

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url


def is_loopback(host: str) -> bool:
    """Return True if a host name or address is this machine, e.g. ``localhost``, ``127.0.0.1`` or ``::1``.

    An IPv6 address must be without brackets. The function resolves no host names: apart from ``localhost``
    and names that end with ``.localhost``, the result for a name is False.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.rstrip(".").lower()
        return name == "localhost" or name.endswith(".localhost")
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def proxies_for(url: str) -> dict[str, str]:
    """Return the parameter ``proxies`` with which `requests` sends requests to a URL.

    If the host is this machine, the parameter switches off the proxies of the environment. For any other
    host, and for a URL without a valid host, it is empty, and changes nothing.
    """
    try:
        host = (parse_url(url).host or "").strip("[]")
    except LocationParseError:
        host = ""
    return {"http": "", "https": ""} if is_loopback(host) else {}  # an empty address means: no proxy
