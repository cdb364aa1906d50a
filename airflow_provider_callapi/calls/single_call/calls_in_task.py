"""Gives each call of one task a number. Under this number, the call has a journal (a stored record).

A retry of the task requests the same calls again, perhaps in another order or with other messages. Each
request of the retry must get the journal of its call, so that no call is placed again. For each request of
the retry, the module chooses one of the recorded calls:

1. A call to the same person with the same content.
2. If there is none: the first call to the same person that this retry has not requested yet.
3. If there is none either: no recorded call. The request asks for a new call.

Within one try, two requests with exactly the same content ask for one call.
"""

from __future__ import annotations

from typing import Any

from airflow_provider_callapi.api.methods import StartCall
from airflow_provider_callapi.calls.deployment import Deployment
from airflow_provider_callapi.calls.phone_numbers.comparison import contact_key
from airflow_provider_callapi.calls.single_call.call_record import RECORD_KEY
from airflow_provider_callapi.calls.stores import KeyValueStore

CALLS_KEY = "callapi_calls"
"""The key under which the calls of a task are stored."""


class CallsInTask:
    """The calls of one task, in the order in which the task has asked for them.

    :param store: keeps the list of calls for the later tries of the task.
    :param owner: dag id, run id, task id and map index of the task.
    :param this_try: a text that is different for each try of the task.
    """

    def __init__(
        self, store: KeyValueStore, *, owner: tuple[str, ...], this_try: str, deployment: Deployment
    ) -> None:
        self._store = store
        self._owner = owner
        self._try = this_try
        self._deployment = deployment

    def number(self, request: StartCall) -> int:
        """Return the number of the call that a start request asks for. The task's first call is number 1.

        By this number, a retry recognises the calls of an earlier try, so that it does not place them again.
        The first of these rules that fits the request decides:

        1. This try has already asked for a call with exactly the same content: the number of that call.
        2. An earlier try has asked for a call to this person with exactly the same content, and this try has
           not asked for that call yet: the number of that call.
        3. An earlier try has asked for calls to this person with other contents, and this try has not asked
           for all of these calls yet: the number of the first of them that this try has not asked for. The
           content may differ between two tries, e.g. if it contains the time.
        4. Otherwise: a new number.

        The method stores the number before it returns.

        :param request: the start request.
        """
        calls = self._calls()
        content = request.model_dump_json()
        person = contact_key(request.contact)
        to_person = [number for number, call in enumerate(calls) if self._is_same(call["person"], person)]
        alike = [number for number in to_person if self._is_same(calls[number]["request"], content)]
        asked = {number for number in to_person if calls[number]["try"] == self._try}
        repeated = [number for number in alike if number in asked]
        unasked = [number for number in (*alike, *to_person) if number not in asked]
        if repeated:
            return repeated[0] + 1
        number = unasked[0] if unasked else len(calls)
        if not unasked:
            calls.append({"person": self._fingerprint(person)})
        calls[number] |= {"request": self._fingerprint(content), "try": self._try}
        self._store.set(CALLS_KEY, {"calls": calls})
        return number + 1

    def sessions_of_others(self, number: int, request: StartCall) -> list[int]:
        """Return the session ids of this task's other calls to the same person.

        :param number: the position of the call that is left out. The task's first call has the position 1.
        :param request: the start request of this call.
        """
        person = contact_key(request.contact)
        records = (
            NumberedStore(self._store, other).get(RECORD_KEY)
            for other, call in enumerate(self._calls(), start=1)
            if other != number and self._is_same(call["person"], person)
        )
        return [record["call"]["call_session_id"] for record in records if record and record["call"]]

    def _calls(self) -> list[dict[str, str]]:
        """Return the task's calls as dicts. Call number 1 comes first.

        Keys: the hashes ``person`` and ``request``; ``try``: the last try that asked for the call.
        """
        return list((self._store.get(CALLS_KEY) or {}).get("calls", []))

    def _fingerprint(self, text: str) -> str:
        return self._deployment.fingerprint(*self._owner, text)

    def _is_same(self, fingerprint: str, text: str) -> bool:
        """Return whether a fingerprint is the hash of ``text``. True if the hash's secret key is lost."""
        # If the hash's secret key is gone, nothing can be compared. True then prevents a second call.
        return self._deployment.is_fingerprint_of(fingerprint, *self._owner, text) is not False


class NumberedStore:
    """Stores the values of one call of a task, in the store that all calls of the task share.

    Example: the key ``callapi_call`` of call number 2 is stored as ``callapi_call_2``.

    :param number: the number of the call, see `CallsInTask.number`.
    """

    def __init__(self, store: KeyValueStore, number: int) -> None:
        self._store = store
        self._number = number

    def get(self, key: str) -> Any:
        """Return the value of a key for this store's phone call. None: no value is stored."""
        return self._store.get(f"{key}_{self._number}")

    def set(self, key: str, value: Any) -> None:
        """Store the value of a key. Return only after the value is stored."""
        self._store.set(f"{key}_{self._number}", value)
