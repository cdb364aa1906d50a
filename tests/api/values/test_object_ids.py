"""An id is accepted by every reader of ids, or by none: what a request cannot carry is refused before it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from airflow_provider_callapi.api.answer_types import Id, Number
from airflow_provider_callapi.api.errors import InvalidParameters
from airflow_provider_callapi.api.methods import TagCall
from airflow_provider_callapi.api.values.object_ids import LARGEST_ID, read_object_id
from airflow_provider_callapi.calls.outcomes.marks import Mark
from airflow_provider_callapi.parameters.kinds import CALL, IDENTIFIER, IDENTIFIERS


def is_read(read: Any, value: Any) -> bool:
    try:
        read(value)
    except (ValueError, InvalidParameters):
        return False
    return True


@given(st.integers() | st.integers(LARGEST_ID - 5, 2**64 + 5) | st.integers(1, LARGEST_ID))
@example(0)
@example(LARGEST_ID)
@example(2**63)
@example(10**19)
@example(10**30)
@example(10**400)
def test_all_readers_accept_the_same_ids_as_numbers_and_as_texts(number: int) -> None:
    readers = (
        read_object_id,
        IDENTIFIER.read,
        IDENTIFIERS.read,
        lambda value: CALL.read({"call_session_id": value}),
        lambda value: TagCall.from_values({"call_session_id": 1, "tag_id": value}),
    )

    answers = [is_read(read, number) for read in readers]
    answers += [is_read(read, str(number)) for read in readers]
    answers.append(is_read(Mark.parse, f"tag:{number}"))

    assert set(answers) == {1 <= number <= LARGEST_ID}


@pytest.mark.parametrize(
    "value", [*(True, None, "", " ", "x", "-1", "+1", "1.0", "1_0", "٣", "9" * 5000), 5.5, 1e19, [5], b"5"]
)
def test_what_is_no_id_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the caller names the field
        read_object_id(value)


@pytest.mark.parametrize("value", [36, 36.0, "36", " 36 ", "036"])
def test_an_id_is_read_as_people_write_it(value: Any) -> None:
    assert read_object_id(value) == 36


@given(st.integers(1, LARGEST_ID).map(float))
@example(2.0**53)
@example(1234567890123456789.0)
def test_a_float_is_an_id_only_if_no_other_id_has_the_same_float(value: float) -> None:
    readers = (
        read_object_id,
        lambda value: TagCall.from_values({"call_session_id": 1, "tag_id": value}),
        lambda value: TypeAdapter(Id).validate_python(value),
        lambda value: TypeAdapter(Number).validate_python(value),
    )

    assert {is_read(read, value) for read in readers} == {value < 2**53}
