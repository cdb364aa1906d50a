"""The outcome of a call: what is known of the call, such as its answer and its end, and from which source.

Polls can prove that a call was answered. Polls cannot prove that a call was not answered, because the contact
may have answered and hung up between two polls. So polls set ``answered`` to True or None (not known). Only
the Data API's report can set ``answered`` to False.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import pendulum
from msgspec import Struct, ValidationError, convert
from msgspec.structs import asdict, replace

from airflow_provider_callapi.api.times import parse_time, zone
from airflow_provider_callapi.api.values.object_ids import read_object_id
from airflow_provider_callapi.calls.outcomes.answers import LEGS_DELAY, FinishedCall
from airflow_provider_callapi.calls.outcomes.finish_reasons import FinishCategory, category_of
from airflow_provider_callapi.calls.texts.time_texts import iso_time

_TIMES = ("started_at", "answered_at", "ended_at")
"""Fields that are epoch seconds in Python and ISO 8601 text in an XCom."""
_CLOCKS_DIFFER = 600.0
"""Seconds by which the service's clock may differ from ours. Two time zones differ by more."""
_ZONE_STEP = 900.0
"""Two time zones differ by a multiple of so many seconds."""


class Outcome(Struct, frozen=True, gc=False):
    """What is known of one call, without phone numbers. An attribute that is None is not known.

    The start operators, the sensor and the triggers return outcomes. Times are epoch seconds.

    :ivar status: ``started`` (accepted by the service, perhaps still active) or ``ended``.
    :ivar answered: whether the contact answered.
    :ivar attempt: the number of this call among the task's attempts, from 1.
    :ivar started_at: when the service accepted the call.
    :ivar answered_at: when a snapshot first showed the answer. The contact answered at this time or before.
    :ivar ended_at: when the call ended. Without a report of the Data API: the time of the first snapshot
        without the call.
    :ivar observed: whether a snapshot has shown the call.
    :ivar finish_reason: the Data API's mnemonic of the reason why the call ended, from any participant's leg.
    :ivar contact_finish_reason: the report's mnemonic of the reason why the contact did not answer. None:
        according to the report, the contact picked up, or the reason is not known. If a snapshot has shown an
        answer, ``answered`` is True in spite of this reason.
    :ivar talk_seconds: how long the contact talked with an employee. A message that the call plays does not
        count.
    :ivar tags: the ids of the call's known tags.
    :ivar operations: the names of the scenario's operations that the call passed, in order. They show which
        phone key the contact pressed.
    :ivar communication_id: the Data API's id of the call. A request that tags a finished call needs this id.
    :ivar source: the newest source of this outcome: ``start`` (the reply to the start request),
        ``list.calls`` or ``data_api``.
    :ivar contact_first: whether the contact's phone may ring first. If so, the legs of other participants do
        not prove that the contact did not answer. False: also if this is not known.
    """

    call_session_id: int
    external_id: str | None = None
    status: Literal["started", "ended"] = "started"
    answered: bool | None = None
    attempt: int = 1
    started_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    observed: bool = False
    finish_reason: str | None = None
    contact_finish_reason: str | None = None
    talk_seconds: int | None = None
    tags: tuple[int, ...] = ()
    operations: tuple[str, ...] | None = None
    communication_id: int | None = None
    source: Literal["start", "list.calls", "data_api"] = "start"
    contact_first: bool = False

    @property
    def finish_category(self) -> FinishCategory | None:
        """The category of the call's finish reason, such as BUSY. None: the reason has no category.

        The property uses ``contact_finish_reason``. If this reason has no category, the property uses
        ``finish_reason``, which may come from the leg of any participant.
        """
        return category_of(self.contact_finish_reason) or category_of(self.finish_reason)

    @property
    def missed_our_side(self) -> bool:
        """Whether no employee or operator picked up, so that the contact could not answer."""
        return self.answered is False and self.finish_category is FinishCategory.OUR_SIDE

    def tagged(self, tag_id: int) -> Outcome:
        """Return this outcome with a tag id in ``tags``. If the id is in ``tags`` already, change nothing."""
        return self if tag_id in self.tags else replace(self, tags=(*self.tags, tag_id))

    def to_xcom(self) -> dict[str, Any]:
        """Return this outcome as plain JSON: times as ISO 8601 text in UTC, tags and operations as lists."""
        return {
            **asdict(self),
            "tags": list(self.tags),
            "operations": None if self.operations is None else list(self.operations),
            **{name: _to_iso(getattr(self, name)) for name in _TIMES},
        }

    @classmethod
    def from_xcom(cls, value: dict[str, Any]) -> Outcome:
        """Return the outcome that a dict from `to_xcom` describes. Unknown keys are ignored.

        A template or a form may have made texts of the values: ``"false"`` becomes False.

        :raises ValueError: the dict has no usable ``call_session_id``, or a value cannot be read. The error
            contains no value.
        """
        known = {name: value[name] for name in cls.__struct_fields__ if name in value}
        if "call_session_id" not in known:
            raise ValueError("not the dict of a call: it has no call_session_id")
        try:
            known["call_session_id"] = read_object_id(known["call_session_id"])
        except ValueError:
            raise ValueError("call_session_id: not a number") from None
        times = {name: _to_epoch(known.get(name)) for name in _TIMES}
        names = known.get("operations")
        operations = [str(name) for name in names] if isinstance(names, list | tuple) else None
        values = {**known, **times, "tags": known.get("tags") or (), "operations": operations}
        try:
            return convert(values, cls, strict=False)
        except ValidationError as error:  # its text can contain the value
            field = re.search(r"\$\.(\w+)", str(error))
            where = f": {field[1]} cannot be read" if field else ""
            raise ValueError(f"not the dict of a call{where}") from None


@dataclass(frozen=True)
class ReportedEnd:
    """The end of a call, as the Data API reports it.

    :ivar finished: what the Data API reports about the call.
    :ivar timezone: IANA name of the account's time zone. The report gives times in this zone.
    """

    finished: FinishedCall
    timezone: str

    def extend_outcome(self, call: Outcome) -> Outcome:
        """Return the final outcome of the call: the outcome so far, updated with the report."""
        return with_report(call, self.finished, self.timezone)


def with_report(call: Outcome, finished: FinishedCall, timezone: str) -> Outcome:
    """Return the final outcome of a finished call: the outcome so far, updated with the Data API's report.

    If ``answered`` is already True, it stays True, even if the report shows no answer.

    :param call: the outcome so far.
    :param finished: what the Data API reports about the call.
    :param timezone: IANA name of the account's time zone. The report gives times in this zone.
    """
    report = finished.report
    answered = None if call.contact_first and finished.if_contact_is_last else finished.answered
    ended_at = call.ended_at
    with suppress(ValueError):  # the report may lack a credible end; its other facts still count
        ended_at = _end_time(report.finish_time or "", timezone, call)
    return replace(
        call,
        status="ended",
        answered=call.answered or answered,
        ended_at=ended_at,
        finish_reason=report.finish_reason,
        contact_finish_reason=finished.contact_finish_reason,
        talk_seconds=report.talk_duration,
        tags=tuple(tag.tag_id for tag in report.tags or ()) or call.tags,
        operations=call.operations if report.operations is None else report.operations,
        communication_id=report.communication_id,
        source="data_api",
    )


def may_follow(finished: FinishedCall, final: Outcome, now: float, until: float) -> bool:
    """Return whether the caller should wait for legs that the Data API may still report of an ended call.

    :param final: the outcome of the call with the facts of ``finished``.
    :param until: until when the caller can wait, epoch seconds.
    """
    ended_at = final.ended_at or 0.0
    return finished.is_early and not final.answered and now < min(until, ended_at + LEGS_DELAY)


def _end_time(text: str, timezone: str, call: Outcome) -> float:
    """Return the end of a call as epoch seconds.

    When clocks are set back, a local time occurs twice. The result is then the time that is nearest to the
    end that polls have seen. If they have seen no end: the first time after the call's start.

    :raises ValueError: the text is no time. Or the time is before the call's start, or whole quarters of an
        hour after the end that polls have seen, as if ``timezone`` is not the account's time zone.
    """
    local = parse_time(text, timezone).astimezone(zone(timezone))
    first, second = (local.replace(fold=fold).timestamp() for fold in (0, 1))
    if call.ended_at is not None:
        seen = call.ended_at
        end = min(first, second, key=lambda at: abs(at - seen))
    else:
        end = first if call.started_at is None or first >= call.started_at else second
    if call.started_at is not None and end < call.started_at - _CLOCKS_DIFFER:
        raise ValueError("the call ended before it began: the time of another time zone")
    late = end - (call.ended_at or end)  # polls may have lost a call that went on
    if late > _CLOCKS_DIFFER and abs(late - round(late / _ZONE_STEP) * _ZONE_STEP) < _ZONE_STEP / 6:
        raise ValueError("the time of another time zone")
    return end


def _to_iso(at: float | None) -> str | None:
    return None if at is None else iso_time(at)


def _to_epoch(text: str | None) -> float | None:
    if text is None:
        return None
    moment = pendulum.parse(text)
    if not isinstance(moment, pendulum.DateTime):
        raise ValueError(f"not a time: {text!r}")
    return moment.timestamp()
