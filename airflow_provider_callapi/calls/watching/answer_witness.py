"""A second source that shows whether a contact has picked up: the Data API's reports of active calls.

On some accounts, ``list.calls`` does not show that a contact has picked up. The Data API can report active
calls, too. The package asks the Data API about a call only while a task waits for the contact to pick up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from airflow_provider_callapi.api.data_api import REPORT_INTERVAL
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.models import CallSession
from airflow_provider_callapi.calls.external_ids import has_another_id
from airflow_provider_callapi.calls.outcomes.answers import contacts_leg_is_connected
from airflow_provider_callapi.calls.reports.report_requests import Selection
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.calls.watching.witness_pause import WitnessPause
from airflow_provider_callapi.calls.watching.witness_source import WitnessSource


class AnswerWitness:
    """Asks the Data API which active calls were answered.

    The witness sends at most one request in ten seconds, for all calls together. It asks in turn for the
    report of calls and for the report of legs. The contact has certainly picked up in these cases:

    - The report of calls contains a talk.
    - The report of legs contains a connected leg of the contact. For inbound calls, the witness does not use
      the report of legs.

    After a failed request, and while few points (rate-limit units) are left, the witness pauses, see
    `WitnessPause`.

    :param source: the Data API that the witness asks.
    """

    def __init__(self, source: WitnessSource) -> None:
        self._requests = source.requests()
        self._pause = WitnessPause(source, "which active calls were answered")
        self._next_asks_for_legs = False
        self._answered: frozenset[int] = frozenset()

    def to_json(self) -> dict[str, Any]:
        """Return the state of this witness as plain JSON.

        The state shows until when no request is due, and whether the next request asks for the report of
        calls or for the report of legs.
        """
        return {"pause": self._pause.to_json(), "next_asks_for_legs": self._next_asks_for_legs}

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Take over the state of another witness, e.g. of the witness that a sensor used in another process.

        :param stored: what `to_json` of the other witness has returned.
        """
        self._pause.restore(stored["pause"])
        self._next_asks_for_legs = stored["next_asks_for_legs"]

    def due(self, snapshot: Snapshot, awaited: Collection[int]) -> list[CallSession]:
        """Return the active calls about which the witness should ask the Data API now.

        The list contains the calls in ``awaited`` that the snapshot shows and that are not known to be
        answered. While the witness pauses, the list is empty.

        :param snapshot: the newest snapshot of the active calls.
        :param awaited: the session ids of the calls for which a task or trigger waits for an answer of the
            contact.
        """
        if not self._pause.is_over(snapshot.at):
            return []
        listed = (snapshot.sessions.get(call_session_id) for call_session_id in awaited)
        return [
            session
            for session in listed
            if session is not None
            and session.call_session_id not in self._answered
            and not snapshot.shows_answer(session)
        ]

    def ask(self, calls: Collection[CallSession], at: float) -> None:
        """Ask the Data API about active calls, and remember the calls whose contact has picked up.

        :param calls: the calls from `due`.
        :param at: the time of the snapshot, epoch seconds.
        """
        self._pause.begin(at, REPORT_INTERVAL)
        outbound = [call for call in calls if call.direction != "in"]
        try:
            if self._next_asks_for_legs and outbound:
                answered = self._ask_for_legs(outbound, at)
            else:
                answered = self._ask(calls, at)
        except CallApiError as error:
            self._pause.begin_after_failure(at, error)
            return
        finally:
            self._next_asks_for_legs = not self._next_asks_for_legs
        self._answered |= answered
        self._pause.begin_if_few_points(at)

    def answered_in(self, snapshot: Snapshot) -> frozenset[int]:
        """Return the ids of the calls in a snapshot that the Data API has reported as answered.

        The witness forgets all calls that are not in the snapshot.
        """
        self._answered = self._answered.intersection(snapshot.sessions)
        return self._answered

    def _ask(self, calls: Collection[CallSession], at: float) -> frozenset[int]:
        external_ids = {call.call_session_id: call.external_id for call in calls}
        fields = ("id", "talk_duration", "call_api_external_id")
        reports = self._requests.calls(
            at, at, selection=Selection("id", external_ids), ongoing=True, fields=fields
        )
        return frozenset(
            report.id
            for report in reports
            if report.talk_duration and not has_another_id(report, external_ids.get(report.id))
        )

    def _ask_for_legs(self, outbound: Collection[CallSession], at: float) -> frozenset[int]:
        contacts = {call.call_session_id: call.contact_phone_number for call in outbound}
        legs = self._requests.legs(at, at, selection=Selection("call_session_id", contacts)) or ()
        return frozenset(
            call_session_id
            for call_session_id, contact in contacts.items()
            if contacts_leg_is_connected(
                contact, [leg for leg in legs if leg.call_session_id == call_session_id]
            )
        )
