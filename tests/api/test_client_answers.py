"""The client reads the answers that real services send. Each file states what is expected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_callapi.api.credentials import LoginSession
from airflow_provider_callapi.api.data_api import DATA_METHODS
from airflow_provider_callapi.api.errors import AccessDenied, CallApiError, DateRefused, InvalidParameters
from airflow_provider_callapi.api.methods import METHODS, ListCalls
from airflow_provider_callapi.api.models import Done, StartedCall
from airflow_provider_callapi.api.request import Request

if TYPE_CHECKING:
    from conftest import ScriptedService

FOLDER = Path(__file__).parents[1] / "data" / "answers"
ANSWERS = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
PARAMS: dict[str, dict[str, Any]] = {
    "start.simple_call": {
        "virtual_phone_number": "74950000001",
        "contact": "79000000002",
        "operator": "79000000003",
        "first_call": "contact",
    },
    "get.calls_report": {"date_from": "2026-06-27 10:00:00", "date_till": "2026-06-28 10:00:00"},
    "set.tag_communications": {"communication_id": 1, "tag_id": 2},
}


def request_of(answer: dict[str, Any]) -> Request[Any]:
    method = answer["method"]
    return {**METHODS, **DATA_METHODS}[method].from_values(PARAMS.get(method, {}))


def send(service: ScriptedService, name: str) -> Any:
    """Send the request of a file, and let the service answer as the file states."""
    answer = ANSWERS[name]
    service.answer = lambda method, params: answer["answers"][method]["body"]
    credentials = LoginSession("me", "a-password") if answer.get("login") else None
    client = service.client(credentials)
    result = client.call(request_of(answer))
    return client, result


def test_a_started_call_and_the_points_are_read(service: ScriptedService) -> None:
    client, started = send(service, "01_start_metadata")
    assert started == StartedCall(call_session_id=237859081)
    assert (client.limits.day_remaining, client.limits.minute_reset) == (741, 52)


@pytest.mark.parametrize("name", ["02_login_no_metadata", "03_login_expire"])
def test_a_login_works_with_either_name_of_the_tokens_end_and_without_metadata(
    service: ScriptedService, name: str
) -> None:
    _, result = send(service, name)
    assert result == []
    assert service.tokens(ANSWERS[name]["method"]) == ["t"]


@pytest.mark.parametrize(
    "name", ["04_error_200_id_null", "06_component_disabled", "07_method_component_disabled"]
)
def test_a_denial_with_http_200_and_without_an_id_is_a_denial(service: ScriptedService, name: str) -> None:
    with pytest.raises(AccessDenied):
        send(service, name)


def test_a_number_with_a_plus_is_refused_with_its_field(service: ScriptedService) -> None:
    with pytest.raises(InvalidParameters) as caught:
        send(service, "08_plus_number")
    assert caught.value.field == "virtual_phone_number"
    assert caught.value.permanent
    assert "74950000001" not in str(caught.value)


@pytest.mark.parametrize("field", ["date_from", "date_till"])
def test_a_refused_date_is_a_transient_error_of_its_own_class(service: ScriptedService, field: str) -> None:
    answer = json.loads(json.dumps(ANSWERS["09_young_date_from"]))
    answer["answers"]["get.calls_report"]["body"]["error"]["data"]["field"] = field
    service.answer = lambda method, params: answer["answers"][method]["body"]
    with pytest.raises(DateRefused) as caught:
        service.client().call(request_of(answer))
    assert not caught.value.permanent


def test_an_empty_result_of_a_tag_request_is_a_success(service: ScriptedService) -> None:
    assert send(service, "11_tag_empty_result")[1] == Done(success=True)


# --- the end of a token ---


def log_in_at(service: ScriptedService, token: dict[str, Any], moments: list[float]) -> int:
    """Send a request at each moment, and return the number of logins."""
    moment = iter(moments)
    now = [0.0]
    service.answer = lambda method, params: {
        "result": {"data": {"access_token": "t", **token} if method == "login.user" else []}
    }
    client = service.client(LoginSession("me", "a-password"), clock=lambda: now[0])
    for now[0] in moment:
        client.call(ListCalls())
    return service.methods.count("login.user")


@pytest.mark.parametrize(
    "token",
    [
        {},
        {"expire": 1761120000},
        {"expire": 3600},
        {"expire": None},
        {"expire_at": None},
        {"expire_at": ""},
        {"expire_at": "tomorrow"},
        {"expire_at": {}},
        {"expire_at": float("nan")},
        {"expire_at": float("inf")},
    ],
    ids=str,
)
def test_a_token_without_a_readable_end_is_used_for_one_hour(
    service: ScriptedService, token: dict[str, Any]
) -> None:
    at = 1_800_000_000.0
    assert log_in_at(service, token, [at, at + 3539, at + 3541]) == 2


def test_a_token_whose_end_is_a_text_is_used_until_that_end(service: ScriptedService) -> None:
    at = 1_800_000_000.0
    assert log_in_at(service, {"expire_at": f"{at + 600:.0f}"}, [at, at + 539, at + 541]) == 2


@pytest.mark.parametrize("mutate", [{"mnemonic": {}}, {"mnemonic": []}, {"field": ["a"]}, {"params": 5}])
def test_an_error_of_an_unknown_shape_is_an_error_of_the_service(
    service: ScriptedService, mutate: dict[str, Any]
) -> None:
    error = {"code": -32602, "message": None, "data": {"mnemonic": "x", **mutate}}
    service.answer = lambda method, params: {"error": error}
    with pytest.raises(CallApiError):
        service.client().call(ListCalls())


def test_half_of_a_surrogate_pair_does_not_make_an_answer_unreadable(service: ScriptedService) -> None:
    """The escape is legal JSON, and no UTF-8 text can contain the character."""
    service.answer = lambda method, params: {
        "result": {"data": [{"call_session_id": 1, "external_id": "a\ud800b", "x\ud800": "😀"}]}
    }
    [session] = service.client().call(ListCalls())
    assert (session.call_session_id, session.external_id) == (1, "a\ufffdb")
    assert session.model_dump(mode="json")["x\ufffd"] == "😀"
