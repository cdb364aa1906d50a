"""What can go wrong between a client and the exchange, at every boundary."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """One way to spoil a request; `carried_out` says whether the exchange did what it asked for."""

    REFUSE = ("refuse", False)
    """The connection is refused: no byte of the request leaves the client."""
    DROP_BEFORE = ("drop_before", False)
    """The connection breaks before the request reached the exchange."""
    DROP_AFTER = ("drop_after", True)
    """The request is carried out, then the connection breaks."""
    HANG = ("hang", True)
    """The request is carried out and no answer comes until the client gives up."""
    BAD_GATEWAY = ("bad_gateway", False)
    """502: the gateway did not reach the exchange."""
    GATEWAY_TIMEOUT_AFTER = ("gateway_timeout_after", True)
    """504: the gateway did not wait for the exchange, which carried the request out."""
    INTERNAL_ERROR = ("internal_error", True)
    """``internal_error``, after the request was carried out all the same."""
    TRUNCATED = ("truncated", True)
    """The answer breaks off in the middle."""
    GARBAGE = ("garbage", True)
    """200 with bytes that are not JSON."""
    HTML = ("html", True)
    """200 with a web page."""
    REDIRECT = ("redirect", False)
    """307 to another host."""
    WRONG_ID = ("wrong_id", True)
    """The answer to another request."""

    def __init__(self, label: str, carried_out: bool) -> None:
        self.label = label
        self.carried_out = carried_out


@dataclass
class Planned:
    """A fault that waits for its requests.

    :ivar method: only requests for this method; None: any.
    :ivar times: how many requests.
    :ivar seconds: over HTTP: how long HANG holds a connection.
    """

    fault: Fault
    method: str | None = None
    times: int = 1
    seconds: float = 60.0


def method_of(body: bytes) -> str | None:
    """The method in a request's body, if it can be made out."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return None
    method = parsed.get("method") if isinstance(parsed, dict) else None
    return method if isinstance(method, str) else None


class FaultPlan:
    """The faults to come, in the order they were asked for."""

    def __init__(self) -> None:
        self._planned: list[Planned] = []

    def add(self, planned: Planned) -> None:
        """Plan a fault."""
        self._planned.append(planned)

    def take(self, body: bytes, *, refusing: bool) -> Planned | None:
        """The fault for a request that arrives now.

        :param refusing: True at the door, where only REFUSE can happen; False behind it.
        """
        if not self._planned:
            return None
        method = method_of(body)
        for planned in list(self._planned):
            at_the_door = planned.fault is Fault.REFUSE
            if at_the_door is refusing and planned.method in (None, method):
                planned.times -= 1
                if planned.times <= 0:
                    self._planned.remove(planned)
                return planned
        return None

    def clear(self) -> None:
        """Forget all of them."""
        self._planned.clear()
