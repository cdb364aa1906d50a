"""The rings that a test expects, compared with the rings in the journal."""

from __future__ import annotations

from collections import Counter

from airflow_provider_callapi.api.errors import mask_phones
from airflow_provider_callapi.emulator.journal import Entry
from airflow_provider_callapi.emulator.state_diagram import Role
from airflow_provider_callapi.emulator.switchboard import Switchboard

_ADVICE = (
    "Name each phone that may ring: exchange.expect_ring(phone) for an exact number of rings, "
    "exchange.script(phone, …) for any number."
)


class RingExpectations:
    """The rings that a test expects.

    :ivar times: phone → how often it must ring in the whole test.
    :ivar no_other_rings: True: a ring of any other phone is unexpected, unless it has a script.
    """

    def __init__(self) -> None:
        self.times: dict[str, int] = {}
        self.no_other_rings = False

    def check(self, switchboard: Switchboard) -> None:
        """Compare the expectations with the journal.

        :raises AssertionError: one line for each phone that rang too often, too seldom or
            unexpectedly, with its masked number and the method of the call.
        """
        rings = [entry for entry in switchboard.journal.entries if entry.kind == "ring"]
        counts = Counter(entry.phone for entry in rings)
        problems = [
            f"{mask_phones(phone)} did not ring. The test expects {_rings(times)}."
            for phone, times in self.times.items()
            if times and not counts[phone]
        ]
        problems += [
            f"{_describe(switchboard, phone, rings)}. The test expects {_rings(self.times[phone])}."
            for phone in counts
            if phone in self.times and self.times[phone] != counts[phone]
        ]
        if self.no_other_rings:
            unexpected = [entry for entry in rings if not self._is_expected(switchboard, entry)]
            problems += [
                f"{_describe(switchboard, phone, unexpected)}. The test does not expect this call."
                for phone in dict.fromkeys(entry.phone for entry in unexpected)
            ]
        if problems:
            raise AssertionError(
                "\n".join(["The phones rang differently from the test:", *problems, _ADVICE])
            )

    def _is_expected(self, switchboard: Switchboard, ring: Entry) -> bool:
        if self._is_named(switchboard, ring.phone):
            return True
        # the contact's script also describes the operator's side, and the test itself places inbound calls
        call = switchboard.calls[ring.call_session_id or 0]
        named = call.method == "inbound" or self._is_named(switchboard, call.contact)
        return named and ring.detail == Role.OPERATOR.value

    def _is_named(self, switchboard: Switchboard, phone: str | None) -> bool:
        return phone in self.times or phone in switchboard.scripts


def _describe(switchboard: Switchboard, phone: str | None, rings: list[Entry]) -> str:
    """Return a clause: which method rang which role at which phone, and how often."""
    entries = [entry for entry in rings if entry.phone == phone]
    methods = dict.fromkeys(switchboard.calls[entry.call_session_id or 0].method for entry in entries)
    roles = dict.fromkeys(entry.detail or "" for entry in entries)
    by, role, times = ", ".join(methods), ", ".join(roles), _times(len(entries))
    return f"{by} rang {mask_phones(phone or '')} ({role}) {times}"


def _rings(times: int) -> str:
    return {0: "no ring", 1: "1 ring"}.get(times, f"{times} rings")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
