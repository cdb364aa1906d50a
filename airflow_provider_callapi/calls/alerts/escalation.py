"""Ringing people one after the other until one answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from airflow_provider_callapi.api.errors import CallApiError, Rejected, mask_phones
from airflow_provider_callapi.api.methods import Message, StartCall, StartInformerCall
from airflow_provider_callapi.api.models import CallSession, StartedCall
from airflow_provider_callapi.calls.alerts.election import Progress
from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.calls.placing import CallGateway, Journal, Unresolved, place
from airflow_provider_callapi.calls.stores import MemoryStore


@dataclass
class Alert:
    """The calls of one alert; whoever drives it waits between two of them.

    Every person's call has an id of its own, ``<external_id>-1``, ``-2`` …, so that whoever goes on
    after a restart knows who was rung. A person who cannot be rung, or of whose call nobody knows
    whether it was placed, is followed by the next. Only for the last one, with nobody left to ask, is
    such a call placed once more, after the search for it (`placing.place`, ``at_least_once``).

    :ivar external_id: the alert's.
    :ivar people: one request a person, in the order in which they are rung.
    :ivar rang: told of every call that is placed.
    :ivar trouble: told why somebody is not known to have been rung.
    :ivar rung: how many calls are known to have been placed.
    """

    external_id: str
    people: Sequence[StartInformerCall]
    gateway: CallGateway
    appear_timeout: float
    rang: Callable[[Progress], None]
    trouble: Callable[[str], None]
    rung: int = field(default=0, init=False)
    _next: int = field(default=0, init=False)

    def ring_next(self) -> Outcome | None:
        """Ring the next person who can be rung.

        :return: the call to be waited for; None: there is nobody left to be rung after it.
        """
        while self.somebody_is_left:
            self._next += 1
            call_id = self._call_id(self._next)
            request = self.people[self._next - 1].model_copy(update={"external_id": call_id})
            whom = f"person {self._next} of {len(self.people)}, {mask_phones(request.contact)}"
            try:
                call = place(
                    Journal(MemoryStore(), owner=(), generation=0),
                    request,
                    self.gateway,
                    appear_timeout=self.appear_timeout,
                    delivery="at_most_once" if self.somebody_is_left else "at_least_once",
                )
            except (CallApiError, Unresolved) as error:
                self.trouble(f"{whom}, is not known to have been rung: {error}")
                continue
            self.gateway.log(f"{whom}: call session {call.call_session_id}")
            self.rung += 1
            self.rang(Progress(self._next, call.call_session_id))
            return call if self.somebody_is_left else None
        return None

    def go_on(self, step: Progress) -> Outcome | None:
        """Go on with a call that was placed before a restart; returns what `ring_next` does."""
        self.rung, self._next = self.rung + 1, min(step.person, len(self.people))
        self.gateway.log(f"person {step.person} was rung before: call session {step.call_session_id}")
        return Outcome(step.call_session_id) if self.somebody_is_left else None

    def step_among(self, sessions: Iterable[CallSession]) -> Progress | None:
        """The newest of this alert's calls among these."""
        people = {call_id: person for person, call_id in self.call_ids}
        steps = [
            Progress(people[session.external_id], session.call_session_id)
            for session in sessions
            if session.external_id in people
        ]
        return max(steps, key=lambda step: step.person, default=None)

    @property
    def call_ids(self) -> list[tuple[int, str]]:
        """Every person and the id that their call would have, the last first."""
        last = len(self.people)
        again = [(last, f"{self._call_id(last)}-2")] if last else []
        return again + [(person, self._call_id(person)) for person in range(last, 0, -1)]

    @property
    def somebody_is_left(self) -> bool:
        """Whether there is somebody to be rung after this one."""
        return self._next < len(self.people)

    def _call_id(self, person: int) -> str:
        return f"{self.external_id}-{person}"


_CANNOT_BE_SAID = frozenset({"tts_text_exceeded", "media_file_not_found"})


def fitting(
    send: Callable[[StartCall], StartedCall], text: str, trouble: Callable[[str], None]
) -> Callable[[StartCall], StartedCall]:
    """A ``send`` that says something else where the service does not take the message.

    A call that was refused was not placed, so it is sent again: with the text cut to the length that
    the service allows, where that is what is wrong with it, or else with ``text``.
    """

    def fit(request: StartCall) -> StartedCall:
        refused: list[Message] = []
        while True:
            try:
                return send(request)
            except Rejected as error:
                if not isinstance(request, StartInformerCall) or not _is_about_the_message(error):
                    raise
                refused.append(request.contact_message)
                others = [
                    said for said in _shorter(request.contact_message, text, error) if said not in refused
                ]
                if not others:
                    raise
                trouble(f"the message is changed to one that can be said: {error}")
            request = request.model_copy(update={"contact_message": others[0]})

    return fit


def _is_about_the_message(error: Rejected) -> bool:
    return error.mnemonic in _CANNOT_BE_SAID or (error.field or "").startswith("contact_message")


def _shorter(message: Message, text: str, error: Rejected) -> list[Message]:
    """What may be said instead, the best first."""
    texts = [text]
    try:
        longest = max(int(error.params["tts_message_max_length"]), 0)
    except (KeyError, TypeError, ValueError):  # not told, or not what is wrong
        pass
    else:
        texts = [message.value[:longest], text, text[:longest]]
    return [Message(type="tts", value=said) for said in texts if said]
