"""Facts that follow from several findings. The table and the profile use the same facts.

A function returns None if the findings do not show the fact.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from airflow_provider_callapi.api.models import LegState, leg_state
from airflow_provider_callapi.verify.findings import CallSeen, Findings
from airflow_provider_callapi.verify.local_times import QUARTER_HOUR

SessionReason = Literal["ending_leg", "contact", "operator", "any"]
TalkIsListed = Literal["at_answer", "in_talk", "never"]

_TALKING = (LegState.TALKING, LegState.OPERATORS_TALKING)
_LONG_ENOUGH = 3.0
"""A period that contains several polls."""
_LONG_ENOUGH_FOR_A_REPORT = 10.0
_HANG_UP = "_disconnects"
"""The end of the reason of a leg that was connected, and ended with the other side's leg."""


def calls(findings: Findings, *names: str) -> list[CallSeen]:
    """Return the calls with these names that were placed. Without names, return all placed calls."""
    return [
        call for name, call in findings.calls.items() if call.refused is None and (not names or name in names)
    ]


def appear_delay(findings: Findings) -> float | None:
    """Return the longest time in seconds until ``list.calls`` showed a call."""
    return max((call.appeared for call in calls(findings) if call.appeared is not None), default=None)


def gap(findings: Findings) -> tuple[float, float] | None:
    """Return after how many seconds a call vanished from ``list.calls``, and for how long. (0, 0): never."""
    listed = [call for call in calls(findings) if call.appeared is not None]
    gaps = [gap for call in listed for gap in call.gaps]
    if not listed:
        return None
    return max(gaps, key=lambda gap: gap[1], default=(0.0, 0.0))


def left_early(findings: Findings) -> float | None:
    """Return how many seconds before its end a call left ``list.calls`` at most."""
    early = [
        call.ended - call.left_list
        for call in calls(findings)
        if call.ended is not None and call.left_list is not None
    ]
    return max(early, default=None)


def states(findings: Findings) -> list[str]:
    """Return all states of legs that were seen, each one once."""
    return list(dict.fromkeys(state for call in calls(findings) for _, _, state in call.states))


def state_language(findings: Findings) -> Literal["russian", "english"] | None:
    """Return the language of the states."""
    known = [state for state in states(findings) if leg_state(state) is not None]
    if not known:
        return None
    return "english" if known[0].isascii() else "russian"


def talk_is_listed(findings: Findings) -> TalkIsListed | None:
    """Return when the contact's leg shows a state of talking."""
    waiting = _shows_talk(
        (call, call.picked_up("contact"), call.picked_up("operator") or call.ended)
        for call in calls(findings, "dead_operator_1", "dead_operator_2", "talk")
    )
    talking = _shows_talk(
        (call, call.picked_up("contact"), call.ended)
        for call in calls(findings, "heard", "hung_up", "released")
    )
    if waiting:
        return "at_answer"
    if talking is False:
        return "never"
    return "in_talk" if talking and waiting is False else None


def _shows_talk(periods: Iterable[tuple[CallSeen, float | None, float | None]]) -> bool | None:
    """Return whether the contact's leg shows a state of talking in one of the periods."""
    shown: bool | None = None
    for call, begins, ends in periods:
        if begins is None or ends is None or not call.is_listed_between(begins + 1, ends):
            continue
        in_period = call.states_of("contact", begins + 1, ends)
        shown = bool(shown) or any(leg_state(state) in _TALKING for state in in_period)
    return shown


def operator_leg_is_operator(findings: Findings) -> bool | None:
    """Return ``is_operator`` of the leg of an operator who is no employee."""
    for call in calls(findings):
        if call.listed_operator is not None:
            return call.listed_operator
    legs = [call.leg("operator") for call in calls(findings)]
    return next((leg.is_operator for leg in legs if leg and leg.is_operator is not None), None)


# --- reports ---


def own_leg_reasons(findings: Findings) -> bool | None:
    """Return whether each leg has its own reason in the report."""
    pairs = [pair for call in calls(findings) if (pair := _reasons(call)) is not None]
    return any(failed != answered for failed, answered in pairs) if pairs else None


def session_reason(findings: Findings) -> SessionReason | None:
    """Return whose leg gives the session its reason.

    The calls with a switched-off operator and the call that only the operator answers show it together.
    """
    dead = {_is_of_failed_leg(call) for call in calls(findings, "dead_operator_1", "dead_operator_2")} - {
        None
    }
    reverse = {_is_of_failed_leg(call) for call in calls(findings, "second_number")} - {None}
    if not dead:
        return None
    if len(dead) > 1:
        return "any"
    return _SESSION_REASONS[dead.pop(), reverse.pop() if reverse else None]


_SESSION_REASONS: dict[tuple[bool | None, bool | None], SessionReason] = {
    # (the reason is the failed operator's, the reason is the unreached contact's)
    (True, True): "ending_leg",
    (True, None): "ending_leg",
    (True, False): "operator",
    (False, True): "contact",
    (False, None): "contact",
    (False, False): "any",
}


def _reasons(call: CallSeen) -> tuple[str, str] | None:
    """Return the reasons of the leg that failed and of the leg that answered, if there is one of each."""
    legs = [leg for leg in (call.leg("contact"), call.leg("operator")) if leg is not None]
    failed = [leg.finish_reason for leg in legs if leg.connected is None]
    answered = [leg.finish_reason for leg in legs if leg.connected is not None]
    if len(failed) != 1 or len(answered) != 1 or failed[0] is None or answered[0] is None:
        return None
    return failed[0], answered[0]


def _is_of_failed_leg(call: CallSeen) -> bool | None:
    if _reasons(call) is None or call.finish_reason is None:
        return None
    return not call.finish_reason.endswith(_HANG_UP)


def report_delay(findings: Findings) -> float | None:
    """Return the longest time in seconds from the end of a call to its report."""
    reported = [call for call in calls(findings) if call.report_after is not None]
    # After a release, the first question comes a second late.
    exact = [call for call in reported if call.appeared is not None and not call.released]
    return max((call.report_after or 0.0 for call in exact or reported), default=None)


def ongoing_delay(findings: Findings) -> float | Literal["never"] | None:
    """Return the longest time in seconds until the report contained an active call. ``never``: it did not."""
    asked = [call for call in calls(findings) if call.ongoing_asked_until is not None]
    seen = [call.ongoing_at for call in asked if call.ongoing_at is not None]
    if seen:
        return max(seen)
    longest = max((call.ongoing_asked_until or 0.0 for call in asked), default=0.0)
    return "never" if longest >= _LONG_ENOUGH_FOR_A_REPORT else None


def ongoing_talk(findings: Findings) -> bool | None:
    """Return whether the report of an active call contains the duration of the talk so far."""
    shown = [
        call.ongoing_talk
        for call in calls(findings)
        if call.ongoing_talk is not None and (call.talk_duration or 0) >= _LONG_ENOUGH
    ]
    return any(shown) if shown else None


def ongoing_legs(findings: Findings) -> bool | None:
    """Return whether the report of legs contains the legs of an active call."""
    shown = [call.ongoing_legs for call in calls(findings) if call.ongoing_legs is not None]
    return any(shown) if shown else None


def informer_has_talk(findings: Findings) -> bool | None:
    """Return whether ``talk_duration`` counts a message that the contact hears."""
    for call in calls(findings, "heard", "released", "hung_up"):
        answered = call.picked_up("contact")
        if answered is None or call.ended is None or call.talk_duration is None:
            continue
        if call.ended - answered >= _LONG_ENOUGH:
            return call.talk_duration > 0
    return None


def unanswered_is_lost(findings: Findings) -> bool | None:
    """Return ``is_lost`` of a call that the contact did not answer."""
    for call in calls(findings, "not_answered"):
        if call.legs and call.picked_up("contact") is None:
            return call.is_lost
    return None


def connected(findings: Findings, *names: str) -> list[bool]:
    """Return whether the contact's leg was connected, for each of these calls with a report of its legs."""
    return [call.picked_up("contact") is not None for call in calls(findings, *names) if call.legs]


def connected_if_answered(findings: Findings, *names: str) -> list[bool]:
    """Do the same as `connected`, without the calls that the person has perhaps not answered."""
    return [
        call.picked_up("contact") is not None
        for call in calls(findings, *names)
        if call.legs and (call.picked_up("contact") is not None or _shows_answer(call))
    ]


def _shows_answer(call: CallSeen) -> bool:
    """Return whether anything but the contact's leg in the report shows that the contact picked up."""
    has_state = any(who == "contact" and leg_state(state) in _TALKING for _, who, state in call.states)
    return bool(call.talk_duration) or has_state or call.leg("operator") is not None


# --- the account ---


def account_offset(findings: Findings) -> int | None:
    """Return by how many quarter hours the account is ahead of UTC."""
    offsets = [call.report_offset for call in calls(findings) if call.report_offset is not None]
    local_forms = ("milliseconds", "seconds")
    offsets += [
        call.start_time_offset
        for call in calls(findings)
        if call.start_time_form in local_forms and call.start_time_offset is not None
    ]
    return next(iter(offsets), findings.report_rules.offset)


def account_zone(findings: Findings, connection_zone: str | None, now: float) -> str | None:
    """Return a time zone that fits the account's times: the account's own, the connection's, or another one.

    :param now: epoch seconds.
    """
    offset = account_offset(findings)
    named = findings.account_zone
    if offset is None:
        return named if named in available_timezones() else None
    hours = offset // 4
    candidates = [named, connection_zone, "UTC", f"Etc/GMT{-hours:+d}", *sorted(available_timezones())]
    return next((name for name in candidates if name and _offset_of(name, now) == offset), None)


def _offset_of(zone: str, now: float) -> int | None:
    try:
        ahead = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    except (ValueError, OSError, LookupError):
        return None
    return None if ahead is None else ahead // timedelta(seconds=QUARTER_HOUR)


def start_points(findings: Findings) -> dict[str, int]:
    """Return the points of the start requests and of the release, as far as they are known."""
    poll = findings.points.get("call_api", {}).get("list.calls")
    if poll is None:
        return {}
    found: dict[str, int] = {}
    for method, names in (
        ("start.informer_call", ("heard", "hung_up", "released", "not_answered")),
        ("start.simple_call", ("dead_operator_1", "dead_operator_2", "talk", "second_number")),
    ):
        counted = [call.start_points for call in calls(findings, *names) if call.start_points is not None]
        if counted:
            found[method] = max(0, min(counted) - poll)
    released = [call.release_points for call in calls(findings) if call.release_points is not None]
    if released:
        found["release.call"] = max(0, min(released) - poll)
    return found


def login_points(findings: Findings) -> tuple[int | None, int | None]:
    """Return the points of a login at the Call API and at the Data API."""
    points = findings.points
    return (
        points.get("call_api", {}).get("login.user"),
        points.get("data_api", {}).get("login.user"),
    )
