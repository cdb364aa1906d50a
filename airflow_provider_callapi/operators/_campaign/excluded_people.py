"""Find the people of a campaign who are on the do-not-call list, and remember them for later tries."""

from __future__ import annotations

from typing import Any

from airflow_provider_callapi.calls.campaign.attempt_ids import fingerprint
from airflow_provider_callapi.calls.campaign.contact_list.people import Person, Plan
from airflow_provider_callapi.calls.lists.excluded_numbers import sip_domain
from airflow_provider_callapi.calls.lists.exclusions import Exclusions
from airflow_provider_callapi.calls.phone_numbers.comparison import contact_key
from airflow_provider_callapi.calls.phone_numbers.numbering_plan import regions_of
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.operators._campaign.blacklist import blacklist_of
from airflow_provider_callapi.operators._campaign.do_not_call import DoNotCall
from airflow_provider_callapi.operators._campaign.memory import CampaignMemory
from airflow_provider_callapi.operators._campaign.options import CampaignOptions


class ExcludedPeople:
    """The people of a campaign whom this or an earlier try of the task found on the do-not-call list."""

    def __init__(
        self,
        options: CampaignOptions,
        plan: Plan,
        memory: CampaignMemory,
        *,
        scope: str,
        hook: CallApiHook,
        log: Any,
    ) -> None:
        self._people = plan.people
        self._scope = scope  # stands for the campaign in fingerprints, see `Deployment.scope`
        self._memory = memory
        self._stored = 0
        exclusions = options.do_not_call or Exclusions()
        # After a deferral, `_remembered` knows whom the blacklist excludes: `remember` has stored them.
        reads_blacklist = exclusions.blacklist and not memory.is_resumed
        # Only a list is read in view of the contacts, and a campaign may have a million of them.
        contacts = [] if exclusions.rows is None else [person.contact for person in self._people]
        self._list = DoNotCall(
            exclusions.rows,
            options.region,
            blacklist=blacklist_of(hook, log) if reads_blacklist else None,
            max_unreadable=options.max_unreadable,
            other_regions=regions_of(contacts) - {options.region},
            sip_domains=frozenset(sip_domain(contact) for contact in contacts if not contact.isdigit()),
            known=self._remembered(),
            was_read=memory.is_resumed,
        )

    def numbers(self) -> frozenset[str]:
        """Return the phone numbers on the do-not-call list. Unlike `remember`, store nothing."""
        # If the first read in this try fails: an error. If a later read fails: the known numbers.
        return self._list.numbers()

    def current(self) -> frozenset[str] | None:
        """Return all numbers on the do-not-call list, and store which people of the campaign are on it.

        None: the list cannot be read now, so dial no one.
        """
        numbers = self.remember()
        return None if self._list.stale else numbers

    def remember(self) -> frozenset[str]:
        """Store which people of the campaign are on the do-not-call list. Return all numbers on the list."""
        numbers = self.numbers()
        if len(numbers) != self._stored:
            people = (person for person in self._people if person.is_excluded_by(numbers))
            # With task state (Airflow 3.3+), later tries do not call them, even if they leave the list.
            self._memory.remember_excluded(map(self._fingerprint, people))
            self._stored = len(numbers)
        return numbers

    def _remembered(self) -> frozenset[str]:
        """Return the phone numbers of those people whom an earlier try found on the do-not-call list.

        The result omits people who are not on the contact list of this try.
        """
        known = self._memory.excluded
        if not known:
            return frozenset()
        return frozenset(
            contact_key(person.contact) for person in self._people if self._fingerprint(person) in known
        )

    def _fingerprint(self, person: Person) -> str:
        return fingerprint(self._scope, person.number)
