"""Airflow operators that control active calls: one operator for each control method of the Call API.

:param call_session_id: the call: a session id, or the dict that a start operator or the sensor returned, e.g.
    ``start.output``. The parameter can be mapped. The two operators that list active calls or talk options
    have no such parameter.
:param callapi_conn_id: id of the Airflow connection, ``callapi_default`` by default. May contain a template.

If the call already has the requested state, e.g. its recording is already on, the task succeeds.

Some requests must not be sent twice, e.g. because they ring a phone or play a sound:

- If the answer is missing and the service may have carried out the request, the task fails without retries.
- If the task's process was killed before the answer, the next try sends nothing and fails.
- If a user clears the task, the next try sends the request once more.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_callapi.api import methods
from airflow_provider_callapi.api.data_api import SetTagCommunications
from airflow_provider_callapi.api.errors import CallNotFound
from airflow_provider_callapi.api.models import Done
from airflow_provider_callapi.api.request import Repeat
from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.external_ids import has_another_id
from airflow_provider_callapi.calls.texts.count_texts import count_text
from airflow_provider_callapi.exceptions import CallApiFailure, CallApiTrouble, translate_errors
from airflow_provider_callapi.operators._request_operator import RequestOperator
from airflow_provider_callapi.operators._requests import Message, SessionRef, explained, read_call
from airflow_provider_callapi.operators._single_request import send_once
from airflow_provider_callapi.parameters.kinds import FLAG, SECONDS_OR_ZERO
from airflow_provider_callapi.parameters.schema import Schema, nothing_sent
from airflow_provider_callapi.task_context.facts import TaskFacts, refuse_another_task

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class _ControlOperator(RequestOperator):
    """Base of the operators that send one Call API request in each try of the task, e.g. ``hold.call``."""

    ui_color = "#dbe7f5"

    def __init__(self, *, callapi_conn_id: str = "callapi_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.callapi_conn_id = callapi_conn_id

    def make_request(self) -> Any:
        """Return the API request with the values of the operator's attributes.

        :raises CallApiFailure: a value cannot be used.
        """
        with nothing_sent("Nothing was sent"):
            return super().make_request()

    def send(self, request: Any) -> Any:
        """Send the request to the Call API, and return the service's answer.

        :raises CallApiFailure: the service refuses the request.
        """
        with translate_errors(), self.hook as hook:
            if isinstance(request, methods.SessionRequest):
                with explained(request):
                    return hook.call(request)
            return hook.call(request)


class _SessionOperator(_ControlOperator):
    """Base of the operators that send a request about one active call."""

    def __init__(self, *, call_session_id: SessionRef, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.call_session_id = call_session_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Send the request, and return the result for XCom.

        :raises CallUnresolved: the request must not be sent twice, and may have been carried out.
        """
        request = self.make_request()
        # Before Airflow 3.3, every retry of a request that must not be sent twice fails.
        done: Done = (
            self._send_once(request, context) if request.repeat is Repeat.NEVER else self.send(request)
        )
        verdict = "already in effect" if done.already else "done"
        self.log.info("%s %s, call session %s", self.describe(request), verdict, request.call_session_id)
        # already: the call had the requested state before the request, e.g. its recording was on.
        return {"call_session_id": request.call_session_id, "already": done.already}

    def describe(self, request: Any) -> str:
        """Return what the log says of a request: its method, and what else a reader needs."""
        return str(request.method)

    def _send_once(self, request: Any, context: Context) -> Done:
        refuse_another_task(context, self)  # fails in a `@task` function that executes the operator
        self.refuse_second_request(context, request)
        facts = TaskFacts.of(context, execution_timeout=self.execution_timeout)
        with self.hook as hook:
            return send_once(request, facts, hook)


class CallApiTagCallOperator(_SessionOperator):
    """Add a tag to an active call (``tag.call``), or to an ended call through the Data API.

    If the call already has the tag, the task succeeds. Without the Data API, the task fails for an ended
    call, without retries.

    :param call_session_id: the session id of the call, or the dict that a start operator or the sensor
        returned. With the dict, the task tags no ended call that has another ``external_id``.
    :param tag_id: the id of the tag in the account.
    :param report_timeout: how many seconds the task waits for the Data API's report of an ended call. Without
        the report, the task fails, and a retry may succeed.
    """

    request_type = methods.TagCall
    kinds: ClassVar[Schema] = {**RequestOperator.kinds, "report_timeout": SECONDS_OR_ZERO}

    def __init__(self, *, tag_id: int | str, report_timeout: float = 120.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tag_id = tag_id
        self.report_timeout = report_timeout

    def describe(self, request: Any) -> str:
        return f"{request.method} (tag {request.tag_id})"

    def send(self, request: methods.TagCall) -> Done:
        """Tag an active call through the Call API, or an ended call through the Data API.

        :return: the answer of the service that tagged the call.
        :raises CallApiFailure: the service refuses the request.
        :raises CallApiFailure: the call has ended, and the connection does not use the Data API.
        :raises CallApiFailure: the Data API's report has another ``external_id`` than the call.
        :raises CallApiTrouble: the Data API has not reported the ended call within ``report_timeout``, or the
            report has no ``communication_id``.
        :raises CallApiError: the request failed for another reason. A retry may succeed.
        """
        report_timeout = self.read_parameters()["report_timeout"]
        with translate_errors(), self.hook as hook:
            try:
                return hook.call(request)
            except CallNotFound as error:
                if not hook.has_data_api:
                    raise CallApiFailure(
                        f"{error}. The call has ended, and only the Data API tags an ended call: set "
                        f"extra.data_api of connection {self.callapi_conn_id} to true"
                    ) from error
                self.log.info(
                    "Call session %s is not active: waiting up to %g s for its report, to tag the ended call",
                    request.call_session_id,
                    report_timeout,
                )
                report = hook.reports.wait_for(request.call_session_id, timeout=report_timeout)
                if report is None or report.communication_id is None:
                    missing = "report" if report is None else "communication_id"
                    raise CallApiTrouble(
                        f"{error}. The call has ended or never existed: the Data API has no {missing} of "
                        f"call session {request.call_session_id} after report_timeout ({report_timeout:g} s)"
                    ) from error
                if has_another_id(report, read_call(self.call_session_id).external_id):
                    raise CallApiFailure(
                        f"{error}. The Data API reports call session {request.call_session_id} with another "
                        "external_id, so the report belongs to another call, and nothing was tagged. Check "
                        f"that both services of connection {self.callapi_conn_id} use the same account"
                    ) from error
                self.log.info("Call session %s has ended: the Data API sets the tag", request.call_session_id)
                return hook.data_api.call(
                    SetTagCommunications(communication_id=report.communication_id, tag_id=request.tag_id)
                )


class CallApiReleaseCallOperator(_SessionOperator):
    """End a call (``release.call``). If the call has already ended, the task succeeds.

    Use the connection of the account that placed the call. With the connection of another account, the
    service answers that the call has ended. The task then succeeds, although the call stays active.

    :param call_session_id: the session id of the call, or the dict of the call that a start operator or the
        sensor returned.
    """

    request_type = methods.ReleaseCall


class CallApiHoldCallOperator(_SessionOperator):
    """Put the contact of a call on hold (``hold.call``).

    :param call_session_id: the session id of a call in which the contact and the employee talk; or the dict
        of this call that a start operator or the sensor returned.
    :param contact_message: the message that the contact hears.
    """

    request_type = methods.HoldCall

    def __init__(self, *, contact_message: Message, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.contact_message = contact_message


class CallApiUnholdCallOperator(_SessionOperator):
    """Take the contact off hold: the contact and the employee talk again (``unhold.call``).

    :param call_session_id: the session id of a call whose contact is on hold; or the dict of this call that
        a start operator or the sensor returned.
    """

    request_type = methods.UnholdCall


class CallApiMakeCallOperator(_SessionOperator):
    """Call a third party for the employee while the contact is on hold (``make.call``).

    The employee can then consult the third party, or transfer the contact to the third party.

    :param call_session_id: the session id of the call, or the dict that a start operator or the sensor
        returned.
    :param to: the third party's phone number, extension or SIP number.
    :param to_message: the message that the third party hears first.
    :param region: ISO 3166 code of the country of phone numbers without a country code.
    """

    request_type = methods.MakeCall
    also_templated = ("region",)

    def __init__(
        self, *, to: str, to_message: Message | None = None, region: str = "RU", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.to = to
        self.to_message = to_message
        self.region = region


class CallApiTransferTalkOperator(_SessionOperator):
    """Connect the contact with a third party, and disconnect the employee (``transfer.talk``).

    :param call_session_id: the session id of a call in which `CallApiMakeCallOperator` has called the third
        party; or the dict of this call that a start operator or the sensor returned.
    """

    request_type = methods.TransferTalk


class CallApiRestoreTalkOperator(_SessionOperator):
    """Connect the employee with the contact again, and disconnect the third party (``restore.talk``).

    :param call_session_id: the session id of a call in which `CallApiMakeCallOperator` has called the third
        party; or the dict of this call that a start operator or the sensor returned.
    """

    request_type = methods.RestoreTalk


class CallApiAddCoachOperator(_SessionOperator):
    """Call a coach, who joins the talk of an employee with a contact (``add.coach``).

    :param call_session_id: the session id of the call, or the dict that a start operator or the sensor
        returned.
    :param phone_number: the coach's number. None: the number in the employee's settings in the account.
    :param region: ISO 3166 code of the country of phone numbers without a country code.
    """

    request_type = methods.AddCoach
    also_templated = ("region",)

    def __init__(self, *, phone_number: str | None = None, region: str = "RU", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.region = region
        self.phone_number = phone_number


class CallApiRecordCallOperator(_SessionOperator):
    """Switch the recording of a talk on or off (``record.call``).

    If the recording already has the requested state, the task succeeds.

    :param call_session_id: the session id of the call, or the dict of the call that a start operator or the
        sensor returned.
    :param action: ``on`` or ``off``.
    """

    request_type = methods.RecordCall

    def __init__(self, *, action: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.action = action


class CallApiDisconnectLegOperator(_SessionOperator):
    """Disconnect one participant of a call (``disconnect.leg``).

    If the participant is the contact, the call ends.

    :param call_session_id: the session id of the call, or the dict of the call that a start operator or the
        sensor returned.
    :param leg_id: the id of the participant's leg, as ``list.calls`` returns it.
    """

    request_type = methods.DisconnectLeg

    def __init__(self, *, leg_id: int | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.leg_id = leg_id


class CallApiSendDtmfOperator(_SessionOperator):
    """Send one DTMF (phone key) tone to the contact of a call (``send.dtmf``).

    :param call_session_id: the session id of the call, or the dict of the call that a start operator or the
        sensor returned.
    :param dtmf_string: the key: a digit, ``*`` or ``#``.
    """

    request_type = methods.SendDtmf

    def __init__(self, *, dtmf_string: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dtmf_string = dtmf_string


class CallApiBlockContactOperator(_SessionOperator):
    """Add the contact of an active call to the account's blacklist permanently (``block.contact``).

    :param call_session_id: the session id of the call, or the dict of the call that a start operator or the
        sensor returned.
    """

    request_type = methods.BlockContact


class CallApiCallTalkOptionOperator(_SessionOperator):
    """Start a talk option in an active call (``call.talk_option``).

    A talk option is an action that an employee starts with a phone button during a talk. A second start of
    some talk options undoes the first start.

    :param call_session_id: the session id of the call, or the dict that a start operator or the sensor
        returned.
    :param button: the button of the talk option, as `CallApiListTalkOptionsOperator` returns it.
    """

    request_type = methods.CallTalkOption

    def __init__(self, *, button: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.button = button


class CallApiListCallsOperator(_ControlOperator):
    """Return the active calls (``list.calls``) as a list of dicts with the service's own field names.

    :param direction: ``in`` for inbound calls, ``out`` for outbound calls. None: both.
    :param virtual_phone_number: return only the calls through this virtual number of the account, which must
        begin with 7. None: all virtual numbers.
    :param include_phone_numbers: True: return complete phone numbers of contacts and participants. False
        (default): shorten them (``7926…0001``), because everyone who can see the task can read its XCom.
    """

    request_type = methods.ListCalls
    kinds: ClassVar[Schema] = {**RequestOperator.kinds, "include_phone_numbers": FLAG}

    def __init__(
        self,
        *,
        direction: str | None = None,
        virtual_phone_number: str | None = None,
        include_phone_numbers: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.direction = direction
        self.virtual_phone_number = virtual_phone_number
        self.include_phone_numbers = include_phone_numbers

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Request the active calls from the service. Return a list with one dict per call."""
        include_phone_numbers = self.read_parameters()["include_phone_numbers"]
        sessions = self.send(self.make_request())
        if sessions.left_out:
            more = count_text(
                sessions.left_out,
                "more active call is left out: its",
                "more active calls are left out: their",
            )
            self.log.warning("%s session id cannot be read", more)
        calls: list[dict[str, Any]] = [session.model_dump(mode="json") for session in sessions]
        return calls if include_phone_numbers else _masked(calls)


_NOT_PERSONAL = frozenset({"virtual_phone_number", "external_id"})
"""The fields that `_masked` leaves unchanged: the account's own number and the author's own id."""


def _masked(value: Any, field: str = "") -> Any:
    """Return a copy of a JSON value in which phone numbers are shortened, e.g. ``7926…0001``.

    The account's own numbers, ``external_id`` and other ids stay unchanged.

    :param field: the name of the field with the value.
    """
    if isinstance(value, dict):
        return {
            mask_phones(name): inner if name in _NOT_PERSONAL else _masked(inner, name)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_masked(inner, field) for inner in value]
    if isinstance(value, str):
        return mask_phones(value)
    # A field that the vendor does not document may contain a phone number as a number.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or re.search(r"id_?s?$", field, re.IGNORECASE):
        return value
    digits = f"{value:.0f}"
    shown = mask_phones(digits)
    return value if shown == digits else shown


class CallApiListTalkOptionsOperator(_ControlOperator):
    """Return the account's talk options (``list.talk_options``) as a list of dicts.

    A talk option is an action that an employee starts with a phone button during a talk, such as a transfer.
    """

    request_type = methods.ListTalkOptions

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Return the account's talk options as a list of dicts."""
        return [option.model_dump(mode="json") for option in self.send(self.make_request())]
