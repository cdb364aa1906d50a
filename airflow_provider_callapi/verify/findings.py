"""Defines the findings of the probes of ``airflow callapi verify``.

The findings are plain JSON, and contain no phone numbers and no secrets.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

StartTimeForm = Literal["milliseconds", "seconds", "utc", "other"]
Side = Literal["contact", "operator"]


class _Found(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True, hide_input_in_errors=True)


class LegSeen(_Found):
    """One leg (the line of one participant) of a finished call, as ``get.call_legs_report`` shows it.

    :ivar side: the participant: ``contact`` or ``operator``.
    :ivar connected: seconds from the call's start until the participant picked up. None: the participant
        never picked up, or the time is not known.
    :ivar is_operator: ``is_operator`` in the report; None: no such value.
    :ivar is_talked: ``is_talked`` in the report; None: no such value.
    :ivar finish_reason: ``finish_reason`` in the report; None: no such value.
    """

    side: Side
    connected: float | None = None
    is_operator: bool | None = None
    is_talked: bool | None = None
    finish_reason: str | None = None


class CallSeen(_Found):
    """What ``list.calls`` and the Data API's reports have shown of one call that a probe has placed.

    Times of polls and requests are in seconds since the service's reply to the start request. Times in a
    report are in seconds since ``start_time`` in the report. "The report" below is the call's entry in
    ``get.calls_report``. None means: not known, except where another meaning is given.

    :ivar refused: the mnemonic of the error with which the service refused the start request, or
        ``no answer``. None: the service accepted the start request.
    :ivar released: whether the program has asked the service to end the call, while it watched the call.
    :ivar appeared: the time of the first poll that showed the call. None: no poll showed it. 0 if the start
        request failed, but a search found the call.
    :ivar gaps: the periods in which ``list.calls`` did not show the call, and later showed it again.
        ``(4.0, 2.0)``: 4 seconds after ``appeared``, the call was missing for 2 seconds.
    :ivar ended: when the call ended according to the report, in seconds since ``start_time``. If the report
        does not show the end: the value of ``left_list``, which is in seconds since the reply.
    :ivar left_list: when the call vanished: the time of the first poll after the newest poll that showed the
        call. None: no poll showed the call, or the watch ended while a poll still showed it.
    :ivar states: the first state of each leg in ``list.calls``, and each change: (time of the poll, side,
        state), e.g. ``(5.0, "contact", "Разговор")``.
    :ivar listed_operator: ``is_operator`` in the operator's leg in ``list.calls``.
    :ivar has_employee_id: whether all legs in ``list.calls`` have the field ``employee_id``.
    :ivar start_time_form: the form of ``start_time`` in ``list.calls``. ``milliseconds``:
        ``2016-10-19T12:26:48.418``. ``seconds``: ``2016-10-19 12:26:48``. ``utc``: ``2016-10-19T12:26:48Z``.
        ``other``: another form.
    :ivar start_time_offset: how many quarter hours ``start_time`` in ``list.calls`` is ahead of UTC.
    :ivar external_id_listed: whether ``list.calls`` showed the call's ``external_id`` in the first poll with
        the call.
    :ivar ongoing_asked_until: when the Data API last answered a request for the report of the active call.
    :ivar ongoing_at: when the program first got a report of the active call; None: never.
    :ivar ongoing_talk: whether a report of the active call showed a ``talk_duration`` of more than 0. None:
        no report contained the active call.
    :ivar ongoing_legs: whether ``get.call_legs_report`` contained legs of the active call.
    :ivar report_after: seconds from ``ended`` until the program got a report with the finished call.
    :ivar report_offset: how many quarter hours ``start_time`` in the report is ahead of UTC.
    :ivar finish_reason: the finish reason of the whole call in the report.
    :ivar talk_duration: the seconds of talk in the report.
    :ivar is_lost: ``is_lost`` in the report.
    :ivar virtual_number_is_empty: whether ``virtual_phone_number`` in the report is an empty text.
    :ivar communication_id_is_large: whether ``communication_id`` in the report is at least 2 to the power 53.
    :ivar tags_are_null: whether ``tags`` in the report is null.
    :ivar record_list: whether a report with the service's default fields contains ``call_records``.
    :ivar legs: the legs in the report of legs. Empty: the program has found no leg.
    :ivar held_state: the state of the contact's leg in the first successful poll after the hold began.
    :ivar start_points: how many points (rate-limit units) the start request and one ``list.calls`` cost
        together.
    :ivar release_points: how many points the release request and one ``list.calls`` cost together.
    """

    refused: str | None = None
    released: bool = False
    appeared: float | None = None
    gaps: list[tuple[float, float]] = Field(default_factory=list)
    ended: float | None = None
    left_list: float | None = None
    states: list[tuple[float, Side, str]] = Field(default_factory=list)
    listed_operator: bool | None = None
    has_employee_id: bool | None = None
    start_time_form: StartTimeForm | None = None
    start_time_offset: int | None = None
    external_id_listed: bool | None = None
    ongoing_asked_until: float | None = None
    ongoing_at: float | None = None
    ongoing_talk: bool | None = None
    ongoing_legs: bool | None = None
    report_after: float | None = None
    report_offset: int | None = None
    finish_reason: str | None = None
    talk_duration: int | None = None
    is_lost: bool | None = None
    virtual_number_is_empty: bool | None = None
    communication_id_is_large: bool | None = None
    tags_are_null: bool | None = None
    record_list: bool | None = None
    legs: list[LegSeen] = Field(default_factory=list)
    held_state: str | None = None
    start_points: int | None = None
    release_points: int | None = None

    def leg(self, side: Side) -> LegSeen | None:
        """Return the last leg of the contact or of the operator in the Data API's report of legs.

        :param side: ``contact`` or ``operator``.
        :return: the leg; None: the report has no leg of this participant.
        """
        return next((leg for leg in reversed(self.legs) if leg.side == side), None)

    def picked_up(self, side: Side) -> float | None:
        """Return when the contact or the operator picked up, according to the Data API's report of legs.

        :param side: ``contact`` or ``operator``.
        :return: seconds since the start of the call. None: the participant never picked up, or the time is
            not known.
        """
        leg = self.leg(side)
        return leg.connected if leg else None

    def is_listed_between(self, begins: float, ends: float) -> bool:
        """Return whether ``list.calls`` showed the call during at least a part of a period.

        :param begins: the beginning of the period, in seconds since the start of the call.
        :param ends: the end of the period, in seconds since the start of the call.
        """
        if self.appeared is None:
            return False
        shown_from = max(begins, self.appeared)
        for after, seconds in self.gaps:
            if self.appeared + after <= shown_from:
                shown_from = max(shown_from, self.appeared + after + seconds)
        return shown_from < min(ends, ends if self.left_list is None else self.left_list)

    def states_of(self, side: Side, begins: float, ends: float) -> list[str]:
        """Return the states that the leg (line) of one participant had in a period, in order.

        The first state is the one that the leg had at the beginning of the period, if it is known.

        :param side: the participant: ``contact`` or ``operator``.
        :param begins: the beginning of the period, in seconds since the start of the call.
        :param ends: the end of the period, in the same seconds.
        :return: for example ``["Дозвон", "Разговор"]``. Empty: no state is known.
        """
        shown = [(at, state) for at, who, state in self.states if who == side]
        before = [state for at, state in shown if at <= begins][-1:]
        return [*before, *(state for at, state in shown if begins < at < ends)]


class ErrorForm(_Found):
    """The form of the answers with which the Call API reports errors.

    :ivar http_status: the HTTP status of the answer to a request with an unknown parameter.
    :ivar wrong_key_http_status: the HTTP status after a wrong access key; None: not known.
    :ivar repeats_id: whether the answer to an unknown parameter contains the request's ``id``.
    :ivar has_limits: whether the answer to an unknown parameter contains limits of points.
    """

    http_status: int
    wrong_key_http_status: int | None = None
    repeats_id: bool
    has_limits: bool


class LoginForm(_Found):
    """The form of the reply to ``login.user``, the login at the Call API.

    :ivar end_field: the name of the field with the time at which the token expires. None: the reply has no
        such field.
    :ivar has_metadata: whether the reply contains the limits of points.
    :ivar token_is_shared: whether the Data API also accepts this token. None: not known.
    """

    end_field: Literal["expire_at", "expire"] | None
    has_metadata: bool
    token_is_shared: bool | None


class DateRule(_Found):
    """How old ``date_from``, the beginning of a report's period, must be so that the Data API accepts it.

    The age of ``date_from`` is the number of seconds from ``date_from`` until the request. A probe has tried
    several ages.

    :ivar accepted: the smallest age that the Data API accepted. None: it accepted none of the tried ages.
    :ivar refused: the largest age that the Data API refused. None: it refused none of them.
    """

    accepted: float | None
    refused: float | None


class ReportRules(_Found):
    """Which fields, filters and dates of report requests the Data API refuses.

    :ivar refused_fields: refused field → mnemonic of the error, e.g.
        ``{"full_record_file_link": "parameter_component_disabled"}``.
    :ivar refused_filters: the fields by which the Data API refuses to filter.
    :ivar ongoing_refused: whether the Data API refuses the parameter ``include_ongoing_calls``.
    :ivar future_date_till: whether the Data API accepts a ``date_till`` in the future; None: not known.
    :ivar offset: how many quarter hours the account's local time is ahead of UTC; None: not known.
    """

    refused_fields: dict[str, str] = Field(default_factory=dict)
    refused_filters: list[str] = Field(default_factory=list)
    ongoing_refused: bool = False
    future_date_till: bool | None = None
    offset: int | None = None


class LimitRefusal(_Found):
    """The result of a start request that a probe sent while no points were left.

    :ivar was_refused: whether the service answered with the error ``limit_exceeded``.
    :ivar was_placed: whether the service placed the call, even after a refusal.
    """

    was_refused: bool
    was_placed: bool


class Findings(_Found):
    """All findings of the probes (experiments) of ``airflow callapi verify``.

    None means that no probe has found the value.

    :ivar account_zone: the time zone in the answer to ``get.account``.
    :ivar errors: the form of answers with an error.
    :ivar login: the form of the reply to a login.
    :ivar day_limit: how many points the account has each day.
    :ivar minute_limit: how many points the account has each minute.
    :ivar points: service → method → points that one request costs, e.g. ``{"call_api": {"list.calls": 0}}``.
    :ivar report_rules: which fields, filters and dates of report requests the Data API refuses.
    :ivar dates: the newest ``date_from`` that the Data API accepts in a request for a report: its age.
    :ivar calls: name of a call → what was seen of it. The name is the probe's name, e.g. ``heard``.
        Exception: ``dead_operator_1`` and ``dead_operator_2`` for the two calls of the probe
        ``dead_operator``.
    :ivar limit_refusal: the result of a start request that was sent while no points were left.
    :ivar refusals: name of a probe that found nothing out → the reason.
    """

    account_zone: str | None = None
    errors: ErrorForm | None = None
    login: LoginForm | None = None
    day_limit: int | None = None
    minute_limit: int | None = None
    points: dict[str, dict[str, int]] = Field(default_factory=dict)
    report_rules: ReportRules = Field(default_factory=ReportRules)
    dates: DateRule | None = None
    calls: dict[str, CallSeen] = Field(default_factory=dict)
    limit_refusal: LimitRefusal | None = None
    refusals: dict[str, str] = Field(default_factory=dict)

    def placed(self, *names: str) -> list[CallSeen]:
        """Return the calls with the given names whose start request the service has accepted.

        :param names: keys of `calls`, e.g. ``heard``. Without a name, the result contains all calls whose
            start request the service has accepted.
        """
        return [
            call for name, call in self.calls.items() if call.refused is None and (not names or name in names)
        ]
