"""Which calls count as answered."""

from __future__ import annotations

import pytest
from failing_callbacks import ON_DUTY, SECOND, SYNC_AND_ASYNC, notifier, of_dag, rung

from airflow_provider_callapi.api.data_api import GetCallLegsReport, GetCallsReport
from airflow_provider_callapi.api.request import Component
from airflow_provider_callapi.calls.account_reports import AccountReports
from airflow_provider_callapi.emulator import Profile, Script
from airflow_provider_callapi.exceptions import InvalidParameter

pytest_plugins = ["airflow_desk"]


@SYNC_AND_ASYNC
def test_an_answer_between_two_polls_does_not_count_without_the_data_api(desk, ring):
    desk.connect(extra={"data_api": False})
    desk.exchange.script(ON_DUTY, Script(rings=0.1, talks=0.1))

    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]


@SYNC_AND_ASYNC
def test_an_answer_between_two_polls_counts_with_the_data_api(desk, ring):
    desk.exchange.script(ON_DUTY, Script(rings=0.1, talks=0.1))

    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [ON_DUTY]


@SYNC_AND_ASYNC
def test_an_answer_that_is_reported_some_seconds_after_the_end_counts(desk, ring):
    desk.exchange.report_lag = 3.0
    desk.exchange.script(ON_DUTY, Script(rings=0.1, talks=0.1))

    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [ON_DUTY]


def test_a_report_that_does_not_come_delays_the_next_person_by_six_seconds_at_most(desk):
    desk.exchange.script(ON_DUTY, Script.busy(4))
    begins = []
    for report_lag in (0.0, 1_000.0):
        desk.exchange.report_lag = report_lag
        before = desk.clock()
        notifier([ON_DUTY, SECOND], quiet_for=0)(of_dag())
        begins.append(desk.clock() - before)

    assert rung(desk) == [ON_DUTY, SECOND] * 2
    two_polls = 4.0  # without the report, the end needs two more polls without the call
    assert begins[1] - begins[0] == two_polls + 6.0


VANISHES_AFTER = (1.5, 2.0, 2.5, 3.0, 3.5)


@SYNC_AND_ASYNC
@pytest.mark.parametrize(
    "callapi_profile",
    [Profile(vanish_after=seconds, vanish_seconds=3.0) for seconds in VANISHES_AFTER],
    ids=map(str, VANISHES_AFTER),
)
def test_a_ringing_call_that_list_calls_omits_for_three_seconds_lets_no_other_phone_ring(desk, ring):
    desk.connect(extra={"data_api": False})
    desk.exchange.script(ON_DUTY, Script(rings=10, talks=20))

    ring(notifier([ON_DUTY, SECOND]), of_dag())

    assert rung(desk) == [ON_DUTY]


@pytest.mark.parametrize(
    ("parameters", "is_repeated"), [({}, False), ({"scenario_id": 23457, "acknowledged_by": "tag:254"}, True)]
)
def test_a_failed_request_for_a_report_is_repeated_only_if_a_key_must_acknowledge(
    desk, monkeypatch, parameters, is_repeated
):
    """Without a key, the polls have shown most answers, and the next person must not wait."""

    requests = []

    def fails(*_, **__):
        requests.append(desk.clock())
        raise RuntimeError("no report today")

    monkeypatch.setattr(AccountReports, "final_outcome", fails)
    desk.exchange.script(ON_DUTY, Script.busy())

    notifier([ON_DUTY, SECOND], **parameters)(of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]
    assert (len(requests) > 1) is is_repeated


def test_the_legs_of_others_do_not_prove_that_the_person_did_not_answer(desk, monkeypatch, log):
    """An alert calls the person first, and a scenario calls others only after the person's answer."""
    of_another = {"called_phone_number": "74951234567", "is_operator": True}
    reports = {GetCallsReport: {"finish_reason": "sip_offline"}, GetCallLegsReport: of_another}
    for request_type, fields in reports.items():

        def convert(self, data, read=request_type.convert_answer, fields=fields):
            return read(self, [{**row, **fields} for row in data])

        monkeypatch.setattr(request_type, "convert_answer", convert)
    desk.exchange.script(ON_DUTY, Script.no_answer(rings=0.1))

    notifier([ON_DUTY, SECOND], scenario_id=23457)(of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]
    assert ": not known to be answered" in log()


def test_a_call_that_cannot_be_polled_does_not_count_as_answered(desk):
    desk.exchange.account.components_off.add(Component.MANAGEMENT)

    notifier([ON_DUTY, SECOND])(of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]


# --- acknowledgements by a phone key ---

BY_KEY = {"scenario_id": 23457, "acknowledged_by": "operation:Подтверждено"}


@SYNC_AND_ASYNC
def test_no_key_acknowledges_without_the_data_api_and_each_person_is_rung_once(desk, ring, log):
    desk.connect(extra={"data_api": False})
    desk.exchange.default_script = Script.presses("1")

    ring(notifier([ON_DUTY, SECOND], **BY_KEY), of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]
    assert "acknowledged_by needs the Data API" in log()


@pytest.mark.parametrize("acknowledged_by", ["tag:254", ["operation:Отказ", "operation:Подтверждено"]])
def test_a_tag_or_one_of_several_operations_acknowledges(desk, acknowledged_by):
    desk.exchange.script(ON_DUTY, Script.presses("1"))

    notifier([ON_DUTY, SECOND], **{**BY_KEY, "acknowledged_by": acknowledged_by})(of_dag())

    assert rung(desk) == [ON_DUTY]


def test_a_call_that_does_not_end_delays_the_next_person_by_a_limited_time(desk):
    desk.exchange.script(ON_DUTY, Script.presses("", talks=None))
    began = desk.clock()

    notifier([ON_DUTY, SECOND], report_timeout=20, **BY_KEY)(of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]
    assert desk.clock() - began < 200


@SYNC_AND_ASYNC
def test_a_key_acknowledges_although_the_call_cannot_be_polled(desk, ring):
    desk.exchange.account.components_off.add(Component.MANAGEMENT)
    desk.exchange.script(ON_DUTY, Script.presses("3", rings=20, talks=60))
    desk.exchange.script(SECOND, Script.presses("1", rings=20, talks=60))

    ring(notifier([ON_DUTY, SECOND, "79160000003"], report_timeout=10, **BY_KEY), of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]


def test_a_deleted_scenario_leaves_a_call_that_speaks_the_message(desk, log):
    desk.exchange.account.scenarios.clear()

    notifier([ON_DUTY, SECOND], **BY_KEY)(of_dag())

    assert rung(desk) == [ON_DUTY, SECOND]
    assert [call.method for call in desk.exchange.calls] == ["start.informer_call"] * 2
    assert "the service rejected the scenario" in log()


def test_a_scenario_without_a_key_takes_an_answer_for_an_acknowledgement(desk):
    desk.exchange.script(ON_DUTY, Script.presses("", talks=60))

    notifier([ON_DUTY, SECOND], scenario_id=23457)(of_dag())

    assert rung(desk) == [ON_DUTY]
    assert desk.exchange.calls[0].active


@pytest.mark.parametrize(
    "wrong",
    [
        {"acknowledged_by": "tag:36"},
        {"acknowledged_by": "key:1", "scenario_id": 7},
        {"acknowledged_by": 36, "scenario_id": 7},
        {"acknowledged_by": [], "scenario_id": 7},
        {"acknowledged_by": {"tag:36": True}, "scenario_id": 7},
        {"scenario_id": "menu"},
        {"scenario_id": 10**19},
        {"acknowledged_by": "tag:9223372036854775808", "scenario_id": 7},
        {"report_timeout": -1},
    ],
)
def test_a_wrong_parameter_is_an_error_of_the_dag_file(wrong):
    with pytest.raises(InvalidParameter, match="|".join(wrong)):
        notifier(**wrong)
