"""The Data API v2.0 methods that read what the account has: numbers, employees, scenarios, tags and others.

If an optional field of an entry is unreadable, the field's value is None. If a required field is unreadable
or missing, the entry is left out, and the list counts as incomplete (`Entries.complete`).

Source: the vendor's public documentation of the Data API v2.0.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BeforeValidator, Field

from airflow_provider_callapi.api.answer_types import AnswerText, Number
from airflow_provider_callapi.api.entries import read_entries
from airflow_provider_callapi.api.list_request import PagedRequest
from airflow_provider_callapi.api.models import Answer, Done
from airflow_provider_callapi.api.request import Repeat, Request

M = TypeVar("M", bound=Answer)


class Account(Answer):
    """The properties of the account, from the answer to ``get.account``.

    :ivar timezone: IANA name of the account's time zone. The services give times in this zone.
    """

    app_id: Number | None = None
    name: AnswerText | None = None
    timezone: AnswerText | None = None


class NumberScenario(Answer):
    """The scenario (call flow) that runs for calls to a virtual number of the account."""

    scenario_id: Number | None = None


class EmployeePhone(Answer):
    """One telephone of an employee.

    :ivar status: ``active`` or ``inactive``.
    """

    phone_number: AnswerText | None = Field(None, repr=False)
    status: AnswerText | None = None


class EmployeeExtension(Answer):
    """The internal extension of an employee, e.g. ``101``: a short number inside the account."""

    extension_phone_number: AnswerText | None = Field(None, repr=False)


def _all_of(model: type[Answer]) -> BeforeValidator:
    """Return a pydantic validator that reads a JSON list as a list of ``model`` objects.

    If one object is unreadable, the validator returns None.
    """

    def read(value: Any) -> Any:
        if value is None:
            return None
        entries = read_entries(model, value)
        # A list without the unreadable object would look complete.
        return list(entries) if entries.complete else None

    return BeforeValidator(read)


class VirtualNumber(Answer):
    """A virtual number of the account, an entry of ``get.virtual_numbers``.

    :ivar status: ``active``, or why the number is not in use, e.g. ``manual_lock``.
    """

    virtual_phone_number: AnswerText = Field(repr=False)
    id: Number | None = None
    name: AnswerText | None = None
    type: AnswerText | None = None
    status: AnswerText | None = None
    scenarios: Annotated[list[NumberScenario] | None, _all_of(NumberScenario)] = None


class AccountEmployee(Answer):
    """An employee of the account, an entry of ``get.employees``."""

    id: Number
    full_name: AnswerText | None = None
    phone_numbers: Annotated[list[EmployeePhone] | None, _all_of(EmployeePhone)] = None
    extension: EmployeeExtension | None = None


class AccountScenario(Answer):
    """A scenario (a call flow) of the account, an entry of ``get.scenarios``.

    :ivar virtual_phone_numbers: the virtual numbers that the scenario is assigned to.
    """

    id: Number
    name: AnswerText | None = None
    virtual_phone_numbers: list[AnswerText] | None = Field(None, repr=False)


class MediaFile(Answer):
    """A sound file, an entry of ``get.media_files``.

    :ivar type: ``system``: a file of the vendor. ``user``: a file of the account.
    :ivar duration: seconds.
    """

    id: Number
    name: AnswerText | None = None
    type: AnswerText | None = None
    duration: float | None = None


class SipLine(Answer):
    """A SIP line of the account, an entry of ``get.sip_lines``.

    :ivar billing_state: ``active``, ``manual_lock`` or ``limit_lock``.
    :ivar status: ``active``: an employee's profile uses the line. ``inactive``: no profile uses it.
    """

    phone_number: AnswerText = Field(repr=False)
    id: Number | None = None
    type: AnswerText | None = None
    billing_state: AnswerText | None = None
    status: AnswerText | None = None
    employee_id: Number | None = None
    employee_full_name: AnswerText | None = None


class AccountTag(Answer):
    """A tag that the account defines, an entry of ``get.tags``."""

    id: Number
    name: AnswerText | None = None
    is_system: bool | None = None


class BlacklistedNumber(Answer):
    """A number on the account's blacklist. The service refuses calls to this number.

    The object is an entry of ``get.blacklist_phone_numbers``.
    """

    phone_number: AnswerText = Field(repr=False)


class GetAccount(Request[Account]):
    """Request the account's id, name and time zone."""

    method = "get.account"
    repeat = Repeat.SAFE

    @classmethod
    def read_answer(cls, data: Any) -> Account:
        """Convert ``result.data`` of the answer to an `Account`.

        The data is a list with one account, or the account itself. If the list is empty, all fields of the
        `Account` are None.

        :raises ValueError: the data is neither a list nor an object.
        """
        return next(iter(read_entries(Account, data)), Account())


class _AccountListRequest(PagedRequest[M], Generic[M]):
    """A Data API request for one page of a list of the account's objects.

    :ivar fields: the fields of each entry. None: the service's default fields.
    """

    fields: list[str] | None = None


class GetVirtualNumbers(_AccountListRequest[VirtualNumber]):
    """Request the account's virtual numbers."""

    method = "get.virtual_numbers"
    entry_type = VirtualNumber


class GetEmployees(_AccountListRequest[AccountEmployee]):
    """Request the account's employees with their telephones."""

    method = "get.employees"
    entry_type = AccountEmployee


class GetScenarios(_AccountListRequest[AccountScenario]):
    """Request the account's scenarios."""

    method = "get.scenarios"
    entry_type = AccountScenario


class GetMediaFiles(_AccountListRequest[MediaFile]):
    """Request the sound files of the vendor and of the account."""

    method = "get.media_files"
    entry_type = MediaFile


class GetSipLines(_AccountListRequest[SipLine]):
    """Request the account's SIP lines."""

    method = "get.sip_lines"
    entry_type = SipLine


class GetTags(_AccountListRequest[AccountTag]):
    """Request the tags that the account defines."""

    method = "get.tags"
    entry_type = AccountTag


class GetBlacklistPhoneNumbers(_AccountListRequest[BlacklistedNumber]):
    """Request the numbers on the account's blacklist."""

    method = "get.blacklist_phone_numbers"
    entry_type = BlacklistedNumber


class CreatePhoneNumberToBlacklist(Request[Done]):
    """Put a phone number on the account's blacklist. The service then refuses calls to the number.

    :ivar phone_number: E.164 digits without ``+``. Some countries have numbers with fewer than ten digits.
    """

    method = "create.phone_number_to_blacklist"
    repeat = Repeat.IDEMPOTENT
    already_done_errors = frozenset({"duplicate_entity"})

    phone_number: Annotated[str, Field(pattern=r"^[1-9][0-9]{6,14}$")]

    @classmethod
    def read_answer(cls, data: Any) -> Done:
        """Return `Done` for a successful answer. The id and the number in the answer are not used."""
        return Done(success=True)


ACCOUNT_METHODS: dict[str, type[Request[Any]]] = {
    request_type.method: request_type
    for request_type in (
        GetAccount,
        GetVirtualNumbers,
        GetEmployees,
        GetScenarios,
        GetMediaFiles,
        GetSipLines,
        GetTags,
        GetBlacklistPhoneNumbers,
    )
}
"""The requests of this module that read what the account has: method name → request class."""
