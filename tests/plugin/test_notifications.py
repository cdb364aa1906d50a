"""The vendor's notifications: the secret, the bounds, and one asset event for each event of a call."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lone_surrogates import HALF, TEXTS

pytest.importorskip("airflow.assets.manager", reason="needs Airflow's API server")

from airflow.assets.manager import asset_manager
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient

from airflow_provider_callapi.emulator import ManualClock
from airflow_provider_callapi.plugin import notifications
from airflow_provider_callapi.plugin.notifications import EVENTS, Notification, Receiver, make_router

SECRET = "a long secret"


def body(**fields: Any) -> bytes:
    return json.dumps({"secret": SECRET, "event": "ended", "call_session_id": 5, **fields}).encode()


class Store:
    """Records what is stored."""

    def __init__(self) -> None:
        self.stored: list[Notification] = []
        self.has_asset = True
        self.error: Exception | None = None

    def __call__(self, notification: Notification) -> bool:
        if self.error:
            raise self.error
        if self.has_asset:
            self.stored.append(notification)
        return self.has_asset


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_760_000_000.0)


@pytest.fixture
def receiver(store: Store, clock: ManualClock) -> Receiver:
    return Receiver(lambda: SECRET, store, clock)


def refused(receiver: Receiver, sent: bytes) -> int:
    with pytest.raises(HTTPException) as refusal:
        receiver.receive(sent)
    return refusal.value.status_code


def test_a_repeated_notification_is_stored_once(receiver, store):
    for _ in range(3):
        receiver.receive(body())
    receiver.receive(body(event="answered"))
    receiver.receive(body(call_session_id="6"))

    assert store.stored == [Notification(5, "ended"), Notification(5, "answered"), Notification(6, "ended")]


def test_notifications_are_off_without_a_secret(store, clock):
    for secret in (None, ""):
        assert refused(Receiver(lambda secret=secret: secret, store, clock), body(secret="")) == 404
    assert store.stored == []


@pytest.mark.parametrize(
    "secret", ["", "another", SECRET.upper(), None, 5, [SECRET], {"secret": SECRET}, HALF]
)
def test_a_wrong_secret_is_refused(receiver, store, secret):
    assert refused(receiver, body(secret=secret)) == 403
    assert store.stored == []


def test_a_new_secret_is_in_force_half_a_minute_later(store, clock):
    secrets = [SECRET]
    receiver = Receiver(lambda: secrets[-1], store, clock)
    receiver.receive(body())
    secrets.append("new")
    clock.advance(30)

    assert refused(receiver, body(event="answered")) == 403
    receiver.receive(body(event="answered", secret="new"))


def test_a_secret_that_cannot_be_read_for_a_moment_is_read_again_after_a_second(store, clock):
    """Airflow logs the error of a secrets backend, and says that the Variable has no value."""
    secrets = iter([None, SECRET])
    receiver = Receiver(lambda: next(secrets), store, clock)
    assert refused(receiver, body()) == 404
    clock.advance(1)

    receiver.receive(body())

    assert store.stored == [Notification(5, "ended")]


@pytest.mark.parametrize(
    "fields",
    [
        {"event": "no such event"},
        {"event": None},
        {"event": ["ended"]},
        {"call_session_id": None},
        {"call_session_id": 0},
        {"call_session_id": -5},
        {"call_session_id": True},
        {"call_session_id": 5.5},
        {"call_session_id": "5; DROP"},
        {"call_session_id": "9" * 19},
        {"call_session_id": 2**63},
        {"call_session_id": HALF},
        {"call_session_id": {}},
    ],
)
def test_the_error_of_a_field_in_another_form_names_the_field(receiver, store, fields):
    (name,) = fields
    with pytest.raises(HTTPException) as refusal:
        receiver.receive(body(**fields))

    assert (refusal.value.status_code, store.stored) == (400, [])
    assert str(refusal.value.detail).startswith(f"{name}: ")


@given(
    st.binary(max_size=200) | st.recursive(st.none() | TEXTS, st.lists).map(lambda v: json.dumps(v).encode())
)
def test_any_other_request_is_refused_and_raises_no_unexpected_error(sent):
    store = Store()
    assert refused(Receiver(lambda: SECRET, store, ManualClock(1_760_000_000.0)), sent) in (400, 403)
    assert store.stored == []


def test_a_thousand_notifications_in_a_minute_are_too_many_and_wrong_ones_do_not_count(
    receiver, store, clock
):
    for _ in range(1000):
        refused(receiver, body(secret="wrong"))
    refusals = []
    for session in range(1, 2001):
        clock.advance(0.03)
        try:
            receiver.receive(body(call_session_id=session))
        except HTTPException as refusal:
            refusals.append((refusal.status_code, refusal.headers))

    assert set(map(str, refusals)) == {"(429, {'Retry-After': '10'})"}
    assert len(store.stored) == 2000 - len(refusals)
    assert 1199 <= len(store.stored) <= 1200  # 600 at once, and 600 in the minute


def test_a_notification_that_could_not_be_stored_is_accepted_when_it_is_repeated(receiver, store):
    store.error = OSError("the database is away")
    with pytest.raises(OSError, match="away"):
        receiver.receive(body())
    store.error, store.has_asset = None, False
    assert refused(receiver, body()) == 404
    store.has_asset = True
    receiver.receive(body())

    assert store.stored == [Notification(5, "ended")]


def test_a_repeat_is_accepted_only_if_its_notification_could_be_stored(clock):
    """The vendor repeats a notification while the database still fails to store the first one."""
    first_stores, repeat_sent, results = Event(), Event(), []

    def store(_: Notification) -> bool:
        if not first_stores.is_set():
            first_stores.set()
            repeat_sent.wait(5)
            raise OSError("the database is away")
        results.append("stored")
        return True

    def send_repeat() -> None:
        receiver.receive(body())
        results.append("accepted")

    receiver = Receiver(lambda: SECRET, store, clock)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(receiver.receive, body())
        first_stores.wait(5)
        repeat = pool.submit(send_repeat)
        wait([repeat], timeout=0.1)  # the repeat waits for the first one
        repeat_sent.set()
        repeat.result()

    assert isinstance(first.exception(), OSError)
    assert results == ["stored", "accepted"]


# --- in Airflow ---


@pytest.fixture
def client(airflow_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("AIRFLOW_VAR_CALLAPI_NOTIFICATIONS_SECRET", SECRET)
    app = FastAPI()
    app.include_router(make_router())
    with TestClient(app) as client:
        yield client


@pytest.fixture
def asset(airflow_db: None) -> Iterator[Callable[[], list[Any]]]:
    """An asset that a DAG uses. Return a function that returns the ``extra`` of its events."""
    from airflow.models.asset import AssetActive, AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    _forget_assets()
    with create_session() as session:
        session.add(AssetModel(name="callapi_notifications", uri="callapi_notifications", group="asset"))
        session.flush()
        session.add(AssetActive(name="callapi_notifications", uri="callapi_notifications"))

    def events() -> list[Any]:
        with create_session() as session:
            return list(session.scalars(select(AssetEvent.extra)))

    yield events
    _forget_assets()


def _forget_assets() -> None:
    """Delete all assets, also those that other tests have left."""
    from airflow.models.asset import AssetActive, AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        for kind in (AssetEvent, AssetActive, AssetModel):
            session.execute(delete(kind))


def test_a_notification_becomes_an_event_of_the_asset_once_for_all_processes(client, asset):
    assert client.post("/notifications", content=body()).status_code == 204
    assert client.post("/notifications", content=body()).status_code == 204
    other = Receiver(notifications.read_secret, notifications.store_event, ManualClock(1_760_000_000.0))
    other.receive(body())

    (extra,) = asset()
    assert extra["payload"].items() >= {"call_session_id": 5, "event": "ended"}.items()
    assert SECRET not in str(extra)


@pytest.mark.parametrize("payload", ["call 5 handled", [5], {"call_session_id": [5]}, 5, None])
def test_an_event_that_somebody_else_has_added_hinders_no_notification(client, asset, payload):
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        asset_id = session.scalar(select(AssetModel.id))
        session.add(AssetEvent(asset_id=asset_id, extra={"payload": payload, "note": 5}))

    assert client.post("/notifications", content=body()).status_code == 204
    assert [extra["payload"]["event"] for extra in asset() if "note" not in extra] == ["ended"]


def test_an_event_belongs_to_the_asset_that_a_dag_uses_and_not_to_an_older_one_of_its_name(client, asset):
    """An author has given the asset another URI. Airflow keeps the asset with the old one."""
    from airflow.models.asset import AssetActive, AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import delete, select

    with create_session() as session:
        session.execute(delete(AssetActive))
        session.add(AssetModel(name="callapi_notifications", uri="x-calls://new", group="asset"))
        session.flush()
        session.add(AssetActive(name="callapi_notifications", uri="x-calls://new"))

    assert client.post("/notifications", content=body()).status_code == 204

    with create_session() as session:
        uris = session.scalars(select(AssetModel.uri).join(AssetEvent, AssetEvent.asset_id == AssetModel.id))
        assert list(uris) == ["x-calls://new"]


def test_a_repeat_that_another_api_server_receives_at_once_becomes_no_second_event(postgres, monkeypatch):
    from airflow.models.asset import AssetActive, AssetEvent, AssetModel
    from airflow.models.base import Base
    from sqlalchemy import create_engine, func, select, text
    from sqlalchemy.orm import sessionmaker

    name = f"d{uuid.uuid4().hex}"
    postgres.psql(f"CREATE DATABASE {name};")
    engine = create_engine(postgres.get_uri(database=name, driver="psycopg2"))
    Base.metadata.create_all(engine)
    sessions = sessionmaker(engine)
    monkeypatch.setattr(notifications, "create_session", sessions.begin)
    with sessions.begin() as session:
        session.add(AssetModel(name="callapi_notifications", uri="callapi_notifications", group="asset"))
        session.flush()
        session.add(AssetActive(name="callapi_notifications", uri="callapi_notifications"))
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    register, entered = asset_manager.register_asset_change, []

    def register_after_the_other_has_looked(**arguments: Any) -> Any:
        entered.append(arguments)
        while len(entered) < 2:
            with engine.connect() as db:
                if db.scalar(waiting):
                    break
        return register(**arguments)

    monkeypatch.setattr(asset_manager, "register_asset_change", register_after_the_other_has_looked)
    with ThreadPoolExecutor() as servers:
        list(servers.map(notifications.store_event, [Notification(5, "ended")] * 2))

    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(AssetEvent)) == 1
    engine.dispose()


def test_the_sender_gets_an_error_if_no_dag_uses_the_asset_any_more(client, asset):
    """Airflow keeps the assets of deleted DAGs."""
    from airflow.models.asset import AssetActive
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.execute(delete(AssetActive))

    assert client.post("/notifications", content=body()).status_code == 404
    assert asset() == []


def test_the_sender_gets_an_error_if_no_dag_uses_the_asset(client):
    _forget_assets()
    answer = client.post("/notifications", content=body())

    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "No DAG uses the asset callapi_notifications.",
    )


def test_a_body_of_two_megabytes_is_refused_before_it_is_read(client, asset):
    answer = client.post("/notifications", content=b"x" * 2_000_000)

    assert (answer.status_code, asset()) == (413, [])


def test_every_event_has_a_template_in_the_documentation():
    from pathlib import Path

    page = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text("utf-8")
    for event in EVENTS:
        assert f'"event": "{event}"' in page


@given(TEXTS)
def test_any_text_but_the_secret_is_refused(text):
    store = Store()
    receiver = Receiver(lambda: SECRET, store, ManualClock(1_760_000_000.0))
    assert refused(receiver, body(secret=text)) == 403
    assert refused(receiver, body(secret=SECRET + HALF)) == 403
    assert store.stored == []


def test_every_session_id_that_the_service_can_give_is_taken(receiver, store):
    receiver.receive(body(call_session_id=2**63 - 1))

    assert store.stored == [Notification(2**63 - 1, "ended")]
