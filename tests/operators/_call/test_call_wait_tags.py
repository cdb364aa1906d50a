"""The tags of a call: each is set once, and a try that fails leaves the others to the next try."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
)
from airflow_fakes import CONTACT
from ways_to_wait import TAGS, tags_set, waiting_task, ways

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import (
    CallApiFailure,
    CallStillActive,
)
from airflow_provider_callapi.hooks.callapi import CallApiHook

pytest_plugins = ["airflow_desk"]


@ways
@pytest.mark.parametrize(
    ("script", "tags"),
    [(Script(rings=3, talks=40), [36, 38]), (Script.busy(8), [37, 38]), (Script(rings=1, talks=2), [36, 38])],
)
def test_each_tag_of_the_calls_outcome_is_set_once(desk, way, script, tags):
    desk.exchange.script(CONTACT, script)

    result = waiting_task(desk, way, tags=TAGS).run()

    assert sorted(result["tags"]) == tags
    assert sorted(tags_set(desk)) == [str(tag) for tag in tags]
    assert desk.exchange.rings(CONTACT) == 1


@ways
def test_an_answered_call_is_tagged_while_it_is_active_even_without_the_data_api(desk, way):
    desk.connect(extra={"data_api": False})
    desk.exchange.script(CONTACT, Script(rings=3, talks=40))

    result = waiting_task(desk, way, tags={"answered": "36"}).run()

    assert result["tags"] == [36]
    (tagged,) = [entry for entry in desk.exchange.journal if entry.method == "tag.call"]
    (ended,) = [entry for entry in desk.exchange.journal if entry.kind == "end"]
    assert tagged.time < ended.time


def test_tags_of_finished_calls_need_the_data_api_and_fail_before_dialling_without_it(desk):
    desk.connect(extra={"data_api": False})

    with pytest.raises(CallApiFailure, match=r"tags\.ended: .*extra\.data_api"):
        waiting_task(desk, tags={"ended": 38}).run()

    assert desk.exchange.journal == []


def test_a_resumed_task_that_can_no_longer_set_its_tags_states_that_its_call_was_placed(desk, monkeypatch):
    calling = waiting_task(desk, "deferral", tags=TAGS)
    trigger = calling.trigger

    def lose_the_data_api(given):
        event = trigger(given)
        desk.connect(extra={"data_api": False})
        return event

    monkeypatch.setattr(calling, "trigger", lose_the_data_api)
    with pytest.raises(CallApiFailure, match=r"extra\.data_api.* to true\. Call session \d+ was placed\.$"):
        calling.run()
    assert desk.exchange.rings(CONTACT) == 1


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_the_next_try_sets_a_tag_that_failed_on_the_active_call_and_does_not_dial(desk, way):
    desk.exchange.script(CONTACT, Script(rings=3, talks=600))
    desk.exchange.fault(Fault.BAD_GATEWAY, method="tag.call", times=5)
    waiting = waiting_task(desk, way, tags={"answered": 36})

    with pytest.raises(CallApiError) as trouble:
        waiting.run()
    assert not isinstance(trouble.value, AirflowFailException)
    assert waiting.journal["stage"] == "started"
    result = waiting.retry()

    assert result["tags"] == [36]
    assert tags_set(desk) == ["36"]
    assert desk.exchange.rings(CONTACT) == 1


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_the_next_try_only_sets_the_tag_that_failed_after_the_end_of_the_call(desk, way):
    desk.exchange.script(CONTACT, Script.busy(8))
    desk.exchange.fault(Fault.BAD_GATEWAY, method="set.tag_communications", times=5)
    waiting = waiting_task(desk, way, tags={"not_answered": 37})

    with pytest.raises(CallApiError):
        waiting.run()
    assert waiting.journal["stage"] == "ended"
    before = len(desk.sent(but=()))
    result = waiting.retry()

    assert result["tags"] == [37]
    assert desk.sent(but=())[before:] == ["set.tag_communications"]
    assert desk.exchange.rings(CONTACT) == 1


@pytest.mark.needs_airflow("3.3", "task state")
def test_the_next_try_sets_only_the_one_of_two_tags_that_failed(desk):
    desk.exchange.script(CONTACT, Script.busy(8))
    waiting = waiting_task(desk, tags={"ended": 38, "not_answered": 37})
    set_tag = CallApiHook.data_api.func  # the first succeeds, then the service is down

    class Down:
        def __init__(self, client: Any) -> None:
            self.client, self.asked = client.client, client

        def call(self, request: Any) -> Any:
            answer = self.asked.call(request)
            if request.method == "set.tag_communications" and len(tags_set(desk)) == 1:
                desk.exchange.fault(Fault.BAD_GATEWAY, method=request.method, times=5)
            return answer

    with desk.monkeypatch.context() as patch:
        patch.setattr(CallApiHook, "data_api", property(lambda hook: Down(set_tag(hook))))
        with pytest.raises(CallApiError):
            waiting.run()
    before = len(desk.sent(but=()))
    result = waiting.retry()

    assert sorted(result["tags"]) == [37, 38]
    assert sorted(tags_set(desk)) == ["37", "38"]
    assert desk.sent(but=())[before:] == ["set.tag_communications"]


@ways
@pytest.mark.needs_airflow("3.3", "task state")
def test_a_call_that_was_tagged_by_an_earlier_try_is_not_tagged_again(desk, way):
    desk.exchange.script(CONTACT, Script(rings=0, talks=70))
    waiting = waiting_task(desk, way, tags={"answered": 36}, timeout=40)

    with pytest.raises(CallStillActive):
        waiting.run()
    waiting.retry()

    assert desk.exchange.requests("tag.call") == 1


@ways
def test_a_tag_whose_request_got_no_answer_is_set_once(desk, way):
    desk.exchange.script(CONTACT, Script(rings=3, talks=60))
    desk.exchange.fault(Fault.DROP_AFTER, method="tag.call")
    desk.exchange.fault(Fault.DROP_AFTER, method="set.tag_communications")

    assert sorted(waiting_task(desk, way, tags=TAGS).run()["tags"]) == [36, 38]
    assert sorted(tags_set(desk)) == ["36", "38"]


@ways
def test_a_tag_that_does_not_exist_fails_without_retries_and_without_a_second_call(desk, way):
    desk.exchange.script(CONTACT, Script(rings=3, talks=60))

    with pytest.raises(CallApiFailure, match="tag_not_found") as caught:
        waiting_task(desk, way, tags={"answered": 999}).run()

    (call,) = desk.exchange.calls
    placed = f"tags: call session {call.call_session_id} was placed, and tag 999 cannot be set: "
    assert str(caught.value).startswith(placed)
    assert str(caught.value).endswith("`airflow callapi tags` lists the account's tags")
    assert desk.exchange.rings(CONTACT) == 1


@ways
def test_a_missing_report_leaves_a_tag_unset_with_a_warning_instead_of_a_failure(desk, way):
    desk.exchange.report_lag = 100_000.0
    desk.exchange.script(CONTACT, Script(rings=3, talks=40))

    result = waiting_task(desk, way, tags=TAGS, report_timeout=30).run()

    assert result["tags"] == [36]
