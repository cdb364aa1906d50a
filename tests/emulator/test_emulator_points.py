"""Points are charged for what succeeded, by the minute of the clock and the account's day."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from airflow_provider_callapi.emulator import Exchange, ManualClock

NOON = datetime(2026, 3, 5, 12, 0, 20, tzinfo=ZoneInfo("Europe/Moscow")).timestamp()


@pytest.fixture
def clock():
    return ManualClock(NOON)


def limits(desk):
    return desk.send("list.calls")["result"]["metadata"]["limits"]


def test_reading_and_logging_in_are_free_and_starting_costs_its_weight(desk, exchange):
    exchange.account.weights["start.informer_call"] = 5
    desk.ask("list.calls")
    desk.ask("list.talk_options")
    assert limits(desk)["minute_remaining"] == 1000
    desk.start("start.informer_call")
    desk.start("start.employee_call")
    assert limits(desk) == {
        "day_limit": 100_000,
        "day_remaining": 99_994,
        "day_reset": 12 * 3600 - 20,
        "minute_limit": 1000,
        "minute_remaining": 994,
        "minute_reset": 40,
    }


def test_a_refused_request_costs_nothing(desk):
    desk.refused("tag.call", call_session_id=1, tag_id=36)
    assert limits(desk)["minute_remaining"] == 1000


def test_the_answer_to_a_charged_request_tells_what_is_left_after_it(desk):
    call = desk.talking()
    answer = desk.send("tag.call", call_session_id=call.call_session_id, tag_id=36)
    assert answer["result"]["metadata"]["limits"]["minute_remaining"] == 998


def test_the_minutes_limit_refuses_until_the_next_minute_of_the_clock(desk, exchange, clock):
    exchange.account.minute_limit = 2
    desk.start()
    desk.start()
    error = desk.refused("start.employee_call")
    assert error["code"] == -32029
    assert error["message"] == ("Limit per minute has been exceeded. Value of current limit per minute is 2")
    assert error["data"]["params"] == {"limit_type": "minute", "limit_max_value": 2}
    assert error["data"]["metadata"]["limits"]["minute_reset"] == 40
    assert len(exchange.calls) == 2
    clock.advance(39)
    assert desk.mnemonic("start.employee_call") == "limit_exceeded"
    clock.advance(1)
    desk.start()


def test_what_is_free_is_answered_without_points(desk, exchange):
    exchange.account.minute_limit = 0
    assert desk.ask("list.calls") == []


def test_the_days_limit_lasts_until_midnight_where_the_account_is(desk, exchange, clock):
    exchange.account.day_limit = 1
    desk.start()
    assert desk.refused("start.employee_call")["data"]["params"]["limit_type"] == "day"
    clock.advance(12 * 3600 - 21)
    assert desk.mnemonic("start.employee_call") == "limit_exceeded"
    clock.advance(1)
    desk.start()


def test_a_request_that_costs_more_than_is_left_is_refused(desk, exchange):
    exchange.account.minute_limit = 3
    exchange.account.weights["start.employee_call"] = 2
    desk.start()
    assert desk.mnemonic("start.employee_call") == "limit_exceeded"
    assert limits(desk)["minute_remaining"] == 1


def test_a_new_exchange_starts_with_all_its_points():
    assert Exchange().limits()["minute_remaining"] == 1000
