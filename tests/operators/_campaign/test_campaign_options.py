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
        (
            {"call": {**CALL, "virtual_phone_number": "+7 926 000-00-0"}},
            "call: .*: virtual_phone_number: no phone",
        ),
        ({"call": {**TO_OPERATOR, "operator": "+84951234567"}}, r"call: .*: operator: the \+ may be wrong"),
        (
            {"call": {**CALL, "contact_message": {"type": "text", "value": "{{ contact.name }}"}}},
            r"call: start\.informer_call: contact_message\.type: 'media' or 'tts' is needed",
        ),
        ({"call": {**CALL, "dialing_timeout": "soon"}}, r"call: start\.informer_call: dialing_timeout: "),
        (
            {"call": {name: CALL[name] for name in CALL if name != "virtual_phone_number"}},
            r"call: start\.informer_call: virtual_phone_number: the value is missing",
        ),
        ({"results": "/lists/results.xlsx"}, r"results: the path of a file is needed, \.csv or \.jsonl or "),
        ({"report": "/lists/report.pdf"}, r"report: the path of a file is needed, \.html or \.htm$"),
        ({"contacts": "people"}, r"contacts: the path of a file is needed, \.csv or "),
        ({"do_not_call": "blacklist"}, r"do_not_call: the path of a file is needed, \.csv or "),
        ({"do_not_call": {"blacklist": True, "list": "[1]"}}, r"do_not_call: the list is written as text"),
        ({"results": "file:///people.csv"}, "results: the file of contacts would be overwritten"),
        *(
            ({"contacts": "/lists/people.csv", "results": path}, "results: the file of contacts")
            for path in ("file:///lists/people.csv", "//lists/./people.csv", "/lists/old/../people.csv")
        ),
        (
            {"do_not_call": "file:///stop.csv", "results": "file:///stop.csv"},
            "results: the file of do_not_call",
        ),
        ({"timezone": "Moscow"}, "timezone: "),
        ({"timezone": "localtime"}, "timezone: "),
        ({"timezone": "EST"}, "timezone: "),
        ({"calling_hours": "09:00-21:00"}, "calling_hours: "),
        ({"calling_days": "mon-fri"}, "calling_days: "),
        ({"calling_days": {"except": ""}}, r"calling_days\.except: a date, .* is an empty text$"),
        ({"calling_days": {"also": ["2026-W01"]}}, r"calling_days\.also: a date, such as 2026-12-31"),
        ({"calling_days": {"also": ["2026-02-30"]}}, r"calling_days\.also: a date, such as 2026-12-31"),
        ({"calling_days": {"days": ["mo"]}}, r"calling_days\.days: names of weekdays, such as mon"),
        ({"calling_days": {"without": []}}, r"calling_days\.without: no such key; the keys are also, "),
        ({"redial": {"bussy": 600}}, "redial: 'bussy' is not one of"),
        ({"redial": {"busy": "10m"}}, r"redial\.busy: a number of seconds"),
        ({"do_not_call": {"black_list": True}}, r"do_not_call\.black_list: no such key; the keys are bl"),
        ({"do_not_call": {"blacklist": "yes"}}, r"do_not_call\.blacklist: true or false is needed"),
        ({"do_not_call": {"blacklist": True, "list": 5}}, r"do_not_call\.list: a list of rows, the path"),
        (
            {"do_not_call": {"blacklist": True, "list": {"conn_id": "dwh", "sql": ""}}},
            r"do_not_call\.list\.sql: a text that is not empty is needed; the value is an empty text$",
        ),
        ({"contacts": {"conn_id": "dwh"}}, r"contacts\.sql: the key is missing$"),
        (
            {"results": {"conn": "dwh", "table": "calls"}},
            r"results\.conn: no such key; the keys are conn_id",
        ),
        ({"results": {"conn_id": "dwh", "table": "a.b"}}, r"results\.table: a name without a dot"),
    ],
)
def test_a_constant_that_cannot_be_used_is_an_error_of_the_dag_file(changes, problem):
    with pytest.raises(InvalidParameter, match=rf"^task \w+: {problem}"):
        make(**changes)


def test_the_value_of_a_template_is_not_checked_when_the_dag_is_parsed():
    make(shard="{{ params.shard }}", results="{{ params.results }}", calling_days="{{ params.days }}")
    make(call={**TO_OPERATOR, "operator": "{{ contact.manager }}"})
    make(call={**TO_OPERATOR, "operator": "0664 1234567"}, region="{{ params.region }}")
