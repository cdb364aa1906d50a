"""Claims in Airflow Variables: edited by hand, cached, expired."""

from __future__ import annotations

import json

import pytest
from failing_callbacks import ON_DUTY, Variables, notifier, of_dag, of_task, rung

from airflow_provider_callapi.calls.alerts.election import Candidate
from airflow_provider_callapi.emulator import Script
from airflow_provider_callapi.notifications._alert import variable_store
from airflow_provider_callapi.notifications._alert.variable_store import (
    VariableStore,
    VariableUnreadable,
    delete_expired,
)

pytest_plugins = ["airflow_desk"]

KEY = "callapi_alert_1"


@pytest.mark.parametrize("text", ["", "{}", "not JSON", "[1]", json.dumps({"alert": "run 1"}), "7"])
def test_a_variable_edited_by_hand_is_no_claim(desk, text):
    Variables.values[KEY] = text
    candidate = Candidate(VariableStore(), KEY, "me", 900.0, 4.0, desk.clock, desk.clock, desk.sleep)
    began = desk.clock()

    assert candidate.acquire() is None
    assert desk.clock() - began == pytest.approx(4.0)
    assert json.loads(Variables.values[KEY])["by"] == "me"


class Unanswering(Variables):
    """Variables of which Airflow's SDK sometimes gives no value, as if they did not exist."""

    unanswered = 0

    @classmethod
    def get(cls, key, default):
        cls.unanswered -= 1
        return default if cls.unanswered >= 0 else super().get(key, default)


@pytest.fixture
def unanswering(monkeypatch):
    monkeypatch.setattr(variable_store, "Variable", Unanswering)
    monkeypatch.setattr(Unanswering, "unanswered", 0)
    return Unanswering


@pytest.mark.parametrize("unanswered", [1, 2])
def test_a_variable_that_exists_is_read_or_its_reading_fails(unanswering, unanswered):
    unanswering.values[KEY], unanswering.unanswered = "7", unanswered
    store = VariableStore()

    if unanswered == 1:
        assert store.get(KEY) == 7
        return
    with pytest.raises(VariableUnreadable, match=f"Airflow gives no value of {KEY}"):
        store.get(KEY)
    assert store.get(KEY) == 7


@pytest.mark.parametrize("lists", [True, False])
def test_a_variable_that_a_user_has_deleted_is_no_failure(unanswering, monkeypatch, lists):
    if not lists:  # before Airflow 3.3
        monkeypatch.delattr(Variables, "keys")
    unanswering.values[KEY] = "7"
    store = VariableStore()

    assert store.get(KEY) == 7
    del unanswering.values[KEY]
    assert store.get(KEY) is None


@pytest.mark.parametrize("lists", [True, False])
def test_a_variable_is_read_although_airflow_cannot_list_variables(unanswering, monkeypatch, lists):
    def fails(prefix):
        raise RuntimeError("404")

    if lists:
        monkeypatch.setattr(Variables, "keys", fails)
    else:  # before Airflow 3.3
        monkeypatch.delattr(Variables, "keys")
    unanswering.values[KEY], unanswering.unanswered = "7", 1

    assert VariableStore().get(KEY) == 7
    assert VariableStore().get("callapi_alert_2") is None


def test_one_reading_without_an_answer_does_not_let_a_second_callback_ring(desk, unanswering):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script.busy()
    notifier()(of_task("a"))
    desk.sleep(60)
    unanswering.unanswered = 2

    notifier()(of_task("b"))

    assert rung(desk) == [ON_DUTY]


@pytest.mark.parametrize("fails", ["get", "set"])
def test_one_failure_of_a_variable_does_not_let_the_next_callback_ring(desk, monkeypatch, fails):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script.busy()
    works, failures = getattr(Variables, fails), iter([RuntimeError("503")])

    def sometimes(*args, **options):
        for failure in failures:
            raise failure
        return works(*args, **options)

    monkeypatch.setattr(Variables, fails, sometimes)
    notifier()(of_task("a"))
    desk.sleep(60)
    notifier()(of_task("b"))

    assert rung(desk) == [ON_DUTY]


@pytest.fixture
def requests(desk, monkeypatch):
    """Return a function that lets each request about Variables fail after some seconds, and counts them."""

    def fail_after(seconds):
        sent = []

        def fails(*_, default=None, **__):
            sent.append(desk.clock())
            desk.sleep(seconds)
            if default is not None:
                return default
            raise RuntimeError("the API server does not answer")

        for name in ("get", "set", "keys"):
            monkeypatch.setattr(Variables, name, fails, raising=False)
        return sent

    return fail_after


def test_an_api_server_that_does_not_answer_is_asked_only_once(requests):
    """Airflow itself repeats a request for seconds. A callback of 20 seconds must ring in time."""
    sent = requests(8.0)

    with pytest.raises(VariableUnreadable, match="the API server does not answer"):
        VariableStore().get(KEY)
    assert len(sent) == 1
    with pytest.raises(RuntimeError, match="the API server does not answer"):
        VariableStore().set(KEY, 7)
    assert len(sent) == 2


def test_a_request_that_fails_at_once_is_repeated_once(requests):
    sent = requests(0.1)

    with pytest.raises(RuntimeError):
        VariableStore().set(KEY, 7)
    assert len(sent) == 2


@pytest.mark.parametrize("text", ["", "79161234567", '{"contact": "Ivan"}', "[1]", "not JSON"])
def test_a_variable_that_is_no_claim_is_not_deleted(text):
    Variables.values[KEY] = text

    delete_expired(1e12, keep="callapi_alert_2")

    assert Variables.values == {KEY: text}


def test_the_next_call_deletes_expired_variables(desk):
    Variables.values |= {"callapi_alert_contacts": '{"load": "79160000001"}', "callapi_alert_on": "yes"}
    authors = set(Variables.values)
    for number in range(30):
        notifier()(of_task(run_id=f"manual__{number}"))
        desk.sleep(120)

    claims = set(Variables.values) - authors
    assert authors <= set(Variables.values)
    assert 1 < len(claims) <= 15 * 60 / 120 + 2


def test_expired_variables_stay_if_airflow_cannot_list_variables(desk, monkeypatch):
    monkeypatch.delattr(Variables, "keys")

    notifier()(of_task())

    assert rung(desk) == [ON_DUTY]
    assert len(Variables.values) == 1


@pytest.mark.needs_airflow("3.3", "a cache that a client can invalidate")
def test_a_variable_is_read_without_airflows_cache(monkeypatch):
    """The DAG processor caches Variables for minutes if [secrets] use_cache is on."""
    from airflow.sdk.execution_time.cache import SecretCache

    invalidated = []
    monkeypatch.setattr(SecretCache, "invalidate_variable", invalidated.append)
    notifier()(of_dag())

    assert invalidated
    assert {*invalidated} == {*Variables.values}
