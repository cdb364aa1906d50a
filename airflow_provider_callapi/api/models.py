"""What the Call API answers, as tolerant readers: an unknown field or value is kept, never an error.

Source: the "Параметры ответа" (response parameters) tables of the vendor's Call API v4.0 document.
"""

from __future__ import annotations

import re
from datetime import UTC
from enum import StrEnum
from functools import cache
from typing import Annotated, Any

import pendulum
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def _empty_list(value: Any) -> Any:
    return [] if value is None else value


def _false(value: Any) -> Any:
    return False if value is None else value


def _text(value: Any) -> Any:
    return "" if value is None else value


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a number is needed")
    return value


def _true(value: bool) -> bool:
    if not value:
        raise ValueError("success is false")
    return value


Flag = Annotated[bool, BeforeValidator(_false)]
"""True or false; null is false."""


class Answer(BaseModel):
    """Base of everything the service sends: unknown fields are kept in ``model_extra``."""

    model_config = ConfigDict(frozen=True, extra="allow", defer_build=True, hide_input_in_errors=True)


class AccessToken(Answer):
    """``login.user``: a temporary token (one hour) and when it ends, in epoch seconds."""

    access_token: str = Field(repr=False)
    expire_at: float


class StartedCall(Answer):
    """``start.*``: the call was accepted. Nobody has answered it yet."""

    call_session_id: Annotated[int, BeforeValidator(_no_bool)]


class Done(Answer):
    """``success`` of a control method; the service sends ``true`` or the string ``"true"``.

    ``already`` is ours: the service refused the request because the wish was fulfilled before
    (a duplicate tag, a recording already on, a call that is no longer there to be released).
    """

    success: Annotated[bool, AfterValidator(_true)]
    already: bool = False


class Tag(Answer):
    """A tag (mark) on a call."""

    tag_id: int
    tag_name: str | None = None


class LegState(StrEnum):
    """The states of a leg that the vendor's document lists; ``Leg.state`` may hold others."""

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


class Leg(Answer):
    """One participant of a session.

    ``called_phone_number`` may carry a DTMF string behind dots (``74959268686...9.2.3.3``).
    ``state`` is the service's Russian text, see `LegState`.
    """

    leg_id: int
    calling_phone_number: str | None = None
    called_phone_number: str | None = None
    is_operator: Flag = False
    employee_id: int | None = None
    employee_full_name: str | None = None
    record_call_enabled: bool | None = None
    state: Annotated[str, BeforeValidator(_text)] = ""


class CallSession(Answer):
    """One active call of ``list.calls``.

    ``start_time`` is zone-less text in the account's zone, see `parse_time`.
    """

    call_session_id: int
    direction: str | None = None
    start_time: str | None = None
    virtual_phone_number: str | None = None
    contact_phone_number: str | None = None
    external_id: str | None = None
    tags: Annotated[tuple[Tag, ...], BeforeValidator(_empty_list)] = ()
    legs: Annotated[tuple[Leg, ...], BeforeValidator(_empty_list)] = ()


class ButtonValue(Answer):
    """What a talk option acts on: a tag, a scenario."""

    id: int
    value: str | None = None


class TalkOption(Answer):
    """One entry of ``list.talk_options``: what a phone button does during a talk."""

    button: str
    mnemonic: str
    name: str | None = None
    button_value: Annotated[ButtonValue | None, BeforeValidator(lambda v: v or None)] = None


class Limits(Answer):
    """The points left, from an answer's ``metadata.limits``; the resets are seconds from now."""

    day_limit: int | None = None
    day_remaining: int | None = None
    day_reset: int | None = None
    minute_limit: int | None = None
    minute_remaining: int | None = None
    minute_reset: int | None = None


class ApiVersion(Answer):
    """``metadata.api_version``, sent only by a version that is about to go.

    The vendor spells the flag ``current_version_depricated``; later revisions correct it.
    """

    deprecated: bool = False
    current_version: str | None = None
    latest_version: str | None = None

    @classmethod
    def read(cls, raw: dict[str, Any]) -> ApiVersion:
        flag = raw.get("current_version_deprecated", raw.get("current_version_depricated"))
        return cls.model_validate({**raw, "deprecated": flag if flag is not None else False})


@cache
def zone(name: str) -> pendulum.Timezone:
    """A time zone; pendulum alone reads its file again and again.

    :param name: of the IANA list.
    """
    return pendulum.timezone(name)


def parse_time(text: str, timezone: str) -> pendulum.DateTime:
    """Read any of the service's three date forms as UTC.

    :param text: ``YYYY-MM-DDT hh:mm:ssZ``, ``YYYY-MM-DD hh:mm:ss`` or ``2016-10-19T12:26:48.418``.
    :param timezone: IANA name of the account's zone; zone-less text is in it.
    :raises ValueError: the text is none of them.
    """
    if not re.fullmatch(r"\s*\d{4}-\d\d-\d\d[T ] ?\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?\s*", text):
        raise ValueError(f"not a date and time of the Call API: {text!r}")
    parsed = pendulum.parse(text.strip().replace("T ", "T").replace(" ", "T"), tz=zone(timezone))
    if not isinstance(parsed, pendulum.DateTime):
        raise ValueError(f"not a date and time of the Call API: {text!r}")
    return parsed.astimezone(UTC)
