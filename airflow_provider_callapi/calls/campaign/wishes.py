"""Wishes: what a user asks of a running campaign, such as a pause.

A wish is to pause, to resume or to stop the campaign. A wish stays in force until a user asks for something
else. For example, a campaign stays paused after a retry or a clear of its task, until a user resumes the
campaign.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self


class WishKind(StrEnum):
    """What a user can ask of a campaign. Active calls go on in any case.

    - ``pause``: dial no one until the next ``resume``.
    - ``stop``: dial no one in this try, and fail the task when the active calls are over. Later tries dial no
      one either, until the next ``resume``.
    - ``resume``: end a pause at once. After a stop, only a later try of the task dials people again.
    """

    RESUME = "resume"
    PAUSE = "pause"
    STOP = "stop"


@dataclass(frozen=True)
class Wish:
    """What a user has asked of a running campaign: to pause, to resume or to stop.

    :ivar kind: ``pause``, ``resume`` or ``stop``.
    :ivar by: the name of the user.
    :ivar at: when the user asked, epoch seconds.
    """

    kind: WishKind
    by: str
    at: float

    def to_json(self) -> dict[str, Any]:
        """Return the wish as plain JSON: ``{"kind": "pause", "by": "anna", "at": 1772442000.0}``."""
        return {"kind": self.kind.value, "by": self.by, "at": self.at}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return the wish from the JSON that `to_json` has returned.

        :raises ValueError: the JSON has a missing field or an impossible value.
        """
        try:
            return cls(WishKind(value["kind"]), str(value["by"]), float(value["at"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"the value describes no wish: {type(error).__name__}") from None
