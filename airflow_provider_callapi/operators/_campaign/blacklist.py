"""The account's blacklist in a campaign: read whom not to call, and add people who objected to calls."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from airflow_provider_callapi.api.account import CreatePhoneNumberToBlacklist, GetBlacklistPhoneNumbers
from airflow_provider_callapi.api.errors import CallApiError, InvalidParameters
from airflow_provider_callapi.api.list_request import fetch_list
from airflow_provider_callapi.api.values.masking import mask_number
from airflow_provider_callapi.calls.campaign.contact_list.people import Plan
from airflow_provider_callapi.calls.campaign.ledger import Attempt, Status
from airflow_provider_callapi.calls.campaign.results.summary import Ending
from airflow_provider_callapi.calls.outcomes.marks import Mark, first_mark, may_have_mark
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import is_phone_number
from airflow_provider_callapi.calls.texts.count_texts import count_text
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.hooks.callapi import CallApiHook


def blacklist_of(hook: CallApiHook, log: Any) -> Callable[[], list[str]]:
    """Return a function that reads the numbers on the account's blacklist.

    :raises CallApiFailure: the connection does not use the Data API.
    """
    if not hook.has_data_api:
        raise CallApiFailure(
            "do_not_call.blacklist needs the Data API: set extra.data_api of connection "
            f"{hook.callapi_conn_id} to true"
        )

    def read() -> list[str]:
        entries = fetch_list(hook.data_api.client.call, GetBlacklistPhoneNumbers())
        if not entries.complete:
            log.warning(
                "do_not_call: some entries of the account's blacklist cannot be read, and exclude no one"
            )
        return [entry.phone_number for entry in entries]

    return read


class BlacklistWriter:
    """Puts people who objected to calls on the account's blacklist, as the parameter ``block_on`` demands."""

    def __init__(self, hook: CallApiHook, marks: Collection[Mark], plan: Plan, log: Any) -> None:
        self._hook = hook
        self._marks = marks  # a person objects by a call that has one of these marks
        self._contacts = {person.key: person.contact for person in plan.people}
        self._log = log

    def add(self, attempts: Iterable[Attempt]) -> None:
        """Add people to the account's blacklist: those whose finished call has a mark of ``block_on``.

        Such a mark means that the person objects to calls. If a request fails, the method logs a warning.

        :param attempts: the attempts to check.
        """
        for attempt in attempts if self._marks else ():
            contact = self._contacts[attempt.person]
            is_over = attempt.status is Status.FINISHED and is_phone_number(contact)
            if is_over and first_mark(self._marks, attempt.call):
                try:
                    self._add(contact)
                except CallApiError as error:  # `add_missing` tries again at the end of the campaign
                    self._log.warning(
                        "block_on: %s is not on the account's blacklist yet; the end of the campaign repeats "
                        "the request: %s",
                        mask_number(contact),
                        error,
                    )

    def add_missing(self, endings: Sequence[Ending]) -> list[str]:
        """Add all people who objected to the calls of a finished campaign to the account's blacklist.

        A person has objected if one of the person's calls has a mark of ``block_on``. Skip the people whose
        numbers are on the blacklist already. Log how many people are not added because they have a SIP
        number, or because it is not known whether their calls have such a mark.

        :param endings: the result and the attempts of each person.
        :return: the error texts. An empty list: no request failed.
        """
        people = {
            ending.person.contact
            for ending in endings
            if any(first_mark(self._marks, attempt.call) for attempt in ending.attempts)
        }
        objected = set(filter(is_phone_number, people))
        self._warn(len(people - objected), "objected, but the blacklist cannot contain a SIP number")
        self._warn(
            sum(ending.person.contact not in people and self._may_object(ending) for ending in endings),
            "may have objected, because the operations or tags of their calls are not known",
        )
        if not objected:
            return []
        problems: list[str] = []
        try:
            blocked = {
                entry.phone_number
                for entry in fetch_list(self._hook.data_api.client.call, GetBlacklistPhoneNumbers())
            }
            for contact in sorted(objected - blocked):
                try:
                    self._add(contact)
                except InvalidParameters as error:  # concerns only this number
                    problems.append(f"block_on: {mask_number(contact)} is not on the blacklist: {error}")
        except CallApiError as error:
            problems.append(
                f"block_on: the blacklist could not be changed, so it may lack people who objected: {error}"
            )
        return problems

    def _may_object(self, ending: Ending) -> bool:
        # A mark (an operation or a tag) in `block_on` shows that a person objects to calls. It is not known
        # whether a call has a mark if its reports lack the operations or tags.
        calls = [attempt.call for attempt in ending.attempts if attempt.call is not None]
        return any(call.answered is not False and may_have_mark(self._marks, call) for call in calls)

    def _warn(self, people: int, what: str) -> None:
        if people:
            count = count_text(people, "person is", "people are")
            self._log.warning("block_on: %s not put on the blacklist: they %s", count, what)

    def _add(self, contact: str) -> None:
        request = CreatePhoneNumberToBlacklist.from_values({"phone_number": contact})
        self._hook.data_api.client.call(request)
        self._log.info("block_on: %s objected, and is now on the account's blacklist", mask_number(contact))
