"""The texts of answers are the texts that `json.dumps` returns."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.emulator.json_array import JsonArray, to_json

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(values, st.lists(values, max_size=3))
def test_a_text_is_the_text_of_json_dumps(value: Any, items: list[Any]) -> None:
    array = JsonArray([to_json(item) for item in items])
    answer = {"result": {"data": items, "more": value}, "id": value}
    with_array = {"result": {"data": array, "more": value}, "id": value}
    assert to_json(with_array).decode(errors="surrogatepass") == json.dumps(answer, ensure_ascii=False)
    assert array.values() == items
