"""The methods of the Call API v4.0, one request class for each method.

A request class defines the method's name, its parameters, its answer, and the part of the Call API that the
account needs. Parameters have strict types, see `parameter_types`. To build a request from text, e.g. from a
template, use `Request.from_values`.

Source: the chapters about methods and components of the vendor's Call API v4.0 document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.models import (
    AccessToken,
    CallSession,
    Done,
    StartedCall,
    TalkOption,
)
from airflow_provider_callapi.api.parameter_types import (
    AnyNumber,
    Direction,
    DtmfWithPauses,
    Flag,
    KeyOrAny,
    ObjectId,
    PhoneNumber,
    PhoneOrSip,
    PhoneSipOrExtension,
    SpeakableText,
    Text,
    Tone,
    VirtualNumberRule,
    VisibleText,
    WholeNumber,
)
from airflow_provider_callapi.api.request import Component, ListRequest, Parameters, Repeat, Request


class Message(Parameters):
    """A message that the service plays to a participant of a call: ``Message(type="tts", value="Hello")``.

    :ivar type: ``tts`` if ``value`` is a text to speak, ``media`` if ``value`` is the id of a media file.
    :ivar value: a string, even if the value is an id.
    """

    type: Literal["media", "tts"]
    value: SpeakableText


class Employee(Parameters):
    """An employee of the account, to be called.

    :ivar phone_number: the number to call. None: all active numbers of the employee ring one after another.
    """

    id: ObjectId
    phone_number: AnyNumber | None = None


# --- authentication ---


class LoginUser(Request[AccessToken]):
    """Log in with a login and a password. The answer contains an access token, valid for one hour."""

    method = "login.user"
    repeat = Repeat.SAFE
    needs_token = False

    login: str
    password: str = Field(repr=False)


class LogoutUser(Request[Done]):
    """Log out: the access token in this request becomes invalid."""

    method = "logout.user"
    repeat = Repeat.IDEMPOTENT
    already_done_errors = frozenset({"access_token_invalid"})


# --- starting calls ---


def may_ring_contact_first(first_call: str) -> bool:
    """Return whether ``first_call``, perhaps a template, may let the contact's phone ring first."""
    return first_call not in ("employee", "operator")


class StartCall(Request[StartedCall]):
    """Base class of the ``start.*`` requests. Each start request may ring a phone.

    A client repeats a start request only if the service has certainly not carried it out.

    :ivar virtual_phone_number: a virtual number of the account. With the rule ``fixed``, the contact sees it.
    :ivar virtual_phone_usage_rule: how the service chooses the number that the contact sees, see
        `VirtualNumberRule`. None: the service's default, ``fixed``.
    :ivar contact: the phone number or SIP number to call.
    :ivar external_id: an id of your choice. ``list.calls`` and the Data API's reports contain it.
    :ivar dtmf_string: DTMF (phone key) tones to send to the contact. A dot is a pause of one second.
    :ivar direction: the call's direction in reports, ``in`` or ``out``.
    """

    repeat = Repeat.NEVER

    virtual_phone_number: PhoneNumber
    virtual_phone_usage_rule: VirtualNumberRule | None = None
    contact: PhoneOrSip
    external_id: VisibleText | None = None
    dtmf_string: DtmfWithPauses | None = None
    direction: Direction = "out"

    @property
    def may_call_contact_first(self) -> bool:
        """Whether the contact's phone may ring before that of another participant, or rings alone."""
        return may_ring_contact_first(getattr(self, "first_call", "contact"))


class _TwoSidedCall(StartCall):
    """Base class of start requests that connect the contact with a person or with a scenario (call flow)."""

    first_call: str  # whose phone rings first: `contact`, `employee` or `operator`
    contact_message: Message | None = None  # what the contact hears before the talk
    # True: the talk starts when the second participant picks up, even during a message.
    switch_at_once: Flag | None = None
    # True: the other person hears the contact's line while the contact's phone rings.
    early_switching: Flag | None = None

    @model_validator(mode="after")
    def _check_early_switching(self) -> Self:
        if self.early_switching and (self.first_call == "contact" or not self.switch_at_once):
            raise ValueError("early_switching needs switch_at_once=true and a first_call other than contact")
        return self


class _DirectCall(_TwoSidedCall):
    """Base class of start requests that connect the contact with a person, without a scenario (call flow)."""

    # The music that a waiting participant hears. None: the account's standard music.
    media_file_id: ObjectId | None = None
    # True or None: the person's phone shows the virtual number as the calling number.
    show_virtual_phone_number: Flag | None = None


class StartEmployeeCall(_DirectCall):
    """Call a contact and an employee, and connect the two.

    :ivar first_call: who is called first: ``contact`` or ``employee``.
    :ivar employee: the employee, and optionally which of the employee's numbers to call.
    :ivar employee_message: what the employee hears before the talk.
    """

    method = "start.employee_call"

    first_call: Literal["contact", "employee"]
    employee: Employee
    employee_message: Message | None = None


class StartScenarioCall(_TwoSidedCall):
    """Call a contact and run a scenario: a call flow, such as a menu, that the account defines."""

    method = "start.scenario_call"
    component = Component.SCENARIO

    first_call: Literal["contact", "employee"]
    scenario_id: ObjectId
    employee_message: Message | None = None


class StartVnumberCall(_TwoSidedCall):
    """Call a contact and run the scenario (the call flow) that the account assigns to the virtual number."""

    method = "start.vnumber_call"

    first_call: Literal["contact", "employee"]


class StartInformerCall(StartCall):
    """Call a contact, play a message and hang up.

    :ivar dialing_timeout: the longest time that the contact's phone rings, 1 to 120 seconds. The service's
        default is 30.
    """

    method = "start.informer_call"
    component = Component.INFORMER

    contact_message: Message
    dialing_timeout: Annotated[WholeNumber, Field(ge=1, le=120)] | None = None


def _operator_phone(value: Any) -> Any:
    """Return the number in a value of ``operator``, which is a text, or a dict with ``phone_number``."""
    # The parameter is an object in the vendor's v4.0 document, and a string in later revisions.
    return value.get("phone_number") if isinstance(value, Mapping) else value


class StartSimpleCall(_DirectCall):
    """Call a contact and an operator, and connect the two. The operator may be any person with a phone.

    :ivar operator: the phone number of the operator, or ``{"phone_number": …}``. It must not be a virtual
        number of the account.
    :ivar operator_confirmation: the phone key with which the operator accepts the call: a digit, ``*`` or
        ``#``. ``any``: any key. None: the operator accepts the call by picking up.
    """

    method = "start.simple_call"

    first_call: Literal["contact", "operator"]
    operator: Annotated[PhoneNumber, BeforeValidator(_operator_phone)]
    operator_confirmation: KeyOrAny | None = None
    operator_message: Message | None = None


# --- controlling an active call ---


class SessionRequest(Request[Done]):
    """Base class of requests that control one active call.

    The field ``call_session_id`` identifies the call.
    """

    component = Component.MANAGEMENT

    call_session_id: ObjectId


class MakeCall(SessionRequest):
    """Call a third party for the employee while the contact is on hold."""

    method = "make.call"

    to: PhoneSipOrExtension
    to_message: Message | None = None


class TransferTalk(SessionRequest):
    """Disconnect the employee, and connect the contact with the third party that `MakeCall` called."""

    method = "transfer.talk"


class RestoreTalk(SessionRequest):
    """Disconnect the third party that `MakeCall` called, and connect employee and contact again."""

    method = "restore.talk"


class HoldCall(SessionRequest):
    """Put the contact of an active call on hold, and play a message to the contact."""

    method = "hold.call"

    contact_message: Message


class UnholdCall(SessionRequest):
    """End the hold of an active call's contact: the contact and the employee talk again."""

    method = "unhold.call"


class AddCoach(SessionRequest):
    """Call a coach (a third person), who joins the talk of an employee with a contact.

    :ivar phone_number: the coach's number. None: the number of the coach in the account's settings.
    """

    method = "add.coach"

    phone_number: AnyNumber | None = None


class TagCall(SessionRequest):
    """Add a tag to an active call."""

    method = "tag.call"
    repeat = Repeat.IDEMPOTENT
    already_done_errors = frozenset({"duplicate_tag"})

    tag_id: ObjectId


class RecordCall(SessionRequest):
    """Switch the recording of an active call on or off."""

    method = "record.call"
    repeat = Repeat.IDEMPOTENT
    already_done_errors = frozenset({"record_already_started", "record_already_stopped"})

    action: Literal["on", "off"]

    def means_already_done(self, mnemonic: object) -> bool:
        return mnemonic == ("record_already_started" if self.action == "on" else "record_already_stopped")


class DisconnectLeg(SessionRequest):
    """Disconnect one participant (leg) of an active call.

    If the participant is the contact, the call ends.
    """

    method = "disconnect.leg"

    leg_id: ObjectId


class SendDtmf(SessionRequest):
    """Send one DTMF (phone key) tone to the contact of an active call."""

    method = "send.dtmf"

    dtmf_string: Tone


class BlockContact(SessionRequest):
    """Put the number of an active call's contact on the account's blacklist permanently."""

    method = "block.contact"
    repeat = Repeat.IDEMPOTENT
    already_done_errors = frozenset({"duplicate_contact"})


class CallTalkOption(SessionRequest):
    """Start a talk option: an action that an employee can start with a phone button during a talk.

    The request has the same effect as the phone button. With some talk options, a second request undoes the
    first one. So a client repeats the request only if the service has certainly not carried out the first
    one.

    :ivar button: the button of the talk option, as an entry of the answer to `ListTalkOptions` names it.
    """

    method = "call.talk_option"

    button: Annotated[Text, Field(min_length=1)]


class ReleaseCall(SessionRequest):
    """End an active call."""

    method = "release.call"
    component = Component.BASE
    repeat = Repeat.IDEMPOTENT
    already_done_errors = frozenset({"call_session_not_found"})


# --- reading the account's state ---


def _check_starts_with_seven(text: str) -> str:
    if not text.startswith("7"):
        raise ValueError("the number must start with 7")
    return text


class ListCalls(ListRequest[CallSession]):
    """List the active calls. The service returns all calls in one answer, and cannot filter by session."""

    method = "list.calls"
    entry_type = CallSession
    exact_type = list[CallSession]
    component = Component.MANAGEMENT
    repeat = Repeat.SAFE

    direction: Direction | None = None
    virtual_phone_number: Annotated[PhoneNumber, AfterValidator(_check_starts_with_seven)] | None = None


class ListTalkOptions(ListRequest[TalkOption]):
    """List the account's talk options: the actions that employees can start with phone buttons in a talk."""

    method = "list.talk_options"
    entry_type = TalkOption
    component = Component.MANAGEMENT
    repeat = Repeat.SAFE


class UntypedRequest(Request[Any]):
    """A request whose parameters and answer are not checked. `request_by_name` creates such requests."""

    model_config = ConfigDict(extra="allow")

    @classmethod
    def read_answer(cls, data: Any) -> Any:
        return data


def request_by_name(method: str, params: Mapping[str, Any]) -> UntypedRequest:
    """Return an untyped request for any method of the service.

    Use this function for a method or a parameter that this module does not define. A client sends
    the request for an undefined method a second time only if the service has certainly not carried it out.

    :param method: the method's name, e.g. ``list.calls``.
    :param params: the method's parameters without ``access_token``.
    :raises InvalidParameters: ``params`` is no dict whose keys are texts.
    """
    if not isinstance(params, Mapping) or not all(isinstance(name, str) for name in params):
        raise InvalidParameters("params: a dict is needed: name of a parameter → value", method=method)
    known = METHODS.get(method)

    class NamedRequest(UntypedRequest):
        pass

    NamedRequest.method = method
    if known:
        NamedRequest.repeat, NamedRequest.already_done_errors = known.repeat, known.already_done_errors
        NamedRequest.needs_token, NamedRequest.component = known.needs_token, known.component
    return NamedRequest.model_validate(dict(params))


METHODS: dict[str, type[Request[Any]]] = {
    request_type.method: request_type
    for request_type in (
        LoginUser,
        LogoutUser,
        StartEmployeeCall,
        StartScenarioCall,
        StartVnumberCall,
        StartInformerCall,
        StartSimpleCall,
        MakeCall,
        TransferTalk,
        RestoreTalk,
        HoldCall,
        UnholdCall,
        AddCoach,
        TagCall,
        RecordCall,
        DisconnectLeg,
        SendDtmf,
        BlockContact,
        ListCalls,
        ListTalkOptions,
        CallTalkOption,
        ReleaseCall,
    )
}
"""Method name → request class of the Call API, in the order of the vendor's document."""
