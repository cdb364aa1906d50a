"""A rendered text has no gap: no person hears None, and no id contains None."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow_fakes import CONTACT, TTS, VNUMBER, Desk, Task
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inserted_texts import EXPRESSIONS, EXPRESSIONS_WITH_FILES
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
from rendered_texts import NATIVE, rendered

from airflow_provider_callapi.api.values.value_kinds import TextWithGap
from airflow_provider_callapi.decorators._decorated_operators import InformerFunctionOperator
from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.operators.branch import CallApiBranchOperator
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

pytest_plugins = ["airflow_desk"]
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
