"""Base of the operators that start one call.

Each try first reads the stored record of the task's call, and continues where the last try stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from airflow.providers.common.compat.sdk import AirflowTaskTimeout, BaseOperatorLink, conf

from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.calls.outcomes.tagging import TagWhen
from airflow_provider_callapi.calls.phone_numbers.comparison import SHOWN_NUMBER
from airflow_provider_callapi.calls.phone_numbers.request_numbers import read_numbers, shows_number
from airflow_provider_callapi.calls.single_call.call_record import RECORD_KEY, Stage
from airflow_provider_callapi.calls.single_call.placing import Delivery, Killed
from airflow_provider_callapi.calls.watching.poll_interval import POLL_INTERVAL
from airflow_provider_callapi.exceptions import (
    CallApiFailure,
    CallApiTrouble,
    InvalidParameter,
    translate_errors,
)
from airflow_provider_callapi.operators._call.called_people import CalledPeople
from airflow_provider_callapi.operators._call.options import CALL_OPTIONS, CallOptions
from airflow_provider_callapi.operators._call.redial_guard import forbid_redial
from airflow_provider_callapi.operators._request_operator import RequestOperator
from airflow_provider_callapi.operators._tags import check_tag_rules
from airflow_provider_callapi.parameters.kinds import FLAG
from airflow_provider_callapi.parameters.schema import Schema, read_parameters
from airflow_provider_callapi.task_context.deferral import Deferral
from airflow_provider_callapi.task_context.facts import TaskFacts, next_method_of, refuse_another_task
from airflow_provider_callapi.task_context.task_state import STATE_KEY, TaskState

if TYPE_CHECKING:  # requests is heavy, and the DAG processor imports this module all day
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_callapi.operators._call.call_rows import CallRows
    from airflow_provider_callapi.operators._call.call_try import CallTry
    from airflow_provider_callapi.operators._call.call_wait import TryResult


_DEFERRAL_FAILED = "__fail__"
"""The method that Airflow names if a deferral has failed, e.g. because no triggerer was running."""


class RecordingLink(BaseOperatorLink):
    """The link to a call's recording in Airflow's UI, for a start operator with ``recording_link=True``."""

    name = "Recording"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the URL of the call's recording. An empty text: the Data API has reported no recording."""
        # Airflow calls this method when the task ends, and stores the URL as an XCom.
        return getattr(operator, "recording_url", None) or ""


class _LinksOfTask(property):
    """A property with the links of a task. For a mapped task, the property itself counts as no links.

    Airflow's mapped operator has the property of the class in place of its value. If a map index fails before
    Airflow unmaps the task, Airflow iterates over it, and then runs the task's callbacks.
    """

    def __iter__(self) -> Iterator[BaseOperatorLink]:
        return iter(())

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # as Python copies a plain property; Airflow 3.0 copies tasks


class StartCallOperator(RequestOperator):
    """Base of the five Airflow operators that start one call.

    `airflow_provider_callapi.operators.start_call` describes their parameters.
    """

    ui_color = "#fbe8d3"
    also_templated = ("tags", "region", "results", "calling_hours", "calling_days", "timezone")
    object_fields = RequestOperator.object_fields | {"calling_hours", "calling_days"}
    kinds: ClassVar[Schema] = {**RequestOperator.kinds, **CALL_OPTIONS}
    limit_parameters = ("calling_hours", "calling_days", "max_lateness")
    optional_in_rows = frozenset({"external_id"})  # the operator makes one
    recording_url: str | None = None
    _try: CallTry | None = None
    _killed = False

    def __init__(
        self,
        *,
        virtual_phone_number: str,
        contact: str,
        callapi_conn_id: str = "callapi_default",
        region: str = "RU",
        calling_hours: Sequence[str] | None = None,
        calling_days: Sequence[str] | Mapping[str, Any] | None = None,
        timezone: str = "Europe/Moscow",
        virtual_phone_usage_rule: str | None = None,
        external_id: str | None = None,
        dtmf_string: str | None = None,
        direction: str | None = None,
        wait_for_completion: bool = False,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: float = POLL_INTERVAL,
        appear_timeout: float = 60.0,
        timeout: float = 3600.0,
        poll_failures_tolerated: int = 10,
        report_timeout: float = 120.0,
        require_answer: bool = False,
        delivery: Delivery = "at_most_once",
        absence_proven_after: float | None = None,
        durable: bool = True,
        tags: dict[TagWhen, int | str] | None = None,
        cancel_on_kill: bool = False,
        max_lateness: timedelta | float | None = timedelta(hours=24),
        recording_link: bool = False,
        refused_as_result: bool = False,
        results: Mapping[str, str] | None = None,
        operations: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.virtual_phone_number = virtual_phone_number
        self.contact = contact
        self.callapi_conn_id = callapi_conn_id
        self.region = region
        self.calling_hours = calling_hours
        self.calling_days = calling_days
        self.timezone = timezone
        self.virtual_phone_usage_rule = virtual_phone_usage_rule
        self.external_id = external_id
        self.dtmf_string = dtmf_string
        self.direction = direction
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.appear_timeout = appear_timeout
        self.timeout = timeout
        self.poll_failures_tolerated = poll_failures_tolerated
        self.report_timeout = report_timeout
        self.require_answer = require_answer
        self.delivery = delivery
        self.absence_proven_after = absence_proven_after
        self.durable = durable
        self.tags = tags
        self.cancel_on_kill = cancel_on_kill
        self.max_lateness = max_lateness
        self.recording_link = recording_link
        self.refused_as_result = refused_as_result
        self.results = results
        self.operations = operations

    @_LinksOfTask
    def operator_extra_links(self) -> tuple[BaseOperatorLink, ...]:
        """The task's links in Airflow's UI: the link to the recording, or none without ``recording_link``."""
        # For a mapped task, `self` is Airflow's mapped operator. It keeps its parameters in partial_kwargs.
        given = getattr(self, "partial_kwargs", vars(self))
        return (RecordingLink(),) if given.get("recording_link") else ()

    def check_together(self, values: Mapping[str, Any]) -> None:
        CallOptions.of(values)

    def _read_options(self) -> CallOptions:
        """Check the operator's parameters, and return them as one object.

        :raises InvalidParameter: a parameter cannot be used.
        """
        # A subclass or a cluster policy may change attributes after the constructor has checked them.
        return CallOptions.of(read_parameters(CALL_OPTIONS, vars(self)))

    def execute(self, context: Context) -> dict[str, Any]:
        """Place the call, or continue with the call that an earlier try placed. Return the call as a dict."""
        refuse_another_task(context, self)
        self._publish_people(context)
        with self._name_placed_call(context):
            options = self._read_options()
            request = self.make_request()
            if shows_number(request):
                raise InvalidParameter(f"external_id: {SHOWN_NUMBER}")
        self.refuse_second_request(context, request)
        if options.deferrable and not options.wait_for_completion:  # maybe by Airflow's default_deferrable
            self.log.info(
                "Without wait_for_completion=True, the task does not wait for the call. deferrable=True then "
                "concerns only waits before the call, such as for the calling hours"
            )
        with self._open_try(context) as call_try:
            return self._complete(call_try, call_try.start(request))

    def search_again(self, context: Context, event: Any = None) -> dict[str, Any]:
        """Execute a deferred task once more, after a wait for the calling hours or for its unconfirmed call.

        Return the call as a dict.
        """
        return self.execute(context)

    def execute_complete(
        self,
        context: Context,
        event: dict[str, Any] | None = None,
        wait_until: float | None = None,
        call_session_id: int | None = None,
    ) -> dict[str, Any]:
        """Continue the task after a wait for the call in the triggerer. Return the call as a dict.

        :param event: the event of the trigger, see `read_event`.
        :param wait_until: when the wait must end, epoch seconds.
        :param call_session_id: the session id of the call, for error messages. None: not known.
        """
        from airflow_provider_callapi.triggers.call_session import read_event  # noqa: PLC0415 - parse time

        placed = _placed_call(call_session_id)
        with self._open_try(context, placed=placed, wait_until=wait_until) as call_try:
            return self._complete(call_try, call_try.wait.observed(*read_event(event)))

    def report_due(
        self,
        context: Context,
        event: Any = None,
        call: dict[str, Any] | None = None,
        report_by: float = 0.0,
        wait_until: float | None = None,
    ) -> dict[str, Any]:
        """Continue a task that waits for the report of its ended call: ask the Data API again.

        Return the call as a dict, without the report's facts if no report comes in time.

        :param call: what was known of the call before the wait. None: Airflow has not passed it on.
        :param report_by: when to continue without a report, epoch seconds.
        :param wait_until: when a further wait for the call must end, epoch seconds. None: not known.
        """
        if call is None:  # `dag.test()` passes on no values of a deferral, but the journal has them
            if self._keeps_journal(context):
                return self.execute(context)
            raise CallApiFailure(
                "The call was placed and has ended, and Airflow has not passed on which call it was. This "
                "happens in dag.test(). To wait for the report there, use deferrable=False, or a journal "
                "(Airflow 3.3+, durable=True)"
            )
        placed = _placed_call(call.get("call_session_id"))
        with self._open_try(context, placed=placed, wait_until=wait_until) as call_try:
            return self._complete(call_try, call_try.wait.report_due(Outcome.from_xcom(call), report_by))

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Continue the task when a deferral has ended. Airflow calls this method in the worker.

        If the deferral failed, e.g. because it lasted too long, Airflow raises an error, and may retry the
        task.

        :raises CallApiFailure: the deferral failed, and a retry could call the person a second time. This
            error, which replaces Airflow's error, prevents the retry.
        """
        if next_method != _DEFERRAL_FAILED:  # otherwise, Airflow raises the error before `execute_complete`
            return super().resume_execution(next_method, next_kwargs, context)
        with forbid_redial(lambda _: None if self._keeps_journal(context) else "a call may have been placed"):
            return super().resume_execution(next_method, next_kwargs, context)

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Any, *args: Any, **kwargs: Any
    ) -> None:
        """Render the templates. If this fails and a retry could call the person again, forbid the retry."""
        # Airflow renders the templates again at the end of a deferral, before `resume_execution`.
        next_method = next_method_of(context.get("ti"))
        may_redial = next_method not in (None, "search_again") and not self._keeps_journal(context)
        with forbid_redial(lambda _: "a call may have been placed" if may_redial else None):
            super()._do_render_template_fields(parent, template_fields, context, *args, **kwargs)

    def _keeps_journal(self, context: Context) -> bool:
        """Return whether the next try can read which call this try has placed."""
        return STATE_KEY in context and self._is_durable

    @property
    def _is_durable(self) -> bool:
        try:
            return bool(FLAG.read(self.durable))
        except (TypeError, ValueError):  # the error about this value must name an earlier call, too
            return True

    @contextmanager
    def _name_placed_call(self, context: Context, placed: str | None = None) -> Iterator[None]:
        # The error for an invalid parameter must name the call, if there is one: the call in the text
        # `placed`, or the call in the journal.
        try:
            yield
        except InvalidParameter as error:
            placed = placed or self._earlier_call(context) or "this try placed no call"
            raise CallApiFailure(f"{error}. {placed[0].upper()}{placed[1:]}.") from None

    def _earlier_call(self, context: Context) -> str | None:
        """Describe a call of an earlier try, such as ``call session 5 was placed``. None: there is none."""
        state = TaskState.of(context)
        if record := state and state.get(RECORD_KEY):
            if record["call"] is not None:
                return _placed_call(record["call"]["call_session_id"])
            return None if record["stage"] == Stage.NOTHING else "an earlier try may have placed a call"
        is_unknown = context["ti"].try_number > 1 and (state is None or not self._is_durable)
        return "an earlier try may have placed a call" if is_unknown else None

    def _publish_people(self, context: Context) -> None:
        """If the task is mapped, publish as an XCom whom this map index has called in this DAG run."""
        # The other map indexes read this before they call a person, so that no person is called twice.
        facts = TaskFacts.of(context, execution_timeout=self.execution_timeout)
        if people := CalledPeople.of(facts):
            people.publish()

    def on_kill(self) -> None:
        """Stop the try when Airflow kills the task.

        The killed try sends no further start request, and fails. With ``cancel_on_kill``, it also ends its
        call, even if the service answers the start request only after the kill.
        """
        self._killed = True  # a kill can come before the call is placed
        if self._try is not None:
            self._try.wait.release()

    @contextmanager
    def _open_try(
        self, context: Context, *, placed: str | None = None, wait_until: float | None = None
    ) -> Iterator[CallTry]:
        """Yield the object that carries out one try of the task.

        :param placed: if the try continues a placed call: a text for error messages, such as
            ``call session 5 was placed``. None: the try may place a call.
        :param wait_until: when the wait for the placed call must end, epoch seconds. None: not known.
        :raises CallApiFailure: a retry would fail again, or could call the person a second time.
        :raises CallApiTrouble: the task was killed.
        """
        from airflow_provider_callapi.operators._call.call_try import CallTry  # noqa: PLC0415 - parse time

        self._try = None

        def describe_call(error: BaseException) -> str | None:
            call_of_try = self._try.describe_forgotten_call(error) if self._try is not None else None
            return call_of_try or (None if self._keeps_journal(context) else placed)

        with _translate_kill(), forbid_redial(describe_call), translate_errors(), self.hook as hook:
            facts = TaskFacts.of(context, execution_timeout=self.execution_timeout)
            with self._name_placed_call(context, placed):
                options = self._read_options()
                check_tag_rules(options.tags, hook)
            with self._open_results(options, facts, is_new=placed is None) as results:
                self._try = CallTry(
                    options,
                    facts,
                    hook,
                    self.log,
                    is_killed=lambda: self._killed,
                    wait_until=wait_until,
                    results=results,
                )
                try:
                    if placed is not None:  # after a deferral, the template may give another connection
                        self._try.refuse_another_connection()
                    yield self._try
                except AirflowTaskTimeout:
                    if not self._try.is_durable:  # Airflow calls on_kill only if the error stays a timeout
                        self.on_kill()
                    raise
                finally:
                    self.recording_url = self._try.wait.recording_url

    @contextmanager
    def _open_results(
        self, options: CallOptions, facts: TaskFacts, *, is_new: bool
    ) -> Iterator[CallRows | None]:
        """Yield the object that writes the call to the table in the operator's parameter ``results``.

        None: the parameter is None, or the contact's number cannot be read.
        """
        # `is_new`: see `written_to_table`.
        if options.results is None:
            yield None
            return
        from airflow_provider_callapi.operators._call.call_rows import (  # noqa: PLC0415 - SQLAlchemy
            written_to_table,
        )

        try:
            values = {"contact": self.contact}
            contact = read_numbers(values, options.region, method=self.request_type.method)["contact"]
        except InvalidParameters as error:  # after a deferral, the template may give another value
            self.log.warning("results: the row of the call cannot be written: %s", error)
            yield None
            return
        with written_to_table(options.results, facts.owner, contact, self.log, is_new=is_new) as results:
            yield results

    def _complete(self, call_try: CallTry, result: TryResult) -> dict[str, Any]:
        """Finish this try, or defer the task.

        :param result: the dict of the call, which is returned, or the deferral with which the task is
            deferred.
        :raises Killed: the task was killed.
        """
        call_try.wait.refuse_killed()
        if isinstance(result, Deferral):
            self.defer(**vars(result))
        return result


@contextmanager
def _translate_kill() -> Iterator[None]:
    """Context manager: convert `Killed` into `CallApiTrouble`, after which Airflow retries the task."""
    try:
        yield
    except Killed as error:
        raise CallApiTrouble(str(error)) from None


def _placed_call(call_session_id: int | None) -> str:
    """Describe a placed call for an error text, e.g. ``call session 5 was placed``."""
    return "a call was placed" if call_session_id is None else f"call session {call_session_id} was placed"
