"""How far a running campaign is, as it publishes this for the command line and the page of calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

OVER = "over"
"""What a campaign does that is over: the value of `CampaignProgress.doing`."""
_TUPLES = ("owner", "sessions", "files")
"""The fields of `CampaignProgress` that are lists in JSON."""


@dataclass(frozen=True)
class CampaignProgress:
    """How far a campaign is, for example how many of its people are finished. Times are epoch seconds.

    :ivar campaign: the campaign's name.
    :ivar shard: the part of the contact list that this task calls, such as ``2/4``; ``""``: the whole list.
    :ivar owner: dag id, run id, task id and map index of the task.
    :ivar connection: id of the Airflow connection through which the campaign dials.
    :ivar people: how many people this part of the list has, without invalid rows and duplicates.
    :ivar finished: for how many of these people nothing is left to do.
    :ivar active: how many calls are active, with unconfirmed calls.
    :ivar waiting: how many people wait for a call or a redial.
    :ivar results: name of a result → how many of the finished people have the result.
    :ivar doing: ``dialling``, ``waiting``, ``paused`` (by a user), ``stopped`` (no more dialling, but
        attempts are open) or ``over``.
    :ivar why: the reason for ``doing``, such as ``the next redial``; ``""``: no reason.
    :ivar per_minute: how many people were finished per minute, since this try began or last resumed after a
        deferral; None: no one was finished in this time.
    :ivar sessions: the call session ids of the active calls, without unconfirmed calls.
    :ivar files: the paths of the results file and of the campaign report, if the author wants them.
    :ivar ends_at: when the campaign ends at the pace ``per_minute``; None: unknown, or ``doing`` is neither
        ``dialling`` nor ``waiting``.
    :ivar at: when the campaign published this progress.
    :ivar next_at: when the campaign publishes its next progress at the latest.
    """

    campaign: str
    shard: str
    owner: tuple[str, ...]
    people: int
    finished: int
    active: int
    waiting: int
    doing: str
    at: float
    next_at: float
    connection: str = ""
    sessions: tuple[int, ...] = ()
    files: tuple[str, ...] = ()
    results: Mapping[str, int] = field(default_factory=dict)
    why: str = ""
    per_minute: float | None = None
    ends_at: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether this task of the campaign is over."""
        return self.doing == OVER

    def to_json(self) -> dict[str, Any]:
        """Return the progress as a dict of plain JSON values: field name → value."""
        lists = {name: list(getattr(self, name)) for name in _TUPLES}
        return {**asdict(self), **lists, "results": dict(self.results)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return the progress from the JSON that `to_json` has returned.

        :raises ValueError: the JSON has missing or unknown fields.
        """
        try:
            tuples = {name: tuple(value[name]) for name in _TUPLES}
            return cls(**{**value, **tuples})
        except (KeyError, TypeError) as error:
            raise ValueError(f"the value describes no progress: {type(error).__name__}") from None
