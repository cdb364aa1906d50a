"""The methods of the Call API v4.0, one request class for each method.

A request class defines the method's name, its parameters, its answer, and the part of the Call API that the
account needs. Parameters have strict types, see `parameter_types`. To build a request from text, e.g. from a
template, use `Request.from_values`.

Source: the chapters about methods and components of the vendor's Call API v4.0 document.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import Enum, StrEnum
from functools import cache
from typing import Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from airflow_provider_callapi.api.entries import Entries, Model, read_entries
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
from airflow_provider_callapi.api.values.plain_problems import plain_problem
from airflow_provider_callapi.api.values.private_repr import PrivateRepr

R = TypeVar("R", covariant=True)
"""The type of a request's answer."""
M = TypeVar("M", bound=Model)
"""The type of the entries of an answer that is a list."""


class Repeat(Enum):
    """What happens if a client sends the same request to the service a second time."""

    SAFE = "changes nothing"
    IDEMPOTENT = "ends in the same state; the service answers that the request is already done"
    NEVER = "may ring a phone, play a sound or undo the first request"


class Component(StrEnum):
    """A part of the Call API that an account can have or lack.

    The values are the Russian component names that the account's settings show.
    """

    BASE = "Call API Базовый набор"
    MANAGEMENT = "Call API Управление вызовами"
    INFORMER = "Call API Информационный вызов"
    SCENARIO = "Call API Вызов сценария"


class _Parameters(PrivateRepr):
    """Base class of requests and of the objects in requests.

    An instance is immutable. Types are strict, and unknown fields are errors.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        defer_build=True,
        coerce_numbers_to_str=True,  # has an effect only in `from_values`, which is not strict
        hide_input_in_errors=True,
        populate_by_name=True,
    )


class Request(_Parameters, Generic[R]):
    """Base class of the requests: one subclass for each method of the service.

    ``R`` is the type of the answer. The client adds the access token.

    :cvar method: the method's name, e.g. ``list.calls``.
    :cvar component: the component (part of the Call API) that the account needs for the method.
    :cvar repeat: what happens if a client sends the request a second time.
    :cvar needs_token: whether the client adds an access token.
    """

    method: ClassVar[str]
    component: ClassVar[Component] = Component.BASE
    repeat: ClassVar[Repeat] = Repeat.NEVER
    already_done_errors: ClassVar[frozenset[str]] = frozenset()
    """The error mnemonics which mean that the requested state already exists, e.g. ``duplicate_tag``."""
    needs_token: ClassVar[bool] = True
    exact_type: ClassVar[Any] = None
    """The documented type of ``result.data`` if an answer may be long. The client then reads it fast."""

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """Build a request from values that may be text, e.g. from templates, forms or YAML.

        :param values: the fields by name. A field whose value is None is left out.
        :raises InvalidParameters: a value cannot be converted. The error names the first field with an
            invalid value.
        """
        given = {name: value for name, value in values.items() if value is not None}
        try:
            return cls.model_validate(given, strict=False)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
        raise cls._invalid(problem)

    @classmethod
    def check_values(cls, values: Mapping[str, Any], *, unknown: Collection[tuple[str, ...]]) -> None:
        """Check the values of a request before all values are known, e.g. before Airflow renders a template.

        :param values: the known values: field name → value. None counts as not set.
        :param unknown: the paths of the fields whose values are not known yet, such as ``("contact",)`` or
            ``("contact_message", "value")``.
        :raises InvalidParameters: a known value is invalid, or a required field is in neither parameter. The
            error names the first such field.
        """
        given = {name: value for name, value in values.items() if value is not None}
        try:
            cls.model_validate(given, strict=False)
        except ValidationError as error:
            problems = error.errors(include_url=False)
        else:
            return
        for problem in problems:
            # A problem of an object concerns several fields together, and some may not be known.
            if not any(_overlap(path, problem["loc"]) for path in unknown):
                raise cls._invalid(problem)

    @classmethod
    def _invalid(cls, problem: Mapping[str, Any]) -> InvalidParameters:
        """Return the error for one problem that pydantic has found. The error omits the invalid value."""
        field = ".".join(str(part) for part in problem["loc"]) or None
        text = plain_problem(problem)
        return InvalidParameters(f"{field}: {text}" if field else text, method=cls.method, field=field)

    @property
    def params(self) -> dict[str, Any]:
        """The JSON-RPC ``params`` of the request, without ``access_token`` and without unset fields."""
        return self.model_dump(mode="json", exclude_none=True)

    def means_already_done(self, mnemonic: object) -> bool:
        """Return whether an error's mnemonic means that the requested state already exists.

        Example: ``duplicate_tag`` means that the call already has the tag.
        """
        return isinstance(mnemonic, str) and mnemonic in self.already_done_errors

    def convert_answer(self, data: Any) -> R:
        """Convert ``result.data`` of the answer to this request to the answer type of the request class.

        By default, `read_answer` converts the answer. A class overrides this method if the conversion depends
        on the values of the request, e.g. on the fields that the request asks for.
        """
        return self.read_answer(data)

    @classmethod
    def data_in(cls, result: Any) -> Any:
        """Return the part of an answer's ``result`` that `convert_answer` converts: ``result.data``."""
        return result.get("data") if isinstance(result, dict) else None

    @classmethod
    def read_answer(cls, data: Any) -> R:
        """Convert ``result.data`` of the service's answer to the answer type of this request class.

        :raises ValueError: the answer differs from the method's documentation. A `pydantic.ValidationError`
            is a ValueError.
        """
        answer: R = _answer_reader(cls).validate_python(data)
        return answer


@cache
def _answer_reader(request_type: type[Request[Any]]) -> TypeAdapter[Any]:
    """Return the pydantic validator for the answers to one class of requests.

    The validator is built at the first use, so that imports stay fast.
    """
    for base in request_type.__mro__:
        arguments = getattr(base, "__pydantic_generic_metadata__", {}).get("args")
        if arguments:
            (answer,) = arguments
            if isinstance(answer, type) and issubclass(answer, PrivateRepr):
                answer.model_rebuild()  # else the reader ignores the model's hide_input_in_errors
                return TypeAdapter(answer)
            return TypeAdapter(answer, config=ConfigDict(hide_input_in_errors=True))
    raise TypeError(f"{request_type.__name__} has no answer type; derive it from Request[...]")


def _overlap(path: Sequence[object], other: Sequence[object]) -> bool:
    """Return whether one of two paths, such as ``("employee", "id")``, is the beginning of the other."""
    return all(one == another for one, another in zip(path, other, strict=False))


class Message(_Parameters):
    """A message that the service plays to a participant of a call: ``Message(type="tts", value="Hello")``.

    :ivar type: ``tts`` if ``value`` is a text to speak, ``media`` if ``value`` is the id of a media file.
    :ivar value: a string, even if the value is an id.
    """

    type: Literal["media", "tts"]
    value: SpeakableText


class Employee(_Parameters):
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


class SessionRequest(Request[R], Generic[R]):
    """Base class of requests that control one active call.

    The field ``call_session_id`` identifies the call.
    """

    component = Component.MANAGEMENT

    call_session_id: ObjectId


class MakeCall(SessionRequest[Done]):
    """Call a third party for the employee while the contact is on hold."""

    method = "make.call"

    to: PhoneSipOrExtension
    to_message: Message | None = None


class TransferTalk(SessionRequest[Done]):
    """Disconnect the employee, and connect the contact with the third party that `MakeCall` called."""

    method = "transfer.talk"


class RestoreTalk(SessionRequest[Done]):
    """Disconnect the third party that `MakeCall` called, and connect employee and contact again."""

    method = "restore.talk"


class HoldCall(SessionRequest[Done]):
    """Put the contact of an active call on hold, and play a message to the contact."""

    method = "hold.call"

    contact_message: Message


class UnholdCall(SessionRequest[Done]):
    """End the hold of an active call's contact: the contact and the employee talk again."""

    method = "unhold.call"


class AddCoach(SessionRequest[Done]):
    """Call a coach (a third person), who joins the talk of an employee with a contact.

    :ivar phone_number: the coach's number. None: the number of the coach in the account's settings.
    """

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
    """Disconnect one participant (leg) of an active call.

    If the participant is the contact, the call ends.
    """

    method = "disconnect.leg"

    leg_id: ObjectId


class SendDtmf(SessionRequest[Done]):
    """Send one DTMF (phone key) tone to the contact of an active call."""

    method = "send.dtmf"

    dtmf_string: Tone


class BlockContact(SessionRequest[Done]):
    """Put the number of an active call's contact on the account's blacklist permanently."""

    method = "block.contact"
    repeat = Repeat.IDEMPOTENT
    already_done_errors = frozenset({"duplicate_contact"})


class CallTalkOption(SessionRequest[Done]):
    """Start a talk option: an action that an employee can start with a phone button during a talk.

    The request has the same effect as the phone button. With some talk options, a second request undoes the
    first one. So a client repeats the request only if the service has certainly not carried out the first
    one.

    :ivar button: the button of the talk option, as an entry of the answer to `ListTalkOptions` names it.
    """

    method = "call.talk_option"

    button: Annotated[Text, Field(min_length=1)]


class ReleaseCall(SessionRequest[Done]):
    """End an active call."""

    method = "release.call"
    component = Component.BASE
    repeat = Repeat.IDEMPOTENT
    already_done_errors = frozenset({"call_session_not_found"})


# --- reading the account's state ---


class ListRequest(Request[Entries[M]], Generic[M]):
    """Base class of the requests whose answer is a list.

    The answer is an `Entries`. An entry that cannot be read is left out and counted.

    :cvar entry_type: the class of the list's entries.
    :cvar decisive_fields: names of fields. If one of these fields is unreadable, the entry is left out.
    :cvar id_field: the name of the field with an entry's id, for `Entries.left_out_ids`.
    """

    entry_type: ClassVar[type[Any]]
    decisive_fields: ClassVar[frozenset[str]] = frozenset()
    id_field: ClassVar[str] = "id"

    @classmethod
    def read_answer(cls, data: Any) -> Entries[M]:
        """Convert ``result.data`` of the service's answer to `Entries`.

        :raises ValueError: the data is neither a list nor an object.
        """
        return read_entries(cls.entry_type, data, decisive=cls.decisive_fields, id_field=cls.id_field)


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
