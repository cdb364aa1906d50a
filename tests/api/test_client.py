"""`Client` sends a request and reads the answer: types, idempotent requests, limits, masked secrets."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import pytest
from known_numbers import VNUMBER

from airflow_provider_callapi.api.credentials import LoginSession
from airflow_provider_callapi.api.errors import (
    CallNotFound,
    InvalidParameters,
    LimitExceeded,
    Rejected,
    ServiceFailed,
    Unanswered,
)
from airflow_provider_callapi.api.methods import (
    METHODS,
    BlockContact,
    DisconnectLeg,
    ListCalls,
    ListTalkOptions,
    RecordCall,
    ReleaseCall,
    SendDtmf,
    StartInformerCall,
    TagCall,
    request_by_name,
)
from airflow_provider_callapi.api.models import AccessToken, CallSession, Done, StartedCall
from airflow_provider_callapi.api.request import Repeat, Request
from airflow_provider_callapi.calls.campaign.engine.account_points import AccountPoints
from airflow_provider_callapi.calls.campaign.engine.pacing import Pacing

if TYPE_CHECKING:
    from conftest import ScriptedService

START = StartInformerCall.from_values(
    {
        "virtual_phone_number": VNUMBER,
        "contact": "79260000001",
        "contact_message": {"type": "tts", "value": "Привет"},
    }
)
STARTED = {"result": {"data": {"call_session_id": 5}}}
LIMITS = {
    "day_limit": 1000,
    "day_remaining": 990,
    "day_reset": 40000,
    "minute_limit": 100,
    "minute_remaining": 95,
    "minute_reset": 17,
}


def answers(service: ScriptedService, answer: dict[str, Any]) -> None:
    service.answer = lambda method, params: answer


def refusal(mnemonic: Any, code: Any = -32602, **data: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": "no", "data": {"mnemonic": mnemonic, **data}}}


# --- the request and its answer ---


def test_the_client_adds_the_token_and_reads_the_promised_type(service: ScriptedService) -> None:
    answers(service, STARTED)
    assert service.client().call(START) == StartedCall(call_session_id=5)
    assert service.asked == [("start.informer_call", {"access_token": "permanent-key", **START.params})]
    answers(service, {"result": {"data": [{"call_session_id": 7}]}})
    assert service.client().call(ListCalls()) == [CallSession(call_session_id=7)]


def test_a_method_called_by_its_name_is_sent_with_the_clients_own_token(service: ScriptedService) -> None:
    service.client().call(request_by_name("get.something", {"access_token": "another", "a": 1}))
    assert service.asked[0][1] == {"access_token": "permanent-key", "a": 1}


@pytest.mark.parametrize(
    ("request_", "result"),
    [
        (START, None),
        (START, []),
        (START, {}),
        (START, {"data": None}),
        (START, {"data": {}}),
        (START, {"data": {"call_session_id": None}}),
        (START, {"data": {"call_session_id": "soon"}}),
        (START, {"data": {"success": True}}),
        (TagCall(call_session_id=1, tag_id=2), {"data": {"success": "false"}}),
        (TagCall(call_session_id=1, tag_id=2), {"data": {}}),
        (ListCalls(), {}),
        (ListCalls(), {"data": None}),
        (ListCalls(), {"data": "none"}),
        (ListCalls(), {"data": 5}),
        (ListTalkOptions(), {"data": "none"}),
    ],
    ids=str,
)
def test_an_answer_of_another_type_is_unanswered_and_the_request_is_not_repeated(
    service: ScriptedService, request_: Request[Any], result: Any
) -> None:
    answers(service, {"result": result})
    with pytest.raises(Unanswered) as caught:
        service.client().call(request_)
    assert caught.value.method == request_.method
    assert caught.value.request_id
    assert len(service.asked) == 1


def test_the_error_of_an_unreadable_answer_does_not_show_its_contents(service: ScriptedService) -> None:
    answers(service, {"result": {"data": "79260000001"}})
    with pytest.raises(Unanswered) as caught:
        service.client().call(ListCalls())
    shown = "".join(traceback.format_exception(caught.value))
    assert "79260000001" not in shown


@pytest.mark.parametrize("mnemonic", ["internal_error", "a_new_one"])
def test_a_request_is_not_repeated_after_an_error_of_the_service(
    service: ScriptedService, mnemonic: str
) -> None:
    answers(service, refusal(mnemonic, -32603))
    with pytest.raises(ServiceFailed) as caught:
        service.client().call(START)
    assert caught.value.maybe_done
    assert len(service.asked) == 1


def test_a_start_uses_a_fresh_connection_and_a_read_a_kept_one(
    service: ScriptedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds: dict[str, bool] = {}
    client = service.client()
    send = client.rpc.send

    def spy(method: str, params: Any, *, new_connection: bool, **kwargs: Any) -> Any:
        kinds[method] = new_connection
        return send(method, params, new_connection=new_connection, **kwargs)

    monkeypatch.setattr(client.rpc, "send", spy)
    answers(service, {"result": {"data": {"success": True, "call_session_id": 5}}})
    for request in (
        START,
        TagCall(call_session_id=1, tag_id=2),
        SendDtmf(call_session_id=1, dtmf_string="1"),
        request_by_name("get.something", {}),
    ):
        client.call(request)
    answers(service, {"result": {"data": []}})
    client.call(ListCalls())
    assert kinds == {
        "start.informer_call": True,
        "tag.call": False,
        "send.dtmf": True,
        "get.something": True,
        "list.calls": False,
    }
    assert {name for name, cls in METHODS.items() if cls.repeat is Repeat.NEVER} >= {
        name for name in METHODS if name.startswith("start.")
    }


# --- requests that are already done ---

ALREADY_DONE = [
    (TagCall(call_session_id=1, tag_id=2), "duplicate_tag"),
    (RecordCall(call_session_id=1, action="on"), "record_already_started"),
    (RecordCall(call_session_id=1, action="off"), "record_already_stopped"),
    (BlockContact(call_session_id=1), "duplicate_contact"),
    (ReleaseCall(call_session_id=1), "call_session_not_found"),
]


@pytest.mark.parametrize(("request_", "mnemonic"), ALREADY_DONE, ids=str)
def test_an_error_that_means_already_done_is_a_success(
    service: ScriptedService, request_: Request[Any], mnemonic: str
) -> None:
    answers(service, refusal(mnemonic))
    assert request_.read_answer({"success": "true"}) == Done(success=True)
    session = LoginSession("me", "pw")
    session.token(lambda login, password: AccessToken(access_token="t", expire_at=9999), 0.0)
    assert service.client(session).call(request_) == Done(success=True, already=True)


OTHERS: list[Request[Any]] = [
    START,
    *(request for request, _ in ALREADY_DONE),
    DisconnectLeg(call_session_id=1, leg_id=2),
]


@pytest.mark.parametrize(
    ("request_", "mnemonic"),
    [
        (request, mnemonic)
        for request in OTHERS
        for mnemonic in sorted({mnemonic for _, mnemonic in ALREADY_DONE} | {"access_token_invalid"})
        if (request, mnemonic) not in ALREADY_DONE
    ],
    ids=str,
)
def test_the_same_error_is_an_error_for_another_request(
    service: ScriptedService, request_: Request[Any], mnemonic: str
) -> None:
    answers(service, refusal(mnemonic))
    with pytest.raises(Rejected) as caught:
        service.client().call(request_)
    assert caught.value.mnemonic == mnemonic


def test_a_call_that_has_ended_cannot_be_tagged(service: ScriptedService) -> None:
    answers(service, refusal("call_session_not_found"))
    with pytest.raises(CallNotFound):
        service.client().call(TagCall(call_session_id=1, tag_id=2))


def test_a_first_success_is_not_marked_as_already_done(service: ScriptedService) -> None:
    answers(service, {"result": {"data": {"success": "true"}}})
    assert service.client().call(TagCall(call_session_id=1, tag_id=2)) == Done(success=True)


# --- metadata ---

HUGE = int("9" * 401)


@pytest.mark.parametrize(
    ("sent", "total"), [(2, 2), ("2", 2), (2.0, 2), (True, None), ("many", None), ({}, None)]
)
def test_the_number_of_entries_is_read_in_every_form(
    service: ScriptedService, sent: Any, total: int | None
) -> None:
    answers(service, {"result": {"data": [], "metadata": {"total_items": sent}}})
    assert service.client().call(ListCalls()).total == total


@pytest.mark.parametrize("name", list(LIMITS))
@pytest.mark.parametrize("value", [HUGE, -HUGE, "soon", [], 1e300])
def test_a_limit_that_cannot_be_read_counts_as_missing(
    service: ScriptedService, name: str, value: Any
) -> None:
    answers(
        service, {"result": {"data": {"call_session_id": 5}, "metadata": {"limits": {**LIMITS, name: value}}}}
    )
    client = service.client()
    assert client.call(START).call_session_id == 5
    assert client.limits is not None
    assert client.limits.model_dump() == {**LIMITS, name: None}


@pytest.mark.parametrize("field", ["contact_phone_number", "external_id", "virtual_phone_number"])
@pytest.mark.parametrize("value", [HUGE, -1, 1.5, float(10**300)])
def test_a_phone_number_of_another_type_is_left_out_of_its_entry(
    service: ScriptedService, field: str, value: Any
) -> None:
    answers(service, {"result": {"data": [{"call_session_id": 5, field: value}]}})
    [session] = service.client().call(ListCalls())
    assert getattr(session, field) is None


def test_a_large_number_keeps_all_digits_as_a_text(service: ScriptedService) -> None:
    answers(service, {"result": {"data": [{"call_session_id": 5, "external_id": 2**53 + 1}]}})
    [session] = service.client().call(ListCalls())
    assert session.external_id == "9007199254740993"


@pytest.mark.parametrize(
    "answer",
    [
        {"result": {"data": {"call_session_id": 5}, "metadata": {"limits": LIMITS}}},
        {**STARTED, "metadata": {"limits": LIMITS}},
        {"result": {"data": {"call_session_id": 5}, "metadata": {"total_items": 1}}}
        | {"metadata": {"limits": LIMITS}},
        {"error": {"code": -32602, "data": {"metadata": {"limits": LIMITS}}}},
        {"error": {"code": -32602, "metadata": {"limits": LIMITS}}},
        {"error": {"code": -32602}, "metadata": {"limits": LIMITS}},
    ],
    ids=["result", "top", "top, next to another metadata object", "error.data", "error", "top of an error"],
)
def test_limits_are_found_in_each_of_their_places(service: ScriptedService, answer: dict[str, Any]) -> None:
    answers(service, answer)
    client = service.client()
    if "error" in answer:
        with pytest.raises(InvalidParameters) as caught:
            client.call(START)
        assert caught.value.limits == client.limits
    else:
        client.call(START)
    assert client.limits is not None
    assert client.limits.model_dump() == LIMITS


def test_the_newest_limits_stay_until_newer_ones_come(service: ScriptedService) -> None:
    client = service.client()
    assert client.limits is None
    for metadata, remaining in (
        ({"limits": {**LIMITS, "minute_remaining": 90}}, 90),
        ({}, 90),
        ({"limits": {**LIMITS, "minute_remaining": 80}}, 80),
    ):
        answers(service, {**STARTED, "metadata": metadata})
        client.call(START)
        assert client.limits is not None
        assert client.limits.minute_remaining == remaining
    answers(service, refusal("auth_error", -32001))
    with pytest.raises(Rejected) as caught:
        client.call(START)
    assert caught.value.limits is None  # not an older answer's
    assert client.limits.minute_remaining == 80


@pytest.mark.parametrize(
    ("seconds", "changes", "newest"),
    [
        (1, {"minute_remaining": 97, "minute_reset": 16}, 90),
        (1, {"minute_remaining": 88, "minute_reset": 16}, 88),
        (17, {"minute_remaining": 97, "minute_reset": 60}, 97),
        (1, {"minute_remaining": 197, "minute_limit": 200, "minute_reset": 16}, 197),
    ],
    ids=["an answer that was overtaken", "a newer one", "the next minute", "the limit was raised"],
)
def test_within_a_minute_the_answer_with_the_fewest_points_is_the_newest(
    service: ScriptedService, seconds: int, changes: dict[str, int], newest: int
) -> None:
    now = 1000.0
    client = service.client(clock=lambda: now)
    answers(service, {**STARTED, "metadata": {"limits": {**LIMITS, "minute_remaining": 90}}})
    client.call(START)
    now += seconds
    answers(service, {**STARTED, "metadata": {"limits": {**LIMITS, **changes}}})
    client.call(START)
    assert client.limits is not None
    assert client.limits.minute_remaining == newest


@pytest.mark.parametrize("period", ["day", "minute"])
def test_a_negative_limit_means_that_there_is_no_limit(service: ScriptedService, period: str) -> None:
    client = service.client()
    answers(service, {**STARTED, "metadata": {"limits": {**LIMITS, f"{period}_limit": -1}}})
    client.call(START)

    assert client.limits is not None
    assert getattr(client.limits, f"{period}_limit") is getattr(client.limits, f"{period}_remaining") is None
    pacing = Pacing(AccountPoints())
    pacing.points.update(client.limits, 1000.0)
    assert pacing.forecast(100, max_active=10)[0] > 0
    assert pacing.calls_allowed(1000.0) == 1


def test_an_exceeded_limit_carries_the_counters_of_its_own_answer(
    service: ScriptedService,
) -> None:
    metadata = {"limits": {**LIMITS, "minute_remaining": 0}}
    answers(service, refusal("limit_exceeded", -32029, metadata=metadata))
    with pytest.raises(LimitExceeded) as caught:
        service.client().call(START)
    assert (caught.value.per_day, caught.value.retry_after) == (False, 17)


@pytest.mark.parametrize("spelling", ["current_version_depricated", "current_version_deprecated"])
@pytest.mark.parametrize("flag", [True, "true"])
def test_the_client_notices_a_deprecated_version(
    service: ScriptedService, spelling: str, flag: object
) -> None:
    version = {spelling: flag, "current_version": "v4.0", "latest_version": "v5.0"}
    answers(service, {**STARTED, "metadata": {"api_version": version}})
    client = service.client()
    assert client.api_version is None
    client.call(START)
    assert client.api_version is not None
    assert client.api_version.deprecated
    assert client.api_version.latest_version == "v5.0"


MALFORMED: list[Any] = [
    None,
    [],
    "none",
    5,
    {"limits": None},
    {"limits": []},
    {"limits": "1000"},
    {"limits": {"day_limit": "many"}},
    {"limits": {"day_limit": []}},
    {"api_version": None},
    {"api_version": []},
    {"api_version": "v4.0"},
    {"api_version": 4},
    {"api_version": {"current_version_depricated": "perhaps"}},
    {"api_version": {"current_version": 4.0}},
    {"api_version": {"deprecated": "x"}},
]


@pytest.mark.parametrize("metadata", MALFORMED, ids=str)
@pytest.mark.parametrize("inside", [True, False], ids=["in the result", "at the top"])
def test_malformed_metadata_never_loses_a_call(service: ScriptedService, metadata: Any, inside: bool) -> None:
    """The call was placed, so its session id must be read with any metadata."""
    data = {"call_session_id": 5}
    answers(
        service,
        {"result": {"data": data, "metadata": metadata}}
        if inside
        else {"result": {"data": data}, "metadata": metadata},
    )
    assert service.client().call(START) == StartedCall(call_session_id=5)


@pytest.mark.parametrize("metadata", MALFORMED, ids=str)
def test_malformed_metadata_never_hides_an_error(service: ScriptedService, metadata: Any) -> None:
    answers(service, refusal("data_type_error", metadata=metadata))
    with pytest.raises(InvalidParameters):
        service.client().call(START)


@pytest.mark.parametrize("mnemonic", [["duplicate_tag"], {"a": 1}, 5, None])
def test_a_malformed_mnemonic_never_hides_an_error(service: ScriptedService, mnemonic: object) -> None:
    answers(service, refusal(mnemonic))
    with pytest.raises(InvalidParameters):
        service.client().call(TagCall(call_session_id=1, tag_id=2))


# --- secrets ---


@pytest.mark.parametrize("value", [None, "", 5])
def test_a_token_in_the_text_of_the_service_is_not_shown(service: ScriptedService, value: object) -> None:
    service.answer = lambda method, params: {
        "error": {
            "code": -32001,
            "message": f"Access token {params['access_token']} has been blocked",
            "data": {"mnemonic": "access_token_blocked", "value": value},
        }
    }
    with pytest.raises(Rejected) as caught:
        service.client().call(ListCalls())
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert "permanent-key" not in shown


def test_an_error_names_the_id_of_the_request_it_answers(service: ScriptedService) -> None:
    answers(service, refusal("data_type_error"))
    with pytest.raises(Rejected) as caught:
        service.client().call(START)
    assert caught.value.request_id
    assert caught.value.request_id in str(caught.value)
