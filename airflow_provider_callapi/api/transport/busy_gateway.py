"""Recognise an HTTP answer with which a busy gateway refuses a request. A repeat of the request is then safe.

A gateway is an HTTP server, such as a proxy, in front of the service. An answer is a refusal if all of these
conditions are met:

- The status is 429 (too many requests) or 503 (unavailable).
- The header ``Retry-After`` states when the client can repeat the request.
- The body is no JSON-RPC answer, which only the service itself sends. A JSON body of the gateway can also
  have the key ``error``, so `is_gateways_own` tells the two apart.

After any other answer of a gateway, the service may have carried out the request.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

_STATUSES = frozenset({429, 503})


def seconds_until_retry(status: int, headers: Mapping[str, str]) -> int | None:
    """Return how many seconds a client must wait before it repeats a request that a busy gateway refused.

    The header ``Retry-After`` contains the seconds, or a time. The seconds until this time count from the
    time in the header ``Date``.

    :param status: the HTTP status.
    :param headers: the HTTP headers. The mapping must ignore case.
    :return: the seconds. None: the status is neither 429 nor 503, or the headers do not show the seconds.
    """
    text = headers.get("Retry-After", "").strip()
    if status not in _STATUSES or not text:
        return None
    if re.fullmatch(r"[0-9]{1,9}", text):
        return int(text)
    retry_at, answered_at = _read_time(text), _read_time(headers.get("Date", ""))
    if retry_at is None or answered_at is None:
        return None
    return max(math.ceil((retry_at - answered_at).total_seconds()), 0)


def is_gateways_own(body: Mapping[str, Any], status: int) -> bool:
    """Return whether a JSON body with the HTTP status 429 or 503 comes from a gateway.

    Otherwise, it comes from the service. The body comes from a gateway if both conditions are met:

    - It has no field of JSON-RPC except ``error``.
    - The field ``error`` is missing, contains a text or number, or contains an object whose ``code`` is the
      HTTP status.

    :param body: the JSON body, such as ``{"status": 503, "error": "Service Unavailable"}``.
    :param status: the HTTP status of the answer.
    """
    if not body.keys().isdisjoint(("jsonrpc", "id", "result")):
        return False
    error = body.get("error")
    return not isinstance(error, dict) or str(error.get("code")) == str(status)


def _read_time(text: str) -> datetime | None:
    """Convert the value of an HTTP header to a point in time.

    None: the value is not a time with a time zone.
    """
    try:
        time = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # OverflowError: a number has too many digits
        return None
    return time if time.tzinfo else None
