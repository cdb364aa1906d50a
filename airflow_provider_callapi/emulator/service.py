"""One JSON-RPC service of the exchange: the envelope, who is asking, and what it costs.

Source: "Общие поля для всех методов" (common fields), "Лимиты и ограничения" (limits) and
"Мета-параметры" (metadata) of the vendor's document.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_callapi.api.methods import LoginUser, LogoutUser, Request
from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.errors import WITHOUT_LIMITS, Refusal
from airflow_provider_callapi.emulator.journal import Entry
from airflow_provider_callapi.emulator.parameters import check
from airflow_provider_callapi.emulator.points import Points
from airflow_provider_callapi.emulator.switchboard import Switchboard

Handler = Callable[[Switchboard, Account, Any], Any]
Methods = Mapping[str, tuple[type[Request[Any]], Handler]]


class Result(dict[str, Any]):
    """A handler's whole ``result``, where that is not just ``data``; an empty one is sent as it is."""


@dataclass
class Service:
    """A table of methods behind one version's URL.

    :ivar methods: name → the class that checks its parameters, and what it does.
    :ivar weight: the points that a method costs an account.
    :ivar welcome: whether an account is served at an IP address.
    :ivar has_components: whether an account can have a part of it switched off.
    """

    methods: Methods
    weight: Callable[[Account, str], int]
    welcome: Callable[[Account, str], bool]
    has_components: bool = True
    accounts: list[Account] = field(default_factory=list)
    tokens: dict[str, tuple[Account, float]] = field(default_factory=dict)
    _points: dict[int, Points] = field(default_factory=dict)

    def points(self, account: Account) -> Points:
        """The counters of an account."""
        return self._points.setdefault(id(account), Points(account))

    def forget(self) -> None:
        """All logins and counters."""
        self.tokens.clear()
        self._points.clear()

    def answer(
        self, board: Switchboard, body: Any, *, ip: str, version: str, charset_is_utf8: bool = True
    ) -> dict[str, Any]:
        """Answer one parsed request body. Nothing in it can make this raise.

        :param version: as in the URL, e.g. ``v4.0``.
        :param charset_is_utf8: what the request's Content-Type says.
        """
        visit = _Visit(ip=ip)
        try:
            method, params = _open_envelope(body, visit)
            if not charset_is_utf8:
                raise Refusal("character_encoding_not_allowed")
            data = self._carry_out(board, visit, method, params)
        except Refusal as refusal:
            self._write_down(board, visit, refusal.mnemonic, None)
            if visit.account is not None and refusal.mnemonic not in WITHOUT_LIMITS:
                refusal.error["data"]["metadata"] = self._metadata(board, visit.account, version)
            return {"jsonrpc": "2.0", "id": visit.request_id, "error": refusal.error}
        self._write_down(board, visit, None, data)
        result: dict[str, Any] = data if isinstance(data, Result) else {"data": data}
        if result:
            assert visit.account is not None
            metadata = self._metadata(board, visit.account, version)
            result["metadata"] = {**result.get("metadata", {}), **metadata}
        return {"jsonrpc": "2.0", "id": visit.request_id, "result": result}

    def _carry_out(self, board: Switchboard, visit: _Visit, method: str, params: dict[str, Any]) -> Any:
        if method not in self.methods:
            raise Refusal("method_not_found", "method", method)
        request_type, handler = self.methods[method]
        if request_type is LoginUser:
            return self._log_in(board, visit, params)
        token = params.pop("access_token", None)
        account = visit.account = self._account_of(token, board.now)
        points = self._admit(board, visit, account, request_type)
        request = check(request_type, params)
        visit.call_session_id = getattr(request, "call_session_id", None)
        if request_type is LogoutUser:
            self.tokens.pop(token, None)
            data: Any = {"success": True}
        else:
            data = handler(board, account, request)
        self.points(account).charge(points, board.now)
        return data

    def _log_in(self, board: Switchboard, visit: _Visit, params: dict[str, Any]) -> dict[str, Any]:
        request = check(LoginUser, params)
        for account in self.accounts:
            if (account.login, account.password) == (request.login, request.password):
                break
        else:
            raise Refusal("auth_error")
        visit.account = account
        points = self._admit(board, visit, account, LoginUser)
        token, until = secrets.token_hex(36), board.now + account.token_lifetime
        self.tokens[token] = (account, until)
        self.points(account).charge(points, board.now)
        return {"access_token": token, "expire_at": int(until)}

    def _account_of(self, token: Any, now: float) -> Account:
        if token is None:
            raise Refusal("required_parameter_missed", "access_token", object=None)
        if not isinstance(token, str):
            raise Refusal("data_type_error", "access_token", token, object=None)
        for account in self.accounts:
            key = account.permanent_key(token)
            if key is not None:
                if key.blocked:
                    raise Refusal("access_token_blocked", "access_token", token)
                if key.expires_at is not None and key.expires_at <= now:
                    raise Refusal("access_token_expired", "access_token", token)
                return account
        temporary = self.tokens.get(token)
        if temporary is None or temporary[1] <= now:
            raise Refusal("access_token_invalid", "access_token", token)
        return temporary[0]

    def _admit(
        self,
        board: Switchboard,
        visit: _Visit,
        account: Account,
        request_type: type[Request[Any]],
    ) -> int:
        """Everything that can be refused before the parameters are looked at; returns the price."""
        method, component = request_type.method, request_type.component
        if not self.welcome(account, visit.ip):
            raise Refusal("ip_not_whitelisted", ip=visit.ip)
        if not account.active:
            raise Refusal("account_inactive")
        if self.has_components and component in account.components_off:
            raise Refusal("component_disabled", component_name=component.value)
        if method in account.forbidden_methods:
            raise Refusal("forbidden", "method", method)
        points = self.weight(account, method)
        self.points(account).require(points, board.now)
        return points

    def _metadata(self, board: Switchboard, account: Account, version: str) -> dict[str, Any]:
        metadata: dict[str, Any] = {"limits": self.points(account).limits(board.now)}
        if version == account.deprecated_version:
            metadata["api_version"] = {
                "current_version_depricated": True,
                "current_version": version,
                "latest_version": account.version,
            }
        return metadata

    @staticmethod
    def _write_down(board: Switchboard, visit: _Visit, mnemonic: str | None, data: Any) -> None:
        call_session_id = visit.call_session_id
        if isinstance(data, dict):
            call_session_id = data.get("call_session_id", call_session_id)
        board.journal.add(Entry(board.now, "request", visit.method, call_session_id, None, mnemonic))


@dataclass
class _Visit:
    """What is known of a request so far."""

    ip: str
    request_id: str | int | float | None = None
    method: str | None = None
    account: Account | None = None
    call_session_id: int | None = None


def _open_envelope(body: Any, visit: _Visit) -> tuple[str, dict[str, Any]]:
    if isinstance(body, list):
        raise Refusal("batch_opreations_not_supported")
    if not isinstance(body, dict):
        raise Refusal("invalid_request")
    request_id, method, params = body.get("id"), body.get("method"), body.get("params")
    if isinstance(request_id, (str, int, float)) and not isinstance(request_id, bool):
        visit.request_id = request_id
    if isinstance(method, str):
        visit.method = method
    well_formed = body.get("jsonrpc") == "2.0" and isinstance(method, str)
    if well_formed and "id" not in body:
        raise Refusal("notifications_not_supported")
    if not well_formed or visit.request_id is None or not isinstance(params, dict):
        raise Refusal("invalid_request")
    return str(method), dict(params)
