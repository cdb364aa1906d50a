"""A rendered text has no gap: no person hears None, and no id contains None."""

from __future__ import annotations

import math
import re
from collections import ChainMap, OrderedDict, UserDict
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from numbers import Real
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow_fakes import CONTACT, TTS, VNUMBER, Desk, Task
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inserted_texts import EXPRESSIONS, EXPRESSIONS_WITH_FILES, SPOKEN_NUMBERS
from jinja2 import (
    ChainableUndefined,
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    StrictUndefined,
    TemplateRuntimeError,
    TemplateSyntaxError,
    Undefined,
    UndefinedError,
)

from airflow_provider_callapi.api.values.value_kinds import TextWithGap
from airflow_provider_callapi.decorators._decorated_operators import InformerFunctionOperator
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.notifications.callapi import CallApiNotifier
from airflow_provider_callapi.operators.branch import CallApiBranchOperator
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

pytest_plugins = ["airflow_desk"]

NATIVE = pytest.mark.parametrize("native", [False, True])
NAType = type("NAType", (), {})  # stands for the missing value of pandas
UNSPEAKABLE = st.one_of(
    st.sampled_from(
        [None, math.nan, math.inf, NAType(), len, CONTACT.join, b"Anna", "None", " nan ", "<NA>"]
    ),
    st.lists(st.text()),
    st.dictionaries(st.text(), st.text()),
    st.tuples(st.text()),
    st.frozensets(st.text()),
)
TEXTS = st.sampled_from(["Order {{ params.x }}", "{{ params.x }}!", "{% if 1 %}{{ params.x }}.{% endif %}"])


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


def rendered(text: str, params: dict[str, Any], *, native: bool, **dag: Any) -> Any:
    """Return the text of an informer call's message after its templates are rendered."""
    with DAG("dag", render_template_as_native_obj=native, **dag):
        operator = CallApiStartInformerCallOperator(
            task_id="call",
            virtual_phone_number=VNUMBER,
            contact=CONTACT,
            contact_message={"type": "tts", "value": text},
        )
    operator.render_template_fields({"params": params})
    return operator.contact_message["value"]


def calling(desk: Desk, value: Any, *, native: bool, **changes: Any) -> Task:
    """Return a task of an informer call, whose templates get ``value`` as ``params.x``."""
    fields = {"virtual_phone_number": VNUMBER, "contact": CONTACT, "contact_message": TTS, **changes}

    def make() -> CallApiStartInformerCallOperator:
        with DAG("dag", render_template_as_native_obj=native):
            operator = CallApiStartInformerCallOperator(task_id="call", **fields)
        operator.render_template_fields({"params": {"x": value}})
        return operator

    return Task(desk, make)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(value=UNSPEAKABLE, text=TEXTS, native=st.booleans(), field=st.sampled_from(["message", "external_id"]))
def test_a_text_with_a_gap_is_refused_by_name_before_dialling(
    desk: Desk, value: Any, text: str, native: bool, field: str
) -> None:
    is_message = field == "message"
    changes = {"contact_message": {"type": "tts", "value": text}} if is_message else {"external_id": text}

    with pytest.raises(CallApiFailure, match=r"contact_message\.value: " if is_message else "external_id: "):
        calling(desk, value, native=native, **changes).run()

    assert desk.sent() == []


INSIDE_EXPRESSIONS = pytest.mark.parametrize("text", [*EXPRESSIONS, *EXPRESSIONS_WITH_FILES])


@NATIVE
@INSIDE_EXPRESSIONS
@pytest.mark.parametrize("value", [None, math.nan])
def test_an_empty_value_inside_an_expression_is_a_gap(
    text: str, value: Any, native: bool, files: str
) -> None:
    message = rendered(text, {"x": value}, native=native, template_searchpath=files)
    assert isinstance(message, TextWithGap)


@pytest.fixture
def files(tmp_path: Path) -> str:
    """Return the path of a folder with template files, which insert the values in expressions."""
    for name, text in {
        "hello.txt": "{{ 'Hello ' ~ params.x }}",
        "greetings.txt": "{% macro hello(name) %}{{ 'Hello ' ~ name }}{% endmacro %}",
        "letter.txt": "Hello {% block name %}{% endblock %}",
    }.items():
        (tmp_path / name).write_text(text)
    return str(tmp_path)


def generated() -> Any:
    yield "Anna"


class Bare:
    """An object whose text contains its address in memory."""


class Series:
    """Stands for the arrays and tables of numpy and pandas: they can be iterated, and are no sequences."""

    def __iter__(self) -> Any:
        return iter("ab")

    def __str__(self) -> str:
        return "['a' 'b']"


VIEWS = ({"a": 1}.values(), {"a": 1}.items(), range(3))
FOR_DEVELOPERS = (
    generated(),
    map(str, [1]),
    *VIEWS,
    Series(),
    Bare(),
    Bare,
    ["Anna"],
    {"Anna"},
    {"a": "Anna"},
)


@NATIVE
@pytest.mark.parametrize("value", FOR_DEVELOPERS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    "text",
    [
        "Hello {{ params.x }}",
        "{{ 'Hello ' ~ params.x }}",
        "Hi {{ params.x | string }}",
        "{{ 'Hello %s' % params.x }}",
        "{{ 'Hello {}'.format(params.x) }}",
    ],
)
def test_a_value_whose_text_is_for_developers_is_a_gap(text: str, value: Any, native: bool) -> None:
    assert isinstance(rendered(text, {"x": value}, native=native), TextWithGap)


@NATIVE
@pytest.mark.parametrize("undefined", [Undefined, ChainableUndefined, StrictUndefined])
@pytest.mark.parametrize(
    "text",
    [
        *("Hello {{ nobody }}", "{{ 'Hello ' ~ nobody }}", "Hello {{ nobody | upper }}", "{{ nobody }}"),
        "{{ names['79161234567'] }}",
    ],
)
def test_a_missing_value_is_a_gap_for_every_setting_of_the_dag(
    text: str, undefined: Any, native: bool
) -> None:
    with DAG("dag", render_template_as_native_obj=native, template_undefined=undefined):
        task = CallApiStartInformerCallOperator(
            task_id="call",
            virtual_phone_number=VNUMBER,
            contact=CONTACT,
            contact_message=TTS,
            external_id=text,
        )
    task.render_template_fields({"names": {}})

    assert isinstance(task.external_id, TextWithGap)
    assert re.search("no value: '(nobody' is undef|dict object' has .*'7916…4567')", repr(task.external_id))


@NATIVE
@pytest.mark.parametrize("value", [None, "", "1,500", "7.92612E+10", "79260000001.7"])
def test_the_filter_int_makes_no_number_of_another_value(value: Any, native: bool) -> None:
    with pytest.raises(TemplateRuntimeError, match=r"default with {{ … \| int\(0\) }}"):
        rendered("You owe {{ params.x | int }}", {"x": value}, native=native)
    assert rendered("You owe {{ params.x | int(7) }}", {"x": ""}, native=native) == "You owe 7"
    assert rendered("You owe {{ params.x | int(7) }}", {"x": "1 500,00"}, native=native) == "You owe 1500"


@NATIVE
@INSIDE_EXPRESSIONS
@pytest.mark.parametrize("value", ["Anna", "", "100 %"])
def test_a_text_inside_an_expression_is_inserted_as_jinja_inserts_it(
    text: str, value: str, native: bool, files: str
) -> None:
    jinja = Environment(loader=FileSystemLoader(files)).from_string(text)
    with_checks = rendered(text, {"x": value}, native=native, template_searchpath=files)
    assert with_checks == jinja.render(params={"x": value})


@NATIVE
@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("{% if params.x | lower == 'en' %}Hello{% else %}Привет{% endif %}", "Привет"),
        ("{{ 'Hello' if params.x | lower == 'en' else 'Привет' }}", "Привет"),
        ("Hello {{ (params.x or 'customer') | title }}", "Hello Customer"),
        ("Hello {{ params.x | default('customer', true) | upper }}", "Hello CUSTOMER"),
        ("{{ 'Hello ' ~ params.x if params.x else 'Hello' }}", "Hello"),
        ("{{ 'Hello ' ~ (params.x or '') }}", "Hello "),
        ("{{ ['Hello', params.x] | map('default', none) | select | join(', ') }}", "Hello"),
        ("{{ ['Hello', params.x] | map('default', 'you', true) | join(' ') }}", "Hello you"),
        ("Number {{ 7 % 4 }}, {{ '%05.1f' % 2 }}, {{ [1, 2] | join('-') }}", "Number 3, 002.0, 1-2"),
    ],
)
def test_a_condition_and_a_default_may_use_an_empty_value(text: str, spoken: str, native: bool) -> None:
    assert rendered(text, {"x": None}, native=native) == spoken


@NATIVE
def test_a_dict_is_inserted_as_json_only_if_the_author_says_so(native: bool) -> None:
    city = {"city": "Omsk"}
    assert rendered("x {{ params.x | tojson }}", {"x": city}, native=native) == 'x {"city": "Omsk"}'
    assert isinstance(rendered("{{ params.x | join(', ') }}", {"x": city}, native=native), TextWithGap)


@NATIVE
@pytest.mark.parametrize(
    "signs",
    [
        {"variable_start_string": "[[", "variable_end_string": "]]"},
        {"variable_start_string": "<<", "variable_end_string": ">>", "line_statement_prefix": "##"},
    ],
)
def test_the_signs_of_the_dags_own_templates_do_not_matter(signs: dict[str, str], native: bool) -> None:
    text = f"Hello {signs['variable_start_string']} params.x {signs['variable_end_string']}"
    spoken = [
        rendered(text, {"x": value}, native=native, jinja_environment_kwargs=signs)
        for value in ("Anna", 1234.0, None)
    ]
    assert spoken[:2] == ["Hello Anna", "Hello 1234"]
    assert isinstance(spoken[2], TextWithGap)


@NATIVE
def test_a_word_of_the_author_is_no_missing_value(native: bool) -> None:
    assert (
        rendered("{{ params.x | default('none', true) }}, null", {"x": None}, native=native) == "none, null"
    )


def test_a_cache_of_compiled_templates_is_not_shared_with_other_operators(tmp_path: Path, files: str) -> None:
    text, cache = "{% include 'hello.txt' %}", FileSystemBytecodeCache(str(tmp_path))
    options = {"template_searchpath": files, "jinja_environment_kwargs": {"bytecode_cache": cache}}
    for value, spoken in (("Anna", "Hello Anna"), (None, None)):
        message = rendered(text, {"x": value}, native=False, **options)
        assert isinstance(message, TextWithGap) if spoken is None else message == spoken
        jinja = Environment(loader=FileSystemLoader(files), bytecode_cache=cache)
        assert jinja.from_string(text).render(params={"x": value}) == f"Hello {value}"


@NATIVE
def test_a_mistake_in_a_template_is_the_same_error_as_without_the_checks(native: bool) -> None:
    with pytest.raises(UndefinedError, match="'nobody' is undefined"):
        rendered("{{ 'Hello ' ~ nobody.name }}", {}, native=native)
    with pytest.raises(TemplateSyntaxError):
        rendered("{{ 'Hello ' ~ }}", {}, native=native)


@NATIVE
def test_an_author_may_give_a_default_for_an_empty_value(desk: Desk, native: bool) -> None:
    message = {"type": "tts", "value": "Order {{ params.x or 'of yours' }}{{ '' }} is ready"}

    calling(desk, None, native=native, contact_message=message, external_id="order-{{ params.x or 7 }}").run()

    assert [call.external_id for call in desk.exchange.calls] == ["order-7"]


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


@NATIVE
def test_a_dag_may_decide_what_its_templates_insert(native: bool) -> None:
    finalize = {"finalize": lambda value: "-" if value is None else value}
    message = rendered(
        "It is {{ params.x }} {{ params.y }}",
        {"x": None, "y": 1},
        native=native,
        jinja_environment_kwargs=finalize,
    )

    assert message == "It is - 1"


@NATIVE
def test_a_gap_is_described_without_a_value(native: bool) -> None:
    message = rendered("Hello {{ params.x }}!", {"x": ["Anna", CONTACT]}, native=native)

    assert isinstance(message, TextWithGap)
    assert "Anna" not in str(message)
    assert CONTACT not in str(message)


@NATIVE
def test_arguments_of_a_function_and_the_result_of_a_task_may_be_none(native: bool) -> None:
    with DAG("dag", render_template_as_native_obj=native):
        operator = InformerFunctionOperator(
            task_id="call",
            virtual_phone_number=VNUMBER,
            contact=CONTACT,
            python_callable=lambda name, suffix: "Hello",
            op_kwargs={"name": "{{ params.x }}", "suffix": "of {{ params.x }}"},
        )
        branch = CallApiBranchOperator(task_id="branch", call="{{ params.x }}")
    operator.render_template_fields({"params": {"x": None}})
    branch.render_template_fields({"params": {"x": None}})

    assert operator.op_kwargs == {"name": None if native else "None", "suffix": "of None"}
    assert branch.call in (None, "None")


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
