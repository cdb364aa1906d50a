"""A rendered text has numbers, dates and members of enums as people write them."""

from __future__ import annotations

import math
from collections import ChainMap, OrderedDict, UserDict
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from numbers import Real
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow_fakes import CONTACT, TTS, VNUMBER
from inserted_texts import SPOKEN_NUMBERS
from rendered_texts import NATIVE, rendered

from airflow_provider_callapi.api.values.value_kinds import TextWithGap
from airflow_provider_callapi.notifications.callapi import CallApiNotifier
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator


class Float32:
    """Stands for ``numpy.float32``: a number that is no ``float``."""

    def __init__(self, value: float) -> None:
        self._value = value

    def __float__(self) -> float:
        return self._value

    def __int__(self) -> int:
        return int(self._value)

    def __str__(self) -> str:
        return str(self._value)

    def __format__(self, form: str) -> str:
        return format(self._value, form)

    def __truediv__(self, other: float) -> Float32:
        return Float32(self._value / other)


Real.register(Float32)


class Greeting(str, Enum):  # noqa: UP042 - authors write both forms, and Python 3.11 writes this one as its name
    HELLO = "Hello"
    BY_NAME = "Hello {{ params.x }}"


@NATIVE
@pytest.mark.parametrize("value", ["Nan", "NA", 0, 0.5, False])
def test_other_values_are_inserted_as_they_are(native: bool, value: Any) -> None:
    message = rendered("It is {{ params.x }}", {"x": value}, native=native)

    assert message == f"It is {value}"


@NATIVE
@pytest.mark.parametrize(
    "text", ["It is {{ params.x }}", "{{ 'It is ' ~ params.x }}", "{{ 'It is {}'.format(params.x) }}"]
)
def test_a_person_hears_a_date_as_people_write_it(native: bool, text: str) -> None:
    assert rendered(text, {"x": datetime(2026, 1, 2)}, native=native) == "It is 02.01.2026"
    refused = rendered(text, {"x": datetime(2026, 1, 2, tzinfo=UTC)}, native=native)
    assert "with a time zone" in repr(refused)


@NATIVE
def test_a_date_can_have_the_form_that_its_author_gives(native: bool) -> None:
    text = "{{ '{:%d/%m} {}'.format(params.x, params.x) }}, {{ params.x.strftime('%H') }}"
    assert rendered(text, {"x": datetime(2026, 1, 2, 9)}, native=native) == "02/01 02.01.2026 09:00, 09"
    text = "{{ '{:%d/%m}'.format(params.x) }}, {{ params.x.strftime('%H') }}"
    assert rendered(text, {"x": datetime(2026, 1, 2, 9, tzinfo=UTC)}, native=native) == "02/01, 09"


@NATIVE
@pytest.mark.parametrize(
    ("text", "spoken"),
    SPOKEN_NUMBERS,
)
@pytest.mark.parametrize("value", [1234.0, Decimal("1234.0"), Float32(1234.0)])
def test_a_person_hears_a_number_as_people_write_it(text: str, spoken: str, value: Any, native: bool) -> None:
    assert rendered(text, {"x": value}, native=native) == spoken


@NATIVE
@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("You owe {{ params.x | int }}", "You owe 1501"),
        ("You owe {{ params.y | upper }}", "You owe nothing"),
        ("{{ ['You owe', params.y] | map('upper') | join(' ') }}", "nothing nothing"),
    ],
)
def test_a_filter_of_the_author_stays_the_authors(text: str, spoken: str, native: bool) -> None:
    filters = {"int": lambda value: math.ceil(float(value)), "upper": lambda value: "nothing"}
    values = {"x": "1500.2", "y": None}
    assert rendered(text, values, native=native, user_defined_filters=filters) == spoken


@NATIVE
@pytest.mark.parametrize("kind", [MappingProxyType, ChainMap, UserDict, OrderedDict])
def test_a_template_in_any_mapping_is_rendered(kind: Any, native: bool) -> None:
    with DAG("dag", render_template_as_native_obj=native):
        operator = CallApiStartInformerCallOperator(
            task_id="call",
            virtual_phone_number=VNUMBER,
            contact=CONTACT,
            contact_message=kind({"type": "tts", "value": "Hello {{ params.x }}"}),
        )
    operator.render_template_fields({"params": {"x": "Anna"}})
    assert operator.contact_message == {"type": "tts", "value": "Hello Anna"}


@NATIVE
@pytest.mark.parametrize(
    "contact", ["+{{ params.x }}", "{{ params.x | replace('.', '') }}", "{{ params.x }}1"]
)
def test_a_float_that_a_spreadsheet_may_have_rounded_is_no_part_of_a_phone_number(
    native: bool, contact: str
) -> None:
    with DAG("dag", render_template_as_native_obj=native):
        task = CallApiStartInformerCallOperator(
            task_id="call", virtual_phone_number=VNUMBER, contact=contact, contact_message=TTS
        )
    task.render_template_fields({"params": {"x": 79261200000.0}})

    assert isinstance(task.contact, TextWithGap)
    assert "ends in five zeros" in repr(task.contact)


@NATIVE
def test_a_text_that_is_no_phone_number_keeps_the_form_of_its_numbers(native: bool) -> None:
    with DAG("dag", render_template_as_native_obj=native):
        task = CallApiStartInformerCallOperator(
            task_id="call",
            virtual_phone_number=VNUMBER,
            contact=CONTACT,
            contact_message=TTS,
            external_id="c{{ params.x }}",
        )
    task.render_template_fields({"params": {"x": 1.0}})

    assert task.external_id == "c1.0"


def test_an_alert_speaks_its_text_even_with_a_gap() -> None:
    notifier = CallApiNotifier(contact=CONTACT, virtual_phone_number=VNUMBER, message="Failed: {{ reason }}")
    notifier.render_template_fields({"reason": None, "ti": SimpleNamespace(), "dag": DAG("dag")})

    assert notifier.message == "Failed: None"


@NATIVE
@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        (Greeting.HELLO, "Hello"),
        (Greeting.BY_NAME, "Hello Anna"),
        ("{{ greeting }}, {{ params.x }}", "Hello, Anna"),
    ],
)
def test_a_member_of_an_enum_is_spoken_as_its_value(text: str, spoken: str, native: bool) -> None:
    macros = {"user_defined_macros": {"greeting": Greeting.HELLO}}

    assert rendered(text, {"x": "Anna"}, native=native, **macros) == spoken


def test_an_alert_speaks_the_value_of_a_member_of_an_enum() -> None:
    notifier = CallApiNotifier(contact=CONTACT, virtual_phone_number=VNUMBER, message=Greeting.HELLO)
    notifier.render_template_fields({"ti": SimpleNamespace(), "dag": DAG("dag")})

    assert notifier.message == "Hello"


@NATIVE
def test_the_zero_of_a_float_is_no_digit_of_a_phone_number(native: bool) -> None:
    contact = "0{{ params.code }}{{ params.number }}"
    with DAG("dag", render_template_as_native_obj=native) as dag:
        task = CallApiStartInformerCallOperator(
            task_id="call", virtual_phone_number=VNUMBER, contact=contact, region="AT", contact_message=TTS
        )
        notifier = CallApiNotifier(contact=contact, virtual_phone_number=VNUMBER, region="AT")
    values = {"params": {"code": 664.0, "number": 1234567}}
    task.render_template_fields(values)
    notifier.render_template_fields({"ti": SimpleNamespace(), "dag": dag, **values})

    assert (task.contact, notifier.contact) == ("06641234567", ["06641234567"])
