"""Every rule of the retry policy, and Airflow's task runner with this policy."""

from __future__ import annotations

import importlib
import sys
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import structlog

pytest.importorskip("airflow.sdk.definitions.retry_policy", reason="Airflow before 3.3 has no retry policies")
from airflow.sdk import DAG, BaseOperator, RetryAction
from airflow.sdk.execution_time import task_runner

from airflow_provider_callapi import exceptions, retry_policies
from airflow_provider_callapi.api import errors
from airflow_provider_callapi.api.models import Limits
from airflow_provider_callapi.calls.single_call.placing import Unresolved
from airflow_provider_callapi.retry_policies import CallApiRetryPolicy, RetryVerdict

FAIL, RETRY, DEFAULT = RetryAction.FAIL, RetryAction.RETRY, RetryAction.DEFAULT
START, READ, REPORT = "start.informer_call", "list.calls", "get.calls_report"

OUT_OF_POINTS = errors.LimitExceeded("no points", limits=Limits(minute_remaining=0, minute_reset=37))
OUT_OF_POINTS_TODAY = errors.LimitExceeded(
    "no points", params={"limit_type": "day"}, limits=Limits(day_remaining=0, day_reset=7200)
)


def decide(error, try_number=1, **policy):
    return CallApiRetryPolicy(**policy).evaluate(error, try_number, 5)


@pytest.mark.parametrize("name", ["backoff", "longest"])
@pytest.mark.parametrize("value", [None, "soon", True, float("nan"), float("inf"), timedelta(minutes=-1), -1])
def test_a_delay_that_cannot_be_used_is_refused_by_name(name, value):
    with pytest.raises(exceptions.InvalidParameter, match=f"{name}: "):
        CallApiRetryPolicy(**{name: value})


@pytest.mark.parametrize("minute", [60, 60.0, timedelta(minutes=1)])
def test_a_delay_may_be_a_number_of_seconds_or_a_timedelta(minute):
    assert CallApiRetryPolicy(minute, minute).serialize() == {"backoff": 60.0, "longest": 60.0}


@pytest.mark.parametrize(("error", "seconds"), [(OUT_OF_POINTS, 37), (OUT_OF_POINTS_TODAY, 7200)])
def test_a_retry_waits_for_the_reset_of_used_up_points(error, seconds):
    decision = decide(error)

    assert (decision.action, decision.retry_delay) == (RETRY, timedelta(seconds=seconds + 1))
    assert f"reset in {seconds} s" in decision.reason


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (errors.AuthenticationFailed("x"), FAIL),
        (errors.TokenInvalid("x"), FAIL),
        (errors.AccessDenied("x"), FAIL),
        (errors.InvalidParameters("x"), FAIL),
        (errors.DateRefused("x"), RETRY),
        (errors.CallRefused("x"), FAIL),
        (errors.CallNotFound("x"), FAIL),
        (errors.InvalidState("x"), FAIL),
        (errors.ProtocolMismatch("x"), FAIL),
        (errors.Unanswered("x", method=START), FAIL),
        (errors.ServiceFailed("x", method=START), FAIL),
        (errors.Unanswered("x", method="a.method_of_tomorrow"), FAIL),
        (errors.Unanswered("x"), FAIL),
        (errors.Unanswered("x", method=READ), RETRY),
        (errors.ServiceFailed("x", method=READ), RETRY),
        (errors.ServiceFailed("x", method=REPORT), RETRY),
        (errors.NotSent("x", method=START), RETRY),
        (exceptions.CallApiTrouble("x"), RETRY),
        (Unresolved("id", "x"), FAIL),
        (exceptions.CallUnresolved("x"), FAIL),
        (exceptions.CallOutcomeUnknown("x"), FAIL),
        (exceptions.CallApiFailure("x"), FAIL),
        (exceptions.InvalidParameter("x"), FAIL),
        (exceptions.ConnectionSettingsInvalid("x"), FAIL),
        (exceptions.CallTooLate("x"), FAIL),
        (exceptions.CallNotAnswered("x"), DEFAULT),
        (exceptions.CallStillActive("x"), DEFAULT),
        (exceptions.CallUnresolvedForNow("x"), DEFAULT),
        (RuntimeError("x"), DEFAULT),
    ],
    ids=lambda value: getattr(value, "name", f"{type(value).__name__} {getattr(value, 'method', '')}"),
)
def test_every_error_has_its_rule(error, action):
    decision = decide(error)

    assert decision.action is action
    assert (decision.retry_delay is not None) is (action is RETRY)
    assert action is DEFAULT or type(error).__name__ in decision.reason


def test_the_table_alone_decides_about_an_error(monkeypatch):
    rule = retry_policies._RULES[0]
    assert (rule.error_types, rule.verdict) == ((errors.LimitExceeded,), RetryVerdict.AT_RESET)
    monkeypatch.setattr(retry_policies, "_RULES", (replace(rule, verdict=RetryVerdict.NEVER),))

    assert decide(OUT_OF_POINTS).action is FAIL


def test_every_error_of_the_package_is_in_the_table_above():
    def family(kind):
        return {kind}.union(*(family(child) for child in kind.__subclasses__()))

    tested = {type(p) for mark in test_every_error_has_its_rule.pytestmark for p, _ in mark.args[1]}
    bases = {errors.CallApiError, errors.TransportError, errors.Rejected, errors.LimitExceeded}
    ours = family(errors.CallApiError) | {
        kind
        for kind in vars(exceptions).values()
        if isinstance(kind, type) and kind.__module__ == exceptions.__name__
    }

    assert {kind for kind in ours if kind.__module__.startswith("airflow_provider_callapi")} - bases <= tested


def raised_from(cause, error):
    """Return an error that was raised with ``raise error from cause``."""
    try:
        raise error from cause
    except type(error) as chained:
        return chained


def test_the_known_cause_of_another_error_decides():
    decision = decide(raised_from(raised_from(OUT_OF_POINTS, ValueError("b")), RuntimeError("a")))

    assert decision.retry_delay == timedelta(seconds=38)


def test_an_error_decides_if_another_error_occurs_while_it_is_handled_unless_it_is_hidden():
    try:
        try:
            raise OUT_OF_POINTS
        except errors.LimitExceeded:
            raise RuntimeError("clumsy")  # noqa: B904 - this is the case
    except RuntimeError as clumsy:
        chained = clumsy

    assert decide(chained).action is RETRY
    chained.__suppress_context__ = True
    assert decide(chained).action is DEFAULT


def test_the_outermost_known_error_decides():
    """An Airflow operator's exception about an unconfirmed call counts more than the lost answer."""
    lost = raised_from(errors.Unanswered("x", method=START), Unresolved("id", "x"))

    assert decide(raised_from(lost, exceptions.CallUnresolvedForNow("x"))).action is DEFAULT


def test_a_circular_chain_of_errors_causes_no_endless_loop():
    one, other = RuntimeError("one"), RuntimeError("other")
    one.__cause__, other.__cause__ = other, one

    assert decide(one).action is DEFAULT


@pytest.mark.parametrize(("try_number", "most"), [(1, 30), (2, 60), (3, 120), (6, 600), (5000, 600)])
def test_the_delay_after_a_transient_error_doubles_with_every_try(try_number, most):
    delays = {decide(exceptions.CallApiTrouble("x"), try_number).retry_delay for _ in range(50)}

    assert timedelta(seconds=most * 0.75) <= min(delays) < max(delays) <= timedelta(seconds=most)


def test_the_policy_survives_its_serialisation():
    policy = CallApiRetryPolicy(timedelta(seconds=5), timedelta(minutes=1))

    assert vars(CallApiRetryPolicy.deserialize(policy.serialize())) == vars(policy)


def test_an_older_airflow_gets_an_error_with_the_needed_version(monkeypatch):
    older = SimpleNamespace(__name__="airflow.providers.common.compat.sdk")
    monkeypatch.setitem(sys.modules, "airflow.providers.common.compat.sdk", older)
    monkeypatch.delitem(sys.modules, "airflow_provider_callapi.retry_policies")

    with pytest.raises(ImportError, match=r"needs Airflow 3\.3"):
        importlib.import_module("airflow_provider_callapi.retry_policies")


# --- in Airflow ---


class Fails(BaseOperator):
    """An Airflow operator that raises a given error."""

    def __init__(self, *, error, **kwargs):
        super().__init__(**kwargs)
        self.error = error

    def execute(self, context):
        raise self.error


def run_in_the_task_runner(monkeypatch, error):
    """Run one try of a task as a worker does. Return the worker's last message to the supervisor."""
    from airflow.sdk.api.datamodels._generated import DagRun, TIRunContext

    messages = []
    comms = SimpleNamespace(send=lambda msg=None, **kw: messages.append(msg))
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", comms, raising=False)
    with DAG("retrying"):
        task = Fails(error=error, task_id="call", retries=3, retry_policy=CallApiRetryPolicy())
    now = datetime.now(UTC)
    dag_run = DagRun(
        dag_id="retrying",
        run_id="run",
        logical_date=now,
        run_after=now,
        start_date=now,
        run_type="manual",
        state="running",
        consumed_asset_events=[],
        data_interval_start=None,
        data_interval_end=None,
        end_date=None,
        partition_key=None,
    )
    ti = task_runner.RuntimeTaskInstance.model_construct(
        id=uuid.uuid4(),
        task_id="call",
        dag_id="retrying",
        run_id="run",
        try_number=1,
        map_index=-1,
        task=task,
        start_date=now,
        _ti_context_from_server=TIRunContext.model_construct(dag_run=dag_run, max_tries=3, should_retry=True),
    )
    task_runner.run(ti, ti.get_template_context(), structlog.get_logger())
    return messages[-1]


def test_airflow_retries_after_the_reset_of_the_points(monkeypatch, airflow_db):
    message = run_in_the_task_runner(monkeypatch, OUT_OF_POINTS)

    assert type(message).__name__ == "RetryTask"
    assert message.retry_delay_seconds == 38
    assert message.retry_reason == "LimitExceeded: the points are used up, reset in 37 s"


def test_airflow_does_not_retry_if_a_call_may_have_been_placed(monkeypatch, airflow_db):
    message = run_in_the_task_runner(monkeypatch, errors.Unanswered("x", method=START))

    assert (type(message).__name__, message.state) == ("TaskState", "failed")


def test_airflow_retries_other_errors_as_the_task_defines(monkeypatch, airflow_db):
    message = run_in_the_task_runner(monkeypatch, RuntimeError("x"))

    assert type(message).__name__ == "RetryTask"
    assert message.retry_delay_seconds is None
