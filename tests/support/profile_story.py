"""What a client sees of an exchange with a profile, and profiles drawn at random."""

from __future__ import annotations

from typing import Any, get_args

import requests
from hypothesis import strategies as st
from known_numbers import VNUMBER

from airflow_provider_callapi.api.times import report_time
from airflow_provider_callapi.emulator import Exchange, ManualClock, Profile, Script
from airflow_provider_callapi.emulator.profile import OddShape

OPERATOR = "79035550000"
CUT_OFF, LISTENER, TALKER, LATE = "79161110001", "79161110002", "79161110003", "79161110004"
TTS = {"type": "tts", "value": "Hello"}
CALL_API, DATA_API = "https://callapi.comagic.ru/v4.0", "https://dataapi.comagic.ru/v2.0"


class Client:
    """A client that sends requests without the package's own client, and keeps all answers."""

    def __init__(self, profile: Profile) -> None:
        self.clock = ManualClock(1_760_000_000.0)
        self.exchange = Exchange(self.clock, profile=profile)
        self.answers: list[Any] = []
        self.tokens: list[str] = []

    def send(
        self, url: str, method: str, *, key: str | None = "demo-key", ip: str = "127.0.0.1", **params: Any
    ) -> Any:
        """Send a request and return the data of the answer; None: the answer contains no data."""
        if key is not None:
            params["access_token"] = key
        body = {"jsonrpc": "2.0", "id": "1", "method": method, "params": params}
        headers = {"Content-Type": "application/json" if ip == "::1" else "application/json; charset=UTF-8"}
        try:
            response = self.exchange.session(ip).post(url, json=body, headers=headers)
        except requests.ConnectionError as error:
            self.answers.append(type(error).__name__)
            return None
        answer = response.json()
        data = answer.get("result", {}).get("data")
        token = data.get("access_token") if isinstance(data, dict) else None
        self.tokens += [token] if token else []
        text = response.text
        for number, token in enumerate(self.tokens):
            text = text.replace(token, f"token {number}")
        self.answers.append((response.status_code, text))
        return data

    def start(self, contact: str, method: str = "start.informer_call", **params: Any) -> None:
        if method == "start.informer_call":
            params["contact_message"] = TTS
        self.send(
            CALL_API, method, virtual_phone_number=VNUMBER, contact=contact, external_id=contact, **params
        )

    def reports(self, begins: float, ends: float, **params: Any) -> None:
        """Request both reports of an interval. ``begins`` and ``ends`` are in seconds from now."""
        interval = {
            "date_from": report_time(self.clock() + begins, "Europe/Moscow"),
            "date_till": report_time(self.clock() + ends, "Europe/Moscow"),
        }
        self.send(DATA_API, "get.call_legs_report", **interval)
        self.send(DATA_API, "get.calls_report", **interval, **params)


def story_seen_by_a_client(profile: Profile) -> list[Any]:
    """Play one story at an exchange, and return all answers that a client receives."""
    client = Client(profile)
    exchange, clock = client.exchange, client.clock
    exchange.script(CUT_OFF, Script.operator_fails("max_out_call_reached", rings=3, employee_rings=4))
    exchange.script(LISTENER, Script(rings=3, talks=20))
    exchange.script(TALKER, Script(rings=3, talks=20))
    login = {"login": "demo", "password": "demo-password", "key": None}
    token = (client.send(DATA_API, "login.user", **login) or {}).get("access_token")
    client.send(CALL_API, "login.user", **login)
    client.send(CALL_API, "list.calls", key=token)
    client.send(CALL_API, "list.calls", ip="192.0.2.1")
    client.send(CALL_API, "list.calls", ip="::1")
    client.start(CUT_OFF, "start.simple_call", operator=OPERATOR, first_call="contact")
    client.start(LISTENER)
    client.start(TALKER, "start.employee_call", employee={"id": 25}, first_call="employee")
    for _ in range(6):
        client.send(CALL_API, "list.calls")
        client.reports(-86_400, 86_400, include_ongoing_calls=True, fields=["id", "talk_duration"])
        clock.advance(1.5)
    for seconds in (15, 60, 0):
        clock.advance(seconds)
        client.reports(-86_400, 86_400)
    client.reports(-3_600, 3_600, fields=["full_record_file_link", "tags", "employees"])
    client.reports(-86_400, 0, filter={"field": "call_api_external_id", "operator": "=", "value": TALKER})
    exchange.account.minute_limit = 0
    client.start(LATE)
    exchange.account.minute_limit = 1_000
    client.send(CALL_API, "list.calls")
    return client.answers


def _seconds(largest: float) -> st.SearchStrategy[float]:
    return st.sampled_from([0.0, 0.5]) | st.floats(0, largest, allow_nan=False)


PROFILES: st.SearchStrategy[Profile] = st.builds(
    Profile,
    talk_is_listed=st.sampled_from(["at_answer", "in_talk", "never"]),
    state_language=st.sampled_from(["russian", "english"]),
    appear_delay=_seconds(60),
    vanish_after=_seconds(10),
    vanish_seconds=_seconds(10),
    start_time_format=st.sampled_from(["milliseconds", "seconds", "utc"]),
    external_id_is_listed=st.booleans(),
    operator_leg_is_operator=st.booleans(),
    session_reason=st.sampled_from(["ending_leg", "contact", "operator", "any"]),
    own_leg_reasons=st.booleans(),
    report_delay=_seconds(600),
    ongoing_report_delay=st.none() | _seconds(60),
    ongoing_talk_is_reported=st.booleans(),
    ongoing_legs_are_reported=st.booleans(),
    talk_duration_from=st.sampled_from(["talk", "employee"]),
    unanswered_calls_are_lost=st.booleans(),
    youngest_date_from=_seconds(80_000),
    future_date_till_is_allowed=st.booleans(),
    refused_fields=st.dictionaries(
        st.sampled_from(["full_record_file_link", "tags"]),
        st.sampled_from(["unexpected_parameters", "parameter_component_disabled"]),
    ),
    refused_filters=st.sampled_from([(), ("id",), ("call_api_external_id", "call_session_id")]),
    odd_shapes=st.sets(st.sampled_from(get_args(OddShape))).map(tuple),
    allowed_ips=st.sampled_from([None, (), ("127.0.0.1",)]),
    call_api_host=st.sampled_from([None, "callapi.comagic.ru"]),
    data_api_host=st.sampled_from([None, "dataapi.comagic.ru"]),
    token_end_field=st.sampled_from(["expire_at", "expire", None]),
    login_metadata=st.booleans(),
    tokens_are_shared=st.booleans(),
    error_http_status=st.sampled_from([200, 400, 403, 500]),
    errors_repeat_id=st.booleans(),
    errors_have_limits=st.booleans(),
    charset_is_required=st.booleans(),
    weights=st.dictionaries(st.sampled_from(["list.calls", "login.user", "get.tags"]), st.integers(0, 10)),
    day_limit=st.integers(100, 100_000),
    minute_limit=st.integers(10, 1_000),
    limit_exceeded_leaves_undone=st.booleans(),
    timezone=st.sampled_from(["Europe/Moscow", "Asia/Yekaterinburg", "Europe/Berlin", "UTC"]),
)
"""Profiles in which every field takes any value that a service could have."""
