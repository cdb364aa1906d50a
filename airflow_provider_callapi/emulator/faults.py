"""The faults that a test can plan for requests to the emulator, such as a broken connection."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """A fault that a test can plan for a request, such as a broken connection.

    :ivar label: the name of the fault in lower case, e.g. ``drop_after``.
    :ivar carried_out: whether the exchange carries out the request despite the fault. For example, a start
        request with ``carried_out`` True places a call, although the client gets no proper answer.
    """

    REFUSE = ("refuse", False)
    """The exchange refuses the connection. The client cannot send any part of the request."""
    DROP_BEFORE = ("drop_before", False)
    """The connection breaks, and the exchange does not carry out the request."""
    DROP_AFTER = ("drop_after", True)
    """The exchange carries out the request. Then the connection breaks."""
    HANG = ("hang", True)
    """The exchange carries out the request but sends no answer until the client gives up."""
    BAD_GATEWAY = ("bad_gateway", False)
    """HTTP 502: a gateway cannot reach the exchange, so the request is not carried out."""
    GATEWAY_TIMEOUT_AFTER = ("gateway_timeout_after", True)
    """HTTP 504: the exchange carries out the request, but a gateway does not wait for the answer."""
    TOO_MANY_REQUESTS = ("too_many_requests", False)
    """HTTP 429 with ``Retry-After``: a gateway refuses the request, so the request is not carried out."""
    INTERNAL_ERROR = ("internal_error", True)
    """The answer is the error ``internal_error``, although the exchange carries out the request."""
    TRUNCATED = ("truncated", True)
    """The exchange carries out the request but sends only the first half of the answer."""
    GARBAGE = ("garbage", True)
    """HTTP 200 with bytes that are not JSON, although the exchange carries out the request."""
    HTML = ("html", True)
    """HTTP 200 with a web page, although the exchange carries out the request."""
    REDIRECT = ("redirect", False)
    """HTTP 307: a redirect to another host. The exchange does not carry out the request."""
    WRONG_ID = ("wrong_id", True)
    """The exchange carries out the request, but the answer has the id of another request."""

    def __init__(self, label: str, carried_out: bool) -> None:
        self.label = label
        self.carried_out = carried_out


@dataclass
class PlannedFault:
    """A fault that a test has planned for the next requests.

    :ivar fault: the fault, e.g. `Fault.DROP_AFTER`.
    :ivar method: the API method whose requests the fault hits. None: the fault hits requests for any method.
    :ivar times: how many more requests the fault hits.
    :ivar seconds: for `Fault.HANG` over HTTP: the connection breaks after this number of real seconds at the
        latest. For other faults, the number has no effect.
    """

    fault: Fault
    method: str | None
    times: int
    seconds: float


def method_of(body: bytes) -> str | None:
    """Return the JSON-RPC method that the body of a request names, e.g. ``list.calls``.

    :return: the method; None: the body is not valid JSON, or names no method.
    """
    try:
        parsed = json.loads(body)
    except ValueError:
        return None
    method = parsed.get("method") if isinstance(parsed, dict) else None
    return method if isinstance(method, str) else None


class FaultPlan:
    """The faults, such as a broken connection, that a test has planned for the next requests.

    If several planned faults match a request, the request gets the fault that the test planned first.
    """

    def __init__(self) -> None:
        self._planned: list[PlannedFault] = []

    def add(self, planned: PlannedFault) -> None:
        """Append a fault to the plan.

        If several faults match a request, `take` returns the fault that the test added first.
        """
        self._planned.append(planned)

    def take(self, body: bytes, *, connecting: bool) -> PlannedFault | None:
        """Return the first planned fault that matches a request, and reduce its `PlannedFault.times` by one.

        A fault matches if `PlannedFault.method` is None, or names the request's API method. When
        `PlannedFault.times` reaches 0, the fault leaves the plan.

        :param body: the body of the request.
        :param connecting: True: the client is going to connect, and then to send ``body``; only
            `Fault.REFUSE` can match. False: the emulator has received ``body``; any other fault can match.
        :return: the fault. None: no planned fault matches the request.
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
        """Cancel all planned faults."""
        self._planned.clear()
