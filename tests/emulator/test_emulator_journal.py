"""The journal of events and its counts."""

from __future__ import annotations

from emulator_client import CONTACT, EMPLOYEE_PHONE


def test_the_journal_lists_the_events_of_a_call_in_order(api, exchange, clock):
    call = api.start()
    clock.advance(5)
    api.data("tag.call", call_session_id=call.call_session_id, tag_id=36)
    clock.advance(10)
    start = call.started_at
    events = [(e.time - start, e.kind, e.phone) for e in exchange.journal if e.kind != "request"]
    assert events == [
        (0, "start", CONTACT),
        (0, "ring", EMPLOYEE_PHONE),
        (2, "answer", EMPLOYEE_PHONE),
        (2, "ring", CONTACT),
        (5, "answer", CONTACT),
        (5, "tag", CONTACT),
        (15, "end", CONTACT),
    ]


def test_requests_are_counted_by_method_with_failed_ones(api, exchange):
    api.start()
    api.error("start.employee_call")
    assert exchange.requests("start.employee_call") == 2
    assert exchange.requests("list.calls") == 0
    mnemonics = [entry.mnemonic for entry in exchange.journal if entry.kind == "request"]
    assert mnemonics == [None, "required_parameter_missed"]
