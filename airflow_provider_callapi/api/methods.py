"""The methods of the Call API v4.0, one request class for each method.

A request class defines the method's name, its parameters, its answer, the account component that the method
needs, and whether the request may be repeated. Types are strict, as the service's types are.
`Request.from_values` also accepts text from templates and forms.

Source: the chapters about methods and components of the vendor's Call API v4.0 document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, StrEnum
from functools import cache
from typing import Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.models import (
    AccessToken,
    CallSession,
    Done,
    StartedCall,
    TalkOption,
)

R = TypeVar("R", covariant=True)
"""The type of a request's answer."""


class Repeat(Enum):
    """The effect of sending the same request again."""

    SAFE = "changes nothing"
    IDEMPOTENT = "ends in the same state; the service answers that the request is already done"
    NEVER = "may ring a phone, play a sound or undo the first request"


class Component(StrEnum):
    """A part of the Call API that an account can have or lack. The values are the names in the account."""

    BASE = "Call API Базовый набор"
    MANAGEMENT = "Call API Управление вызовами"
    INFORMER = "Call API Информационный вызов"
    SCENARIO = "Call API Вызов сценария"


class _Parameters(BaseModel):
    """Base class of requests and the objects in them: immutable, with strict types and no unknown fields."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        defer_build=True,
        coerce_numbers_to_str=True,  # only `from_values` is lax enough for it
        hide_input_in_errors=True,
        populate_by_name=True,
    )


class Request(_Parameters, Generic[R]):
    """A request for a method of the service; ``R`` is the type of the answer.

    ``access_token`` is not a field: the client adds the token.
    """

    method: ClassVar[str]
    component: ClassVar[Component] = Component.BASE
    repeat: ClassVar[Repeat] = Repeat.NEVER
    already_done_errors: ClassVar[frozenset[str]] = frozenset()
    """The mnemonics which mean that an idempotent request is already done, e.g. ``duplicate_tag``."""
    needs_token: ClassVar[bool] = True

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """Build a request from values that may be text (templates, forms, YAML). None means an absent field.

        :raises InvalidParameters: names the first field that cannot be converted.
        """
        given = {name: value for name, value in values.items() if value is not None}
        try:
            return cls.model_validate(given, strict=False)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or None
        problem = first["msg"].removeprefix("Value error, ")
        raise InvalidParameters(f"{field}: {problem}" if field else problem, method=cls.method, field=field)

    @property
    def params(self) -> dict[str, Any]:
        """The JSON-RPC ``params`` object without ``access_token``. Absent fields are left out."""
        return self.model_dump(mode="json", exclude_none=True)

    def means_already_done(self, mnemonic: object) -> bool:
        """Return whether a mnemonic means that the request is already done, e.g. ``duplicate_tag``."""
        return isinstance(mnemonic, str) and mnemonic in self.already_done_errors

    @classmethod
    def read_answer(cls, data: Any) -> R:
        """Convert ``result.data`` to this request's answer type.

        :raises pydantic.ValidationError: the answer differs from the method's documentation.
        """
        answer: R = _answer_reader(cls).validate_python(data)
        return answer


@cache
def _answer_reader(request_type: type[Request[Any]]) -> TypeAdapter[Any]:
    """Return the validator of a request class's answer type, built at first use to keep imports fast."""
    for base in request_type.__mro__:
        arguments = getattr(base, "__pydantic_generic_metadata__", {}).get("args")
        if arguments:
            return TypeAdapter(arguments[0])
    raise TypeError(f"{request_type.__name__} has no answer type; derive it from Request[...]")


def _strip_plus_format(value: Any) -> Any:
    """Return a number in the form ``+7 926 000-00-00`` as digits; return any other value unchanged."""
    if isinstance(value, str) and value.lstrip().startswith("+"):
        return re.sub(r"[\s()+-]", "", value)
    return value


def _check_phone_number(text: str) -> str:
    if not re.fullmatch(r"[0-9]{10,15}", text):
        raise ValueError("a phone number in E.164 is needed: digits only, the country code first, no '+'")
    return text


def check_phone_or_sip(text: str) -> str:
    """Return a text unchanged if it is a phone number in E.164 or a SIP number.

    :raises ValueError: the text is neither. The error does not contain the text.
    """
    if not re.fullmatch(r"(?=.*[0-9])[A-Za-z0-9_.@*#-]{3,64}", text) or re.fullmatch(r"[0-9]+\.[0-9]+", text):
        raise ValueError(
            "a phone number in E.164 (digits only, the country code first, no '+') or a SIP number is needed"
        )
    return text


def _check_whole_number(value: Any) -> Any:
    is_digits = not isinstance(value, str) or re.fullmatch(r"\s*[0-9]+\s*", value)
    if isinstance(value, bool) or not is_digits:
        raise ValueError("a whole number is needed")
    return value


def _check_starts_with_seven(text: str) -> str:
    if not text.startswith("7"):
        raise ValueError("the number must start with 7")
    return text


PhoneNumber = Annotated[str, BeforeValidator(_strip_plus_format), AfterValidator(_check_phone_number)]
"""A phone number in E.164: digits without "+"."""
PhoneOrSip = Annotated[str, BeforeValidator(_strip_plus_format), AfterValidator(check_phone_or_sip)]
"""A phone number or a SIP number; an extension if the method accepts extensions."""
AnyNumber = Annotated[str, BeforeValidator(_strip_plus_format), Field(min_length=1)]
"""A phone number in E.164, a SIP number or an extension."""
ObjectId = Annotated[int, BeforeValidator(_check_whole_number), Field(gt=0)]
"""The id of an object in the account or of a call session."""
Direction = Literal["in", "out"]
DtmfWithPauses = Annotated[str, Field(pattern=r"^[0-9*#.]+$")]
"""DTMF tones: digits, ``*`` and ``#``. A dot is a pause of one second: ``.12.1..4``."""


class Message(_Parameters):
    """A message to play.

    :ivar type: ``tts`` if ``value`` is a text to speak, ``media`` if ``value`` is the id of a media file.
    :ivar value: always a string, also for an id.
    """

    type: Literal["media", "tts"]
    value: Annotated[str, Field(min_length=1)]


class Employee(_Parameters):
    """An employee of the account. Without ``phone_number``, all active numbers ring in turn."""

    id: ObjectId
    phone_number: AnyNumber | None = None


# --- authentication ---


class LoginUser(Request[AccessToken]):
    """Log in with a login and a password. The answer contains an access token that is valid for one hour."""

    method = "login.user"
    repeat = Repeat.SAFE
    needs_token = False

    login: str
    password: str = Field(repr=False)


class LogoutUser(Request[Done]):
    """Log out: end the validity of the access token that is sent with this request."""

    method = "logout.user"
    repeat = Repeat.IDEMPOTENT
    already_done_errors = frozenset({"access_token_invalid"})


# --- starting calls ---


class StartCall(Request[StartedCall]):
    """Base class of the ``start.*`` requests. A start request is never repeated.

    :ivar virtual_phone_number: the account's number that the contact sees; no 800 numbers.
    :ivar contact: the phone number, or an employee's SIP number, to call.
    :ivar external_id: the caller's own id; ``list.calls`` and the Data API's reports contain it.
    :ivar dtmf_string: tones to send to the contact; a dot is a pause of one second.
    :ivar direction: the call's direction in reports. Always sent, because the vendor's default has changed.
    """

    repeat = Repeat.NEVER

    virtual_phone_number: PhoneNumber
    contact: PhoneOrSip
    external_id: Annotated[str, Field(min_length=1)] | None = None
    dtmf_string: DtmfWithPauses | None = None
    direction: Direction = "out"


class _TwoSidedCall(StartCall):
    """A start request that connects the contact with another side: a person or a scenario."""

    contact_message: Message | None = None
    switch_at_once: bool | None = None


class _DirectCall(_TwoSidedCall):
    """A start request that connects the contact with a person.

    :ivar first_call: the side whose phone rings first.
    """

    first_call: str
    early_switching: bool | None = None
    media_file_id: ObjectId | None = None
    show_virtual_phone_number: bool | None = None

    @model_validator(mode="after")
    def _check_early_switching(self) -> Self:
        if self.early_switching and (self.first_call == "contact" or not self.switch_at_once):
            raise ValueError("early_switching needs switch_at_once=true and a first_call other than contact")
        return self


class StartEmployeeCall(_DirectCall):
    """Connect a contact with an employee."""

    method = "start.employee_call"

    first_call: Literal["contact", "employee"]
    employee: Employee
    employee_message: Message | None = None


class StartScenarioCall(_TwoSidedCall):
    """Call a contact and run one of the account's scenarios."""

    method = "start.scenario_call"
    component = Component.SCENARIO

    first_call: Literal["contact", "employee"]
    scenario_id: ObjectId


class StartVnumberCall(_TwoSidedCall):
    """Call a contact and run the scenario of the virtual number."""

    method = "start.vnumber_call"

    first_call: Literal["contact", "employee"]


class StartInformerCall(StartCall):
    """Call a contact, play a message and hang up.

    :ivar dialing_timeout: seconds that the contact's phone rings, 1 to 120; the service's default is 30.
    """

    method = "start.informer_call"
    component = Component.INFORMER

    contact_message: Message
    dialing_timeout: Annotated[int, BeforeValidator(_check_whole_number), Field(ge=1, le=120)] | None = None


def _operator_phone(value: Any) -> Any:
    """Return the phone number of an ``operator``: an object in the document, a string in later revisions."""
    return value.get("phone_number") if isinstance(value, Mapping) else value


class StartSimpleCall(_DirectCall):
    """Connect a contact with any phone number except the account's own virtual numbers.

    :ivar operator: the phone number of the operator, or ``{"phone_number": …}``.
    """

    method = "start.simple_call"

    first_call: Literal["contact", "operator"]
    operator: Annotated[PhoneNumber, BeforeValidator(_operator_phone)]
    operator_message: Message | None = None


# --- controlling an active call ---


class SessionRequest(Request[R], Generic[R]):
    """Base class of requests about one active call."""

    component = Component.MANAGEMENT

    call_session_id: ObjectId


class MakeCall(SessionRequest[Done]):
    """Call a third party during a talk. The contact is on hold meanwhile."""

    method = "make.call"

    to: PhoneOrSip
    to_message: Message | None = None


class TransferTalk(SessionRequest[Done]):
    """Connect the contact with the third party and disconnect the employee."""

    method = "transfer.talk"


class RestoreTalk(SessionRequest[Done]):
    """Connect the employee with the contact again and disconnect the third party."""

    method = "restore.talk"


class HoldCall(SessionRequest[Done]):
    """Put the contact on hold and play a message to the contact."""

    method = "hold.call"

    contact_message: Message


class UnholdCall(SessionRequest[Done]):
    """Take the contact off hold and connect both sides again."""

    method = "unhold.call"


class AddCoach(SessionRequest[Done]):
    """Connect a coach to a talk. The default number comes from the employee's settings in the account."""

    method = "add.coach"

    phone_number: AnyNumber | None = None


class TagCall(SessionRequest[Done]):
    """Add a tag to an active call."""

    method = "tag.call"
    repeat = Repeat.IDEMPOTENT
    already_done_errors = frozenset({"duplicate_tag"})

    tag_id: ObjectId


class RecordCall(SessionRequest[Done]):
    """Switch the recording of an active call on or off."""

    method = "record.call"
    repeat = Repeat.IDEMPOTENT
    already_done_errors = frozenset({"record_already_started", "record_already_stopped"})

    action: Literal["on", "off"]

    def means_already_done(self, mnemonic: object) -> bool:
        return mnemonic == ("record_already_started" if self.action == "on" else "record_already_stopped")


class DisconnectLeg(SessionRequest[Done]):
    """Disconnect one participant of an active call. The call ends if the contact is disconnected."""

    method = "disconnect.leg"

    leg_id: ObjectId


class SendDtmf(SessionRequest[Done]):
    """Send one DTMF tone to the contact of an active call."""

    method = "send.dtmf"

    dtmf_string: Annotated[str, Field(pattern=r"^[0-9*#]$")]


class BlockContact(SessionRequest[Done]):
    """Put the contact of an active call on the account's blacklist permanently."""

    method = "block.contact"
    repeat = Repeat.IDEMPOTENT
    already_done_errors = frozenset({"duplicate_contact"})


class CallTalkOption(SessionRequest[Done]):
    """Press the button of a talk option. Some options toggle: a repeat undoes the first request."""

    method = "call.talk_option"

    button: Annotated[str, Field(min_length=1)]


class ReleaseCall(SessionRequest[Done]):
    """End an active call."""

    method = "release.call"
    component = Component.BASE
    repeat = Repeat.IDEMPOTENT
    already_done_errors = frozenset({"call_session_not_found"})


# --- reading the account's state ---


class ListCalls(Request[list[CallSession]]):
    """List the active calls. The service offers no pages and no filter by session."""

    method = "list.calls"
    component = Component.MANAGEMENT
    repeat = Repeat.SAFE

    direction: Direction | None = None
    virtual_phone_number: Annotated[PhoneNumber, AfterValidator(_check_starts_with_seven)] | None = None


class ListTalkOptions(Request[list[TalkOption]]):
    """List the talk options: the effects of phone buttons during a talk, as configured in the account."""

    method = "list.talk_options"
    component = Component.MANAGEMENT
    repeat = Repeat.SAFE


class UntypedRequest(Request[Any]):
    """A request whose parameters and answer are not checked; see `request_by_name`."""

    model_config = ConfigDict(extra="allow")

    @classmethod
    def read_answer(cls, data: Any) -> Any:
        return data


def request_by_name(method: str, params: Mapping[str, Any]) -> UntypedRequest:
    """Return an untyped request for any method of the service.

    Use this for a method or a parameter that this module does not define. The request is repeated only if
    this module defines the method and its class allows repeats.
    """
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
"""The Call API's request classes by method name, in the order of the vendor's document."""
