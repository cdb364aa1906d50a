"""One try of a start operator: check whether the task may dial now, place the call, and wait for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.errors import CallApiError, CallRefused
from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.api.models import StartedCall
from airflow_provider_callapi.api.values.masking import mask_number
from airflow_provider_callapi.calls.calling_hours.hours import OutsideCallingHours
from airflow_provider_callapi.calls.calling_hours.lateness import too_late_reason
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.single_call import call_journal
from airflow_provider_callapi.calls.single_call.call_gateway import CallGateway
from airflow_provider_callapi.calls.single_call.call_journal import Journal
from airflow_provider_callapi.calls.single_call.call_record import RECORD_KEY, Stage
from airflow_provider_callapi.calls.single_call.placing import (
    AbsenceNotProven,
    AnswerNotStored,
    Delivery,
    Killed,
    ProveAbsence,
    Unresolved,
    place,
)
from airflow_provider_callapi.calls.stores import KeyValueStore
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.exceptions import (
    CallApiFailure,
    CallApiTrouble,
    CallTooLate,
    unresolved_call,
)
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.observability.log_lines import LogEvent, log_call_event
from airflow_provider_callapi.observability.metrics import count_call
from airflow_provider_callapi.observability.observed_store import ObservedStore
from airflow_provider_callapi.operators._call.call_wait import CallWait, TryResult
from airflow_provider_callapi.operators._call.called_people import CalledPeople
from airflow_provider_callapi.operators._call.calling_times import CallingTimes
from airflow_provider_callapi.operators._call.options import CallOptions
from airflow_provider_callapi.task_context.deferral import Deferral
from airflow_provider_callapi.task_context.facts import TaskFacts, lost_its_state, refuse_regrouped_task
from airflow_provider_callapi.task_context.start_mark import MarkingStore
from airflow_provider_callapi.task_context.task_kinds import refuse_another_kind
from airflow_provider_callapi.triggers.shortest_deferral import pause_trigger

if TYPE_CHECKING:  # SQLAlchemy is heavy
    from airflow_provider_callapi.operators._call.call_rows import CallRows


class CallTry:
    """One try of a start operator: it places a call, or continues with the call of an earlier try."""

    def __init__(
        self,
        options: CallOptions,
        facts: TaskFacts,
        hook: CallApiHook,
        log: Any,
        *,
        is_killed: Callable[[], bool],
        wait_until: float | None = None,
        results: CallRows | None = None,
    ) -> None:
        self._options = options
        self._facts = facts
        self._hook = hook
        self._log = log
        # Whether the next try can read the journal. Otherwise, the journal is lost when this try ends. If an
        # earlier try has left a journal, it counts, although the DAG file now says durable=False.
        self.is_durable = facts.state is not None and (options.durable or bool(facts.state.get(RECORD_KEY)))
        # Whether an earlier try may have placed a call of which this try has no record.
        self._may_have_placed = not self.is_durable and facts.start_mark.is_left
        store: KeyValueStore = (facts.state if self.is_durable else None) or MarkingStore(facts.start_mark)
        self._results = results
        if results is not None:
            store = results.watch(store)
        self._people = CalledPeople.of(facts) if self.is_durable else None
        self._journal = Journal(
            ObservedStore(store),
            owner=facts.owner,
            clears=facts.clears,
            connection=hook.callapi_conn_id,
            deployment=facts.deployment,
            record_is_lost=self.is_durable and lost_its_state(facts),
        )
        if results is not None and self._journal.is_of(results.person):
            results.add(self._journal.current)  # an earlier try may have ended before it wrote the row
        self.wait = CallWait(
            options,
            facts,
            hook,
            log,
            journal=self._journal,
            keeps_journal=self.is_durable,
            is_killed=is_killed,
            wait_until=wait_until,
        )

    # --- where a try begins ---

    def start(self, request: StartCall) -> TryResult:
        """Place the call, or continue with the call of an earlier try.

        Return the call as a dict, or a deferral if the task must wait.
        """
        if self.is_durable:
            refuse_another_kind(self._facts, RECORD_KEY)
        if self._people is None:  # a mapped task refuses an earlier person, see `CalledPeople.claim`
            self._journal.turn_to(request.contact)
        step = self._journal.next_step(request)
        self.refuse_another_connection(step)
        if step is call_journal.Step.ADOPT:
            return self._place(request, step, lambda: None)
        self._require_what_proves_absence(may_dial=step in call_journal.DIALLING_STEPS)
        times = CallingTimes.of(self._options, self._facts, system_clock.now())
        times.refuse_timeout(system_clock.now())
        try:
            return self._place(request, step, lambda: times.refuse_closed(system_clock.now()))
        except OutsideCallingHours as closed:
            opens_at = closed.opens_at
        now = system_clock.now()
        times.refuse_useless_wait(now, opens_at)
        self._log.info("%s: %s", request.method, times.describe_wait(opens_at))
        return self._start_after(opens_at - now, request)

    def refuse_another_connection(self, step: call_journal.Step = call_journal.Step.ADOPT) -> None:
        """Check that an earlier call can be found through the Airflow connection of this try.

        The connection must be that of the start request, because another connection may lead to another
        account. If this try does not have to find a call, any connection is allowed.

        :param step: what this try does next, according to the journal.
        :raises CallApiFailure: this try must find a call that was placed through another connection.
        """
        dials_again = self._if_not_found == "at_least_once"
        conflict = self._journal.connection_conflict(step, dials_again=dials_again)
        if conflict is not None:
            raise CallApiFailure(conflict)

    def _place(
        self, request: StartCall, step: call_journal.Step, refuse_closed_hours: Callable[[], None]
    ) -> TryResult:
        """Place the call, or continue with the call of an earlier try. Return the call, or a deferral.

        :param step: the result of the journal's `next_step`.
        :param refuse_closed_hours: a function that raises `OutsideCallingHours` outside the calling hours.
        :raises OutsideCallingHours: the contact must not be called now.
        :raises Killed: the task was killed.
        """
        late = too_late_reason(self._facts.run_after, system_clock.now(), self._options.max_lateness)
        if step in call_journal.DIALLING_STEPS:
            self._prepare_to_dial(request, late, refuse_closed_hours)
        self._warn_without_data_api()
        description = f"{request.method} to {mask_number(request.contact)}"
        try:
            call = place(
                self._journal,
                request,
                self._call_gateway(description, refuse_closed_hours),
                appear_timeout=self._options.appear_timeout,
                if_not_found="at_most_once" if late else self._if_not_found,
                search_first=self._searches_first,
                may_have_placed=self._may_have_placed,
            )
        except AbsenceNotProven as error:
            return self._await_proof(error, request)
        except AnswerNotStored as error:
            self.wait.active_session_id = error.call_session_id
            self.wait.refuse_killed()
            raise CallApiTrouble(str(error)) from error  # a retry searches for the call
        except Unresolved as error:
            may_dial_again = not late and self._options.delivery == "at_least_once"
            raise unresolved_call(error, may_dial_again=may_dial_again) from error
        except CallRefused as error:
            self._withdraw_claim(request)
            result = self._refused_result(request, error)
            self._log.info("%s: %s", description, error)
            return result
        except (CallApiError, OutsideCallingHours, Killed):
            self._withdraw_claim(request)
            raise
        if step is call_journal.Step.ADOPT:
            log_call_event(LogEvent.RESUMED, call)
        return self.wait.begin(call)

    @property
    def _if_not_found(self) -> Delivery | ProveAbsence:
        """What follows if a search does not find an unconfirmed call, and it is not too late for the call."""
        after = self._options.absence_proven_after
        return self._options.delivery if after is None else ProveAbsence(after)

    @property
    def _searches_first(self) -> bool:
        """Whether this try must search for an earlier try's call before it dials.

        This is so if an earlier try may have placed the call, and has left no journal.
        """
        return not self.is_durable and self._facts.try_number > 1

    def _prepare_to_dial(
        self, request: StartCall, late: str | None, refuse_closed_hours: Callable[[], None]
    ) -> None:
        """Check that the contact may be called now. A mapped task also records whom this map index calls.

        :param late: why it is too late for the call. None: it is not too late.
        :param refuse_closed_hours: a function that raises `OutsideCallingHours` outside the calling hours.
        :raises CallTooLate: it is too late for the call.
        :raises CallApiFailure: a try, another map index or a removed task may have called the person.
        """
        if late:
            raise CallTooLate(late)
        if self._journal.record is None:
            refuse_regrouped_task(self._facts)
        if not self._searches_first:
            refuse_closed_hours()
        if self._people is not None:
            self._people.claim(request.contact, is_known=self._journal.is_of(request.contact) is not False)

    def _warn_without_data_api(self) -> None:
        """Log a warning about ``require_answer`` or ``operations`` if the connection has no Data API.

        Both parameters need the Data API.
        """
        if self._hook.has_data_api:
            return
        if self._options.require_answer:
            self._log.warning(
                "require_answer without the Data API: if list.calls does not show that the contact picks up, "
                "the answer is not known, and the task fails. Set extra.data_api of connection %s to true",
                self._hook.callapi_conn_id,
            )
        if self._options.operations:
            self._log.warning(
                "operations without the Data API: the call's operations stay unknown. Set extra.data_api of "
                "connection %s to true",
                self._hook.callapi_conn_id,
            )

    def _withdraw_claim(self, request: StartCall) -> None:
        # If this try certainly placed no call, other map indexes of the mapped task may call the person.
        record = self._journal.record
        if self._people is not None and (
            record is None or (record.stage, record.attempt) == (Stage.NOTHING, 0)
        ):
            self._people.withdraw(request.contact)

    def _require_what_proves_absence(self, *, may_dial: bool) -> None:
        # The parameter `absence_proven_after` needs the Data API and the journal. `may_dial` is False if
        # there is an unconfirmed call. The error then names this call.
        if self._options.absence_proven_after is None:
            return
        if not self._hook.has_data_api:
            effect = (
                "This try placed no call"
                if may_dial
                else f"The call with external_id {self._journal.current.external_id} may have been placed"
            )
            raise CallApiFailure(
                "absence_proven_after needs the Data API: set extra.data_api of connection "
                f"{self._hook.callapi_conn_id} to true. {effect}."
            )
        if not self.is_durable:  # the next try could not search for the call of this try
            raise CallApiFailure(
                "absence_proven_after needs a journal that outlives a try: durable=True and Airflow 3.3 or "
                "later. This try placed no call."
            )

    def _await_proof(self, error: AbsenceNotProven, request: StartCall) -> TryResult:
        # The next search may prove that the call was never placed.
        # `start` repeats the search, and places the call if the search proves that it was never placed.
        seconds = max(error.search_again_at - system_clock.now(), 0.0)
        self._log.info("%s: waiting %.0f s before the next search", error, seconds)
        return self._start_after(seconds, request)

    def _start_after(self, seconds: float, request: StartCall) -> TryResult:
        """Wait for ``seconds``, and return the result of `start`.

        In a deferrable task: return a deferral at once. The deferral lasts for ``seconds``.
        """
        if not self._options.deferrable:
            self.wait.sleep(seconds)
            return self.start(request)
        return Deferral(pause_trigger(seconds), method_name="search_again", kwargs={})

    def describe_forgotten_call(self, error: BaseException) -> str | None:
        """Return a text about the call of this try, if a retry could call the person again.

        :param error: the error that ends the try.
        :return: for example ``call session 5 was placed``. The caller must then prevent the retry. None: the
            caller need not prevent it, because it does no harm, or because the class of ``error`` decides.
        """
        record = self._journal.record
        if self.is_durable or record is None:
            return None
        # If a service failed, `place` has decided about the unconfirmed call, and the class of the error
        # states whether Airflow retries. Other errors interrupt `place`.
        is_interrupted = not isinstance(error, CallApiError | CallApiTrouble)
        if record.call is not None or (record.stage is Stage.STARTING and is_interrupted):
            return record.describe_call()
        return None

    def _refused_result(self, request: StartCall, error: CallRefused) -> dict[str, Any]:
        """Return the XCom for a refused call: ``{"status": "refused", …}``.

        Count the refusal in the metrics, and write it to the table of results, if there is one.

        :raises CallRefused: the task fails, e.g. because the author does not want refused calls as results.
        """
        if error.method != request.method:  # a refused search proves nothing about the call
            raise error
        count_call("refused")
        attempt = self._journal.next_attempt  # the journal does not count refused attempts
        external_id = self._journal.external_id(request, attempt)
        if self._results is not None and self._journal.record is not None:
            self._results.add_refused(attempt, external_id, system_clock.now(), error.mnemonic)
        if not self._options.refused_as_result:
            raise error
        call = Outcome(
            0,
            external_id,
            answered=False,
            attempt=attempt,
            finish_reason=error.mnemonic,
        )
        return {**call.to_xcom(), "call_session_id": None, "status": "refused"}

    # --- the services ---

    def _call_gateway(self, description: str, refuse_closed_hours: Callable[[], None]) -> CallGateway:
        # With absence_proven_after, a later search asks the Data API again.
        searches_later = self._options.absence_proven_after is not None

        gateway = self._hook.call_gateway(
            lambda text: self._log.info("%s: %s", description, text),
            warn=lambda text: self._log.warning("%s: %s", description, text),
            poll_interval=self._options.poll_interval,
            report_timeout=0.0 if searches_later else self._options.report_timeout,
        )

        def send(request: StartCall, before_each_send: Callable[[], object]) -> StartedCall:
            def check() -> None:
                before_each_send()  # first: another try may have placed the call, and own the journal
                refuse_closed_hours()
                self.wait.refuse_killed()

            return gateway.send(request, check)

        def poll_snapshots() -> Iterator[Snapshot]:
            for snapshot in gateway.poll_snapshots():
                yield snapshot  # the search looks at it first: a found call can be released
                self.wait.refuse_killed()

        return replace(gateway, send=send, poll_snapshots=poll_snapshots)
