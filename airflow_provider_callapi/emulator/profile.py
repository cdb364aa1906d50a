"""The profiles of the emulator. A profile states how one of the vendor's services behaves.

Profiles are necessary because the vendor's brands and accounts behave differently, and because the vendor's
document leaves questions open. Each field of a `Profile` states how a service behaves in one respect. The
default of each field is how the authors of this package understand the vendor's document. ``Profile()``
therefore equals the profile ``document``.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.strict_json import parse_json

PROFILE_NAMES = ("document", "seen", "comagic", "novofon", "callgear")
"""The names of the profiles that the package contains."""

OddShape = Literal[
    "empty_virtual_number",
    "large_communication_ids",
    "no_employee_id",
    "null_is_talked",
    "null_tags",
    "record_list",
]
RefusalOfField = Literal["unexpected_parameters", "parameter_component_disabled"]
Seconds = Annotated[float, Field(ge=0)]
Points = Annotated[int, Field(ge=0)]


def _require_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ValueError("must be an IANA time zone, for example Europe/Moscow") from None
    return name


class Profile(BaseModel):
    """Describes one variant of the vendor's service, because the vendor's brands and accounts differ.

    Each field describes one difference. For example, `appear_delay` states after how many seconds
    ``list.calls`` shows a new call. Times are in seconds. A profile object cannot be changed.
    """

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )

    # --- list.calls ---

    talk_is_listed: Literal["at_answer", "in_talk", "never"] = "at_answer"
    """When a leg shows a state of talking. `at_answer`: when the participant answers. `in_talk`: when the
    talk or message begins. `never`: the leg shows the state of dialling until the leg ends."""
    state_language: Literal["russian", "english"] = "russian"
    """The language of the states of legs."""
    appear_delay: Seconds = 0.0
    """Seconds from the start of a call until `list.calls` shows the call. A script can add to this time."""
    vanish_after: Seconds = 0.0
    """Seconds from the first appearance of a call until `list.calls` leaves out the call for
    `vanish_seconds`."""
    vanish_seconds: Seconds = 0.0
    """For how many seconds `list.calls` leaves out an active call. 0: a call never vanishes."""
    start_time_format: Literal["milliseconds", "seconds", "utc"] = "milliseconds"
    """The form of `start_time`. `milliseconds`: `2016-10-19T12:26:48.418`, in the account's local time.
    `seconds`: `2016-10-19 12:26:48`, in the account's local time. `utc`: `2016-10-19T09:26:48Z`."""
    external_id_is_listed: bool = True
    """False: `external_id` is null in `list.calls`."""
    operator_leg_is_operator: bool = True
    """False: `is_operator` is false for an operator's leg that belongs to no employee. An example is the
    `operator` of `start.simple_call`."""

    # --- reports ---

    session_reason: Literal["ending_leg", "contact", "operator", "any"] = "ending_leg"
    """Whose leg gives the session its `finish_reason`: the leg that ended the call, the contact's leg, the
    last operator's leg, or any leg. With `any`, the session id decides which leg."""
    own_leg_reasons: bool = False
    """True: each leg is reported with its own `finish_reason`. False: each leg is reported with the
    session's `finish_reason`."""
    report_delay: Seconds = 0.0
    """Seconds from the end of a call until the reports contain the call."""
    ongoing_report_delay: Seconds | None = 0.0
    """Seconds from the start of a call until a report with `include_ongoing_calls` contains the active call.
    Null: the report never contains active calls."""
    ongoing_talk_is_reported: bool = False
    """True: `talk_duration` of an active call is the talk so far. False: 0."""
    ongoing_legs_are_reported: bool = False
    """True: `get.call_legs_report` contains the legs of active calls, too."""
    talk_duration_from: Literal["talk", "employee"] = "talk"
    """Where `talk_duration` begins. `talk`: with the talk or message. `employee`: with the talk with an
    operator, so that the duration of an informer call is 0."""
    unanswered_calls_are_lost: bool = True
    """False: `is_lost` is false for each call that the account started."""
    youngest_date_from: Seconds = 0.0
    """The reports refuse a `date_from` that lies less than this many seconds in the past. 0: any date is
    accepted."""
    future_date_till_is_allowed: bool = True
    """False: the reports refuse a `date_till` in the future."""
    refused_fields: dict[str, RefusalOfField] = {}
    """The fields of `get.calls_report` that the service refuses, each with the mnemonic of the error."""
    refused_filters: tuple[str, ...] = ()
    """The fields by which the reports refuse to filter, with `filter_prohibited`."""
    odd_shapes: tuple[OddShape, ...] = ()
    """Values that differ from the vendor's tables. `empty_virtual_number`: the report's
    `virtual_phone_number` is empty. `large_communication_ids`: a `communication_id` needs 63 bits.
    `no_employee_id`: legs of employees lack `employee_id`. `null_is_talked`: `is_talked` of a contact's leg
    is null. `null_tags`: a call without tags has `tags` null. `record_list`: the report contains the array
    `call_records`."""

    # --- access, errors, points ---

    allowed_ips: tuple[str, ...] | None = None
    """The IP addresses from which both APIs accept requests. Null: the Call API accepts requests from every
    address, and the Data API from the loopback addresses."""
    call_api_host: str | None = None
    """The only host name at which `Exchange.session()` reaches the Call API. Null: any host name. A loopback
    address always works."""
    data_api_host: str | None = None
    """The only host name at which `Exchange.session()` reaches the Data API. Null: any host name."""
    token_end_field: Literal["expire_at", "expire"] | None = "expire_at"  # noqa: S105  # no token
    """The field in which `login.user` sends the end of the token. Null: there is no such field."""
    login_metadata: bool = True
    """False: the answer to `login.user` has no `metadata`."""
    tokens_are_shared: bool = False
    """True: the token of a login at one API is valid at the other API, too."""
    error_http_status: Annotated[int, Field(ge=200, le=599)] = 200
    """The HTTP status of an answer with an error."""
    errors_repeat_id: bool = True
    """False: the `id` of an answer with an error is null."""
    errors_have_limits: bool = True
    """False: an answer with an error contains no `limits`."""
    charset_is_required: bool = True
    """False: a request may leave out the charset in the Content-Type."""
    weights: dict[str, Points] = {}
    """Method → points of one request. The section *Points and keys* below states the points of the
    methods that this field does not contain."""
    day_limit: Points = 100_000
    """Points per day."""
    minute_limit: Points = 1_000
    """Points per minute."""
    limit_exceeded_leaves_undone: bool = True
    """False: a start request that fails with `limit_exceeded` still places the call."""

    # --- the account ---

    timezone: Annotated[str, AfterValidator(_require_zone)] = "Europe/Moscow"
    """The account's IANA time zone."""

    @classmethod
    def parse(cls, text: str | bytes) -> Profile:
        """Return the profile that a JSON text describes.

        :param text: a JSON object: name of a field → value. Each field that the text omits has its default
            value.
        :raises ValueError: the text is not JSON, or a field is unknown or wrong. The error message names the
            field and the problem.
        """
        return parse_json(cls, text)

    @classmethod
    def named(cls, name: str) -> Profile:
        """Return the profile with a name, such as ``seen``. The names are in `PROFILE_NAMES`.

        :raises ValueError: this package contains no profile with this name.
        """
        if name not in PROFILE_NAMES:
            raise ValueError(f"{name}: no such profile; use one of {', '.join(PROFILE_NAMES)}")
        return cls.parse(files(__package__).joinpath("profiles", f"{name}.json").read_bytes())

    @classmethod
    def load(cls, name_or_file: str) -> Profile:
        """Return one of the package's profiles, or the profile that a JSON file describes.

        :param name_or_file: the name of a profile in `PROFILE_NAMES`, such as ``seen``, or the path of the
            file.
        :raises ValueError: the text in the file is not JSON, or a field is unknown or wrong.
        :raises OSError: the value is neither the name of a profile nor the path of a readable file.
        """
        if name_or_file in PROFILE_NAMES:
            return cls.named(name_or_file)
        return cls.parse(Path(name_or_file).read_bytes())

    def new_account(self) -> Account:
        """Return a new `Account` with the values of this profile.

        The values are the time zone, the limits and weights of points (rate-limit units), and the allowed IP
        addresses. If `allowed_ips` is None, the account keeps the default addresses of `Account`.
        """
        account = Account(
            timezone=self.timezone,
            day_limit=self.day_limit,
            minute_limit=self.minute_limit,
            weights=dict(self.weights),
        )
        if self.allowed_ips is not None:
            account.ip_whitelist = set(self.allowed_ips)
            account.data_api_whitelist = set(self.allowed_ips)
        return account


DOCUMENT = Profile()
"""The profile ``document``: the vendor's document of 2016, as the emulator reads it."""
