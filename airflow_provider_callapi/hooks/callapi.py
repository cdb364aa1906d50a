"""The Airflow hook that sends requests to the Call API and the Data API."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self, TypeVar, get_args

from airflow.providers.common.compat.connection import get_async_connection
from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.client import Client
from airflow_provider_callapi.api.methods import StartCall, request_by_name
from airflow_provider_callapi.api.models import Limits
from airflow_provider_callapi.api.request import Request
from airflow_provider_callapi.api.retrying_client import MAX_LIMIT_WAIT, MAX_SENDS, RetryingClient
from airflow_provider_callapi.api.values.masking import mask_number
from airflow_provider_callapi.api.values.value_kinds import kind_of
from airflow_provider_callapi.calls.account_reports import AccountReports
from airflow_provider_callapi.calls.phone_numbers.comparison import SHOWN_NUMBER
from airflow_provider_callapi.calls.phone_numbers.request_numbers import shows_number
from airflow_provider_callapi.calls.reports.report_refusals import Refusals
from airflow_provider_callapi.calls.reports.report_requests import ReportRequests
from airflow_provider_callapi.calls.single_call.call_gateway import CallGateway
from airflow_provider_callapi.calls.single_call.placing import (
    AnswerNotStored,
    Delivery,
    Unresolved,
    place,
)
from airflow_provider_callapi.calls.watching.answer_witness import AnswerWitness
from airflow_provider_callapi.calls.watching.poll_interval import POLL_INTERVAL
from airflow_provider_callapi.calls.watching.snapshot import Snapshot
from airflow_provider_callapi.calls.watching.watch import WAIT_ENDS_IN, Phase, SessionWatch, Until
from airflow_provider_callapi.calls.watching.witness_source import WitnessSource
from airflow_provider_callapi.connection.account_zone import fetch_timezone
from airflow_provider_callapi.connection.check import check_connection
from airflow_provider_callapi.connection.clients import make_client
from airflow_provider_callapi.connection.settings import CONN_TYPE, ConnectionSettings, read_settings
from airflow_provider_callapi.exceptions import (
    CallApiFailure,
    CallApiTrouble,
    ConnectionSettingsInvalid,
    InvalidParameter,
    translate_errors,
    unresolved_call,
)
from airflow_provider_callapi.hooks.polls import Polls
from airflow_provider_callapi.parameters.kind import choice, count
from airflow_provider_callapi.parameters.kinds import INTERVAL, SECONDS, SECONDS_OR_ZERO, TEXT
from airflow_provider_callapi.parameters.schema import nothing_sent, read_parameter

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

R = TypeVar("R")


class CallApiHook(BaseHook):
    """Send requests to the Call API and the Data API through an Airflow connection of type ``callapi``.

    .. code-block:: python

        with CallApiHook() as hook:
            for session in hook.call(ListCalls()):
                print(session.call_session_id)

    :param callapi_conn_id: id of the Airflow connection.
    :param max_limit_wait: how many seconds one request waits in total for new points (rate-limit units); 120
        by default. If a longer wait is needed, the hook raises `LimitExceeded`. Its ``retry_after`` is the
        number of seconds until new points come.
    :param max_sends: how often the hook sends a failing request at most, 5 by default. 1: no repeats. Sends
        after a wait for points do not count.
    :raises InvalidParameter: the value of a parameter is not allowed.
    """

    conn_name_attr = "callapi_conn_id"
    default_conn_name = "callapi_default"
    conn_type = CONN_TYPE
    hook_name = "CoMagic / UIS Call API"

    def __init__(
        self,
        callapi_conn_id: str = default_conn_name,
        *,
        max_limit_wait: float = MAX_LIMIT_WAIT,
        max_sends: int = MAX_SENDS,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.callapi_conn_id = read_parameter("callapi_conn_id", callapi_conn_id, TEXT)
        self.max_limit_wait = read_parameter("max_limit_wait", max_limit_wait, SECONDS_OR_ZERO)
        self.max_sends = read_parameter("max_sends", max_sends, count())
        self.report_refusals = Refusals()
        self._deprecation_logged = False

    @classmethod
    async def aget_connection(cls, conn_id: str) -> Connection:
        """Return the Airflow connection with the id ``conn_id``, without blocking the event loop.

        The hook defines this method because the hook's base class in Airflow 3.0 lacks the method.
        """
        return await get_async_connection(conn_id)

    def get_conn(self) -> Client:
        """Return a Call API client that does not repeat a failed request.

        Exception: if the service refuses a temporary token, the client logs in again and repeats the request.
        For safe repeats, use `CallApiHook.call`.
        """
        return self.call_api.client

    @cached_property
    def settings(self) -> ConnectionSettings:
        """The settings in the hook's Airflow connection, checked and converted.

        The hook reads the connection at the first use of this property, and then keeps the settings. If a
        service refuses the password or key, the hook takes the one that the connection has then.

        :raises ConnectionSettingsInvalid: the type of the connection is not ``callapi``, or a field of the
            connection is invalid. The error message names the connection and the field.
        """
        return self._read_settings()

    def _read_settings(self) -> ConnectionSettings:
        return read_settings(self.get_connection(self.callapi_conn_id))

    def _read_settings_again(self) -> ConnectionSettings:
        """Read the connection again, because a service has refused the password or key."""
        settings = self._read_settings()
        if settings.renews(self.settings):
            self.settings = settings  # also for a release of calls, which uses a client of its own
        return settings

    @cached_property
    def call_api(self) -> RetryingClient:
        """A Call API client that sends a failed request again if the repeat is safe.

        A repeat is safe if the service did not carry out the request, or if a second execution does no harm.
        """
        return self._retrying_client(make_client(self.settings, read_again=self._read_settings_again))

    @cached_property
    def data_api(self) -> RetryingClient:
        """A Data API client that sends a failed request again if the repeat is safe.

        A repeat is safe if the service did not carry out the request, or if a second execution does no harm.
        The Data API and the Call API have separate logins and separate rate limits.

        :raises ConnectionSettingsInvalid: the connection does not use the Data API, or its settings are
            invalid.
        """
        if self.settings.data_api_url is None:
            raise ConnectionSettingsInvalid(
                f"connection {self.callapi_conn_id} does not use the Data API; tick Use the Data API "
                "(extra.data_api)"
            )
        client = make_client(self.settings, service="data_api", read_again=self._read_settings_again)
        return self._retrying_client(client)

    @cached_property
    def timezone(self) -> str:
        """IANA name of the account's time zone, such as ``Asia/Omsk``. The services give times in this zone.

        The value is the first known zone of these:

        - the zone in the Airflow connection;
        - the zone that the Data API returns, if the connection uses the Data API;
        - ``Europe/Moscow``, e.g. if the Data API refuses the request.

        :raises CallApiError: the Data API does not answer now. A later request may succeed.
        """
        zone = self.settings.timezone
        return fetch_timezone(self.data_api.call, self.log.warning) if zone is None else zone

    @cached_property
    def reports(self) -> AccountReports:
        """An object that finds the Data API's reports of the account's calls, see `AccountReports`.

        :raises ConnectionSettingsInvalid: the connection does not use the Data API.
        """
        period_timezone, account_timezone = self.settings.period_timezone, lambda: self.timezone
        requests = ReportRequests(self.data_api, self.report_refusals, period_timezone, account_timezone)
        return AccountReports(requests, account_timezone, clock=system_clock.now, sleep=system_clock.sleep)

    @property
    def has_data_api(self) -> bool:
        """True if the Airflow connection uses the Data API, otherwise False."""
        return self.settings.data_api_url is not None

    @property
    def limits(self) -> Limits | None:
        """The rate limits of the Call API and what is left of them, according to the newest answer.

        None: no answer so far contains limits.
        """
        return self.call_api.client.limits

    def call(self, request: Request[R], *, before_each_send: Callable[[], object] = lambda: None) -> R:
        """Send a request to the Call API and return the answer.

        After an error, the hook sends the request again if the repeat is safe. A repeat is safe if the
        service did not carry out the request, or if a second execution does no harm.

        :param request: for example ``ListCalls()``.
        :param before_each_send: a function without arguments that the hook calls before each send. If the
            function raises an exception, the hook does not send the request, and raises the exception.
        :return: the answer. Its type depends on the request: ``ListCalls()`` gives a list of `CallSession`.
        :raises CallApiError: the last send failed.
        :raises InvalidParameter: ``request`` is no request.
        """
        _check_type("request", request, Request, "a request, such as ListCalls()")
        answer = self.call_api.call(request, before_each_send=before_each_send)
        version = self.call_api.client.api_version
        if version is not None and version.deprecated and not self._deprecation_logged:
            self._deprecation_logged = True
            self.log.warning(
                "Version %s of the Call API will be withdrawn; set extra.api_version of connection %s to %s",
                version.current_version,
                self.callapi_conn_id,
                version.latest_version,
            )
        return answer

    def place_call(
        self,
        request: StartCall,
        context: Mapping[str, Any],
        *,
        appear_timeout: float = 60.0,
        delivery: Delivery = "at_most_once",
    ) -> dict[str, Any]:
        """Place one call, but only once in all tries of the running task. Return the call as a dict.

        Use this method in the function of a task that Airflow may retry. If an earlier try has placed the
        call, a retry returns this call. A call is unconfirmed if its start request got no answer: the call
        may have been placed. The method searches for an unconfirmed call.

        - A retry recognises a call by the person and the content of the request. In a retry, the content may
          differ, for example because it contains the time. The method then returns the first of the person's
          earlier calls that it has not returned in this retry. Only if there is none, it places a new call.
        - Two requests with exactly the same content in one try place one call.
        - After a user has cleared the task, the method places the calls again.

        .. code-block:: python

            @task(retries=3)
            def call_back(contact, **context):
                with CallApiHook() as hook:
                    return hook.place_call(StartInformerCall(contact=contact, ...), context)

        :param request: the start request of the call.
        :param context: Airflow's context of the running task.
        :param appear_timeout: how many seconds the method searches for an unconfirmed call in ``list.calls``,
            60 by default. Choose a time within which the service lists each placed call.
        :param delivery: what to do if the search does not find an unconfirmed call. ``at_most_once``, the
            default: raise `CallUnresolved`. ``at_least_once``: place a second call, although the first call
            may have rung.
        :return: the same dict that a start operator returns, e.g. with ``call_session_id``.
        :raises CallUnresolved: the search did not find the unconfirmed call. Airflow does not retry the task.
        :raises CallUnresolvedForNow: with ``at_least_once``, the second call is unconfirmed too. Airflow
            retries the task, and the retry may place another call.
        :raises CallApiTrouble: the call was placed, but its session id could not be stored. A retry searches
            for the call.
        :raises CallApiFailure: the start request was not sent or was refused, and a retry would fail too.
            Example: the task has retries, but Airflow is older than 3.3.
        :raises CallApiFailure: an earlier try has sent the start request through another connection.
        :raises CallApiError: the call was not placed, or the search failed. A retry may help.
        """
        from airflow_provider_callapi.hooks.journal_in_task import open_journal  # noqa: PLC0415 - parse time

        with nothing_sent("This use of place_call placed no call"):
            _check_start(request)
            if not isinstance(context, Mapping) or not {"ti", "task"} <= context.keys():
                raise InvalidParameter(
                    "context: Airflow's context of the running task is needed, which get_current_context() "
                    f"returns; the value is {kind_of(context)}"
                )
            seconds = read_parameter("appear_timeout", appear_timeout, SECONDS)
            read_parameter("delivery", delivery, choice(get_args(Delivery)))
        description = f"{request.method} to {mask_number(request.contact)}"
        conn_id = self.callapi_conn_id
        with translate_errors(), open_journal(request, context, connection=conn_id) as journal:
            may_dial_again = delivery == "at_least_once"
            conflict = journal.connection_conflict(journal.next_step(request), dials_again=may_dial_again)
            if conflict is not None:
                raise CallApiFailure(conflict)
            gateway = self.call_gateway(
                lambda text: self.log.info("%s: %s", description, text),
                warn=lambda text: self.log.warning("%s: %s", description, text),
            )
            try:
                call = place(journal, request, gateway, appear_timeout=seconds, if_not_found=delivery)
            except Unresolved as error:
                raise unresolved_call(error, may_dial_again=may_dial_again) from error
            except AnswerNotStored as error:
                raise CallApiTrouble(str(error)) from error
            journal.mark_done(call)
        return call.to_xcom()

    def call_gateway(
        self,
        log: Callable[[str], None],
        *,
        warn: Callable[[str], None] | None = None,
        poll_interval: float = POLL_INTERVAL,
        report_timeout: float = 0.0,
    ) -> CallGateway:
        """Return the functions that `calls.single_call.placing.place` needs, as one object.

        :param log: a function that writes a line to the task's log.
        :param warn: a function that writes a warning to the task's log. None: ``log`` writes the warnings.
        :param poll_interval: seconds between two polls of the search for an unconfirmed call.
        :param report_timeout: seconds that the search waits for the Data API's report of the call.
        :raises InvalidParameter: ``poll_interval`` is not allowed.
        """
        poll_interval = read_parameter("poll_interval", poll_interval, INTERVAL)
        return CallGateway(
            send=lambda request, before_each_send: self.call(request, before_each_send=before_each_send),
            poll_snapshots=lambda: self.poll_snapshots(poll_interval),
            find_reported_call=(
                partial(self.reports.find_call, timeout=report_timeout) if self.has_data_api else None
            ),
            reported_calls=self.reports.since if self.has_data_api else None,
            timezone=lambda: self.timezone,
            clock=system_clock.now,
            log=log,
            warn=warn or log,
        )

    def call_method(self, name: str, params: Mapping[str, Any] | None = None) -> Any:
        """Send a request for any Call API method, even for a method that this package does not define.

        :param name: the name of the method, e.g. ``list.calls``.
        :param params: the method's parameters without ``access_token``. None: the method has no parameters.
        :return: the field ``result.data`` of the answer. The hook does not check the data.
        :raises InvalidParameters: ``params`` is no dict whose keys are texts.
        :raises CallApiError: the request failed.
        """
        return self.call(request_by_name(name, {} if params is None else params))

    def take_snapshot(self, awaited: Collection[int] = (), *, time_limit: float = math.inf) -> Snapshot:
        """Poll the active calls once, and return the snapshot: the active calls, or the failure of the poll.

        If the poll fails, the method logs a warning and raises no error. If the connection uses the Data API,
        the snapshot also states which ``awaited`` calls the Data API shows as answered.

        :param awaited: the session ids of the calls for whose answer your code waits.
        :param time_limit: how many seconds the poll may take. With ten seconds or less, the hook does not ask
            the Data API.
        """
        return self._polls.take_snapshot(awaited, time_limit=time_limit)

    @property
    def answer_witness(self) -> AnswerWitness | None:
        """The object that asks the Data API which contacts have picked up.

        None: the connection does not use the Data API.
        """
        return self._polls.answer_witness

    def poll_snapshots(
        self,
        poll_interval: float,
        *,
        awaited: Callable[[], Collection[int]] = tuple,
        until: float = math.inf,
    ) -> Iterator[Snapshot]:
        """Poll the active calls in an endless loop, and yield the result of each poll as a snapshot.

        :param poll_interval: seconds to sleep between two polls. If a rate limit refuses a poll, the hook
            sleeps longer.
        :param awaited: a function that returns the session ids of the calls for whose answer your code waits.
            Each poll uses it, see `take_snapshot`.
        :param until: when your code wants to leave the loop, epoch seconds. The hook does not end the loop.
            But it sleeps no longer than until this time, and a poll ends at most ten seconds later.
        :raises InvalidParameter: ``poll_interval`` is not allowed.
        """
        poll_interval = read_parameter("poll_interval", poll_interval, INTERVAL)
        return self._polls.poll_snapshots(poll_interval, awaited=awaited, until=until)

    def watch_session(
        self,
        watch: SessionWatch,
        *,
        until: Until,
        poll_interval: float,
        after_each_poll: Callable[[], object] = lambda: None,
    ) -> Phase:
        """Poll the active calls until one call is answered or has ended, or until the watch's deadline.

        :param watch: the object that collects what the polls show of the call. The method updates the object
            after each poll. The wait ends at most ten seconds after the object's deadline.
        :param until: what to wait for: ``answered`` or ``ended``. Both waits end when the call ends.
        :param poll_interval: seconds between two polls.
        :param after_each_poll: a function without arguments that the hook calls after each poll. If the
            function raises an exception, the hook ends the wait, and raises the exception.
        :return: the last phase of the call, e.g. answered, ended or timed out.
        :raises CallApiError: a poll failed with a permanent error, or too many consecutive polls failed.
        :raises InvalidParameter: ``watch``, ``until`` or ``poll_interval`` is not allowed.
        """
        _check_type("watch", watch, SessionWatch, "a SessionWatch of the call")
        read_parameter("until", until, choice(tuple(WAIT_ENDS_IN)))
        poll_interval = read_parameter("poll_interval", poll_interval, INTERVAL)
        return self._polls.watch_session(
            watch,
            until=until,
            poll_interval=poll_interval,
            shared_name=self.settings.account_digest,
            after_each_poll=after_each_poll,
        )

    def observe(self, watch: SessionWatch, snapshot: Snapshot) -> Phase:
        """Update the watch of a call with a snapshot, and return the call's phase, such as answered or ended.

        If the snapshot no longer shows the call, the hook also asks the Data API whether the call has ended.

        :param watch: the object that collects what the snapshots have shown of the call.
        :param snapshot: the result of the newest poll.
        :raises CallApiError: the poll failed with a permanent error, or too many consecutive polls failed.
        """
        return self._polls.observe(watch, snapshot)

    def logout(self) -> None:
        """Log out from the Call API, if the hook has logged in. The logout costs one point.

        If the connection contains a permanent access key, the method does nothing, and the key stays valid.

        :raises CallApiError: the logout failed.
        """
        self.get_conn().log_out()

    def test_connection(self) -> tuple[bool, str]:
        """Test the Airflow connection. The test places no call.

        If the connection uses the Data API, the method also tests the Data API and reads the account's time
        zone.

        :return: a pair: whether the connection works, and a text for the user. If the test failed, the text
            also states what the user should do.
        """
        return check_connection(lambda: self.settings)

    def close(self) -> None:
        """Close the HTTP connections to both APIs.

        The hook stays logged in. A logout would cost a point, and a token expires anyway.
        """
        for name in ("call_api", "data_api"):
            if name in self.__dict__:
                self.__dict__[name].client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @cached_property
    def _polls(self) -> Polls:
        data_api = None
        if self.has_data_api:
            data_api = WitnessSource(
                self.data_api.client,
                self.settings.period_timezone,
                lambda: self.timezone,
                self.log.warning,
                self.report_refusals,
            )
        return Polls(
            self.get_conn(), data_api, warn=self.log.warning, clock=system_clock.now, sleep=system_clock.sleep
        )

    def _retrying_client(self, client: Client) -> RetryingClient:
        return RetryingClient(
            client, sleep=system_clock.sleep, max_limit_wait=self.max_limit_wait, max_sends=self.max_sends
        )


def _check_start(request: StartCall) -> None:
    """Check the ``request`` of `CallApiHook.place_call`.

    :raises InvalidParameter: not a start request, or the ``external_id`` contains a person's number.
    """
    _check_type("request", request, StartCall, "a start request, such as StartInformerCall(…)")
    if shows_number(request):
        raise InvalidParameter(f"external_id: {SHOWN_NUMBER}")


def _check_type(name: str, value: Any, needed: type, in_words: str) -> None:
    """Check the type of a method's parameter. The error message contains the type in words.

    :raises InvalidParameter: the value has another type.
    """
    if not isinstance(value, needed):
        raise InvalidParameter(f"{name}: {in_words} is needed; the value is {kind_of(value)}")
