"""A template takes no wrong branch for a text, such as ``нет`` for true, or ``0`` for another number."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, TemplateRuntimeError

from airflow_provider_callapi.calls.texts.text_conditions import add_condition_checks, condition

NO = ("False", "FALSE", "false", "0", "no", "No", " нет", "Нет", "ложь", "off")
TEXTS = st.text(max_size=4) | st.sampled_from([*NO, "1", "1500", "1 500,00", "-7", "да", "True", ""])
NUMBERS = st.integers(-1500, 1500) | st.sampled_from([0, 1, 0.0, 1500.0, -7])
BOOLEANS = st.booleans()


def _environment(*, is_flag: bool = False) -> Environment:
    environment = Environment()
    add_condition_checks(environment, is_flag=is_flag)
    return environment


_checked_template, _plain_template = cache(_environment().from_string), cache(Environment().from_string)


def _rendered(template: str, **values: Any) -> str:
    return _checked_template(template).render(values)


def _refused(template: str, **values: Any) -> bool:
    try:
        _rendered(template, **values)
    except TemplateRuntimeError as error:
        assert "| float" in str(error) or "compare it" in str(error)  # noqa: PT017 - says what to do
        return True
    return False


@pytest.mark.parametrize("text", NO)
def test_a_text_that_means_no_is_no_condition(text: str) -> None:
    with pytest.raises(TemplateRuntimeError, match="compare it"):
        condition(text)


@given(
    st.integers() | st.none() | st.booleans() | st.sampled_from(["", "да", "yes", "True", "1", "Анна", "00"])
)
def test_another_value_is_a_condition(value: Any) -> None:
    assert condition(value) is value


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'a' if x else 'b' }}",
        "{{ 'a' if not x else 'b' }}",
        "{{ not x }}",
        "{{ x and 'a' }}",
        "{{ 'a' if y or x else 'b' }}",
        "{{ 'a' if ('b' if x else '') else 'c' }}",
        "{{ ['a' if x else 'b'] | join }}",
        "{% if x %}a{% endif %}",
        "{% if y %}a{% elif x %}b{% endif %}",
        "{% for each in [1] if x %}a{% endfor %}",
        "{% set z = 'a' if x else 'b' %}{{ z }}",
        "{% macro say() %}{{ 'a' if x }}{% endmacro %}{{ say() }}",
        "{% if (x if y else x) %}a{% endif %}",
    ],
)
def test_each_place_of_a_condition_is_checked(template: str) -> None:
    assert all(_refused(template, x=text, y=False) for text in NO)
    for value in ("да", "", True, False, None, 0, 7):
        assert _rendered(template, x=value, y=False) == _plain_template(template).render(x=value, y=False)


def test_a_default_may_replace_an_empty_value_but_no_flag() -> None:
    assert _rendered("{{ x or 'you' }}", x="0") == "0"
    with pytest.raises(TemplateRuntimeError, match="compare it"):
        _environment(is_flag=True).from_string("{{ x or y }}").render(x="false", y="true")


COMPARISONS = (
    *("x == y", "x != y", "x < y", "x >= y", "y > x", "x in (y,)", "x not in [y]"),
    *("x is eq y", "x is ne(y)", "x is sameas y", "x is gt y", "x is in [y]"),
    *("[x] | select('eq', y) | list | length", "0 < x < y"),
)
EQUAL = ("x == 0", "0 == x", "x != 0", "x == 1500", "x == true", "x in (0, 1500)", "{0: 'a'}.get(x, 'b')")
ORDER = ("x > 100", "100 >= x", "1 < x < 9", "[x, 5] | max", "[x, 5] | sort | first")


@given(text=TEXTS, number=NUMBERS | BOOLEANS)
@pytest.mark.parametrize("comparison", COMPARISONS)
def test_a_text_that_comes_is_never_compared_with_a_number(comparison: str, text: str, number: Any) -> None:
    assert _refused("{{ " + comparison + " }}", x=text, y=number)


@given(text=TEXTS)
@pytest.mark.parametrize("comparison", [*EQUAL, *ORDER])
def test_a_text_that_comes_is_never_compared_with_a_constant_number(comparison: str, text: str) -> None:
    assert _refused("{{ 'a' if " + comparison + " else 'b' }}", x=text)


@given(
    pair=st.tuples(NUMBERS | BOOLEANS, NUMBERS | BOOLEANS)
    | st.tuples(st.text("abc", max_size=2), st.text("abc", max_size=2))
)
@pytest.mark.parametrize("comparison", COMPARISONS)
def test_values_of_one_kind_are_compared_as_jinja_compares_them(comparison: str, pair: Any) -> None:
    if comparison.startswith("0 <") and isinstance(pair[0], str):
        return
    template, values = "{{ " + comparison + " }}", dict(zip("xy", pair, strict=True))
    assert _rendered(template, **values) == _plain_template(template).render(values)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        *(("{{ x is number }}", text) for text in ("1500", "0,00")),
        *(("{{ x is integer }}", text) for text in ("1500", "0,00")),
        *((f"{{{{ x is {kind} }}}}", "нет") for kind in ("true", "false", "boolean")),
        *(("{{ x == '1' }}", value) for value in (1, 1.0, True)),
        *(("{{ x in ('1', '2') }}", value) for value in (1, 2.0, 3)),
        *(("{{ x == 'да' }}", value) for value in (True, False)),
        *(("{{ x in (0, 'нет') }}", text) for text in ("0", "0,00")),
    ],
)
def test_a_value_of_the_other_kind_that_means_the_same_is_refused(template: str, value: Any) -> None:
    assert _refused(template, x=value)


@pytest.mark.parametrize(
    ("template", "values", "result"),
    [
        ("{{ x != 'нет' }}", (1500, "1500", None), "True"),  # a column of amounts with a word for none
        ("{{ x == '' }}", (0, 7, True, "a"), "False"),
        ("{{ x == none }}", ("0", 0, ""), "False"),
        ("{{ x is number }}", ("нет", "Anna", ""), "False"),
        ("{{ x is string }}", ("0", "1500", "нет"), "True"),
        ("{{ x == 1 or x == '1' }}", (1, "1", 1.0), "True"),
        ("{{ '1' == x or 1 == x }}", (1, "1"), "True"),
        ("{{ x == true or x == 'да' }}", (True, "да"), "True"),
        ("{{ x in (1, '1', true, 'да') }}", (1, "1", True, "да"), "True"),
        ("{{ x in ('Омск', 'Томск') }}", (7, "Анна", None), "False"),
        ("{{ x in range(3) }}", (7,), "False"),
        ("{{ 'a' in x }}", (["b", 1], {"b": 1}, "b"), "False"),
        ("{{ x | float == 0 }}", ("0", "0.0", 0), "True"),
        ("{{ x > '20260101' }}", ("20261201",), "True"),  # dates of equal length have the right order
        ("{{ {'a': 1}.get(x, 2) }}", ("b", 7, None), "2"),
        ("{{ {0: 1}.get(x, 2) }}", (7, None), "2"),
        ("{{ ['b', 'a'] | sort | join }}", (None,), "ab"),
        ("{{ [{'n': '15'}, {'n': '9'}] | max(attribute='n') }}", (None,), "{'n': '9'}"),
    ],
)
def test_a_comparison_that_its_author_means_is_not_refused(
    template: str, values: tuple[Any, ...], result: str
) -> None:
    assert {_rendered(template, x=value) for value in values} == {result}


@pytest.mark.parametrize("template", ["{{ x > y }}", "{{ [x, y] | max }}", "{{ x > '200' }}"])
def test_two_texts_that_are_numbers_are_not_ordered_letter_by_letter(template: str) -> None:
    with pytest.raises(TemplateRuntimeError, match="two texts that are numbers"):
        _rendered(template, x="1500", y="200")


def test_a_long_list_is_searched_in_its_own_order() -> None:
    template = _checked_template("{{ x in y }}")
    assert template.render(x="a99", y=[f"a{index}" for index in range(100)]) == "True"
    assert template.render(x=99, y=range(10**12)) == "True"


def test_a_test_of_the_author_stays_unchanged() -> None:
    environment = Environment()
    environment.tests["eq"] = lambda value, other: "own"
    add_condition_checks(environment)
    assert environment.from_string("{{ x is eq 0 }}").render(x="0") == "own"
