"""Recognise an HTTP answer with which a busy gateway refuses a request.

A gateway stands between the client and the service, and can answer instead of the service. After most answers
of a gateway, the service may or may not have carried out the request. Only a refusal shows that the service
has not seen the request. An answer is a refusal if all of this is true:

- The status is 429 (too many requests) or 503 (unavailable).
- The header ``Retry-After`` contains a number of seconds or a point in time. With this header, the gateway
  invites the client to send the request again.
- The body is no JSON-RPC answer, so the answer does not come from the service itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

_STATUSES = frozenset({429, 503})


def seconds_until_retry(status: int, headers: Mapping[str, str]) -> int | None:
    """Return the seconds after which a busy gateway invites the client to send the request again.

    Example: 30 for the status 503 with the header ``Retry-After: 30``. If ``Retry-After`` contains a point in
    time, the seconds count from the time in the header ``Date``.

    :param status: the HTTP status.
    :param headers: the HTTP headers. The mapping must ignore case.
    :return: the seconds. None: the answer contains no invitation. An invitation needs the status 429 or 503,
        and a readable header ``Retry-After``. If ``Retry-After`` contains a point in time, the invitation
        also needs a readable header ``Date``.
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


def _read_time(text: str) -> datetime | None:
    """Convert the value of an HTTP header to a point in time.

    None: the value is not a time with a time zone.
    """
    try:
        time = parsedate_to_datetime(text)
    except ValueError:
        return None
    return time if time.tzinfo else None
