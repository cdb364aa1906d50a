"""Names the columns that a campaign's results file adds to the contact list."""

from __future__ import annotations

RESULT_COLUMNS = (
    "call_contact",
    "call_result",
    "call_why",
    "call_attempts",
    "call_session_id",
    "call_external_id",
    "call_started_at",
    "call_answered_at",
    "call_ended_at",
    "call_talk_seconds",
    "call_finish_reason",
    "call_tags",
    "call_operations",
)
"""The columns that the results add to each row of the contact list.

A column of the contact list with the same name as one of these columns is replaced. ``call_contact`` is the
number called, as E.164 digits. ``call_attempts`` is how many calls to the person the service accepted. The
sum of ``call_attempts`` is the summary's ``calls``. ``call_finish_reason`` is the cause for which the
contact's leg ended or, if that is unknown, the cause for which the call ended. ``call_operations`` lists the
operations of the scenario, if the campaign asks for them. The columns after ``call_attempts`` describe the
last attempt.

A results file can be the contact list of another campaign, so these names count as correctly written.
"""
