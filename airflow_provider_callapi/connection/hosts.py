"""The hosts of each of the vendor's brands, and which Data API belongs to which Call API.

Source: the vendor's public documentation of the brands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from airflow_provider_callapi.api.transport.loopback import is_loopback


@dataclass(frozen=True)
class Brand:
    """One of the vendor's brands. All brands offer the same two services, each brand on other hosts.

    :ivar name: the brand's name, such as ``UIS``.
    :ivar call_api: the host of the Call API, such as ``callapi.uiscom.ru``.
    :ivar data_api: the host of the Data API, such as ``dataapi.uiscom.ru``.
    """

    name: str
    call_api: str
    data_api: str


BRANDS = (
    Brand("CoMagic", "callapi.comagic.ru", "dataapi.comagic.ru"),
    Brand("UIS", "callapi.uiscom.ru", "dataapi.uiscom.ru"),
    Brand("Novofon", "callapi-jsonrpc.novofon.ru", "dataapi-jsonrpc.novofon.ru"),
    Brand("CallGear", "callapi.callgear.com", "dataapi.callgear.com"),
)
DEFAULT_HOST = BRANDS[0].call_api

_DATA_API_HOSTS = {brand.call_api: brand.data_api for brand in BRANDS}
_PREFIX = re.compile(r"^callapi(?=[.-])")


def data_api_host(call_api_host: str) -> str | None:
    """Return the host of the Data API that belongs to a host of the Call API.

    - For a host in `BRANDS`: the Data API of the same brand.
    - For this machine, e.g. ``127.0.0.1``: the same host, because the emulator serves both APIs.
    - For another host ``callapi.…`` or ``callapi-…``: the host with ``dataapi`` in place of ``callapi``.
    - For any other host: None.

    :param call_api_host: the host of the Call API in lower case.
    """
    if is_loopback(call_api_host):
        return call_api_host
    host = _DATA_API_HOSTS.get(call_api_host) or _PREFIX.sub("dataapi", call_api_host)
    return host if host != call_api_host else None
