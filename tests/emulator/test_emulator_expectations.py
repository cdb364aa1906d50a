"""Expected and unexpected rings, and how the error describes them."""

from __future__ import annotations

import pytest
from emulator_client import CONTACT, EMPLOYEE_PHONE, TTS

from airflow_provider_callapi.emulator import Script

OTHER = "79169990000"


def test_a_phone_rings_as_often_as_expected(api, exchange):
    exchange.expect_ring(CONTACT)
    exchange.expect_ring(OTHER, times=2)
    exchange.expect_no_other_rings()

    api.start("start.informer_call")
    for _ in range(2):
        api.start("start.informer_call", contact=OTHER)

    exchange.check_rings()


def test_a_second_ring_of_a_phone_that_should_ring_once_is_an_error(api, exchange):
    exchange.expect_ring(CONTACT)
    for _ in range(2):
        api.start("start.informer_call")

    with pytest.raises(AssertionError) as caught:
        exchange.check_rings()

    assert "start.informer_call rang 7916…4567 (contact) 2 times. The test expects 1 ring." in str(
        caught.value
    )
    assert CONTACT not in str(caught.value)


def test_a_missing_ring_is_an_error(exchange):
    exchange.expect_ring(CONTACT, times=2)

    with pytest.raises(AssertionError, match=r"7916…4567 did not ring\. The test expects 2 rings\."):
        exchange.check_rings()


def test_a_ring_of_a_phone_that_must_not_ring_is_an_error(api, exchange):
    exchange.expect_ring(CONTACT, times=0)
    exchange.check_rings()
    api.start("start.informer_call")

    with pytest.raises(AssertionError, match=r"7916…4567 \(contact\) once. The test expects no ring"):
        exchange.check_rings()


def test_another_phone_may_ring_unless_the_test_excludes_it(api, exchange):
    exchange.expect_ring(CONTACT)
    api.start("start.informer_call")
    api.start("start.informer_call", contact=OTHER)
    exchange.check_rings()

    exchange.expect_no_other_rings()

    with pytest.raises(AssertionError) as caught:
        exchange.check_rings()
    line = "start.informer_call rang 7916…0000 (contact) once. The test does not expect this call."
    assert line in str(caught.value)
    assert "4567" not in str(caught.value)


def test_each_unexpected_phone_has_one_line_with_every_method(api, exchange):
    exchange.expect_no_other_rings()
    api.start("start.informer_call")
    api.start("start.simple_call", operator=CONTACT, contact=OTHER)

    with pytest.raises(AssertionError) as caught:
        exchange.check_rings()

    lines = str(caught.value).splitlines()
    assert lines[0] == (
        "start.informer_call, start.simple_call rang 7916…4567 (contact, operator) 2 times. "
        "The test does not expect this call."
    )
    assert len(lines) == 2
    assert "exchange.expect_ring(phone)" in lines[1]


def test_a_script_allows_any_number_of_rings(api, exchange):
    exchange.script(CONTACT, Script.busy())
    exchange.expect_no_other_rings()
    for _ in range(3):
        api.start("start.informer_call")

    exchange.check_rings()


def test_an_expected_ring_sets_the_script_of_the_phone(api, exchange, clock):
    exchange.expect_ring(CONTACT, Script.busy())
    api.start("start.informer_call")
    clock.advance(2)

    assert exchange.calls[0].finish_reason == "subscriber_busy"


def test_the_contact_covers_the_operators_side_but_no_third_party(api, exchange):
    exchange.expect_no_other_rings()
    call = api.start_talk()
    assert exchange.rings(EMPLOYEE_PHONE) == 1
    exchange.check_rings()

    api.data("hold.call", call_session_id=call.call_session_id, contact_message=TTS)
    api.data("make.call", call_session_id=call.call_session_id, to=OTHER)

    with pytest.raises(AssertionError, match=r"7916…0000 \(third party\) once"):
        exchange.check_rings()


def test_an_employees_phone_with_an_expectation_is_counted(api, exchange):
    exchange.expect_ring(EMPLOYEE_PHONE, times=2)
    api.start()

    with pytest.raises(AssertionError, match=r"7926…0001 \(operator\) once. The test expects 2 rings"):
        exchange.check_rings()


def test_an_inbound_call_is_expected(exchange):
    exchange.expect_no_other_rings()
    exchange.inbound(CONTACT)

    assert exchange.rings(EMPLOYEE_PHONE) == 1
    exchange.check_rings()


def test_reset_removes_the_expectations(api, exchange):
    exchange.expect_ring(OTHER)
    exchange.expect_no_other_rings()
    exchange.reset()
    api.start("start.informer_call")

    exchange.check_rings()


def test_the_clock_decides_which_phones_have_rung(api, exchange, clock):
    exchange.expect_ring(CONTACT)
    api.start()  # the employee answers after two seconds, then the contact's phone rings
    with pytest.raises(AssertionError, match="did not ring"):
        exchange.check_rings()

    clock.advance(2)

    exchange.check_rings()


def test_a_contact_that_must_not_ring_does_not_cover_the_operators_side(api, exchange):
    exchange.expect_ring(CONTACT, Script(), times=0)
    exchange.expect_no_other_rings()
    api.start()

    with pytest.raises(AssertionError, match=r"start\.employee_call rang 7926…0001 \(operator\) once"):
        exchange.check_rings()


def test_a_negative_number_of_rings_is_an_error(exchange):
    with pytest.raises(ValueError, match="times: must be 0 or more"):
        exchange.expect_ring(CONTACT, times=-1)


def test_the_second_phone_of_an_active_call_counts_after_the_call_has_taken_its_course(api, exchange):
    exchange.expect_ring(CONTACT, Script(talks=None))
    call = api.start()  # the employee's phone rings, and the contact's phone does not ring yet

    exchange.play_to_end()

    exchange.check_rings()
    assert call.active
