"""A JSON-RPC service of the emulated telephone exchange: the Call API or the Data API.

The service checks a request: the JSON-RPC envelope, the access token, the permissions and the points
(rate-limit units). Then it calls the function that carries out the API method.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_callapi.api.methods import LoginUser, StartCall
from airflow_provider_callapi.api.request import Request
from airflow_provider_callapi.emulator.account import Account
from airflow_provider_callapi.emulator.calls.switchboard import Switchboard
from airflow_provider_callapi.emulator.errors import WITHOUT_LIMITS, RpcError
from airflow_provider_callapi.emulator.journal import Entry
from airflow_provider_callapi.emulator.services.parameters import check_parameters
from airflow_provider_callapi.emulator.services.points import Points

Handler = Callable[[Switchboard, Account, Any], Any]
Methods = Mapping[str, tuple[type[Request[Any]], Handler | None]]


class RpcResult(dict[str, Any]):
    """The whole ``result`` of a JSON-RPC answer.

    A function that carries out an API method may return an `RpcResult`. If it returns any other value, the
    value becomes the field ``data`` of a new ``result``. The service adds the rate limits to the field
    ``metadata``, unless the `RpcResult` is empty.
    """


@dataclass
class Service:
    """A JSON-RPC service of the emulated telephone exchange: the Call API or the Data API.

    An account is a customer of the vendor.

    :ivar methods: name of an API method → (class that checks the parameters, function that carries out the
        method). The function is None for login and logout, which the service itself carries out.
    :ivar weight: function from an account and a method name to the cost of a request in points.
    :ivar serves_ip: function from an account and an IP address to a bool. False: the service refuses the
        request.
    :ivar has_components: True: each method belongs to a component that the vendor sells, and the service
        refuses the methods of the components that the account lacks (`Account.components_off`). False: the
        service ignores `Account.components_off`.
    :ivar accounts: the accounts that can use the service.
    :ivar tokens: temporary token → (account, epoch seconds at which the token expires).
    """

    methods: Methods
    weight: Callable[[Account, str], int]
    serves_ip: Callable[[Account, str], bool]
    has_components: bool = True
    accounts: list[Account] = field(default_factory=list)
    tokens: dict[str, tuple[Account, float]] = field(default_factory=dict)
    _points: dict[int, Points] = field(default_factory=dict)

    def points(self, account: Account) -> Points:
        """Return the `Points` of an account: the count of points that the account has used at this service.

        Points are the API's rate-limit units. The Call API and the Data API count separately.
        """
        return self._points.setdefault(id(account), Points(account))

    def reset(self) -> None:
        """Delete all temporary tokens, and set the used points of all accounts to 0."""
        self.tokens.clear()
        self._points.clear()

    def answer(
        self, switchboard: Switchboard, body: Any, *, ip: str, version: str, charset_is_utf8: bool
    ) -> dict[str, Any]:
        """Carry out one parsed JSON-RPC request, and return the answer.

        If the service refuses the request, the answer contains the error.

        :param switchboard: the phone calls of the emulated telephone exchange.
        :param body: the parsed JSON of the request.
        :param ip: the client's IP address.
        :param version: the version in the URL, e.g. ``v4.0``.
        :param charset_is_utf8: whether the Content-Type of the request names UTF-8. False: the answer is an
            error.
        :return: the answer with ``jsonrpc``, ``id``, and either ``result`` or ``error``.
        """
        context, profile = _RequestContext(ip=ip), switchboard.profile
        try:
            method, params = _parse_envelope(body, context)
            if not charset_is_utf8:
                raise RpcError("character_encoding_not_allowed")
            data = self._execute(switchboard, context, method, params)
        except RpcError as error:
            self._record_request(switchboard, context, error.mnemonic, None)
            with_limits = error.mnemonic not in WITHOUT_LIMITS and profile.errors_have_limits
            if context.account is not None and with_limits:
                error.error_object["data"]["metadata"] = self._metadata(switchboard, context.account, version)
            answer_id = context.request_id if profile.errors_repeat_id else None
            return {"jsonrpc": "2.0", "id": answer_id, "error": error.error_object}
        self._record_request(switchboard, context, None, data)
        result: dict[str, Any] = data if isinstance(data, RpcResult) else {"data": data}
        if result and (profile.login_metadata or context.method != LoginUser.method):
            assert context.account is not None
            metadata = self._metadata(switchboard, context.account, version)
            result["metadata"] = {**result.get("metadata", {}), **metadata}
        return {"jsonrpc": "2.0", "id": context.request_id, "result": result}

    def _execute(
        self, switchboard: Switchboard, context: _RequestContext, method: str, params: dict[str, Any]
    ) -> Any:
        if method not in self.methods:
            raise RpcError("method_not_found", "method", method)
        request_type, handler = self.methods[method]
        if request_type is LoginUser:
            return self._log_in(switchboard, context, params)
        token = params.pop("access_token", None)
        account = context.account = self._authenticate(token, switchboard.now)
        self._check_access(context, account, request_type)
        points = self.weight(account, method)
        shortage = self.points(account).shortage(points, switchboard.now)
        if shortage is not None and not _places_call_without_points(switchboard, request_type):
            raise shortage
        request = check_parameters(request_type, params)
        context.call_session_id = vars(request).get("call_session_id")
        if handler is None:  # a logout: `_log_in` has answered a login above
            self.tokens.pop(token, None)
            data: Any = {"success": True}
        else:
            data = handler(switchboard, account, request)
        if shortage is not None:
            raise shortage
        self.points(account).charge(points, switchboard.now)
        return data

    def _log_in(
        self, switchboard: Switchboard, context: _RequestContext, params: dict[str, Any]
    ) -> dict[str, Any]:
        request = check_parameters(LoginUser, params)
        for account in self.accounts:
            if (account.login, account.password) == (request.login, request.password):
                break
        else:
            raise RpcError("auth_error")
        context.account = account
        self._check_access(context, account, LoginUser)
        points = self.weight(account, LoginUser.method)
        if (shortage := self.points(account).shortage(points, switchboard.now)) is not None:
            raise shortage
        token, expires_at = secrets.token_hex(36), switchboard.now + account.token_lifetime
        self.tokens[token] = (account, expires_at)
        self.points(account).charge(points, switchboard.now)
        end_field = switchboard.profile.token_end_field
        return {"access_token": token, **({end_field: int(expires_at)} if end_field else {})}

    def _authenticate(self, token: Any, now: float) -> Account:
        if token is None:
            raise RpcError("required_parameter_missed", "access_token", object=None)
        if not isinstance(token, str):
            raise RpcError("data_type_error", "access_token", token, object=None)
        for account in self.accounts:
            key = account.permanent_key(token)
            if key is not None:
                if key.blocked:
                    raise RpcError("access_token_blocked", "access_token", token)
                if key.expires_at is not None and key.expires_at <= now:
                    raise RpcError("access_token_expired", "access_token", token)
                return account
        temporary = self.tokens.get(token)
        if temporary is None or temporary[1] <= now:
            raise RpcError("access_token_invalid", "access_token", token)
        return temporary[0]

    def _check_access(
        self, context: _RequestContext, account: Account, request_type: type[Request[Any]]
    ) -> None:
        """Check that the account may send a request.

        :raises RpcError: the request is not allowed.
        """
        method, component = request_type.method, request_type.component
        if not self.serves_ip(account, context.ip):
            raise RpcError("ip_not_whitelisted", ip=context.ip)
        if not account.active:
            raise RpcError("account_inactive")
        if self.has_components and component in account.components_off:
            raise RpcError("component_disabled", component_name=component.value)
        if method in account.forbidden_methods:
            raise RpcError("forbidden", "method", method)

    def _metadata(self, switchboard: Switchboard, account: Account, version: str) -> dict[str, Any]:
        metadata: dict[str, Any] = {"limits": self.points(account).limits(switchboard.now)}
        if version == account.deprecated_version:
            metadata["api_version"] = {
                "current_version_depricated": True,
                "current_version": version,
                "latest_version": account.version,
            }
        return metadata

    @staticmethod
    def _record_request(
        switchboard: Switchboard, context: _RequestContext, mnemonic: str | None, data: Any
    ) -> None:
        call_session_id = context.call_session_id
        if isinstance(data, dict):
            call_session_id = data.get("call_session_id", call_session_id)
        switchboard.journal.add(
            Entry(switchboard.now, "request", context.method, call_session_id, None, mnemonic)
        )


@dataclass
class _RequestContext:
    """What the service has read so far from one JSON-RPC request.

    An attribute is None if it has not been read yet, or is not valid.
    """

    ip: str
    request_id: str | int | float | None = None
    method: str | None = None
    account: Account | None = None
    call_session_id: int | None = None


def _parse_envelope(body: Any, context: _RequestContext) -> tuple[str, dict[str, Any]]:
    if isinstance(body, list):
        raise RpcError("batch_opreations_not_supported")
    if not isinstance(body, dict):
        raise RpcError("invalid_request")
    request_id, method, params = body.get("id"), body.get("method"), body.get("params")
    if isinstance(request_id, (str, int, float)) and not isinstance(request_id, bool):
        context.request_id = request_id
    if isinstance(method, str):
        context.method = method
    well_formed = body.get("jsonrpc") == "2.0" and isinstance(method, str)
    if well_formed and "id" not in body:
        raise RpcError("notifications_not_supported")
    if not well_formed or context.request_id is None or not isinstance(params, dict):
        raise RpcError("invalid_request")
    return str(method), dict(params)


def _places_call_without_points(switchboard: Switchboard, request_type: type[Request[Any]]) -> bool:
    # Some accounts place the call although they answer with the error `limit_exceeded`.
    return issubclass(request_type, StartCall) and not switchboard.profile.limit_exceeded_leaves_undone
