"""Lists the Airflow connections that the page *Calls* offers, and sends requests through a connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from airflow.models import Connection
from airflow.providers.common.compat.sdk import AirflowException
from sqlalchemy import select

from airflow_provider_callapi import system_clock
from airflow_provider_callapi.api.advice import advice
from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.api.methods import ListCalls, ReleaseCall
from airflow_provider_callapi.api.models import CallSession, Limits
from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.connection.account_zone import DEFAULT_TIMEZONE
from airflow_provider_callapi.connection.settings import ConnectionSettings
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.plugin.access import keyed_hash
from airflow_provider_callapi.plugin.shared_look import SharedLook
from airflow_provider_callapi.supervision.metadata_database import in_metadata_database
from airflow_provider_callapi.supervision.short_hook import ShortTimeoutHook


@dataclass(frozen=True)
class Look:
    """The result of one poll of the active calls, which the page *Calls* shows to all viewers.

    :ivar at: when the poll began, epoch seconds.
    :ivar sessions: the active calls. Empty: there are none, or the poll failed.
    :ivar left_out: how many more calls are active, but cannot be read.
    :ivar limits: how many points (rate-limit units) are left. None: not known.
    :ivar timezone: IANA name of the account's time zone.
    :ivar problem: why the poll failed. ``""``: the poll succeeded.
    :ivar account: the mark of the account that was polled, see `account_mark`. ``""``: the poll failed.
    """

    at: float
    sessions: Sequence[CallSession] = ()
    left_out: int = 0
    limits: Limits | None = None
    timezone: str = "UTC"
    problem: str = ""
    account: str = ""


class AccountChanged(AirflowException):
    """The Airflow connection leads to another account than the page *Calls* that the user sees."""


def account_mark(settings: ConnectionSettings) -> str:
    """Return a text that stands for the account of a connection: 32 hexadecimal digits.

    A page can contain the text: without Airflow's secret key, no one can try out passwords with it.
    """
    return keyed_hash(settings.account_digest)[:32]


def list_connections() -> list[str]:
    """Return the ids of the connections of type ``callapi`` in Airflow's metadata database, sorted.

    Connections in environment variables and in secrets backends cannot be listed. A user can open the page of
    an unlisted connection through the page's address, such as ``/callapi/my_connection/``.

    :raises CallApiTrouble: Airflow's metadata database does not answer.
    """
    query = select(Connection.conn_id).where(Connection.conn_type == CallApiHook.conn_type)
    return sorted(in_metadata_database(lambda session: session.execute(query).scalars().all()))


def release_call(conn_id: str, call_session_id: int, account: str) -> bool:
    """Release (end) an active call.

    :param conn_id: id of the Airflow connection.
    :param account: the `Look.account` of the look that shows the call. Another account can have another call
        with the same session id.
    :return: True: the service has ended the call. False: the call had already ended.
    :raises CallApiError: the service refuses the request or does not answer.
    :raises AirflowException: the Airflow connection is missing or cannot be used.
    :raises AccountChanged: the connection now leads to another account. The function released no call.
    """
    with _open(conn_id) as hook:
        if account_mark(hook.settings) != account:
            raise AccountChanged(
                f"The settings of the connection {conn_id} have changed since the page showed this call. "
                "No call is released. Open the page again."
            )
        return not hook.call(ReleaseCall(call_session_id=call_session_id)).already


def describe_error(error: CallApiError | AirflowException) -> str:
    """Return the text of an error for the page *Calls*, without phone numbers.

    For a `CallApiError`, the text also advises the user what to do.
    """
    return mask_phones(advice(error) if isinstance(error, CallApiError) else str(error))


class SharedLooks:
    """Polls the active calls of each connection for the page *Calls*, through one hook for each connection.

    A hook stays open while the settings of its Airflow connection stay the same, so that the next polls need
    no new login.
    """

    def __init__(self) -> None:
        self._hooks: dict[str, CallApiHook] = {}
        self._looks: dict[str, SharedLook[Look]] = {}

    def of(self, conn_id: str) -> SharedLook[Look]:
        """Return the `SharedLook` of a connection, which polls at most once in 5 seconds for all viewers."""
        return self._looks.setdefault(conn_id, SharedLook(partial(self._poll, conn_id)))

    def _poll(self, conn_id: str) -> Look:
        """Poll a connection's active calls once. If the poll fails, return the reason in `Look.problem`."""
        now = system_clock.now()
        hook, kept = _open(conn_id), self._hooks.pop(conn_id, None)
        try:
            if kept is not None and kept.settings == hook.settings:
                hook, kept = kept, None
            sessions = hook.get_conn().call(ListCalls())
            timezone = hook.settings.timezone or DEFAULT_TIMEZONE
        except (CallApiError, AirflowException) as error:
            hook.close()  # the next poll opens a new hook, which reads the Airflow connection again
            return Look(now, problem=describe_error(error))
        finally:
            if kept is not None:
                kept.close()
        self._hooks[conn_id] = hook
        return Look(
            now,
            sessions=tuple(sessions),
            left_out=sessions.left_out + len(sessions.left_out_ids),
            limits=hook.limits,
            timezone=timezone,
            account=account_mark(hook.settings),
        )


def _open(conn_id: str) -> CallApiHook:
    return ShortTimeoutHook(conn_id, max_limit_wait=0)
