"""Points are charged for successful requests, per minute of the clock and per day of the account."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from airflow_provider_callapi.emulator import Exchange, ManualClock

NOON = datetime(2026, 3, 5, 12, 0, 20, tzinfo=ZoneInfo("Europe/Moscow")).timestamp()


@pytest.fixture
def clock():
    return ManualClock(NOON)


def limits(api):
    return api.send("list.calls")["result"]["metadata"]["limits"]


def test_reading_and_logging_in_are_free_and_starting_costs_its_weight(api, exchange):
    exchange.account.weights["start.informer_call"] = 5
    api.data("list.calls")
    api.data("list.talk_options")
    assert limits(api)["minute_remaining"] == 1000
    api.start("start.informer_call")
    api.start("start.employee_call")
    assert limits(api) == {
        "day_limit": 100_000,
        "day_remaining": 99_994,
        "day_reset": 12 * 3600 - 20,
        "minute_limit": 1000,
        "minute_remaining": 994,
        "minute_reset": 40,
    }


def test_a_failed_request_costs_nothing(api):
    api.error("tag.call", call_session_id=1, tag_id=36)
    assert limits(api)["minute_remaining"] == 1000


def test_the_answer_to_a_charged_request_shows_the_points_left_after_it(api):
    call = api.start_talk()
    answer = api.send("tag.call", call_session_id=call.call_session_id, tag_id=36)
    assert answer["result"]["metadata"]["limits"]["minute_remaining"] == 998


def test_the_minute_limit_lasts_until_the_next_minute_of_the_clock(api, exchange, clock):
    exchange.account.minute_limit = 2
    api.start()
    api.start()
    error = api.error("start.employee_call")
    assert error["code"] == -32029
    assert error["message"] == ("Limit per minute has been exceeded. Value of current limit per minute is 2")
    assert error["data"]["params"] == {"limit_type": "minute", "limit_max_value": 2}
    assert error["data"]["metadata"]["limits"]["minute_reset"] == 40
    assert len(exchange.calls) == 2
    clock.advance(39)
    assert api.mnemonic("start.employee_call") == "limit_exceeded"
    clock.advance(1)
    api.start()


def test_a_free_method_is_answered_without_points(api, exchange):
    exchange.account.minute_limit = 0
    assert api.data("list.calls") == []


def test_the_day_limit_lasts_until_midnight_in_the_accounts_zone(api, exchange, clock):
    exchange.account.day_limit = 1
    api.start()
    assert api.error("start.employee_call")["data"]["params"]["limit_type"] == "day"
    clock.advance(12 * 3600 - 21)
    assert api.mnemonic("start.employee_call") == "limit_exceeded"
    clock.advance(1)
    api.start()


def test_a_request_that_costs_more_than_the_points_left_fails(api, exchange):
    exchange.account.minute_limit = 3
    exchange.account.weights["start.employee_call"] = 2
    api.start()
    assert api.mnemonic("start.employee_call") == "limit_exceeded"
    assert limits(api)["minute_remaining"] == 1


def test_a_new_exchange_starts_with_all_its_points():
    assert Exchange().limits()["minute_remaining"] == 1000
