"""No request, answer or validation error shows a phone number, a name or a message."""

from __future__ import annotations

import pprint
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
import pytest
import rich.pretty
from hypothesis import given
from hypothesis import strategies as st
from known_numbers import VNUMBER

from airflow_provider_callapi.api import account, data_api, methods, models
from airflow_provider_callapi.api.data_api import CallReport
from airflow_provider_callapi.api.list_entry import ListEntry, _Extra
from airflow_provider_callapi.api.methods import METHODS, StartInformerCall, request_by_name
from airflow_provider_callapi.api.models import CallSession, Leg
from airflow_provider_callapi.api.values.private_repr import _SHOWN_TEXTS, PrivateRepr

PHONE = "79260000001"


def subclasses(base: type[Any]) -> Iterator[type[Any]]:
    for subclass in base.__subclasses__():
        yield subclass
        yield from subclasses(subclass)


MODELS = sorted(
    {
        model
        for model in {*subclasses(PrivateRepr), *subclasses(ListEntry)}
        if model.__module__ in {module.__name__ for module in (account, data_api, methods, models)}
        and "[" not in model.__name__
    },
    key=lambda model: model.__name__,
)


def shown(model: Any) -> str:
    return f"{model} {model!r} {[model]} {pprint.pformat(model)} {model!s} {rich.pretty.pretty_repr(model)}"


def field_names(model: type[Any]) -> Iterable[str]:
    return model.__struct_fields__ if issubclass(model, ListEntry) else model.model_fields


def construct(model: type[Any], **fields: Any) -> Any:
    """Build a request or an answer from values of any types."""
    if not issubclass(model, ListEntry):
        return model.model_construct(**fields)
    extra = _Extra({name: fields.pop(name) for name in fields.keys() - {*field_names(model)}})
    required = {field.name: None for field in msgspec.structs.fields(model) if field.required}
    return model(**{**required, **fields, "model_extra": extra})


def test_all_requests_and_answers_are_tested_here() -> None:
    assert {*METHODS.values(), CallSession, CallReport, Leg} <= {*MODELS}


personal = st.recursive(
    st.sampled_from([PHONE, int(PHONE), f"+7 926 {PHONE}", f"Hello {PHONE}", PHONE.encode()]),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=2)
        | st.tuples(inner)
        | st.dictionaries(st.just(PHONE) | st.just("name"), inner, min_size=1, max_size=2)
        | st.builds(lambda value: construct(Leg, anything=value, called_phone_number=value), inner)
    ),
    max_leaves=4,
)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@given(value=personal)
def test_no_field_shows_a_phone_number_in_a_value_of_any_form(model: type[Any], value: Any) -> None:
    fields = {
        name: value
        for name in field_names(model)
        if name not in {*_SHOWN_TEXTS, "model_extra"} and not name.endswith("id")
    }
    takes_any_field = issubclass(model, ListEntry) or model.model_config.get("extra") == "allow"
    extra = {"a_field_of_tomorrow": value} if takes_any_field else {}
    text = shown(construct(model, **fields, **extra))
    assert PHONE not in text
    assert str(PHONE[1:]) not in text


def test_ids_and_times_and_the_vendors_words_are_shown() -> None:
    report = CallReport(
        id=206597836,
        communication_id=12345678901,
        start_time="2026-01-01 12:00:00",
        finish_reason="no_answer",
        call_api_external_id="order-7",
        contact_phone_number=PHONE,
        is_lost=True,
    )
    for text in ("206597836", "12345678901", "2026-01-01 12:00:00", "no_answer", "order-7", "is_lost=True"):
        assert text in repr(report)


def test_a_request_shows_its_class_and_hides_its_message() -> None:
    request = StartInformerCall(
        virtual_phone_number=VNUMBER,
        contact=PHONE,
        contact_message={"type": "tts", "value": "Your code is 1234"},
        external_id="order-7",
    )
    assert "StartInformerCall(" in repr(request)
    for hidden in (PHONE, VNUMBER, "1234", "Your code"):
        assert hidden not in shown(request)
    assert "order-7" in repr(request)


def test_an_untyped_request_hides_its_parameters() -> None:
    request = request_by_name("start.something", {"contact": PHONE, "deep": {"contact": [PHONE]}})
    assert PHONE not in shown(request)
    assert request.params == {"contact": PHONE, "deep": {"contact": [PHONE]}}


def error_text(read: Callable[[Any], object], value: Any) -> str:
    """Return everything that an error shows, or "" if the value can be read."""
    try:
        read(value)
    except ValueError as error:
        return f"{error} {error!r}"
    return ""


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@pytest.mark.parametrize("shape", [lambda inner: inner, lambda inner: [inner], lambda inner: {"x": inner}])
def test_a_validation_error_shows_no_value(model: type[Any], shape: Callable[[Any], Any]) -> None:
    fields = dict.fromkeys(field_names(model), shape(PHONE))
    assert PHONE not in error_text(model.model_validate, shape(PHONE))
    assert PHONE not in error_text(model.model_validate, {**fields, "x": PHONE})


def test_the_first_answer_that_a_process_reads_shows_no_value() -> None:
    """Pydantic builds a model at its first use. Before that, a reader ignores the model's options."""
    program = (
        "from airflow_provider_callapi.api.methods import METHODS\n"
        "for request_type in METHODS.values():\n"
        "    try:\n"
        f"        request_type.read_answer({{'call_session_id': '{PHONE}x'}})\n"
        "    except ValueError as error:\n"
        "        print(repr(error))\n"
    )
    shown_by_process = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert "StartedCall" in shown_by_process
    assert PHONE not in shown_by_process


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("answer", [PHONE, [PHONE], {"call_session_id": PHONE * 9}, [{"legs": PHONE}]])
def test_an_answer_that_cannot_be_read_shows_no_value(method: str, answer: Any) -> None:
    assert PHONE not in error_text(METHODS[method].read_answer, answer)
