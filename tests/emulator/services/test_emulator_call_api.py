"""Filters of list.calls."""

from __future__ import annotations

from emulator_client import VNUMBER


def test_list_calls_filters_by_direction_and_virtual_number(api):
    api.start(direction="in")
    api.start(virtual_phone_number="74951045771")
    assert len(api.data("list.calls")) == 2
    assert [c["direction"] for c in api.data("list.calls", direction="out")] == ["out"]
    numbers = api.data("list.calls", virtual_phone_number=VNUMBER)
    assert [c["virtual_phone_number"] for c in numbers] == [VNUMBER]
