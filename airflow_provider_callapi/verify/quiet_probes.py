"""The probes of ``airflow callapi verify`` that place no call: errors, login, points, reports and dates."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from airflow_provider_callapi.api.data_api import REFUSED_REPORT
from airflow_provider_callapi.verify.bench import Bench, NotPossible
from airflow_provider_callapi.verify.facts import account_facts
from airflow_provider_callapi.verify.findings import DateRule, ErrorForm, LoginForm
from airflow_provider_callapi.verify.gateway import Answer, Service
from airflow_provider_callapi.verify.local_times import QUARTER_HOUR, report_text
from airflow_provider_callapi.verify.report_reader import ReportReader

_UNKNOWN_KEY = "unknown"
_LONGEST_AGE = 2 * 86_400.0
"""The largest age of ``date_from``, in seconds, that `probe_dates` tries."""
_PRECISION = 0.01
"""How exact the smallest accepted age is: a share of the age."""


def reader_of(bench: Bench) -> ReportReader:
    """Return `Bench.reader`, the object that reads reports from the Data API.

    :raises NotPossible: the connection does not use the Data API.
    """
    if bench.reader is None:
        raise NotPossible("the connection does not use the Data API")
    return bench.reader


def probe_errors(bench: Bench) -> None:
    """Find out the form of the answers with which the Call API reports errors.

    The probe sends one request with an unknown parameter, and one with a wrong access key. It stores the form
    of the answers in `Findings.errors`.

    :raises NotPossible: the Call API ignores the unknown parameter, and so reports no error.
    :raises CallApiError: a request got no answer, or the Call API refuses the correct login.
    """
    answer = bench.gateway.call_api.send("list.calls", no_such_parameter=1)
    if answer.error is None:
        raise NotPossible("the service ignores an unknown parameter")
    bench.findings.errors = ErrorForm(
        http_status=answer.http_status,
        wrong_key_http_status=bench.gateway.call_api.send_once("list.calls", {}, _UNKNOWN_KEY).http_status,
        repeats_id=answer.repeats_id,
        has_limits=bool(answer.limits),
    )


def probe_login(bench: Bench) -> None:
    """Log in at the Call API, and find out whether the Data API accepts the same access token.

    The probe stores the result, and which fields the login's answer has, in `Findings.login`.

    :raises NotPossible: the connection has a permanent access key, so there is no login. Or the answer to the
        login is no JSON object.
    :raises CallApiError: a request got no answer, or the Call API refuses the login.
    """
    call_api, data_api = bench.gateway.call_api, bench.gateway.data_api
    if call_api.login is None:
        raise NotPossible("the connection has a permanent key and no login")
    answer = call_api.log_in()
    answer.raise_for_error()
    if not isinstance(answer.data, dict):
        raise NotPossible("the answer to the login is no object")
    end_field = next((name for name in ("expire_at", "expire") if name in answer.data), None)
    shared = None
    if data_api is not None:
        refusal = data_api.send_once("get.calls_report", REFUSED_REPORT, token=call_api.access_token()).error
        shared = None if refusal is None else not refusal.startswith("access_token")
    bench.findings.login = LoginForm(
        end_field=end_field,
        has_metadata=bool(answer.limits),
        token_is_shared=shared,
    )


def probe_points(bench: Bench) -> None:
    """Find out the account's limits of points (rate-limit units), and how many points some requests cost.

    The requests change nothing in the account. The probe stores the limits in `Findings.day_limit` and
    `Findings.minute_limit`, and the costs in `Findings.points`.

    :raises NotPossible: the answers contain no limit of points for the day.
    :raises CallApiError: a request got no answer, or a service refuses the first poll or a login.
    """
    call_api, findings = bench.gateway.call_api, bench.findings
    answer = call_api.send("list.calls")
    answer.raise_for_error()
    findings.day_limit = answer.limits.get("day_limit")
    findings.minute_limit = answer.limits.get("minute_limit")
    if findings.day_limit is None:
        raise NotPossible("the answers contain no limits")
    points = findings.points["call_api"] = {}
    for method in ("list.calls", "list.talk_options"):
        _count(points, method, lambda method=method: call_api.send(method))  # type: ignore[misc]
    _count_login(points, call_api, lambda: call_api.send("list.calls"), "list.calls")
    if bench.reader is not None and bench.gateway.data_api is not None:
        _probe_data_api_points(bench, bench.reader, bench.gateway.data_api)


def _probe_data_api_points(bench: Bench, reader: ReportReader, data_api: Service) -> None:
    points = bench.findings.points["data_api"] = {}
    for method in ("get.calls_report", "get.call_legs_report"):
        _count(points, method, lambda method=method: reader.send(method, fields=["id"], limit=1))  # type: ignore[misc]
    _count(points, "get.tags", lambda: data_api.send("get.tags", limit=1))
    _count_login(points, data_api, lambda: data_api.send("get.tags", limit=1), "get.tags")


def _count(points: dict[str, int], method: str, send: Callable[[], Answer]) -> None:
    """Measure how many points a request costs, and store them in ``points[method]``.

    Call ``send`` four times. Store nothing if no answer shows the cost.
    """
    send()  # the first request can cause further requests, e.g. a login
    left = [answer.limits.get("day_remaining") for answer in (send(), send(), send())]
    differences = [a - b for a, b in pairwise(left) if a is not None and b is not None]
    # Another program may use points at the same time, so the smaller difference is more exact.
    if differences and min(differences) >= 0:
        points[method] = min(differences)


def _count_login(points: dict[str, int], service: Service, send: Callable[[], Answer], method: str) -> None:
    if service.login is None or method not in points:
        return
    before = send().limits.get("day_remaining")
    service.log_in().raise_for_error()
    after = send().limits.get("day_remaining")
    if before is not None and after is not None and before - after >= points[method]:
        points["login.user"] = before - after - points[method]


def probe_reports(bench: Bench) -> None:
    """Find out which fields, filters and dates the Data API refuses in requests for reports.

    The probe stores the refusals in `Findings.report_rules`. It also asks for the account's time zone, and
    stores it in `Findings.account_zone`.

    :raises NotPossible: the connection does not use the Data API.
    :raises CallApiError: a request for a report got no answer, or was refused for a reason other than a
        field, a filter or a date.
    """
    reader = reader_of(bench)
    data_api = bench.gateway.data_api
    assert data_api is not None
    reader.ask("get.calls_report", {"call_api_external_id": "verify"}).raise_for_error()
    reader.ask("get.calls_report", {"id": 1}).raise_for_error()
    reader.ask("get.call_legs_report", {"call_session_id": 1}).raise_for_error()
    account = data_api.try_send("get.account")
    for entry in account.rows if account else []:
        zone = entry.get("timezone")
        bench.findings.account_zone = zone if isinstance(zone, str) else bench.findings.account_zone


def probe_dates(bench: Bench) -> None:
    """Find out how old ``date_from`` must be, so that the Data API accepts a request for a report.

    The probe tries ages between 0 seconds and 2 days. It stores the smallest accepted age in
    `Findings.dates`, exact to one percent or one second, whichever is longer.

    :raises NotPossible: the connection does not use the Data API, or the account's time zone is not known.
    :raises CallApiError: a request got no answer, or was refused for a reason other than ``date_from``.
    """
    reader = reader_of(bench)
    offset = _offset(bench)

    def is_accepted(age: float) -> bool:
        now = bench.gateway.clock()
        begins = report_text(now - age + offset)
        answer = reader.send_dates(begins, max(reader.latest(now), now - age + offset))
        if answer.error is not None and answer.error_field != "date_from":
            answer.raise_for_error()
        return answer.error is None

    rule = bench.findings.dates = DateRule(accepted=None, refused=None)
    if is_accepted(0.0):
        rule.accepted = 0.0
        return
    rule.refused = 0.0
    if not is_accepted(_LONGEST_AGE):
        rule.refused = _LONGEST_AGE
        return
    rule.accepted = _LONGEST_AGE
    while rule.accepted - rule.refused > max(1.0, _PRECISION * rule.accepted):
        middle = (rule.accepted + rule.refused) // 2
        if is_accepted(middle):
            rule.accepted = middle
        else:
            rule.refused = middle


def _offset(bench: Bench) -> float:
    """Return how many seconds the account's local time is ahead of UTC, e.g. 10800.0 for Moscow.

    :raises NotPossible: the offset is not known.
    """
    measured = account_facts.account_offset(bench.findings)
    zones = (bench.findings.account_zone, bench.options.timezone)
    named = (account_facts.offset_of(zone, bench.gateway.clock()) for zone in zones if zone)
    offset = next((each for each in (measured, *named) if each is not None), None)
    if offset is None:
        raise NotPossible(
            "the account's time zone is not known; set extra.timezone, or run a probe that calls"
        )
    return float(offset * QUARTER_HOUR)
