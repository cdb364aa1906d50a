"""A cache for the emulator's answers to ``list.calls``: the JSON text of each active call.

Most calls do not change between two polls. The emulator therefore builds the text of a call again only after
the call has changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.calls.call import Call
from airflow_provider_callapi.emulator.calls.listing import list_entry
from airflow_provider_callapi.emulator.json_array import JsonArray
from airflow_provider_callapi.emulator.profile import Profile


class EntryTexts:
    """A cache of the JSON text of each active call, for the emulator's answers to ``list.calls``.

    :param profile: the variant of the vendor's service that the emulator imitates.
    """

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._texts: dict[int, bytes] = {}
        self._shown_of_account: dict[int, object] = {}

    def array(self, account: Account, calls: Iterable[Call]) -> JsonArray:
        """Return the ``list.calls`` entries of an account's calls as a JSON array, in the order of ``calls``.

        The method uses the stored text of an entry, or builds and stores a missing text. If a test has
        changed the name of an employee or the time zone of the account, the method builds all texts again.
        The entries therefore always show the present values.

        :param calls: active calls of the account.
        """
        shown = (account.timezone, [(one.id, one.full_name) for one in account.employees.values()])
        if self._shown_of_account.get(id(account)) != shown:
            self._texts.clear()
            self._shown_of_account[id(account)] = shown
        known = self._texts
        return JsonArray([known.get(call.call_session_id) or self._make_text(call) for call in calls])

    def forget(self, call: Call) -> None:
        """Discard the cached JSON text of a call, because the call is about to change.

        If `array` gets this call later, `array` builds a new text.
        """
        self._texts.pop(call.call_session_id, None)

    def _make_text(self, call: Call) -> bytes:
        text = json.dumps(list_entry(call, self._profile), ensure_ascii=False).encode()
        self._texts[call.call_session_id] = text
        return text
