"""A simulated exchange, clock and person. The person does at the phones what ``verify`` asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

from hypothesis import strategies as st
from known_numbers import VNUMBER

from airflow_provider_callapi.api.transport.jsonrpc import JsonRpc
from airflow_provider_callapi.emulator import Exchange, ManualClock, Profile, Script
from airflow_provider_callapi.emulator.profile import OddShape
from airflow_provider_callapi.verify.bench import Options
from airflow_provider_callapi.verify.findings import Findings
from airflow_provider_callapi.verify.gateway import Gateway, Service
from airflow_provider_callapi.verify.probes import select
from airflow_provider_callapi.verify.profile import to_profile
from airflow_provider_callapi.verify.resume_file import ResumeFile
from airflow_provider_callapi.verify.run import Run

CONTACT = "79161234567"
DEAD, SECOND = "79035550000", "79167654321"
SECRETS = (CONTACT, VNUMBER, DEAD, SECOND, "demo-key", "demo-password")

OBEDIENT = {
    "listen until": Script(rings=3, talks=20),
    "and hang up": Script(rings=3, talks=5),
    "program ends the call": Script(rings=3, talks=None),
    "do not answer, and do not reject": Script.no_answer(rings=60),
    "stay on the line until the call ends": Script(rings=3, talks=30),
    "Your phone rings, and then your second phone": Script(rings=3, talks=None),
    "do not answer it": Script.no_answer(rings=10),
}
"""Part of an instruction → what a person does who follows the instruction."""


class World:
    """A user with two phones and an account at an exchange.

    :ivar said: all lines of text that the program has shown to the user.
    :ivar before_pause: a function that the world calls before each pause.
    """

    def __init__(self, profile: Profile, file: Path, *, login: bool = False, data_api: bool = True) -> None:
        self.clock = ManualClock(1_760_000_000.0)
        self.exchange = Exchange(self.clock, profile=profile)
        self.file = file
        self.said: list[str] = []
        self.before_pause: Callable[[], object] = lambda: None
        self.options = Options(CONTACT, VNUMBER, DEAD, SECOND, "Europe/Moscow")
        self._login = login
        self._data_api = data_api
        self.exchange.script(DEAD, Script(rings=12, fails_with="sip_offline"))
        self.exchange.script(SECOND, Script(rings=12))

    def say(self, text: str) -> None:
        self.said.append(text)
        for part, script in OBEDIENT.items():
            if part in text:
                self.exchange.script(CONTACT, script)

    def sleep(self, seconds: float) -> None:
        self.before_pause()
        self.clock.advance(seconds)

    def service(self, url: str) -> Service:
        account = self.exchange.account
        return Service(
            JsonRpc(url, new_session=self.exchange.session),
            login=account.login if self._login else None,
            secret=account.password if self._login else account.key,
            sleep=self.sleep,
        )

    def gateway(self) -> Gateway:
        profile = self.exchange.profile
        data_api = self.service(f"https://{profile.data_api_host or 'dataapi.comagic.ru'}/v2.0")
        return Gateway(
            call_api=self.service(f"https://{profile.call_api_host or 'callapi.comagic.ru'}/v4.0"),
            data_api=data_api if self._data_api else None,
            clock=self.clock,
            sleep=self.sleep,
            say=self.say,
        )

    def verify(self, *only: str, with_calls: bool = True) -> Findings:
        """Run the probes (measurements) as the command ``airflow callapi verify`` does."""
        file = ResumeFile.open(self.file, "callapi_default", "0123")
        return Run(self.gateway(), self.options, file).execute(select(only, with_calls=with_calls))

    def profile_of(self, findings: Findings) -> dict[str, object]:
        return to_profile(findings, connection_zone=self.options.timezone, now=self.clock())


def whole_seconds(largest: int) -> st.SearchStrategy[float]:
    return st.integers(0, largest).map(float)


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    """Draw a profile in which a run of ``verify`` can measure every field that a run can observe at all."""
    vanish_seconds = draw(whole_seconds(4))
    shapes = draw(st.sets(st.sampled_from(get_args(OddShape))))
    refused = draw(
        st.dictionaries(
            st.sampled_from(["full_record_file_link", "tags"]),
            st.sampled_from(["unexpected_parameters", "parameter_component_disabled"]),
        )
    )
    if "tags" in refused:
        shapes.discard("null_tags")
    return Profile(
        talk_is_listed=draw(st.sampled_from(["at_answer", "in_talk", "never"])),
        state_language=draw(st.sampled_from(["russian", "english"])),
        appear_delay=draw(whole_seconds(8)),
        vanish_after=draw(st.integers(1, 6).map(float)) if vanish_seconds else 0.0,
        vanish_seconds=vanish_seconds,
        start_time_format=draw(st.sampled_from(["milliseconds", "seconds", "utc"])),
        external_id_is_listed=draw(st.booleans()),
        operator_leg_is_operator=draw(st.booleans()),
        session_reason=draw(st.sampled_from(["ending_leg", "contact", "operator", "any"])),
        own_leg_reasons=draw(st.booleans()),
        report_delay=draw(whole_seconds(20)),
        ongoing_report_delay=draw(st.none() | whole_seconds(6)),
        ongoing_talk_is_reported=draw(st.booleans()),
        ongoing_legs_are_reported=draw(st.booleans()),
        talk_duration_from=draw(st.sampled_from(["talk", "employee"])),
        unanswered_calls_are_lost=draw(st.booleans()),
        youngest_date_from=draw(whole_seconds(80_000)),
        future_date_till_is_allowed=draw(st.booleans()),
        refused_fields=refused,
        refused_filters=draw(
            st.sampled_from(
                [(), ("id",), ("call_api_external_id",), ("call_api_external_id", "call_session_id")]
            )
        ),
        odd_shapes=tuple(sorted(shapes)),
        call_api_host=draw(st.sampled_from([None, "callapi.callgear.com"])),
        data_api_host=draw(st.sampled_from([None, "dataapi.callgear.com"])),
        token_end_field=draw(st.sampled_from(["expire_at", "expire", None])),
        login_metadata=draw(st.booleans()),
        tokens_are_shared=draw(st.booleans()),
        error_http_status=draw(st.sampled_from([200, 400, 403, 500])),
        errors_repeat_id=draw(st.booleans()),
        errors_have_limits=draw(st.booleans()),
        weights=draw(
            st.dictionaries(
                st.sampled_from(
                    ["list.calls", "login.user", "get.tags", "start.informer_call", "release.call"]
                ),
                st.integers(0, 2),
            )
        ),
        day_limit=draw(st.integers(5_000, 100_000)),
        minute_limit=draw(st.integers(400, 1_000)),
        timezone=draw(st.sampled_from(["Europe/Moscow", "Asia/Yekaterinburg", "Asia/Kolkata", "UTC"])),
    )
