"""Steering calls in progress, one operator a method.

Wherever a ``call_session_id`` is asked for, a number, its text, or the dict that a start operator or
the sensor returned will do: ``call_session_id=start.output``, mapped or not.

A request that may ring a phone or play a sound is never repeated when its answer is lost: the task
fails without retries and says so. One whose wish is already fulfilled (a duplicate tag, a recording
already on, a call already gone) succeeds.
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
    """Sends its request once a try."""

    ui_color = "#dbe7f5"

    def send(self, request: Any) -> Any:
        """The request's answer, or an error that fits Airflow's retries."""
        with translate_errors(), self.hook as hook:
            try:
                return hook.call(request)
            except CallApiError as error:
                if not error.maybe_done or request.repeat is not Repeat.NEVER:
                    raise
                raise CallUnresolved(
                    f"{error}. It may have been carried out, and a repeat could do it twice, so it is not "
                    "repeated: look at the call in the account, then clear this task or mark it"
                ) from error


class _SessionOperator(_ControlOperator):
    """Sends its request about one active call.

    Returns ``{"call_session_id": int, "already": bool}``; ``already``: the wish was fulfilled before.
    """

    def __init__(self, *, call_session_id: SessionRef, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.call_session_id = call_session_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Send the request."""
        request = self.read()
        done: Done = self.send(request)
        verdict = "already in effect" if done.already else "done"
        self.log.info("%s %s, call session %s", request.method, verdict, request.call_session_id)
        return {"call_session_id": request.call_session_id, "already": done.already}


class CallApiTagCallOperator(_SessionOperator):
    """Tag a call: an active one with ``tag.call``, one that has ended through the Data API.

    A duplicate tag is a success. Without the Data API a call that has ended cannot be tagged: the task
    fails without retries.

    :param call_session_id: the call.
    :param tag_id: the tag, as set up in the account.
    :param report_timeout: seconds to wait for the Data API's report of a call that has ended.
    """

    request_type = methods.TagCall

    def __init__(self, *, tag_id: int | str, report_timeout: float = 120.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tag_id = tag_id
        self.report_timeout = report_timeout

    def send(self, request: methods.TagCall) -> Done:
        """The Call API's answer, or the Data API's for a call that has ended."""
        with translate_errors(), self.hook as hook:
            try:
                return hook.call(request)
            except CallNotFound as error:
                if not hook.has_data_api:
                    raise CallApiFailure(
                        f"{error}. It has ended, and only the Data API tags such a call: set "
                        f"extra.data_api of connection {self.callapi_conn_id} to true"
                    ) from error
                report = hook.await_report(request.call_session_id, timeout=self.report_timeout)
                if report is None or report.communication_id is None:
                    raise CallApiTrouble(f"{error}, and the Data API has no report of it yet") from error
                return hook.data_api.call(
                    SetTagCommunications(communication_id=report.communication_id, tag_id=request.tag_id)
                )


class CallApiReleaseCallOperator(_SessionOperator):
    """End a call (``release.call``). One that is no longer there is a success.

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
    """Go back to the contact after make.call (``restore.talk``); the third party leaves.

    :param call_session_id: the call, after make.call.
    """

    request_type = methods.RestoreTalk


class CallApiAddCoachOperator(_SessionOperator):
    """Connect a coach to a talk (``add.coach``).

    :param call_session_id: the call, in a talk.
    :param phone_number: the coach's; without it, the coach of the employee's settings.
    """

    request_type = methods.AddCoach

    def __init__(self, *, phone_number: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.phone_number = phone_number


class CallApiRecordCallOperator(_SessionOperator):
    """Switch the recording of a talk on or off (``record.call``). Being so already is a success.

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
    """Put the contact of an active call on the blacklist (``block.contact``), where it stays.

    :param call_session_id: the call.
    """

    request_type = methods.BlockContact


class CallApiCallTalkOptionOperator(_SessionOperator):
    """Press a talk option's button (``call.talk_option``). Some options toggle.

    :param call_session_id: the call.
    :param button: the button, see `CallApiListTalkOptionsOperator`.
    """

    request_type = methods.CallTalkOption

    def __init__(self, *, button: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.button = button


class CallApiListCallsOperator(_ControlOperator):
    """Return the active calls (``list.calls``), as a list of dicts in the service's own words.

    An XCom is there for everybody to read, so the numbers of people are shortened
    (``7926…0001``) unless they are asked for.

    :param direction: only ``in`` or ``out``.
    :param virtual_phone_number: only calls of this number of the account; starts with 7.
    :param include_phone_numbers: return the numbers of contacts and participants whole.
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
        """Send the request."""
        calls: list[dict[str, Any]] = [session.model_dump(mode="json") for session in self.send(self.read())]
        return calls if self.include_phone_numbers else _shortened(calls)


_NOBODYS = frozenset({"virtual_phone_number", "external_id"})
"""The account's own number and the author's own id."""


def _shortened(value: Any) -> Any:
    """With every phone number shortened, also in fields that this version does not know."""
    if isinstance(value, dict):
        return {name: inner if name in _NOBODYS else _shortened(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shortened(inner) for inner in value]
    return mask_phones(value) if isinstance(value, str) else value


class CallApiListTalkOptionsOperator(_ControlOperator):
    """Return what the phone's buttons do during a talk (``list.talk_options``), as a list of dicts."""

    request_type = methods.ListTalkOptions

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Send the request."""
        return [option.model_dump(mode="json") for option in self.send(self.read())]
