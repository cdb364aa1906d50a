"""Dials a batch of people: claims the intent of each person, sends the start requests and stores the replies.

An intent is the record that a ledger stores before the start request of an attempt is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

from airflow_provider_callapi.api.errors import CallApiError, NotSent
from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.api.models import StartedCall
from airflow_provider_callapi.calls.campaign.contact_list.call_template import CallTemplate
from airflow_provider_callapi.calls.campaign.engine.dial_queue import DialQueue
from airflow_provider_callapi.calls.campaign.gateway import CampaignGateway, LimitsFeed
from airflow_provider_callapi.calls.campaign.ledger import Attempt, Ledger
from airflow_provider_callapi.calls.campaign.run.failure_counter import FailureCounter


class Dialler:
    """Reserves attempts in the ledger, sends their start requests, and stores the service's replies.

    :param dial_queue: decides what follows from each reply.
    :param template: makes the start request of each person.
    :param ledger: grants or refuses each attempt, and stores the attempts.
    :param limits: returns the account's newest counters of points (rate-limit units).
    """

    def __init__(
        self,
        dial_queue: DialQueue,
        template: CallTemplate,
        ledger: Ledger,
        gateway: CampaignGateway,
        limits: LimitsFeed,
    ) -> None:
        self._dial_queue = dial_queue
        self._template = template
        self._ledger = ledger
        self._gateway = gateway
        self._limits = limits
        self._failures = FailureCounter(gateway.log)

    def dial(self, intents: Sequence[Attempt], changed: Sequence[Attempt] = ()) -> None:
        """Claim each intent in the ledger, and send the start request of each intent that the ledger grants.

        The claim takes time. If a person must not be called any more when it has ended, e.g. because the
        calling hours are over, the person returns to the queue without a request.

        :param intents: the records of the next attempts.
        :param changed: attempts that have changed, e.g. because a call was answered. The ledger stores them
            before the first start request.
        :raises CallApiError: too many batches in a row had an unanswered request, and placed no call. A
            placed call sets the count to zero.
        """
        granted = self._put_back_late(self._claim(intents, changed))
        if not granted:
            return
        answers = self._gateway.start([self._request(intent) for intent in granted])
        placed = sum(isinstance(answer, StartedCall) for answer in answers)
        now = self._gateway.clock()
        self._dial_queue.pacing.record_requests(len(answers), placed, self._limits.take(), now)
        self._store_answers(granted, answers, now)
        self._judge_answers(answers, placed, now)

    def _claim(self, intents: Sequence[Attempt], changed: Sequence[Attempt]) -> list[Attempt]:
        granted = []
        for intent, claim in zip(intents, self._ledger.claim(intents, changed), strict=True):
            if claim.granted:
                granted.append(intent)
            elif adopted := self._dial_queue.record_refused_claim(intent, claim, self._gateway.clock()):
                self._ledger.record(adopted)
        return granted

    def _put_back_late(self, intents: list[Attempt]) -> list[Attempt]:
        """Return those of the claimed ``intents`` that may still be dialled, see `DialQueue.may_dial`.

        Put the people of the other intents back into the queue.
        """
        # During the claim, a person's calling window may have closed, or dialling may have stopped.
        in_time: list[Attempt] = []
        late: list[Attempt] = []
        for intent in intents:
            (in_time if self._dial_queue.may_dial(intent, self._gateway.clock()) else late).append(intent)
        if late:
            self._ledger.record([self._dial_queue.put_back(intent, self._gateway.clock()) for intent in late])
        return in_time

    def _request(self, intent: Attempt) -> StartCall:
        return self._template.request(self._dial_queue.person_of(intent), intent.external_id)

    def _store_answers(
        self, intents: Sequence[Attempt], answers: Sequence[StartedCall | CallApiError], now: float
    ) -> None:
        dial_queue = self._dial_queue
        was_stopped = dial_queue.stopped
        self._ledger.record(
            [
                dial_queue.record_answer(intent, answer, now)
                for intent, answer in zip(intents, answers, strict=True)
            ]
        )
        if dial_queue.stopped and not was_stopped:
            self._gateway.error(f"Dialling has stopped: {dial_queue.stopped}")

    def _judge_answers(self, answers: Sequence[StartedCall | CallApiError], placed: int, now: float) -> None:
        """Set the pace of dialling by the answers to a batch of start requests.

        :param placed: how many of these start requests placed a call.
        :raises CallApiError: requests got no answer in too many batches.
        """
        pacing = self._dial_queue.pacing
        silence = next((answer for answer in answers if _is_silence(answer)), None)
        if silence is not None:
            pacing.record_no_answer(now)
        elif placed:
            pacing.record_answer()
        if placed:
            self._failures.succeed()
        elif silence is not None:
            self._failures.fail(silence)


def _is_silence(answer: StartedCall | CallApiError) -> TypeGuard[CallApiError]:
    """Return whether a start request failed because the service was unreachable, silent or broken."""
    return isinstance(answer, CallApiError) and (answer.maybe_done or isinstance(answer, NotSent))
