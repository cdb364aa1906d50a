"""Faults between a client and the exchange, and the plan of faults to come."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """A fault of one request.

    :ivar label: the name in lower case.
    :ivar carried_out: whether the exchange carries the request out.
    """

    REFUSE = ("refuse", False)
    """The connection is refused: the client sends no byte of the request."""
    DROP_BEFORE = ("drop_before", False)
    """The connection breaks before the exchange receives the request."""
    DROP_AFTER = ("drop_after", True)
    """The request is carried out, then the connection breaks."""
    HANG = ("hang", True)
    """The request is carried out. No answer comes until the client gives up."""
    BAD_GATEWAY = ("bad_gateway", False)
    """502: the gateway does not reach the exchange."""
    GATEWAY_TIMEOUT_AFTER = ("gateway_timeout_after", True)
    """504: the exchange carries the request out, but the gateway does not wait for it."""
    INTERNAL_ERROR = ("internal_error", True)
    """The answer is ``internal_error``, although the request is carried out."""
    TRUNCATED = ("truncated", True)
    """The answer is cut off in the middle."""
    GARBAGE = ("garbage", True)
    """200 with bytes that are not JSON."""
    HTML = ("html", True)
    """200 with a web page."""
    REDIRECT = ("redirect", False)
    """307 to another host."""
    WRONG_ID = ("wrong_id", True)
    """The answer has the id of another request."""

    def __init__(self, label: str, carried_out: bool) -> None:
        self.label = label
        self.carried_out = carried_out


@dataclass
class PlannedFault:
    """A fault planned for the next matching requests.

    :ivar method: only requests for this method; None: any.
    :ivar times: how many requests.
    :ivar seconds: over HTTP, how long HANG holds the connection.
    """

    fault: Fault
    method: str | None = None
    times: int = 1
    seconds: float = 60.0


def method_of(body: bytes) -> str | None:
    """Return the method that a request's body names, or None if it cannot be read."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return None
    method = parsed.get("method") if isinstance(parsed, dict) else None
    return method if isinstance(method, str) else None


class FaultPlan:
    """The planned faults, in the order of planning."""

    def __init__(self) -> None:
        self._planned: list[PlannedFault] = []

    def add(self, planned: PlannedFault) -> None:
        """Add a fault at the end."""
        self._planned.append(planned)

    def take(self, body: bytes, *, connecting: bool) -> PlannedFault | None:
        """Return the fault for a request that arrives now, and count it as used.

        :param connecting: True before the request is read: only REFUSE applies; False: all others.
        """
        if not self._planned:
            return None
        method = method_of(body)
        for planned in list(self._planned):
            refuses = planned.fault is Fault.REFUSE
            if refuses is connecting and planned.method in (None, method):
                planned.times -= 1
                if planned.times <= 0:
                    self._planned.remove(planned)
                return planned
        return None

    def clear(self) -> None:
        """Remove all planned faults."""
        self._planned.clear()
