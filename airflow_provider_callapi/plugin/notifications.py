"""Receives the vendor's HTTP notifications about calls, and creates an Airflow asset event for each.

Each notification must contain the secret in the Airflow Variable ``callapi_notifications_secret``. Without a
secret, the endpoint accepts no notification.

The asset event contains the call's session id, what has happened, such as ``ended``, and the time of receipt.
The vendor does not sign notifications, so their other fields are not used.
"""

from __future__ import annotations

import hmac
import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.assets.manager import asset_manager
from airflow.models.asset import AssetEvent, AssetModel
from airflow.models.variable import Variable
from airflow.providers.common.compat.sdk import conf
from airflow.utils.session import create_session
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import String, cast, select

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.values.object_ids import read_object_id
from airflow_provider_callapi.calls.texts.time_texts import iso_time

SECRET_VARIABLE = "callapi_notifications_secret"  # noqa: S105 - the name of the Variable
"""The Airflow Variable with the secret. A secrets backend can hold the Variable."""
EVENTS = ("started", "answered", "ended", "recorded", "lost")
"""The events of a call that a notification can name."""

_LARGEST_BODY = 4096
"""Bytes. A notification has about a hundred."""
_MOST_IN_A_MINUTE = 600
"""The largest number of notifications with the right secret that one process takes in a minute."""
_SECRET_KEPT = 30.0
"""Seconds for which a process keeps the secret that it has read."""
_NO_SECRET_KEPT = 1.0
"""Seconds after which a process reads a missing secret again.

Airflow also finds no secret if the secrets backend or the database fails for a moment.
"""
_REMEMBERED = timedelta(minutes=10)
"""How long all processes of the API server remember a notification. The vendor may send one twice."""
_REMEMBERED_HERE = 10_000
"""How many notifications one process remembers."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Notification:
    """The two fields of a notification that the endpoint uses.

    :ivar call_session_id: the session id of the call.
    :ivar event: what has happened to the call: ``started``, ``answered``, ``ended``, ``recorded`` (the
        talk was recorded) or ``lost`` (a missed call).
    """

    call_session_id: int
    event: str

    @classmethod
    def read(cls, body: dict[str, Any]) -> Notification:
        """Check the fields of a notification, and return the notification.

        :param body: the JSON object of the request: ``{"call_session_id": 17, "event": "ended", …}``.
        :raises ValueError: a field is missing or has another form. The error message names the field.
        """
        event, session = body.get("event"), body.get("call_session_id")
        if event not in EVENTS:
            raise ValueError(f"event: one of {', '.join(EVENTS)} is needed")
        try:
            return cls(read_object_id(session), event)
        except ValueError:
            raise ValueError("call_session_id: the id of a call session is needed") from None


class Throttle:
    """Limits how many of the vendor's notifications one process accepts.

    :param most: how many notifications are allowed at once, and on average in a minute, such as 600.
    :param clock: a function that returns the seconds since any fixed moment.
    """

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self._most = most
        self._clock = clock
        self._left = float(most)
        self._at = clock()

    def take(self) -> bool:
        """Return whether one more notification is allowed now. If True, count the notification."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._at) * self._most / 60)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Receiver:
    """Checks the vendor's notifications, and creates an asset event for each.

    If the vendor repeats a notification, the repeat creates no second event.

    :param read_secret: a function that returns the secret that each notification must contain. If it returns
        None, all notifications are refused. A changed secret is used after at most 30 seconds.
    :param store: a function that creates the asset event. It returns False if no DAG uses the asset. The
        notification is then refused.
    :param clock: a function that returns the seconds since any fixed moment.
    """

    def __init__(
        self,
        read_secret: Callable[[], str | None],
        store: Callable[[Notification], bool],
        clock: Callable[[], float],
    ) -> None:
        self._read_secret = read_secret
        self._store = store
        self._clock = clock
        self._throttle = Throttle(_MOST_IN_A_MINUTE, clock)
        self._secret: tuple[float, str | None] | None = None
        self._known: OrderedDict[Notification, None] = OrderedDict()
        self._lock = threading.Lock()
        self._storing = threading.Lock()

    def receive(self, body: bytes) -> None:
        """Check a notification, and create its asset event. Ignore the repeat of an earlier notification.

        :param body: the body of the HTTP request: a JSON object that contains the secret.
        :raises HTTPException: 400: the body is not a notification.
        :raises HTTPException: 403: the secret is wrong.
        :raises HTTPException: 404: no secret is set, or no DAG uses the asset.
        :raises HTTPException: 429: too many notifications came within a minute.
        """
        secret = self._current_secret()
        if not secret:
            raise HTTPException(404, f"Notifications are off: the Variable {SECRET_VARIABLE} has no value.")
        try:
            fields = json.loads(body)
        except (ValueError, RecursionError):
            raise HTTPException(400, "The body is not JSON.") from None
        if not isinstance(fields, dict):
            raise HTTPException(400, "The body is not a JSON object.")
        given = fields.get("secret")
        if not isinstance(given, str) or not _are_equal(given, secret):
            raise HTTPException(403, "The secret is wrong.")
        with self._lock:
            if not self._throttle.take():
                raise HTTPException(429, "Too many notifications in a minute.", {"Retry-After": "10"})
        try:
            notification = Notification.read(fields)
        except ValueError as error:
            raise HTTPException(400, str(error)) from None
        self._hand_on(notification)

    def _hand_on(self, notification: Notification) -> None:
        with self._storing:  # a repeat is accepted only after its notification is stored
            if notification in self._known:
                return
            if not self._store(notification):
                raise HTTPException(404, f"No DAG uses the asset {asset_name()}.")
            self._known[notification] = None
            if len(self._known) > _REMEMBERED_HERE:
                self._known.popitem(last=False)

    def _current_secret(self) -> str | None:
        now = self._clock()
        if self._secret is None or now >= self._secret[0]:
            secret = self._read_secret()
            self._secret = now + (_SECRET_KEPT if secret else _NO_SECRET_KEPT), secret
        return self._secret[1]


def _are_equal(given: str, secret: str) -> bool:
    """Return whether a text is the secret. The duration of the comparison does not reveal the secret."""
    # JSON may contain a lone surrogate, such as "\ud800", which strict UTF-8 cannot encode.
    return hmac.compare_digest(*(text.encode("utf-8", "surrogatepass") for text in (given, secret)))


def asset_name() -> str:
    """Return the name of the Airflow asset to which notifications add events.

    The option ``[callapi] notifications_asset`` defines the name, ``callapi_notifications`` by default.
    """
    return str(conf.get("callapi", "notifications_asset", fallback="callapi_notifications"))


def read_secret() -> str | None:
    """Return the secret that each of the vendor's notifications about calls must contain.

    The secret is the value of the Airflow Variable ``callapi_notifications_secret``. None: the Variable does
    not exist or is empty. The endpoint then accepts no notifications.
    """
    secret = Variable.get(SECRET_VARIABLE, default_var=None)
    return None if secret is None else str(secret).strip() or None


def store_event(notification: Notification) -> bool:
    """Create the asset event of a notification, unless the vendor has repeated the notification.

    The notification is a repeat if an asset event of the last ten minutes has the same session id and the
    same event of the call, such as ``ended``.

    :return: True: the asset now has an event for the notification. False: no DAG uses the asset, so the
        function created no event.
    """
    key = {"call_session_id": notification.call_session_id, "event": notification.event}
    now = datetime.now(UTC)
    with create_session() as session:
        # The row is locked, so a repeat that another process receives now is compared only after the commit.
        # Airflow keeps an asset of a deleted DAG, also one of the same name, as inactive.
        wanted = select(AssetModel).where(AssetModel.name == asset_name(), AssetModel.active.has())
        asset = session.scalar(wanted.with_for_update(key_share=True))
        if asset is None:
            return False
        recent = select(AssetEvent.extra).where(
            AssetEvent.asset_id == asset.id,
            AssetEvent.timestamp > now - _REMEMBERED,
            cast(AssetEvent.extra, String).contains(str(notification.call_session_id)),  # reads few events
        )
        for extra in session.scalars(recent):
            payload = extra.get("payload") if isinstance(extra, dict) else None
            # Others may add events of any form to the asset.
            if isinstance(payload, dict) and key.items() <= payload.items():
                return True
        payload = {**key, "seen_at": iso_time(now.timestamp())}
        asset_manager.register_asset_change(asset=asset, extra={"payload": payload}, session=session)
    _log.info("Notification: call session %d, %s", notification.call_session_id, notification.event)
    return True


def make_router() -> APIRouter:
    """Return the router with the endpoint ``POST /notifications``, which receives the vendor's notifications.

    The endpoint refuses a body of more than 4096 bytes.
    """
    router = APIRouter()
    receiver = Receiver(read_secret, store_event, system_clock.monotonic)

    @router.post("/notifications", status_code=204)
    async def receive(request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _LARGEST_BODY:
                raise HTTPException(413, f"A notification has at most {_LARGEST_BODY} bytes.")
        await run_in_threadpool(receiver.receive, body)
        return Response(status_code=204)

    return router
