"""Converts calls, campaigns and points (rate-limit units) to rows for the template of the page *Calls*.

The rows contain no complete phone numbers and no secrets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from airflow_provider_callapi.api.models import CallSession, Limits
from airflow_provider_callapi.api.times import parse_time
from airflow_provider_callapi.api.values.masking import mask_number, mask_phones
from airflow_provider_callapi.calls.campaign.progress import OVER
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
    OVER: (),
}
"""What the page offers for a campaign, by what the campaign does."""


@dataclass(frozen=True)
class TaskLink:
    """A link to Airflow's page of one task instance.

    :ivar text: the link's text, such as ``reminders · call[3]``, without phone numbers.
    :ivar run: the run id, without phone numbers.
    :ivar href: the path of the task's page on the API server, such as ``/dags/…/runs/…/tasks/…``. ``""``: the
        user may not read the DAG, so the link names no task.
    """

    text: str
    run: str
    href: str

    @classmethod
    def of(cls, owner: Owner, root: str) -> TaskLink:
        """Return the link to a task.

        :param owner: dag id, run id, task id and map index.
        :param root: the path of the API server without a slash at its end, such as ``/airflow``.
        """
        dag, run, task, index = owner
        href = f"{root}/dags/{quote(dag, safe='')}/runs/{quote(run, safe='')}/tasks/{quote(task, safe='')}"
        mapped = int(index) >= 0
        text = f"{dag} · {task}" + (f"[{index}]" if mapped else "")
        return cls(mask_phones(text), mask_phones(run), href + (f"/mapped/{index}" if mapped else ""))


HIDDEN = TaskLink("a task of a DAG that you may not read", "", "")
"""What the page shows instead of the link to a task whose DAG the user may not read."""


@dataclass(frozen=True)
class CallRow:
    """An active call as a row of the page *Calls*.

    :ivar session: the call session id.
    :ivar direction: the direction as the service names it.
    :ivar since: when the call began, epoch seconds. None: not known.
    :ivar contact: the contact's phone number, shortened: ``7926…0001``.
    :ivar legs: one text for each participant's line, with its state, e.g. ``contact: Dial``.
    :ivar task: the link to the task that placed the call. None: not known.
    :ivar campaign: the name of the call's campaign. ``""``: no known campaign.
    """

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
    """A bar on the page *Calls* that shows how many points (rate-limit units) are left.

    :ivar name: ``minute`` or ``day``: the period to which the points belong.
    :ivar left: how many points are left in this period.
    :ivar limit: how many points the account has in a whole period.
    :ivar reset: seconds until the account gets new points. None: not known.
    """

    name: str
    left: int
    limit: int
    reset: int | None


@dataclass(frozen=True)
class CampaignRow:
    """A task of a campaign as a row of the page *Calls*.

    :ivar seen: the campaign's progress, and a user's wish (pause, resume or stop).
    :ivar why: what dialling waits for, without phone numbers. ``""``: it waits for nothing.
    :ivar task: the link to the campaign's task.
    :ivar offered: which of the buttons pause, resume and stop the page shows.
    :ivar wanted: a wish that the campaign does not follow yet, such as ``anna asked to pause``. ``""``: there
        is no such wish.
    :ivar is_late: True: the campaign is not over, and should have published its progress more than a minute
        ago.
    """

    seen: SeenCampaign
    why: str
    task: TaskLink
    offered: tuple[WishKind, ...]
    wanted: str
    is_late: bool

    @property
    def percent(self) -> int:
        """How many percent of the people are finished, as a whole number. Of no people: 0."""
        progress = self.seen.progress
        return round(100 * progress.finished / progress.people) if progress.people else 0


def call_rows(
    look: Look,
    callers: Mapping[int, Owner],
    campaigns: list[SeenCampaign],
    link: Callable[[Owner], TaskLink],
) -> list[CallRow]:
    """Return the active calls as rows of the page *Calls*, in the order of their session ids.

    :param look: the result of the newest poll of the active calls.
    :param callers: call session id → dag id, run id, task id and map index of the task that placed the call.
    :param campaigns: the campaigns, each with the session ids of its active calls.
    :param link: a function that returns the link to a task, or `HIDDEN`.
    """
    of_campaigns = {session: seen.progress for seen in campaigns for session in seen.progress.sessions}
    rows = []
    for call in look.sessions:
        progress = of_campaigns.get(call.call_session_id)
        owner = progress.owner if progress else callers.get(call.call_session_id)
        rows.append(
            CallRow(
                session=call.call_session_id,
                direction=mask_phones(call.direction or ""),
                since=_since(call, look.timezone),
                contact=mask_number(call.contact_phone_number or ""),
                legs=[
                    mask_phones(f"{'employee' if leg.is_operator else 'contact'}: {leg.state}")
                    for leg in call.legs
                ],
                external_id=mask_phones(call.external_id or ""),
                task=link(owner) if owner else None,
                campaign=progress.campaign if progress else "",
            )
        )
    return sorted(rows, key=lambda row: row.session)


def bars(limits: Limits | None) -> list[Bar]:
    """Return the bars that show how many points are left in this minute and on this day.

    The result contains no bar for a period whose points are not known.

    :param limits: the points left; None: not known.
    """
    if limits is None:
        return []
    by_period = {"minute": limits.of("minute"), "day": limits.of("day")}
    return [
        Bar(name, points.left, points.limit, points.reset)
        for name, points in by_period.items()
        if points.left is not None and points.limit
    ]


def campaign_rows(
    campaigns: list[SeenCampaign], now: float, link: Callable[[Owner], TaskLink]
) -> list[CampaignRow]:
    """Return the campaigns as rows of the page *Calls*, without campaigns that ended more than a day ago.

    :param now: epoch seconds.
    :param link: a function that returns the link to a task, or `HIDDEN`.
    """
    rows = []
    for seen in campaigns:
        progress, wish = seen.progress, seen.wish
        if progress.is_over and now > progress.at + _SHOWN_AFTER_THE_END:
            continue
        follows = {WishKind.PAUSE: "paused", WishKind.STOP: "stopped"}
        pending = wish is not None and wish.at > progress.at and progress.doing != follows.get(wish.kind)
        offered = _BUTTONS.get(progress.doing, ())
        if progress.is_over and wish is not None and wish.kind is not WishKind.RESUME:
            offered = (WishKind.RESUME,)  # the next run of the campaign would follow the old wish
        rows.append(
            CampaignRow(
                seen,
                why=mask_phones(progress.why),
                task=link(progress.owner),
                offered=offered,
                wanted=f"{wish.by} asked to {wish.kind.value}" if wish and pending else "",
                is_late=not progress.is_over and now > progress.next_at + _LATE,
            )
        )
    return rows


def _since(call: CallSession, timezone: str) -> float | None:
    try:
        return parse_time(call.start_time, timezone).timestamp() if call.start_time else None
    except ValueError:
        return None
