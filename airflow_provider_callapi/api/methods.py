"""The 22 methods of the Call API v4.0, one class a method.

The class is the documentation of its method: the name on the wire, the fields, what comes back,
which component of the account it needs, and whether it may be repeated. Types are strict, as the
service's are; `Request.read` is the door for values that come from templates and forms as text.

Source: the chapter of the same name in the vendor's document; see also its table of components.
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
"""What a request's answer is read as."""


class Repeat(Enum):
    """What sending the same request again can do."""

    SAFE = "changes nothing"
    IDEMPOTENT = "ends in the same state; the service answers that it is already so"
    NEVER = "may ring a phone, play a sound or undo the first one"


class Component(StrEnum):
    """The parts of the Call API that an account has or has not."""

    BASE = "Call API Базовый набор"
    MANAGEMENT = "Call API Управление вызовами"
    INFORMER = "Call API Информационный вызов"
    SCENARIO = "Call API Вызов сценария"


class _Parameters(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        defer_build=True,
        coerce_numbers_to_str=True,  # in effect only where `read` is lax
        hide_input_in_errors=True,
        populate_by_name=True,
    )


class Request(_Parameters, Generic[R]):
    """One call of a method; ``R`` is what comes back.

    ``access_token`` is not a field: the client adds it.
    """

    method: ClassVar[str]
    component: ClassVar[Component] = Component.BASE
    repeat: ClassVar[Repeat] = Repeat.NEVER
    done_already_errors: ClassVar[frozenset[str]] = frozenset()
    """The mnemonics that tell a repeat of a IDEMPOTENT request that the wish is already fulfilled."""
    needs_token: ClassVar[bool] = True

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Build a request from values that may be text (templates, forms, YAML), leaving out None.

        :raises InvalidParameters: names the first field that cannot be converted; nothing is sent.
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
        """The ``params`` object without ``access_token``: absent fields are left out, never null."""
        return self.model_dump(mode="json", exclude_none=True)

    def means_already_done(self, mnemonic: object) -> bool:
        """Whether an error with this mnemonic says that the wish is already fulfilled."""
        return isinstance(mnemonic, str) and mnemonic in self.done_already_errors

    @classmethod
    def read_answer(cls, data: Any) -> R:
        """Turn ``result.data`` into this method's result.

        :raises pydantic.ValidationError: the answer is not what the method promises.
        """
        answer: R = _answer_reader(cls).validate_python(data)
        return answer


@cache
def _answer_reader(request_type: type[Request[Any]]) -> TypeAdapter[Any]:
    """The reader of ``R`` in ``Request[R]``, made at first use: imports stay cheap."""
    for base in request_type.__mro__:
        arguments = getattr(base, "__pydantic_generic_metadata__", {}).get("args")
        if arguments:
            return TypeAdapter(arguments[0])
    raise TypeError(f"{request_type.__name__} does not say what it returns: Request[...]")


def _without_plus(value: Any) -> Any:
    """``+7 926 000-00-00`` is unambiguous; the service wants the digits alone."""
    if isinstance(value, str) and value.lstrip().startswith("+"):
        return re.sub(r"[\s()+-]", "", value)
    return value


def _number(text: str) -> str:
    if not re.fullmatch(r"[0-9]{10,15}", text):
        raise ValueError("a phone number in E.164 is needed: digits only, the country code first, no '+'")
    return text


def reachable(text: str) -> str:
    """The text, if it is a phone number in E.164 or a SIP number.

    :raises ValueError: it is neither; the text is not repeated.
    """
    if not re.fullmatch(r"(?=.*[0-9])[A-Za-z0-9_.@*#-]{3,64}", text) or re.fullmatch(r"[0-9]+\.[0-9]+", text):
        raise ValueError(
            "a phone number in E.164 (digits only, the country code first, no '+') or a SIP number is needed"
        )
    return text


def _whole_number(value: Any) -> Any:
    is_digits = not isinstance(value, str) or re.fullmatch(r"\s*[0-9]+\s*", value)
    if isinstance(value, bool) or not is_digits:
        raise ValueError("a whole number is needed")
    return value


def _seven(text: str) -> str:
    if not text.startswith("7"):
        raise ValueError("the number must start with 7")
    return text


PhoneNumber = Annotated[str, BeforeValidator(_without_plus), AfterValidator(_number)]
"""E.164 digits without "+"."""
Reachable = Annotated[str, BeforeValidator(_without_plus), AfterValidator(reachable)]
"""A phone number or a SIP number (an extension too, where the method takes one)."""
AnyNumber = Annotated[str, BeforeValidator(_without_plus), Field(min_length=1)]
"""A number in E.164, a SIP number or an extension."""
ObjectId = Annotated[int, BeforeValidator(_whole_number), Field(gt=0)]
Direction = Literal["in", "out"]
DtmfWithPauses = Annotated[str, Field(pattern=r"^[0-9*#.]+$")]
"""Digits, ``*``, ``#``; a dot is a pause of one second: ``.12.1..4``."""


class Message(_Parameters):
    """A sound to play.

    :ivar type: ``tts``: ``value`` is a text to be spoken; ``media``: ``value`` is a file's id.
    :ivar value: always a string, also for an id.
    """

    type: Literal["media", "tts"]
    value: Annotated[str, Field(min_length=1)]


class Employee(_Parameters):
    """An employee of the account; without ``phone_number`` all their active numbers ring in turn."""

    id: ObjectId
    phone_number: AnyNumber | None = None


# --- authentication ---


class LoginUser(Request[AccessToken]):
    """Log in with a login and a password; the token lives for an hour."""

    method = "login.user"
    repeat = Repeat.SAFE
    needs_token = False

    login: str
    password: str = Field(repr=False)


class LogoutUser(Request[Done]):
    """End the session of the token in use."""

    method = "logout.user"
    repeat = Repeat.IDEMPOTENT
    done_already_errors = frozenset({"access_token_invalid"})


# --- starting calls: no repeat, ever ---


class StartCall(Request[StartedCall]):
    """What the five start methods have in common.

    :ivar virtual_phone_number: the account's number that the contact sees; no 800 numbers.
    :ivar contact: whom to call: a phone number, or an employee's SIP number.
    :ivar external_id: the caller's own id; ``list.calls`` and the reports give it back.
    :ivar dtmf_string: tones to send to the contact, a dot is a pause of one second.
    :ivar direction: how the reports count it. Always sent: the default differs between revisions.
    """

    repeat = Repeat.NEVER

    virtual_phone_number: PhoneNumber
    contact: Reachable
    external_id: Annotated[str, Field(min_length=1)] | None = None
    dtmf_string: DtmfWithPauses | None = None
    direction: Direction = "out"


class _TwoSidedCall(StartCall):
    contact_message: Message | None = None
    switch_at_once: bool | None = None


class _DirectCall(_TwoSidedCall):
    first_call: str
    early_switching: bool | None = None
    media_file_id: ObjectId | None = None
    show_virtual_phone_number: bool | None = None

    @model_validator(mode="after")
    def _early_switching_needs_the_other_side_first(self) -> Self:
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
    """Call a contact, play a message, hang up.

    :ivar dialing_timeout: seconds to wait for an answer, 1 to 120; the service's default is 30.
    """

    method = "start.informer_call"
    component = Component.INFORMER

    contact_message: Message
    dialing_timeout: Annotated[int, BeforeValidator(_whole_number), Field(ge=1, le=120)] | None = None


def _phone_of(value: Any) -> Any:
    """The document types ``operator`` as an object and shows one; every later revision a string."""
    return value.get("phone_number") if isinstance(value, Mapping) else value


class StartSimpleCall(_DirectCall):
    """Connect a contact with any number but the account's own virtual ones.

    :ivar operator: the phone number of the operator; ``{"phone_number": …}`` is read as well.
    """

    method = "start.simple_call"

    first_call: Literal["contact", "operator"]
    operator: Annotated[PhoneNumber, BeforeValidator(_phone_of)]
    operator_message: Message | None = None


# --- steering a call in progress ---


class SessionRequest(Request[R], Generic[R]):
    """A request about one active call."""

    component = Component.MANAGEMENT

    call_session_id: ObjectId


class MakeCall(SessionRequest[Done]):
    """Call a third party while the contact is on hold."""

    method = "make.call"

    to: Reachable
    to_message: Message | None = None


class TransferTalk(SessionRequest[Done]):
    """Connect the contact with the third party; the employee leaves."""

    method = "transfer.talk"


class RestoreTalk(SessionRequest[Done]):
    """Go back to the contact; the third party leaves."""

    method = "restore.talk"


class HoldCall(SessionRequest[Done]):
    """Put the contact on hold, with a message to listen to."""

    method = "hold.call"

    contact_message: Message


class UnholdCall(SessionRequest[Done]):
    """Take the contact off hold."""

    method = "unhold.call"


class AddCoach(SessionRequest[Done]):
    """Connect a coach; without a number, the one of the employee's settings."""

    method = "add.coach"

    phone_number: AnyNumber | None = None


class TagCall(SessionRequest[Done]):
    """Tag an active call."""

    method = "tag.call"
    repeat = Repeat.IDEMPOTENT
    done_already_errors = frozenset({"duplicate_tag"})

    tag_id: ObjectId


class RecordCall(SessionRequest[Done]):
    """Switch the recording of a talk on or off."""

    method = "record.call"
    repeat = Repeat.IDEMPOTENT
    done_already_errors = frozenset({"record_already_started", "record_already_stopped"})

    action: Literal["on", "off"]

    def means_already_done(self, mnemonic: object) -> bool:
        return mnemonic == ("record_already_started" if self.action == "on" else "record_already_stopped")


class DisconnectLeg(SessionRequest[Done]):
    """Disconnect one participant; disconnecting the contact ends the call."""

    method = "disconnect.leg"

    leg_id: ObjectId


class SendDtmf(SessionRequest[Done]):
    """Send one tone to the contact."""

    method = "send.dtmf"

    dtmf_string: Annotated[str, Field(pattern=r"^[0-9*#]$")]


class BlockContact(SessionRequest[Done]):
    """Put the contact of an active call on the blacklist, where it stays."""

    method = "block.contact"
    repeat = Repeat.IDEMPOTENT
    done_already_errors = frozenset({"duplicate_contact"})


class CallTalkOption(SessionRequest[Done]):
    """Press a talk option's button. Some options toggle: a repeat undoes the first one."""

    method = "call.talk_option"

    button: Annotated[str, Field(min_length=1)]


class ReleaseCall(SessionRequest[Done]):
    """End a call."""

    method = "release.call"
    component = Component.BASE
    repeat = Repeat.IDEMPOTENT
    done_already_errors = frozenset({"call_session_not_found"})


# --- reading ---


class ListCalls(Request[list[CallSession]]):
    """The calls that are active now; no paging, no filter by session."""

    method = "list.calls"
    component = Component.MANAGEMENT
    repeat = Repeat.SAFE

    direction: Direction | None = None
    virtual_phone_number: Annotated[PhoneNumber, AfterValidator(_seven)] | None = None


class ListTalkOptions(Request[list[TalkOption]]):
    """What the phone's buttons do during a talk, as set up in the account."""

    method = "list.talk_options"
    component = Component.MANAGEMENT
    repeat = Repeat.SAFE


class OtherRequest(Request[Any]):
    """A method by its name, its parameters and its answer as they are; see `other`."""

    model_config = ConfigDict(extra="allow")

    @classmethod
    def read_answer(cls, data: Any) -> Any:
        return data


def other(method: str, params: Mapping[str, Any]) -> OtherRequest:
    """A request for a method that this module does not describe (or describes too narrowly).

    It is repeated only where the method is known and says that it may be.
    """
    known = METHODS.get(method)

    class Named(OtherRequest):
        pass

    Named.method = method
    if known:
        Named.repeat, Named.done_already_errors = known.repeat, known.done_already_errors
        Named.needs_token, Named.component = known.needs_token, known.component
    return Named.model_validate(dict(params))


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
"""Every method of the document by its name on the wire, in the document's order."""
