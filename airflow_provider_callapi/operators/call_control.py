"""Control calls in progress: one Airflow operator for each method.

``call_session_id`` takes a number, a text, or the dict that a start operator or the sensor returned:
``call_session_id=start.output``, mapped or not.

An operator never repeats a request that rings a phone or plays a sound: if the answer is lost, the task fails
without retries. An operator succeeds if the call already has the requested state: a duplicate tag, a
recording that is already on, a call that has already ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_callapi.api import methods
from airflow_provider_callapi.api.data_api import SetTagCommunications
from airflow_provider_callapi.api.errors import CallApiError, CallNotFound, mask_phones
from airflow_provider_callapi.api.methods import Repeat
from airflow_provider_callapi.api.models import Done
from airflow_provider_callapi.exceptions import (
    CallApiFailure,
    CallApiTrouble,
    CallUnresolved,
    translate_errors,
)
from airflow_provider_callapi.operators._call.request_operator import Message, RequestOperator, SessionRef

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class _ControlOperator(RequestOperator):
    """Base of the operators that send one request in each try."""

    ui_color = "#dbe7f5"

    def send(self, request: Any) -> Any:
        """Return the request's answer.

        :raises CallUnresolved: the answer is lost, and a repeat could carry the request out twice.
        """
        with translate_errors(), self.hook as hook:
            try:
                return hook.call(request)
            except CallApiError as error:
                if not error.maybe_done or request.repeat is not Repeat.NEVER:
                    raise
                raise CallUnresolved(
                    f"{error}. The request may have been carried out. The task does not repeat it: a repeat "
                    "could carry it out twice. Check the call in the account, then clear or mark this task"
                ) from error


class _SessionOperator(_ControlOperator):
    """Base of the operators that control one active call.

    Returns ``{"call_session_id": int, "already": bool}``; ``already``: the call had the requested state
    before.
    """

    def __init__(self, *, call_session_id: SessionRef, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.call_session_id = call_session_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Send the request and return its answer."""
        request = self.make_request()
        done: Done = self.send(request)
        verdict = "already in effect" if done.already else "done"
        self.log.info("%s %s, call session %s", request.method, verdict, request.call_session_id)
        return {"call_session_id": request.call_session_id, "already": done.already}


class CallApiTagCallOperator(_SessionOperator):
    """Tag a call: an active call with ``tag.call``, an ended call through the Data API.

    A duplicate tag is a success. Without the Data API an ended call cannot be tagged, and the task fails
    without retries.

    :param call_session_id: the call.
    :param tag_id: the tag, as set up in the account.
    :param report_timeout: seconds to wait for the Data API's report of an ended call.
    """

    request_type = methods.TagCall

    def __init__(self, *, tag_id: int | str, report_timeout: float = 120.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tag_id = tag_id
        self.report_timeout = report_timeout

    def send(self, request: methods.TagCall) -> Done:
        """Return the answer of the Call API, or of the Data API for an ended call.

        :raises CallApiFailure: the call has ended, and the connection has no Data API.
        :raises CallApiTrouble: the call has ended, and the Data API has no report yet.
        """
        with translate_errors(), self.hook as hook:
            try:
                return hook.call(request)
            except CallNotFound as error:
                if not hook.has_data_api:
                    raise CallApiFailure(
                        f"{error}. The call has ended, and only the Data API tags an ended call: set "
                        f"extra.data_api of connection {self.callapi_conn_id} to true"
                    ) from error
                report = hook.await_report(request.call_session_id, timeout=self.report_timeout)
                if report is None or report.communication_id is None:
                    raise CallApiTrouble(
                        f"{error}, and the Data API has no report of the call yet"
                    ) from error
                return hook.data_api.call(
                    SetTagCommunications(communication_id=report.communication_id, tag_id=request.tag_id)
                )


class CallApiReleaseCallOperator(_SessionOperator):
    """End a call (``release.call``). A call that has already ended is a success.

    :param call_session_id: the call.
    """

    request_type = methods.ReleaseCall


class CallApiHoldCallOperator(_SessionOperator):
    """Put the contact on hold (``hold.call``).

    :param call_session_id: the call, in a talk.
    :param contact_message: what the contact hears.
    """

    request_type = methods.HoldCall

    def __init__(self, *, contact_message: Message, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.contact_message = contact_message


class CallApiUnholdCallOperator(_SessionOperator):
    """Take the contact off hold (``unhold.call``).

    :param call_session_id: the call, on hold.
    """

    request_type = methods.UnholdCall


class CallApiMakeCallOperator(_SessionOperator):
    """Call a third party while the contact is on hold (``make.call``), to consult or to transfer.

    :param call_session_id: the call, on hold.
    :param to: a phone number, an extension or a SIP number.
    :param to_message: what the third party hears first.
    """

    request_type = methods.MakeCall

    def __init__(self, *, to: str, to_message: Message | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.to = to
        self.to_message = to_message


class CallApiTransferTalkOperator(_SessionOperator):
    """Connect the contact with the third party (``transfer.talk``); the employee leaves.

    :param call_session_id: the call, after make.call.
    """

    request_type = methods.TransferTalk


class CallApiRestoreTalkOperator(_SessionOperator):
    """Return to the contact after make.call (``restore.talk``); the third party leaves.

    :param call_session_id: the call, after make.call.
    """

    request_type = methods.RestoreTalk


class CallApiAddCoachOperator(_SessionOperator):
    """Connect a coach to a talk (``add.coach``).

    :param call_session_id: the call, in a talk.
    :param phone_number: the coach's number. By default, the coach in the employee's settings.
    """

    request_type = methods.AddCoach

    def __init__(self, *, phone_number: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.phone_number = phone_number


class CallApiRecordCallOperator(_SessionOperator):
    """Switch the recording of a talk on or off (``record.call``).

    A recording that already has the requested state is a success.

    :param call_session_id: the call.
    :param action: ``on`` or ``off``.
    """

    request_type = methods.RecordCall

    def __init__(self, *, action: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.action = action


class CallApiDisconnectLegOperator(_SessionOperator):
    """Disconnect one participant (``disconnect.leg``); disconnecting the contact ends the call.

    :param call_session_id: the call.
    :param leg_id: the participant, from list.calls.
    """

    request_type = methods.DisconnectLeg

    def __init__(self, *, leg_id: int | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.leg_id = leg_id


class CallApiSendDtmfOperator(_SessionOperator):
    """Send one tone to the contact (``send.dtmf``).

    :param call_session_id: the call.
    :param dtmf_string: one of ``0-9 * #``.
    """

    request_type = methods.SendDtmf

    def __init__(self, *, dtmf_string: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dtmf_string = dtmf_string


class CallApiBlockContactOperator(_SessionOperator):
    """Put the contact of an active call on the account's blacklist for good (``block.contact``).

    :param call_session_id: the call.
    """

    request_type = methods.BlockContact


class CallApiCallTalkOptionOperator(_SessionOperator):
    """Carry out a talk option in an active call (``call.talk_option``).

    A talk option is an action that an employee starts with a phone button, such as running a scenario. A
    second use of some talk options undoes the first.

    :param call_session_id: the call.
    :param button: the button of the talk option, see `CallApiListTalkOptionsOperator`.
    """

    request_type = methods.CallTalkOption

    def __init__(self, *, button: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.button = button


class CallApiListCallsOperator(_ControlOperator):
    """Return the active calls (``list.calls``) as a list of dicts with the service's own field names.

    The operator masks people's phone numbers (``7926…0001``) unless the author asks for them, because
    everyone who sees the task can read its XCom.

    :param direction: return only inbound (``in``) or only outbound (``out``) calls.
    :param virtual_phone_number: only calls of this number of the account; starts with 7.
    :param include_phone_numbers: return the numbers of contacts and participants unmasked.
    """

    request_type = methods.ListCalls

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
        """Send the request and return its answer."""
        calls: list[dict[str, Any]] = [
            session.model_dump(mode="json") for session in self.send(self.make_request())
        ]
        return calls if self.include_phone_numbers else _masked(calls)


_NOT_PERSONAL = frozenset({"virtual_phone_number", "external_id"})
"""The account's own number and the author's own id need no mask."""


def _masked(value: Any) -> Any:
    """Return the value with every phone number masked, also in fields that this version does not know."""
    if isinstance(value, dict):
        return {name: inner if name in _NOT_PERSONAL else _masked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    return mask_phones(value) if isinstance(value, str) else value


class CallApiListTalkOptionsOperator(_ControlOperator):
    """Return the account's talk options (``list.talk_options``) as a list of dicts.

    A talk option is an action that an employee starts with a phone button during a talk.
    """

    request_type = methods.ListTalkOptions

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Send the request and return its answer."""
        return [option.model_dump(mode="json") for option in self.send(self.make_request())]
