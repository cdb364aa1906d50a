"""Marks of a call: an operation or a tag, as an author writes it."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.outcomes.marks import (
    Mark,
    first_mark,
    may_have_mark,
    need_operations,
    read_marks,
    tag_ids,
)
from airflow_provider_callapi.calls.outcomes.outcome import Outcome

NAMES = ["Меню", "Подтверждено", "Перезвонить: позже"]


@given(st.text().filter(lambda name: name.strip() and "{{" not in name and "{%" not in name))
def test_any_name_may_be_an_operation_and_spaces_at_its_ends_do_not_count(name: str) -> None:
    assert Mark.parse(f"operation: {name} ") == Mark("operation", name.strip())
    assert Mark.parse(str(Mark.parse(f"operation:{name}"))) == Mark("operation", name.strip())


@pytest.mark.parametrize("text", ["tag:36", " tag: 36 ", "tag:036"])
def test_a_tag_has_the_digits_of_its_id(text: str) -> None:
    assert Mark.parse(text) == Mark("tag", "36")


@pytest.mark.parametrize(
    "text",
    [
        *("", ":", "operation", "operation:", "operation: ", "Operation:x", "key:1", "busy"),
        *("tag:", "tag:x", "tag:0", "tag:-1", "tag:3.6", "tag:٣"),
        *("tag:9223372036854775808", "tag:" + "9" * 20, "tag:" + "9" * 5000),
        *("operation:{{ params.key }}", "operation:{% if 1 %}x{% endif %}", "tag:{{ 36 }}"),
        *(36, None, ["tag:36"]),
    ],
)
def test_any_other_text_is_refused_and_the_error_lists_the_allowed_forms(text: object) -> None:
    with pytest.raises(ValueError, match="operation:<name> or tag:<id>") as refused:
        Mark.parse(text)
    assert len(str(refused.value)) < 200


def test_two_keys_for_one_mark_are_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        read_marks({"tag:36": 1, "tag: 36": 2})


@given(
    operations=st.none() | st.lists(st.sampled_from(NAMES)).map(tuple),
    tags=st.lists(st.sampled_from([36, 37])).map(tuple),
    table=st.permutations([*(f"operation:{name}" for name in NAMES), "tag:36", "tag:37"]),
)
def test_the_first_mark_of_the_table_that_the_call_has_decides(
    operations: tuple[str, ...] | None, tags: tuple[int, ...], table: list[str]
) -> None:
    call = Outcome(1, operations=operations, tags=tags)
    on_the_call = {*(f"operation:{name}" for name in operations or ()), *(f"tag:{tag}" for tag in tags)}
    expected = next((text for text in table if text in on_the_call), None)
    assert first_mark(read_marks(dict.fromkeys(table)), call) == (Mark.parse(expected) if expected else None)


def test_unknown_operations_neither_contain_nor_lack_a_mark() -> None:
    mark = Mark("operation", "Меню")
    assert [mark.is_on(Outcome(1, operations=names)) for names in (None, (), ("Меню",), ("меню",))] == [
        None,
        False,
        True,
        False,
    ]
    assert first_mark([mark], None) is None


def test_a_missing_tag_is_certain_only_after_a_report() -> None:
    mark = Mark("tag", "36")
    sources: tuple[Literal["list.calls", "data_api"], ...] = ("list.calls", "data_api")
    for source, missing in zip(sources, (None, False), strict=True):
        assert mark.is_on(Outcome(1, source=source, tags=(37,))) is missing
        assert mark.is_on(Outcome(1, source=source, tags=(36,))) is True
        assert may_have_mark([mark], Outcome(1, source=source)) is (missing is None)


def test_only_operations_need_a_field_of_the_report() -> None:
    assert not need_operations([Mark("tag", "36")])
    assert need_operations([Mark("tag", "36"), Mark("operation", "Меню")])


def test_the_ids_of_tags_are_numbers() -> None:
    assert tag_ids([Mark("tag", "36"), Mark("operation", "7"), Mark("tag", "37")]) == [36, 37]
