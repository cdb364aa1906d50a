"""Compare the phone rings that a test expects with the rings in the emulator's journal of events."""

from __future__ import annotations

from collections.abc import Iterable

from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.emulator.calls.call import Call
from airflow_provider_callapi.emulator.calls.state_diagram import Role
from airflow_provider_callapi.emulator.calls.switchboard import Switchboard
from airflow_provider_callapi.emulator.journal import Entry

_ADVICE = (
    "Name each phone that may ring: exchange.expect_ring(phone) for an exact number of rings, "
    "exchange.script(phone, …) for any number."
)


class RingExpectations:
    """The expectations of a test about the rings of phones.

    :ivar times: phone → how often the phone must ring in the whole test.
    :ivar no_other_rings: True: a phone may ring only if it is in ``times`` or has a script. An operator's
        phone may also ring in an inbound call, and in a call to a contact whose phone may ring.
    """

    def __init__(self) -> None:
        self.times: dict[str, int] = {}
        self.no_other_rings = False

    def check(self, switchboard: Switchboard) -> None:
        """Fail if the phones have rung differently from what the test expects.

        :raises AssertionError: the message names each phone that rang too often, too seldom or unexpectedly,
            with its number masked.
        """
        __tracebackhide__ = True  # pytest shows only the message
        rings = [entry for entry in switchboard.journal.entries if entry.kind == "ring"]
        problems = self._wrong_counts(switchboard, rings)
        if self.no_other_rings:
            problems += self._unexpected_calls(switchboard, rings)
        if problems:
            raise AssertionError("\n".join(problems))

    def _wrong_counts(self, switchboard: Switchboard, rings: list[Entry]) -> list[str]:
        by_phone = _group_by_phone(rings)
        return [
            f"{_describe(switchboard, phone, by_phone.get(phone, []))}. The test expects {_number(times)}."
            for phone, times in self.times.items()
            if times != len(by_phone.get(phone, []))
        ]

    def _unexpected_calls(self, switchboard: Switchboard, rings: list[Entry]) -> list[str]:
        unexpected = _group_by_phone(ring for ring in rings if not self._is_expected(switchboard, ring))
        problems = [
            f"{_describe(switchboard, phone, entries)}. The test does not expect this call."
            for phone, entries in unexpected.items()
        ]
        return [*problems, _ADVICE] if problems else []

    def _is_expected(self, switchboard: Switchboard, ring: Entry) -> bool:
        if ring.phone in self.times or ring.phone in switchboard.scripts:
            return True
        call = _call_of(switchboard, ring)
        # The contact's script also describes the operator's side. The test itself places inbound calls.
        contact_expected = self.times.get(call.contact, call.contact in switchboard.scripts)
        return ring.detail == Role.OPERATOR.value and (call.method == "inbound" or bool(contact_expected))


def _group_by_phone(rings: Iterable[Entry]) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for ring in rings:
        groups.setdefault(ring.phone or "", []).append(ring)
    return groups


def _call_of(switchboard: Switchboard, ring: Entry) -> Call:
    return switchboard.calls[ring.call_session_id or 0]


def _describe(switchboard: Switchboard, phone: str, rings: list[Entry]) -> str:
    """Describe the rings of a phone, e.g. ``start.informer_call rang 7916…0000 (contact) once``."""
    if not rings:
        return f"{mask_phones(phone)} did not ring"
    methods = ", ".join(dict.fromkeys(_call_of(switchboard, entry).method for entry in rings))
    roles = ", ".join(dict.fromkeys(entry.detail or "" for entry in rings))
    times = "once" if len(rings) == 1 else f"{len(rings)} times"
    return f"{methods} rang {mask_phones(phone)} ({roles}) {times}"


def _number(rings: int) -> str:
    return {0: "no ring", 1: "1 ring"}.get(rings, f"{rings} rings")
