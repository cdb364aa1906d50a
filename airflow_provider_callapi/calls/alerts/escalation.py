"""Call the people of one alert, one after another, until a person answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from airflow_provider_callapi.api.errors import CallApiError, Rejected
from airflow_provider_callapi.api.methods import Message, StartCall, StartInformerCall, StartScenarioCall
from airflow_provider_callapi.api.models import CallSession, StartedCall
from airflow_provider_callapi.api.values.masking import mask_number
from airflow_provider_callapi.calls.alerts.claims import Progress
from airflow_provider_callapi.calls.clears import Clears
from airflow_provider_callapi.calls.external_ids import has_id
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.phone_numbers.comparison import may_be_same_number
from airflow_provider_callapi.calls.single_call.call_gateway import CallGateway
from airflow_provider_callapi.calls.single_call.call_journal import Journal
from airflow_provider_callapi.calls.single_call.placing import Unresolved, place
from airflow_provider_callapi.calls.stores import MemoryStore


@dataclass
class Escalation:
    """The calls of one alert: its people are called one after another until a person answers.

    `ring_next` calls the next person. If this person does not answer, use `ring_next` again.

    If a call was not placed, e.g. because the service refuses the call, `ring_next` calls the next person at
    once. It does the same if it is unknown whether the call was placed. Exception: if this is unknown for the
    call to the last person, `ring_next` calls the last person once more.

    :ivar external_id: the alert's id. The call to the first person has the id ``<external_id>-1``, and so on.
    :ivar requests: one start request per person, in calling order.
    :ivar gateway: the functions that send requests to the service.
    :ivar appear_timeout: how many seconds to search for a call whose start request got no answer.
    :ivar on_placed: a function that is called after each placed call, with the call's `Progress`.
    :ivar warn: a function that is called with a text if a call was refused or may not have been placed.
    :ivar id_is_unique: True: no other alert has the same id. False: another alert may have it, so a search
        for a call ignores the calls that were active before the start request.
    :ivar newest: the newest placed call, and the person who was called. None: no call was placed.
    """

    external_id: str
    requests: Sequence[StartCall]
    gateway: CallGateway
    appear_timeout: float
    on_placed: Callable[[Progress], None]
    warn: Callable[[str], None]
    id_is_unique: bool = True
    newest: Progress | None = field(default=None, init=False)
    _person: int = field(default=0, init=False)
    _placed: list[int] = field(default_factory=list, init=False)  # session ids of the alert's calls

    def ring_next(self) -> Outcome | None:
        """Call the next person of the alert. If the call is not placed, call the following person, and so on.

        :return: the placed call, if there is another person to call after it. The caller should then wait
            until the call is answered or ends, and use `ring_next` again if nobody has answered. None: the
            escalation is over. The last call went to the last person, or no call could be placed.
        """
        while self.has_next:
            if (call := self._try_next_person()) is not None:
                self.newest = Progress(self._person, call.call_session_id, is_last=not self.has_next)
                self._placed.append(call.call_session_id)
                self.on_placed(self.newest)
                return call if self.has_next else None
        return None

    def _try_next_person(self) -> Outcome | None:
        """Call the next person. Return the placed call; None: it is not confirmed that a call was placed."""
        self._person += 1
        request = self.requests[self._person - 1].model_copy(
            update={"external_id": self._call_id(self._person)}
        )
        person = f"person {self._person} of {len(self.requests)} ({mask_number(request.contact)})"
        journal = Journal(
            MemoryStore(),
            owner=(),
            clears=Clears(0),  # nobody clears an alert
            calls_of_others=lambda request: self._placed,
        )
        try:
            call = place(
                journal,
                request,
                replace(self.gateway, log=lambda _: None),  # the line below tells of the call
                appear_timeout=self.appear_timeout,
                if_not_found="at_most_once" if self.has_next else "at_least_once",
                id_is_unique=self.id_is_unique,
            )
        except CallApiError as error:
            self.warn(f"no confirmed call to {person}: {error}")
            return None
        except Unresolved as error:  # its text tells what to do with a task
            self.warn(
                f"no confirmed call to {person}: {error.cause}. The phone may have rung: search the "
                f"account's calls for external_id {error.external_id}"
            )
            return None
        except BaseException:  # nothing was sent to the person
            self._person -= 1
            raise
        self.gateway.log(f"calling {person}, call session {call.call_session_id}")
        return call

    def adopt(self, progress: Progress) -> Outcome | None:
        """Continue an escalation after Airflow has restarted the alert's callback.

        After this method, `ring_next` rings the person who follows the called person.

        :param progress: the last call before the restart, and the person who was called.
        :return: the last call, for which the caller must wait before it uses `ring_next`. None: no person
            follows the called person, so the caller need not wait.
        """
        self.newest = progress
        self._person = max(self._person, min(progress.person, len(self.requests)))
        self._placed.append(progress.call_session_id)
        self.gateway.log(
            f"person {progress.person} was called before: call session {progress.call_session_id}"
        )
        return Outcome(progress.call_session_id, contact_first=True) if self.has_next else None

    def newest_of(self, sessions: Iterable[CallSession]) -> Progress | None:
        """Return the active call of this alert whose person comes last in the calling order.

        A call belongs to the alert if two conditions are met:

        - It has the ``external_id`` of a person in `call_ids`, see `has_id`.
        - The number of its contact can be the number of this person, see `may_be_same_number`.

        :param sessions: the active calls of the account.
        :return: the call and the person. None: no active call belongs to the alert.
        """
        call_ids = self.call_ids
        calls = [
            Progress(person, session.call_session_id)
            for session in sessions
            for person, call_id in call_ids
            if has_id(session, call_id)
            and may_be_same_number(session.contact_phone_number, self.contact_of(person))
        ]
        return max(calls, key=lambda call: call.person, default=None)

    def contact_of(self, person: int) -> str:
        """Return the phone number of a person.

        :param person: the person's position in the calling order; the first person is 1.
        """
        return self.requests[person - 1].contact

    @property
    def call_ids(self) -> list[tuple[int, str]]:
        """Return pairs (position of a person, ``external_id`` of a call to the person).

        The pairs are in reverse calling order: the last person of the alert's list comes first. The last
        person has two pairs, because the escalation may call the last person twice.
        """
        last = len(self.requests)
        again = [(last, f"{self._call_id(last)}-2")] if last else []
        return again + [(person, self._call_id(person)) for person in range(last, 0, -1)]

    @property
    def has_next(self) -> bool:
        """Whether the alert has a person who was not called yet."""
        return self._person < len(self.requests)

    def _call_id(self, person: int) -> str:
        return f"{self.external_id}-{person}"


_MESSAGE_ERRORS = frozenset({"tts_text_exceeded", "media_file_not_found"})
"""Mnemonics of the errors with which the service rejects a message."""


def with_message_fallback(
    send: Callable[[StartCall], StartedCall], default_text: str, warn: Callable[[str], None]
) -> Callable[[StartCall], StartedCall]:
    """Return a function that sends a start request, and replaces a message that the service rejects.

    The returned function tries one replacement after another:

    - If the error states the longest allowed length: the message, cut to this length; then ``default_text``;
      then ``default_text``, cut to this length.
    - If the error states no length: ``default_text``.

    No one is called twice: a rejected start request placed no call. If no replacement is accepted, or if an
    error does not concern the message, the returned function raises the error.

    :param send: a function that sends a start request.
    :param default_text: the text to speak after a message was rejected.
    :param warn: a function that is called with a warning text before each replacement.
    """

    def send_accepted_message(request: StartCall) -> StartedCall:
        rejected: list[Message] = []
        while True:
            try:
                return send(request)
            except Rejected as error:
                message_now: Message | None = getattr(request, "contact_message", None)
                if message_now is None or not _concerns_message(error):
                    raise
                rejected.append(message_now)
                replacements = [
                    message
                    for message in _replacements(message_now, default_text, error)
                    if message not in rejected
                ]
                if not replacements:
                    raise
                warn(f"the service rejected the message, so it is replaced: {error}")
            request = request.model_copy(update={"contact_message": replacements[0]})

    return send_accepted_message


_SCENARIO_ERRORS = frozenset({"scenario_not_found", "component_disabled", "method_component_disabled"})
"""Mnemonics of the errors with which the service rejects a scenario."""


def with_scenario_fallback(
    send: Callable[[StartCall], StartedCall], warn: Callable[[str], None]
) -> Callable[[StartCall], StartedCall]:
    """Return a function that starts a scenario call, or an informer call if the service rejects the scenario.

    The informer call speaks the scenario call's message. No one is called twice: a rejected start request
    placed no call. If there is no message, or if the error does not concern the scenario, the returned
    function raises the error.

    :param send: a function that sends a start request.
    :param warn: a function that is called with a warning text before the informer call.
    """

    def send_possible_call(request: StartCall) -> StartedCall:
        try:
            return send(request)
        except Rejected as error:
            message: Message | None = getattr(request, "contact_message", None)
            concerns_scenario = error.mnemonic in _SCENARIO_ERRORS or error.field == "scenario_id"
            if not isinstance(request, StartScenarioCall) or message is None or not concerns_scenario:
                raise
            warn(f"the service rejected the scenario, so the call only speaks the message: {error}")
        shared = {name: getattr(request, name) for name in StartCall.model_fields}
        return send(StartInformerCall(**shared, contact_message=message))

    return send_possible_call


def _concerns_message(error: Rejected) -> bool:
    return error.mnemonic in _MESSAGE_ERRORS or (error.field or "").startswith("contact_message")


def _replacements(message: Message, default_text: str, error: Rejected) -> list[Message]:
    """Return the messages that can replace a rejected message, the best replacement first."""
    texts = [default_text]
    try:
        longest = max(int(error.params["tts_message_max_length"]), 0)
    except (KeyError, TypeError, ValueError, OverflowError):  # the service states no length
        pass
    else:
        texts = [message.value[:longest], default_text, default_text[:longest]]
    replacements: list[Message] = []
    for text in texts:
        with suppress(ValueError):  # a cut text may be empty, or have no letter
            replacements.append(Message(type="tts", value=text))
    return replacements
