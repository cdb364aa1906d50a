"""Parameters that would have no effect are errors: misspelt names, and attributes of a subclass."""

from __future__ import annotations

from functools import wraps
from typing import Any

import pytest
from known_numbers import VNUMBER

from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.notifications.callapi import CallApiNotifier
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator
from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator
from airflow_provider_callapi.parameters.unknown_names import describe_unknown
from airflow_provider_callapi.sensors.call_session import CallApiSessionSensor

CALL = {"virtual_phone_number": VNUMBER, "contact": "79260000001"}


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("contact_mesage", "contact_message"),
        ("wait_for_complete", "wait_for_completion"),
        ("wait_for", "wait_for_completion"),
        ("calling_hour", "calling_hours"),
    ],
)
def test_the_error_of_a_misspelt_parameter_names_the_task_and_the_parameter_that_is_meant(
    misspelt: str, meant: str
) -> None:
    with pytest.raises(TypeError) as caught:
        CallApiStartInformerCallOperator(task_id="remind", **CALL, **{misspelt: "79260000001"})

    assert str(caught.value) == (
        f"task remind: CallApiStartInformerCallOperator has no parameter {misspelt}; did you mean {meant}?"
    )


def test_the_error_of_a_misspelt_required_parameter_of_the_notifier_names_it() -> None:
    given: dict[str, Any] = {"contact": "79260000001", "virtual_phone": VNUMBER}
    with pytest.raises(TypeError) as caught:
        CallApiNotifier(**given)

    assert str(caught.value) == (
        "CallApiNotifier has no parameter virtual_phone; did you mean virtual_phone_number?"
    )


def test_a_misspelt_parameter_that_a_subclass_passes_on_to_the_notifier_is_named() -> None:
    class Own(CallApiNotifier):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(virtual_phone_number=CALL["virtual_phone_number"], **kwargs)

    with pytest.raises(TypeError, match=r"no parameter mesage; did you mean message\?"):
        Own(contact="79260000001", mesage="Hello")


def test_a_name_that_is_like_no_parameter_gets_no_suggestion() -> None:
    assert describe_unknown(CallApiNotifier, {**CALL, "xyz": 1}) == "CallApiNotifier has no parameter xyz"


def test_without_a_suggestion_the_error_names_what_is_missing():
    unknown = describe_unknown(CallApiNotifier, {"phone": "1"})

    assert unknown == "CallApiNotifier has no parameter phone; it needs contact, virtual_phone_number"
    assert describe_unknown(CallApiNotifier, CALL) is None


class Mixin:
    """A class of an author that is no operator."""

    calling_hours = ("09:00", "21:00")


INFORMER = {"task_id": "remind", "contact_message": {"type": "tts", "value": "Hello"}, **CALL}


@pytest.mark.parametrize(
    ("base", "arguments", "attribute"),
    [
        (CallApiStartInformerCallOperator, INFORMER, "calling_hours"),
        (CallApiStartInformerCallOperator, INFORMER, "wait_for_completion"),
        (CallApiCampaignOperator, {"task_id": "call", "contacts": "people.csv", "call": {}}, "do_not_call"),
        (CallApiSessionSensor, {"task_id": "wait", "call_session_id": 5}, "require_answer"),
        (CallApiNotifier, CALL, "quiet_for"),
    ],
)
def test_a_class_attribute_that_the_constructor_ignores_is_an_error(
    base: type, arguments: dict[str, Any], attribute: str
) -> None:
    mine = type("Mine", (base,), {attribute: ("09:00", "21:00"), "__module__": "my_dag"})
    with pytest.raises(InvalidParameter, match=rf"^(task \w+: )?{attribute}: the class attribute of Mine"):
        mine(**arguments)


def test_a_class_attribute_that_an_author_inherits_from_a_mixin_is_an_error_too() -> None:
    mine = type("Mine", (Mixin, CallApiStartInformerCallOperator), {"__module__": "my_dag"})
    with pytest.raises(
        InvalidParameter, match=r"^task \w+: calling_hours: the class attribute of Mine has no effect"
    ):
        mine(**INFORMER)
    assert mine(**INFORMER, calling_hours=None).calling_hours is None, "the DAG file says so"


class WithConstructor(Mixin, CallApiStartInformerCallOperator):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"calling_hours": self.calling_hours, **kwargs})


class WithAssignment(Mixin, CallApiStartInformerCallOperator):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.calling_hours = Mixin.calling_hours


class OfOthers(WithConstructor):
    retries_of_ours = 3
    poke_interval = 5


def limited(operator: type) -> type:
    """A class decorator that sets a parameter."""
    construct = operator.__init__

    @wraps(construct)
    def with_limit(self: Any, **kwargs: Any) -> None:
        construct(self, **{"calling_hours": self.calling_hours, **kwargs})

    operator.__init__ = with_limit  # type: ignore[misc]
    return operator


@limited
class Decorated(Mixin, CallApiStartInformerCallOperator):
    pass


@pytest.mark.parametrize("mine", [WithConstructor, WithAssignment, OfOthers, Decorated])
def test_a_class_attribute_that_has_an_effect_is_no_error(mine: Any) -> None:
    assert mine(**INFORMER).calling_hours == Mixin.calling_hours


def test_a_property_for_a_parameter_has_an_effect() -> None:
    class Mine(CallApiStartInformerCallOperator):
        @property
        def results(self) -> Any:
            return None

        @results.setter
        def results(self, value: Any) -> None:
            vars(self)["results"] = value

    assert Mine(**INFORMER).results is None


@pytest.mark.parametrize(("given", "meant"), [("message", "contact_message"), ("conn_id", "callapi_conn_id")])
def test_the_end_of_a_name_is_enough_for_a_hint(given: str, meant: str) -> None:
    unknown = describe_unknown(CallApiStartInformerCallOperator, {given: "x"})

    assert unknown == f"CallApiStartInformerCallOperator has no parameter {given}; did you mean {meant}?"
