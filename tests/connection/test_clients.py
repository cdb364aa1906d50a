"""The clients of a connection: each request is a metric, by connection, service, method and result."""

from __future__ import annotations

from airflow_provider_callapi.emulator import Fault
from airflow_provider_callapi.hooks.callapi import CallApiHook

pytest_plugins = ["airflow_desk", "telemetry_fakes"]


def test_the_points_left_are_recorded_by_connection_and_service(desk, stats):
    with CallApiHook() as hook:
        hook.poll_snapshots(5.0).__next__()
        left = hook.limits

    assert left is not None
    assert (
        stats.named("callapi.points.minute_remaining.callapi_default.call_api")[-1] == left.minute_remaining
    )
    assert stats.named("callapi.points.day_remaining.callapi_default.call_api")[-1] == left.day_remaining
    assert stats.tagged("callapi.points.day_remaining")[-1] == {
        "conn_id": "callapi_default",
        "service": "call_api",
    }


def test_every_request_is_timed_by_method_and_result(desk, stats):
    desk.exchange.fault(Fault.INTERNAL_ERROR, method="list.calls")

    with CallApiHook() as hook:
        snapshots = hook.poll_snapshots(5.0)
        assert next(snapshots).failure is not None
        assert next(snapshots).failure is None

    assert stats.tagged("callapi.requests") == [
        {"method": "list.calls", "result": "ServiceFailed"},
        {"method": "list.calls", "result": "ok"},
    ]
    assert len(stats.named("callapi.requests.list__calls.ok")) == 1
