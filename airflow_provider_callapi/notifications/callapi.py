"""The notifier: call a person when a task or a DAG run fails, or when a deadline is missed."""

from __future__ import annotations

import copy
from collections.abc import Generator, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from airflow.providers.common.compat.sdk import BaseNotifier

from airflow_provider_callapi.api.values.lone_surrogates import replace_lone_surrogates
from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.notifications._alert.alert_reason import with_accessors
from airflow_provider_callapi.notifications._alert.contacts import (
    check_contacts,
    check_external_id,
    check_virtual_number,
    read_region,
    render_contacts,
)
from airflow_provider_callapi.notifications._alert.execution import InProcess, InTriggerer, run_without_loop
from airflow_provider_callapi.notifications._alert.options import (
    ALERT_PARAMETERS,
    DEFAULT_QUIET_FOR,
    DEFAULT_REPORT_TIMEOUT,
    DEFAULT_SETTLE,
    FALLBACKS,
    OPTIONAL_PARAMETERS,
    AlertOptions,
    read_acknowledgement,
    read_options,
    render_optional,
)
from airflow_provider_callapi.notifications._alert.reporting import log_instead_of_raising
from airflow_provider_callapi.notifications._alert.ringing import ring
from airflow_provider_callapi.parameters.rendering import TextStaysText
from airflow_provider_callapi.parameters.schema import read_parameters
from airflow_provider_callapi.parameters.templates import is_template, refuse_single_braces
from airflow_provider_callapi.parameters.unknown_names import describe_unknown, refuse_ignored_attributes

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class CallApiNotifier(TextStaysText, BaseNotifier):
    """Call a person and speak a text about a failure. With several contacts, call until one is reached.

    Use the notifier as ``on_failure_callback`` of a DAG or of tasks, or in a deadline alert: in an
    ``AsyncCallback``, because Airflow 3.3 lets a ``SyncCallback`` read no connection in Airflow's database. A
    task can also run the notifier itself: ``notifier(context)``. After a call, further failures of the same
    DAG run ring nobody for ``quiet_for`` seconds. The notifier returns nothing and raises nothing. If an
    error prevents every call, the log shows "No person was rung for …".

    When the notifier calls the next contact:

    - Without ``acknowledged_by``: if neither a poll nor the Data API shows an answer. A voice mailbox also
      answers.
    - With ``acknowledged_by``: if the Data API's report of the call shows none of the marks.

    After the call to the last contact, the notifier does not wait for an answer.

    Airflow limits the time of some callbacks. Each limit is enough to call one person:

    - Callback of a failed task: 20 s (``[core] task_success_overtime``).
    - Callback of a failed DAG: 50 s (``[dag_processor] dag_file_processor_timeout``).
    - Callback of a deadline, and a running task: no limit.

    To call several people when a task fails, run the notifier in a last task with
    ``trigger_rule="one_failed"`` (see the example DAG ``ring_everybody.py``).

    If several tasks fail in the same second, one callback rings. The callbacks choose this callback through
    an Airflow Variable, ``callapi_alert_<hash>``.

    Airflow may restart a deadline's callback, and may retry a task that runs the notifier. The notifier then
    continues with the next person if the alert's last call was less than ``quiet_for`` seconds ago.
    Otherwise, it begins again with the first contact. Without the Data API, a person may be called twice if
    Airflow kills the task or triggerer in the second after the start request. With ``quiet_for=0``, the
    notifier always begins again with the first contact.

    :param contact: a phone number, or several: a list, or a text with commas between the numbers. If one
        entry of a list cannot be rendered, the notifier calls the other people.
    :param region: ISO 3166 code of the country of numbers without a country code, ``RU`` by default.
    :param virtual_phone_number: the account's number from which the notifier calls. The contact's phone shows
        it.
    :param message: the text to speak, or ``{"type": "media", "value": "2034"}`` for a media file. The default
        is a Russian text that names the task, the DAG and the run.
    :param callapi_conn_id: id of the Airflow connection, ``callapi_default`` by default.
    :param external_id: the id of the alert. The alert's calls have the ids ``<external_id>-1`` for the first
        contact, ``<external_id>-2`` for the second contact …. By default, all failures of a DAG run share one
        id for the same contacts. With ``quiet_for=0``, each failure has its own id. If several Airflows use
        one account, insert a name of this Airflow: equal ids of two Airflows silence each other.
    :param quiet_for: how long after a call the notifier does not ring again for the same ``external_id``: a
        timedelta or seconds, 15 minutes by default. 0: every failure rings.
    :param dialing_timeout: how many seconds a phone rings, 1 to 120. None: the service's default, 30. Has no
        effect with ``scenario_id``.
    :param settle: how many seconds a callback waits before it rings, 0 to 60, 4 by default. Then it checks
        that no other callback rings for the same alert. If Airflow's API server needs longer to store a
        Variable, the callback waits five seconds more, and a second callback may ring. In the callback of a
        task or a DAG, at most half of Airflow's time limit.
    :param scenario_id: the id of a scenario (a call flow) of the account, which runs after the message. The
        scenario can ask the person to press a phone key. If the service rejects the scenario, the call only
        speaks the message. None: the call ends after the message.
    :param acknowledged_by: the mark that acknowledges the alert, or a list of marks. A mark is
        ``operation:<name>`` (a step of the scenario, such as the step that follows a phone key) or
        ``tag:<id>``. Needs ``scenario_id`` and the Data API. None: an answer acknowledges the alert.
    :param report_timeout: how many seconds after the end of a call the notifier waits for the Data API's
        report, 30 by default. Without a report, the notifier calls the next contact. Has no effect without
        ``acknowledged_by``.
    :raises InvalidParameter: a value in the DAG file is not allowed. The error names the parameter, and
        contains no complete phone number. While the alert is due, the log shows such an error instead.
    """

    template_fields: Sequence[str] = (
        "contact",
        "region",
        "virtual_phone_number",
        "message",
        "callapi_conn_id",
        "external_id",
        "dialing_timeout",
    )
    # A text is spoken even with a gap. But alerts with an id such as `None` would silence each other.
    fields_with_gaps = frozenset(template_fields) - {"external_id"}

    _is_rendered = False  # whether the templates are rendered; Airflow calls a copy of the notifier

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        # Without this check, Python's error about a required parameter hides its misspelt name. If the alert
        # is due (Airflow passes the context), a mistake must not prevent the alert. The constructor of an
        # author's subclass may take other names.
        is_checked = "context" not in kwargs and cls.__init__ is CallApiNotifier.__init__
        if is_checked and (unknown := describe_unknown(cls, kwargs)):
            raise TypeError(unknown)
        return super().__new__(cls)

    def __init__(
        self,
        *,
        contact: str | Sequence[str],
        virtual_phone_number: str,
        region: str = "RU",
        message: str | dict[str, Any] | None = None,
        callapi_conn_id: str = "callapi_default",
        external_id: str | None = None,
        quiet_for: timedelta | float = DEFAULT_QUIET_FOR,
        dialing_timeout: int | str | None = None,
        settle: float = DEFAULT_SETTLE,
        scenario_id: int | str | None = None,
        acknowledged_by: str | Sequence[str] | None = None,
        report_timeout: float = DEFAULT_REPORT_TIMEOUT,
        **kwargs: Any,  # context, from Airflow 3.1 on
    ) -> None:
        if "context" not in kwargs and (unknown := describe_unknown(CallApiNotifier, kwargs)):
            raise TypeError(unknown)  # the constructor of a subclass has passed on a misspelt name
        super().__init__(**kwargs)
        self.contact = contact
        self.virtual_phone_number = virtual_phone_number
        self.region = region
        self.message = message
        self.callapi_conn_id = callapi_conn_id
        self.external_id = external_id
        self.quiet_for = quiet_for
        self.dialing_timeout = dialing_timeout
        self.settle = settle
        self.scenario_id = scenario_id
        self.acknowledged_by = acknowledged_by
        self.report_timeout = report_timeout
        # Airflow passes the context if the alert is due. Then a mistake must not prevent the alert. Airflow
        # makes the notifier of a deadline only then, so no one may have seen the mistake before.
        if "context" not in kwargs:
            try:
                self._check_constants()
            except InvalidParameter as error:
                # Of an error of the DAG file, Airflow shows only the last two frames of the traceback. The
                # frame before this one is the line of the DAG file.
                raise InvalidParameter(str(error)) from None

    def _check_constants(self) -> None:
        """Check the parameters whose values contain no template.

        :raises InvalidParameter: a value cannot be used.
        """
        refuse_ignored_attributes(self, ())
        read_parameters(
            {**ALERT_PARAMETERS, **OPTIONAL_PARAMETERS}, vars(self), not_rendered=self.template_fields
        )
        read_acknowledgement(self.acknowledged_by, self.scenario_id)
        # Not the message: a function may insert an exception's text, and the alert must ring.
        refuse_single_braces(vars(self), ["external_id"])
        if not is_template(self.region):
            region = read_region(str(self.region))  # a number is a text, too, but no region
            check_virtual_number(self.virtual_phone_number, region)
            check_external_id(self.external_id, self.contact, region)
            check_contacts(self.contact, region)

    def __call__(self, *args: Any) -> None:
        """Call the contacts. Airflow uses this method for a synchronous callback.

        The method works on copies of the notifier and the context, because Airflow changes both when it
        renders templates, and several tasks share one notifier.
        """
        arguments = [copy.copy(arg) for arg in args]
        with log_instead_of_raising(args[0] if args else {}, self.log):
            super(CallApiNotifier, self._copy_to_render()).__call__(*arguments)

    def __await__(self) -> Generator[Any, None, None]:
        """Call the contacts. Airflow's triggerer uses this method for an asynchronous callback.

        The method works on copies of the notifier and the context, because Airflow changes both when it
        renders templates, and several tasks share one notifier.
        """
        return self._render_and_notify(self.context).__await__()

    def notify(self, context: Context) -> None:
        """Call one contact after another, until one acknowledges the alert or the last call is placed.

        By default, an answer acknowledges the alert. The method waits for it after each call except the last
        one, and blocks the process in this time. Airflow uses this method for a synchronous callback.

        :param context: the context of Airflow's callback, e.g. of the failed task.
        """
        if not self._is_rendered:  # an author's function calls this method, and Airflow has rendered nothing
            self(context)
            return
        run_without_loop(ring(self._options, context, InProcess(), self.log))

    async def async_notify(self, context: Context) -> None:
        """Call one contact after another, until one acknowledges the alert or the last call is placed.

        By default, an answer acknowledges the alert. Airflow's triggerer uses this method. The method waits
        without blocking the event loop.

        :param context: the context of Airflow's callback, e.g. of a missed deadline.
        """
        if not self._is_rendered:
            await self._render_and_notify(context)
            return
        await ring(self._options, context, InTriggerer(), self.log)

    def render_template_fields(self, context: Context, jinja_env: Any = None) -> None:
        """Render the notifier's template fields.

        The fields ``message``, ``external_id``, ``dialing_timeout`` and ``region`` are optional. If an
        optional field cannot be rendered, log the error and set the field to None, because the alert must
        ring nevertheless. For the same reason, if an entry of a list of contacts cannot be rendered, leave
        out the entry.
        """
        context = with_accessors(context)
        optional = {name: getattr(self, name) for name in self.template_fields if name in FALLBACKS}
        contact = self.contact
        for name in (*optional, "contact"):  # these are rendered below, one by one
            setattr(self, name, None)
        super().render_template_fields(context, jinja_env)
        environment = jinja_env or self.get_template_env(dag=context.get("dag"))
        render = partial(self._render_value, context=context, jinja_env=environment)
        self.contact = render_contacts(contact, partial(render, "contact"), self.log)
        rendered = render_optional(optional, render, self.log)
        for name, value in rendered.items():
            setattr(self, name, value)
        self._is_rendered = True

    def get_template_env(self, dag: Any = None) -> Any:
        """Return the DAG's template environment, or a default environment if the DAG has none.

        A serialized DAG has no template environment, and ``dag.test()`` passes a serialized DAG to the DAG's
        callback.
        """
        return super().get_template_env(dag if hasattr(dag, "get_template_env") else None)

    async def _render_and_notify(self, context: Context) -> None:
        due, context = self._copy_to_render(), copy.copy(context)
        with log_instead_of_raising(context, self.log):
            due.render_template_fields(context)
            await due.async_notify(context)

    def _copy_to_render(self) -> Self:
        """Return a copy whose templates are rendered next, perhaps by a subclass in its own way."""
        due = copy.copy(self)
        due._is_rendered = True
        return due

    @property
    def _options(self) -> AlertOptions:
        # The text of an exception may contain a lone surrogate, which cannot be sent. The alert must ring.
        names = CallApiNotifier.template_fields  # a subclass may have more or fewer
        rendered = {name: replace_lone_surrogates(getattr(self, name)) for name in names}
        return read_options({**vars(self), **rendered}, self.log)
