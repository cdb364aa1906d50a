"""The parameters of a campaign that can be judged while Airflow reads the DAG file."""

from __future__ import annotations

from typing import Any

import pytest
from airflow_fakes import TTS, VNUMBER

from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator

CALL = {"method": "start.informer_call", "virtual_phone_number": VNUMBER, "contact_message": TTS}
TO_OPERATOR = {"method": "start.simple_call", "virtual_phone_number": VNUMBER, "first_call": "operator"}


LIST, STOP = "file:///people.csv", "file:///stop.csv"
UNCLOSED = {"type": "tts", "value": "{{ contact.name }"}


def make(**changes: Any) -> CallApiCampaignOperator:
    return CallApiCampaignOperator(task_id="call", **{"contacts": LIST, "call": CALL, **changes})


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"shard": "5/4"}, "shard: '5/4' is not one of"),
        ({"call": {**CALL, "method": "start.informer"}}, "call.method: 'start.informer' is not one of"),
        (
            {"call": {**CALL, "virtual_number": VNUMBER}},
            r"call.virtual_number: .* has no such",
        ),
        (
            {"call": {**CALL, "contact_message": {"type": "tts", "value": "{{ contact.name }"}}},
            "call.contact_message",
        ),
        ({"call": {**CALL, "contact": "79161234567"}}, r"call\.contact: a template such as"),
        ({"call": {**CALL, "virtual_phone_number": "+7 926 000-00-0"}}, "virtual_phone_number: no phone"),
        ({"call": {**TO_OPERATOR, "operator": "+84951234567"}}, r"operator: the \+ may be wrong"),
        ({"results": "file:///people.csv"}, "results: the file of contacts would be overwritten"),
        *(
            ({"contacts": "/lists/people.csv", "results": path}, "results: the file of contacts")
            for path in ("file:///lists/people.csv", "//lists/./people.csv", "/lists/old/../people.csv")
        ),
        (
            {"do_not_call": "file:///stop.csv", "report": "file:///stop.csv"},
            "report: the file of do_not_call",
        ),
        (
            {"results": "file:///a.csv", "report": "file:///a.csv"},
            "the file of (report|results) would be overwritten",
        ),
        ({"timezone": "Moscow"}, "timezone: "),
        ({"timezone": "localtime"}, "timezone: "),
        ({"timezone": "EST"}, "timezone: "),
        ({"calling_hours": "09:00-21:00"}, "calling_hours: "),
        ({"calling_days": "mon-fri"}, "calling_days: "),
        ({"calling_days": {"except": ""}}, "calling_days: "),
        ({"calling_days": {"also": ["2026-W01"]}}, "calling_days: "),
        ({"redial": {"bussy": 600}}, "redial: 'bussy' is not one of"),
    ],
)
def test_a_constant_that_cannot_be_used_is_an_error_of_the_dag_file(changes, problem):
    with pytest.raises(InvalidParameter, match=problem):
        make(**changes)


def test_the_value_of_a_template_is_not_checked_when_the_dag_is_parsed():
    make(shard="{{ params.shard }}", results="{{ params.results }}", calling_days="{{ params.days }}")
    make(call={**TO_OPERATOR, "operator": "{{ contact.manager }}"})
    make(call={**TO_OPERATOR, "operator": "0664 1234567"}, region="{{ params.region }}")
