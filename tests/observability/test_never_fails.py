"""Metrics, lineage and spans never stop a task, and their failures are in the log at debug level."""

from __future__ import annotations

import logging

import pytest

from airflow_provider_callapi.observability.never_fails import never_fails


def test_a_failure_is_logged_at_debug_level_with_its_traceback_and_the_work_goes_on(caplog):
    caplog.set_level(logging.DEBUG, logger="airflow_provider_callapi")

    with never_fails("the metric callapi.calls"):
        raise OSError("no metrics today")

    (record,) = caplog.records
    assert record.levelno == logging.DEBUG
    assert "the metric callapi.calls" in record.getMessage()
    assert "OSError: no metrics today" in caplog.text
    assert __file__ in caplog.text


def test_a_success_logs_nothing(caplog):
    caplog.set_level(logging.DEBUG, logger="airflow_provider_callapi")

    with never_fails("the metric callapi.calls"):
        pass

    assert caplog.records == []


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_the_end_of_the_process_is_raised(end):
    with pytest.raises(end), never_fails("the metric callapi.calls"):
        raise end
