"""What the page of calls shows, as plain values without complete phone numbers and without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from airflow_provider_callapi.api.errors import mask_phones
from airflow_provider_callapi.api.models import CallSession, Limits, parse_time
from airflow_provider_callapi.calls.campaign.wishes import WishKind
from airflow_provider_callapi.plugin.connections import Look
from airflow_provider_callapi.supervision.campaigns import SeenCampaign
from airflow_provider_callapi.supervision.task_states import Owner

_LATE = 60.0
"""Seconds after which the page warns that a running campaign has not published its progress."""
_SHOWN_AFTER_THE_END = 86_400.0
"""Seconds for which the page shows a campaign that is over."""
_BUTTONS = {
    "dialling": (WishKind.PAUSE, WishKind.STOP),
    "waiting": (WishKind.PAUSE, WishKind.STOP),
    "paused": (WishKind.RESUME, WishKind.STOP),
    "stopped": (),
    "over": (),
}
"""What the page offers for a campaign, by what the campaign does."""


@dataclass(frozen=True)
class TaskLink:
    """A task instance with the address of its page, as a path on the API server."""

    text: str
    run: str
    href: str

    @classmethod
    def of(cls, owner: Owner, root: str) -> TaskLink:
        """Return the link to a task.

        :param owner: dag id, run id, task id and map index.
        :param root: the path of the API server, without a slash at its end.
        """
        dag, run, task, index = owner
        href = f"{root}/dags/{quote(dag, safe='')}/runs/{quote(run, safe='')}/tasks/{quote(task, safe='')}"
        mapped = int(index) >= 0
        text = f"{dag} · {task}" + (f"[{index}]" if mapped else "")
        return cls(mask_phones(text), mask_phones(run), href + (f"/mapped/{index}" if mapped else ""))


@dataclass(frozen=True)
class CallRow:
    """An active call as a row of the page. The number is masked."""

    session: int
    direction: str
    since: float | None
    contact: str
    legs: list[str]
    external_id: str
    task: TaskLink | None
    campaign: str


@dataclass(frozen=True)
class Bar:
    """A bar of points: how many are left of how many, and when the account gets new points."""

    name: str
    left: int
    limit: int
    reset: int | None


@dataclass(frozen=True)
class CampaignRow:
    """A campaign as a row of the page.

    :ivar offered: what the page offers to ask of the campaign.
    :ivar wanted: what a user has asked, if the campaign has not followed yet; ``""``: nothing.
    :ivar is_late: whether the campaign has not published its progress when it should have.
    """

    seen: SeenCampaign
    why: str
    task: TaskLink
    offered: tuple[WishKind, ...]
    wanted: str
    is_late: bool


def call_rows(
    look: Look, callers: Mapping[int, Owner], campaigns: list[SeenCampaign], root: str
) -> list[CallRow]:
    """Return the active calls, the newest call last.

    :param callers: call session id → the task of a single call.
    :param campaigns: the campaigns, which name the sessions of their active calls.
    :param root: the path of the API server.
    """
    of_campaigns = {session: seen.progress for seen in campaigns for session in seen.progress.sessions}
    rows = []
    for call in look.sessions:
        progress = of_campaigns.get(call.call_session_id)
        owner = progress.owner if progress else callers.get(call.call_session_id)
        rows.append(
            CallRow(
                session=call.call_session_id,
                direction=call.direction or "",
                since=_since(call, look.timezone),
                contact=mask_phones(call.contact_phone_number or ""),
                legs=[f"{'employee' if leg.is_operator else 'contact'}: {leg.state}" for leg in call.legs],
                external_id=mask_phones(call.external_id or ""),
                task=TaskLink.of(owner, root) if owner else None,
                campaign=progress.campaign if progress else "",
            )
        )
    return sorted(rows, key=lambda row: row.session)


def bars(limits: Limits | None) -> list[Bar]:
    """Return the points of the minute and of the day, as far as the service has named them."""
    found = []
    for name in ("minute", "day"):
        left = getattr(limits, f"{name}_remaining", None)
        limit = getattr(limits, f"{name}_limit", None)
        if left is not None and limit:
            found.append(Bar(name, left, limit, getattr(limits, f"{name}_reset", None)))
    return found


def campaign_rows(campaigns: list[SeenCampaign], now: float, root: str) -> list[CampaignRow]:
    """Return the campaigns as rows. Leave out campaigns that were over a day ago.

    :param now: epoch seconds.
    :param root: the path of the API server.
    """
    rows = []
    for seen in campaigns:
        progress, wish = seen.progress, seen.wish
        if progress.doing == "over" and now > progress.at + _SHOWN_AFTER_THE_END:
            continue
        follows = {WishKind.PAUSE: "paused", WishKind.STOP: "stopped"}
        pending = wish is not None and wish.at > progress.at and progress.doing != follows.get(wish.kind)
        offered = _BUTTONS.get(progress.doing, ())
        if progress.doing == "over" and wish is not None and wish.kind is not WishKind.RESUME:
            offered = (WishKind.RESUME,)  # the next run of the campaign would follow the old wish
        rows.append(
            CampaignRow(
                seen,
                why=mask_phones(progress.why),
                task=TaskLink.of(progress.owner, root),
                offered=offered,
                wanted=f"{wish.by} asked to {wish.kind.value}" if wish and pending else "",
                is_late=progress.doing != "over" and now > progress.next_at + _LATE,
            )
        )
    return rows


def _since(call: CallSession, timezone: str) -> float | None:
    try:
        return parse_time(call.start_time, timezone).timestamp() if call.start_time else None
    except ValueError:
        return None


def to_percent(part: float, of: float) -> int:
    """Return a share in whole percent; 0 if ``of`` is 0."""
    return round(100 * part / of) if of else 0
