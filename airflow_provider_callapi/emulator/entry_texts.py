"""The JSON texts of the entries in the emulator's ``list.calls``.

An account may have thousands of active calls, and only few of them change between two polls. The emulator
keeps the text of an entry until the call may change.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.call import Call
from airflow_provider_callapi.emulator.json_array import JsonArray
from airflow_provider_callapi.emulator.listing import list_entry
from airflow_provider_callapi.emulator.profile import Profile


class EntryTexts:
    """The JSON texts of the entries of active calls in ``list.calls``.

    :param profile: how the exchange behaves where the vendor's brands and accounts differ.
    """

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._texts: dict[int, bytes] = {}
        self._shown_of_account: dict[int, object] = {}

    def array(self, account: Account, calls: Iterable[Call]) -> JsonArray:
        """Return the entries of an account's calls as a JSON array.

        A test may change the names of the account's employees and the account's time zone. After such a
        change, the entries show the new names and times.
        """
        shown = (account.timezone, [(one.id, one.full_name) for one in account.employees.values()])
        if self._shown_of_account.get(id(account)) != shown:
            self._texts.clear()
            self._shown_of_account[id(account)] = shown
        known = self._texts
        return JsonArray([known.get(call.call_session_id) or self._make_text(call) for call in calls])

    def forget(self, call: Call) -> None:
        """Forget the JSON text of a call, because the call is about to change."""
        self._texts.pop(call.call_session_id, None)

    def _make_text(self, call: Call) -> bytes:
        text = json.dumps(list_entry(call, self._profile), ensure_ascii=False).encode()
        self._texts[call.call_session_id] = text
        return text
