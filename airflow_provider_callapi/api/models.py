"""The answers of the Call API as classes. Unknown fields and values in an answer are kept, and are no errors.

If an answer is a list, the module `airflow_provider_callapi.api.entries` reads the list. That module leaves
out entries that cannot be read.

Source: the response parameter tables of the vendor's Call API v4.0 document.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WrapValidator, model_validator

from airflow_provider_callapi.api.answer_types import (
    LARGEST_COUNT,
    AnswerText,
    Count,
    Id,
    Number,
    unreadable_to_none,
)
from airflow_provider_callapi.api.entries import read_inner
from airflow_provider_callapi.api.list_entry import NOT_SENT, ListEntry
from airflow_provider_callapi.api.values.private_repr import PrivateRepr


def _null_to_empty_list(value: Any) -> Any:
    return [] if value is None else value


def _null_to_text(value: Any) -> Any:
    return "" if value is None else value


def _require_true(value: bool) -> bool:
    if not value:
        raise ValueError("success is false")
    return value


class Answer(PrivateRepr):
    """Base class of all answers of the service.

    ``model_extra`` contains the fields of the answer that the class does not declare.
    """

    model_config = ConfigDict(frozen=True, extra="allow", defer_build=True, hide_input_in_errors=True)


class AccessToken(Answer):
    """The answer to ``login.user``: a temporary access token, valid for one hour.

    The Data API also sends the undocumented field ``expire``, with the same time as ``expire_at``. A client
    does not use ``expire``.

    :ivar expire_at: when the token expires, epoch seconds. None: the field is missing or unreadable. A client
        then assumes that the token is valid for one hour from now.
    """

    access_token: str = Field(repr=False)
    expire_at: Annotated[float | None, Field(allow_inf_nan=False), WrapValidator(unreadable_to_none)] = None


class StartedCall(Answer):
    """The answer to a ``start.*`` request: the service has accepted the call. No one has picked up yet."""

    call_session_id: Id


class Done(Answer):
    """The answer to a request that succeeded and returns no data, such as a request that controls a call.

    :ivar success: always True. The service sends ``true`` or the text ``"true"``.
    :ivar already: whether the requested state already existed. For example, the call already had the tag, or
        the call had already ended. The service sends an error then, which this package converts to this
        answer.
    """

    success: Annotated[bool, AfterValidator(_require_true)]
    already: bool = False


class Tag(ListEntry, frozen=True, kw_only=True):
    """A tag of a call: a label that the account defines and the call carries."""

    tag_id: Number
    tag_name: AnswerText | None = NOT_SENT


class LegState(StrEnum):
    """The states of a leg in the vendor's document. ``Leg.state`` may contain other states."""

    DIALING = "Дозвон"
    TALKING = "Разговор"
    QUEUED = "На очереди"
    DISCONNECTED = "Разъединено"
    OPERATORS_TALKING = "Разговор операторов"
    ON_HOLD = "На удержании"
    TRANSFERRING = "Перевод вызова"
    SENDING_DTMF = "Отправка dtmf"
    RECEIVING_FAX = "Получение факса"
    FAX_RECEIVED = "Факс получен"
    SENDING_FAX = "Отправка факса"
    FAX_SENT = "Факс отправлен"


_ENGLISH_LEG_STATES: dict[str, LegState] = {
    "Dial": LegState.DIALING,
    "Conversation": LegState.TALKING,
    "Talking": LegState.TALKING,
    "Next in line": LegState.QUEUED,
    "Disconnected": LegState.DISCONNECTED,
    "Operators talking": LegState.OPERATORS_TALKING,
    "On hold": LegState.ON_HOLD,
    "Call Transfer": LegState.TRANSFERRING,
    "Sending DTMF": LegState.SENDING_DTMF,
    "Receiving a fax": LegState.RECEIVING_FAX,
    "Fax received": LegState.FAX_RECEIVED,
    "Sending a fax": LegState.SENDING_FAX,
    "Fax sent": LegState.FAX_SENT,
}
"""State of a leg as the brand CallGear documents it → the same state in the other brands."""

_LEG_STATES = {
    text.casefold(): state
    for text, state in [*_ENGLISH_LEG_STATES.items(), *((each, each) for each in LegState)]
}


def leg_state(text: str) -> LegState | None:
    """Return the state of a leg (a participant's line) for the service's Russian or English text.

    Example: ``Дозвон`` and ``dial`` both become ``LegState.DIALING``. None: the vendor's document does not
    contain the text.
    """
    return _LEG_STATES.get(text.strip().casefold())


class Leg(ListEntry, frozen=True, kw_only=True):
    """A leg: one participant of a call session.

    :ivar called_phone_number: the called number. Dots and DTMF (phone key) tones may follow:
        ``74959268686...9.2.3.3``.
    :ivar is_operator: True: the leg of an operator, such as an employee. False: the contact's leg, or the
        answer lacks the field. On some accounts, False also marks an operator who is no employee. None: the
        service sends null.
    :ivar state: the service's Russian or English text, e.g. ``Дозвон`` or ``Dial``. `leg_state` converts it.
    """

    if_not_sent = MappingProxyType({"is_operator": False, "state": ""})

    leg_id: Number
    calling_phone_number: AnswerText | None = NOT_SENT
    called_phone_number: AnswerText | None = NOT_SENT
    is_operator: bool | None = NOT_SENT
    employee_id: Number | None = NOT_SENT
    employee_full_name: AnswerText | None = NOT_SENT
    record_call_enabled: bool | None = NOT_SENT
    state: Annotated[str, BeforeValidator(_null_to_text)] = NOT_SENT


class CallSession(ListEntry, frozen=True, kw_only=True):
    """One active call, an entry of ``list.calls``.

    :ivar start_time: the start as text in the account's time zone, without the name of the zone. `parse_time`
        converts the text.
    """

    if_not_sent = MappingProxyType({"tags": (), "legs": ()})

    call_session_id: Id
    direction: str | None = NOT_SENT
    start_time: str | None = NOT_SENT
    virtual_phone_number: AnswerText | None = NOT_SENT
    contact_phone_number: AnswerText | None = NOT_SENT
    external_id: AnswerText | None = NOT_SENT
    tags: Annotated[
        tuple[Tag, ...], BeforeValidator(_null_to_empty_list), BeforeValidator(read_inner(Tag))
    ] = NOT_SENT
    legs: Annotated[
        tuple[Leg, ...], BeforeValidator(_null_to_empty_list), BeforeValidator(read_inner(Leg))
    ] = NOT_SENT


class ButtonValue(Answer):
    """The tag or scenario that a key of an employee's phone sets or runs during a talk."""

    id: Number
    value: AnswerText | None = None


class TalkOption(Answer):
    """A talk option: an action that an employee starts with a phone button during a talk.

    The answer to ``list.talk_options`` contains one entry for each talk option.
    """

    button: AnswerText
    mnemonic: str
    name: AnswerText | None = None
    button_value: Annotated[ButtonValue | None, BeforeValidator(lambda v: v or None)] = None


Period = Literal["minute", "day"]
"""A period for which an account has points (rate-limit units)."""
LONGEST_RESETS: dict[Period, int] = {"minute": 60, "day": 86_400}
"""The longest time in seconds until the service resets the points of a minute and of a day."""
UNKNOWN_RESETS: dict[Period, int] = {"minute": 60, "day": 3600}
"""The seconds to wait for new points of a minute and of a day, if the answer does not state the reset."""


class Points(NamedTuple):
    """The points (rate-limit units) of one period. None: the answer does not state the value.

    :ivar limit: how many points the account has in a whole period.
    :ivar left: how many of them are left.
    :ivar reset: seconds from the answer until the account gets new points.
    """

    limit: int | None = None
    left: int | None = None
    reset: int | None = None


class Limits(Answer):
    """The points (rate-limit units) left in this minute and this day, from ``metadata.limits`` of an answer.

    ``minute_reset`` and ``day_reset`` are seconds from the answer to the reset.
    """

    day_limit: Count = None
    day_remaining: Count = None
    day_reset: Count = None
    minute_limit: Count = None
    minute_remaining: Count = None
    minute_reset: Count = None

    def of(self, period: Period) -> Points:
        """Return the points of this minute or of this day."""
        if period == "minute":
            return Points(self.minute_limit, self.minute_remaining, self.minute_reset)
        return Points(self.day_limit, self.day_remaining, self.day_reset)

    @model_validator(mode="before")
    @classmethod
    def _read_unlimited(cls, values: Any) -> Any:
        """Remove a negative limit, which states that there is no limit, and the number of points left."""
        for period in ("day", "minute") if isinstance(values, dict) else ():
            limit = values.get(f"{period}_limit")
            if isinstance(limit, int | float) and -LARGEST_COUNT < limit < 0:
                values = {**values, f"{period}_limit": None, f"{period}_remaining": None}
        return values


class ApiVersion(Answer):
    """The notice that the service will withdraw a version of the API.

    The notice is the ``metadata.api_version`` of an answer. Only a deprecated version sends this notice.
    """

    deprecated: bool = False
    current_version: str | None = None
    latest_version: str | None = None

    @classmethod
    def from_metadata(cls, raw: dict[str, Any]) -> ApiVersion:
        """Convert ``metadata.api_version`` of an answer to an `ApiVersion`.

        The method also accepts the vendor's spelling ``current_version_depricated``.
        """
        flag = raw.get("current_version_deprecated", raw.get("current_version_depricated"))
        return cls.model_validate({**raw, "deprecated": flag if flag is not None else False})
