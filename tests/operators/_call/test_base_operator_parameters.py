"""What a start operator does with parameters as people give them, and after a call was placed."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from airflow.exceptions import AirflowFailException
from airflow.sdk import DAG, BaseOperator, Param
from airflow_fakes import CONTACT, TTS, VNUMBER, Desk, Task, TaskInstance, informer_task
from lone_surrogates import HALF, OF_A_FILE_NAME

from airflow_provider_callapi.calls.single_call.lifecycle import CallLifecycle
from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import (
    CallApiFailure,
    CallStillActive,
    CallUnresolved,
    InvalidParameter,
)
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.operators.call_control import CallApiSendDtmfOperator
from airflow_provider_callapi.operators.start_call import (
    CallApiStartInformerCallOperator,
    CallApiStartVnumberCallOperator,
)

pytest_plugins = ["airflow_desk"]

PEOPLE = ["79160000001", "79160000002", "79160000003"]
DURATIONS = ["timeout", "appear_timeout", "report_timeout"]


@pytest.mark.parametrize("name", DURATIONS)
@pytest.mark.parametrize("value", [timedelta(minutes=10), "600", 600])
def test_a_duration_may_be_a_timedelta_a_text_or_seconds(desk: Desk, name: str, value: Any) -> None:
    desk.exchange.script(CONTACT, Script(rings=3, talks=5))

    assert informer_task(desk, **{name: value}).run()["answered"] is True


@pytest.mark.parametrize(
    ("name", "value", "where"),
    [
        ("contact_message", {"type": "tts", "value": "Hello { params.name }"}, "contact_message.value"),
        ("external_id", "order-{ params.order }", "external_id"),
        ("external_id", "order-{order}", "external_id"),
    ],
)
def test_a_template_that_an_f_string_has_disabled_is_an_error_of_the_dag_file(
    desk: Desk, name: str, value: Any, where: str
) -> None:
    with pytest.raises(InvalidParameter, match=f"{where}: a name is in single braces"):
        informer_task(desk, **{name: value}).run()

    assert desk.sent() == []


def test_a_name_in_single_braces_that_a_template_gives_is_spoken(desk: Desk) -> None:
    task = informer_task(desk, contact_message={"type": "tts", "value": "Model {{ params.model }}"})
    operator = task.make()

    operator.render_template_fields({"params": {"model": "{x}"}})

    assert operator.make_request().contact_message.value == "Model {x}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *product(
            [*DURATIONS, "poll_interval"],
            [None, "soon", float("nan"), float("inf"), -1, True, "{{ params.x }}"],
        ),
        ("poll_interval", 0),
    ],
)
def test_a_duration_that_cannot_be_used_is_an_error_of_the_dag_file(
    desk: Desk, name: str, value: Any
) -> None:
    with pytest.raises(ValueError, match=f"{name}: ") as refused:
        informer_task(desk, **{name: value}).run()

    assert isinstance(refused.value, AirflowFailException)  # a mapped task meets it in the worker
    assert desk.sent() == []


def mapped_task(desk: Desk, **partial: Any) -> Task:
    """Return the only task of a mapped operator. Airflow builds its operator in the worker."""
    given = {"virtual_phone_number": VNUMBER, "contact_message": TTS, "wait_for_completion": True}
    with DAG("dag"):
        mapped = CallApiStartInformerCallOperator.partial(task_id="call", **given, **partial).expand(
            contact=[CONTACT]
        )
    return Task(desk, lambda: mapped.unmap({"contact": CONTACT}))


def test_a_mapped_task_with_a_disabled_template_in_partial_places_no_call(desk: Desk) -> None:
    operator = mapped_task(desk, external_id="order-{ params.order }").make()

    with pytest.raises(InvalidParameter, match="external_id: a name is in single braces"):
        operator.render_template_fields({"ti": TaskInstance()})


@pytest.mark.parametrize("name", [*DURATIONS, "poll_interval"])
@pytest.mark.parametrize("value", [None, "inf", float("nan"), -1])
def test_a_duration_of_a_mapped_task_is_refused_by_name_before_dialling(
    desk: Desk, name: str, value: Any
) -> None:
    with pytest.raises(AirflowFailException, match=f"{name}: "):
        mapped_task(desk, durable=False, **{name: value}).run()

    assert desk.sent() == []


@pytest.mark.parametrize("value", [timedelta(minutes=10), "600"])
def test_a_duration_of_a_mapped_task_is_converted(desk: Desk, value: Any) -> None:
    desk.exchange.script(CONTACT, Script(rings=3, talks=5))

    assert mapped_task(desk, **dict.fromkeys(DURATIONS, value)).run()["answered"] is True
    assert desk.exchange.rings(CONTACT) == 1


@pytest.mark.parametrize(
    ("field", "given", "named"),
    [
        ("contact_message", {"type": "tts", "value": f"Файл {OF_A_FILE_NAME}"}, "contact_message.value"),
        ("external_id", f"order-{HALF}", "external_id"),
    ],
)
def test_a_text_with_half_of_a_character_is_refused_before_the_call(
    desk: Desk, field: str, given: Any, named: str
) -> None:
    """In the DAG file, or in a rendered template: no journal remains, so a corrected retry calls."""
    values = {"contact": CONTACT, "virtual_phone_number": VNUMBER, "contact_message": TTS}
    with pytest.raises(CallApiFailure, match=f"{named}: a text of whole characters is needed"):
        CallApiStartInformerCallOperator(task_id="call", **{**values, field: given})

    operator = CallApiStartInformerCallOperator(task_id="call", **values)
    setattr(operator, field, given)
    task = Task(desk, lambda: operator)
    with pytest.raises(CallApiFailure, match=f"{named}: a text of whole .*This try placed no call"):
        task.run()
    assert desk.sent() == []
    setattr(operator, field, values.get(field))
    assert task.retry()["call_session_id"]
    assert desk.exchange.rings(CONTACT) == 1


@pytest.mark.parametrize("text", [" ", "\u00a0", "\u200b", ""])
@pytest.mark.parametrize("from_template", [False, True])
def test_an_empty_message_is_refused_before_dialling(desk: Desk, text: str, from_template: bool) -> None:
    value = "{{ params.text }}" if from_template else text
    calling = informer_task(desk, contact_message={"type": "tts", "value": value})
    make = calling.make

    def rendered() -> Any:
        operator = make()
        operator.render_template_fields({"params": {"text": text}})
        return operator

    calling.make = rendered
    with pytest.raises(AirflowFailException, match="contact_message"):
        calling.run()

    assert desk.sent() == []


@pytest.mark.parametrize("value", ["false", "False", False])
def test_the_text_false_requires_no_answer(desk: Desk, value: Any) -> None:
    desk.exchange.script(CONTACT, Script.busy(3))

    assert informer_task(desk, require_answer=value).run()["answered"] is False


@pytest.mark.parametrize(
    "tags",
    [{"answered": 0}, {"answered": 10**19}, {"answered": "x"}, {"sometimes": 36}, "36", {"ended": True}],
)
def test_a_tag_that_cannot_be_set_is_refused_before_dialling(desk: Desk, tags: Any) -> None:
    with pytest.raises(InvalidParameter, match="tags"):
        informer_task(desk, tags=tags).run()

    assert desk.sent() == []


def test_the_error_for_a_tags_name_says_where_its_id_stands(desk: Desk) -> None:
    with pytest.raises(
        InvalidParameter, match=r"^task \w+: tags\.answered: .*`airflow callapi tags` lists the ids"
    ):
        informer_task(desk, tags={"answered": "VIP"}).run()


def test_native_rendering_leaves_texts_unchanged(desk: Desk) -> None:
    given = {
        "dtmf_string": "1234#",
        "external_id": "1.10",
        "contact_message": {"type": "tts", "value": "12.50"},
    }
    with DAG("dag", render_template_as_native_obj=True):
        operator = CallApiStartInformerCallOperator(
            task_id="call", virtual_phone_number=VNUMBER, contact=CONTACT, **given
        )
        tones = CallApiSendDtmfOperator(task_id="tones", call_session_id="{{ params.call }}", dtmf_string="1")
    context = {"params": {"call": {"call_session_id": 5}}}
    operator.render_template_fields(context)
    tones.render_template_fields(context)

    assert {name: operator.make_request().params[name] for name in given} == given
    assert tones.make_request().params == {"call_session_id": 5, "dtmf_string": "1"}


@pytest.mark.parametrize("tones", ["1234#", ".1", "1.20", "007"])
def test_native_rendering_leaves_tones_unchanged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tones: str
) -> None:
    sent = []
    call = CallApiHook.call

    def record(hook: CallApiHook, request: Any, **options: Any) -> Any:
        sent.append(request.params)
        return call(hook, request, **options)

    monkeypatch.setattr(CallApiHook, "call", record)
    with DAG("dag", render_template_as_native_obj=True):
        operator = CallApiStartVnumberCallOperator(
            task_id="call",
            virtual_phone_number=VNUMBER,
            contact=CONTACT,
            first_call="contact",
            dtmf_string=tones,
        )
    operator.render_template_fields({})
    operator.execute(Task(desk, lambda: None).context)

    assert [params["dtmf_string"] for params in sent] == [tones]


@pytest.mark.parametrize(
    ("template", "value", "rendered"),
    [
        ("{{ params.x }}", "1.20", "1.20"),
        (".{{ params.x }}", 1, ".1"),
        ("{{ params.x }}", None, None),
        ("{{ params.x }}", 7, 7),
        ("{% if params.x %}1{% endif %}", True, "1"),
    ],
)
def test_a_native_template_gives_a_text_or_the_value_of_its_expression(
    template: str, value: Any, rendered: Any
) -> None:
    with DAG("dag", render_template_as_native_obj=True):
        operator = CallApiStartInformerCallOperator(
            task_id="call",
            virtual_phone_number=VNUMBER,
            contact=CONTACT,
            contact_message=TTS,
            external_id=template,
        )
    operator.render_template_fields({"params": {"x": value}})

    assert operator.external_id == rendered
    assert type(operator.external_id) is type(rendered)


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize("error", [TypeError("bad"), KeyError("x"), OSError("disk")])
def test_any_error_after_a_placed_call_is_permanent_without_a_durable_journal(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: Exception, deferrable: bool
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(CallLifecycle, "observed" if deferrable else "resume", fail)
    calling = informer_task(desk, durable=False, deferrable=deferrable)

    with pytest.raises(CallApiFailure, match=r"Not retried: call session \d+ was placed"):
        calling.run()
    assert len(desk.exchange.calls) == 1


def test_a_failed_trigger_is_a_permanent_error_without_a_durable_journal(desk: Desk) -> None:
    calling = informer_task(desk, durable=False, deferrable=True)
    with pytest.raises(CallApiFailure, match="call session 5 was placed"):
        calling.make().execute_complete(
            calling.context, event={"error": "the poll failed", "permanent": False}, call_session_id=5
        )


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize(
    "changes",
    [{"timeout": "soon"}, {"contact": "12 34"}, {"external_id": f"id-{CONTACT}"}, {"tags": {"x": 1}}],
)
def test_the_error_of_a_retry_whose_parameters_became_wrong_names_the_call_that_was_placed(
    desk: Desk, changes: dict[str, Any]
) -> None:
    desk.exchange.script(CONTACT, Script(rings=1, talks=300))
    task = informer_task(desk, timeout=3)
    with pytest.raises(CallStillActive):
        task.run()
    (call,) = desk.exchange.calls
    task.make = lambda make=task.make: _changed(make(), changes)

    with pytest.raises(CallApiFailure, match=f"all session {call.call_session_id} was placed") as failed:
        task.retry()

    assert "This try placed no call" not in str(failed.value)
    assert "Nothing was sent" not in str(failed.value)


@pytest.mark.parametrize("has_state", [True, False])
def test_the_error_of_a_retry_without_a_journal_says_that_an_earlier_try_may_have_placed_a_call(
    desk: Desk, has_state: bool
) -> None:
    task = informer_task(desk, durable=not has_state)
    task.state = task.state if has_state else None
    task.make = lambda make=task.make: _changed(make(), {"timeout": "soon"})
    with pytest.raises(CallApiFailure, match=r"^timeout: .* This try placed no call\.$"):
        task.run()

    with pytest.raises(CallApiFailure, match=r"^timeout: .* An earlier try may have placed a call\.$"):
        task.retry()


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize("changes", [{"timeout": "soon"}, {"durable": "maybe"}])
def test_the_error_of_a_retry_says_that_an_unconfirmed_call_may_have_been_placed(
    desk: Desk, changes: dict[str, Any]
) -> None:
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")
    task = informer_task(desk)
    with pytest.raises(CallUnresolved):
        task.run()
    task.make = lambda make=task.make: _changed(make(), changes)

    with pytest.raises(CallApiFailure, match=r"An earlier try may have placed a call\.$"):
        task.retry()


def _changed(operator: Any, changes: dict[str, Any]) -> Any:
    """Return an operator with other attributes, as if its templates had given other values."""
    for name, value in changes.items():
        setattr(operator, name, value)
    return operator


def test_an_operator_inside_another_task_is_refused_before_dialling(desk: Desk) -> None:
    operator = informer_task(desk).make()
    loop = Task(desk, lambda: None, TaskInstance(task_id="loop"))

    with pytest.raises(CallApiFailure, match=r"Operator call .* inside task loop.*This try placed no call"):
        operator.execute(loop.context)
    with pytest.raises(CallApiFailure, match="executed without the context of a running task"):
        operator.execute({})
    assert desk.sent() == []


class Loop(BaseOperator):
    """A task that executes start operators with its own task id, as a loop in a `@task` function does."""

    def execute(self, context: Any) -> None:
        for person in PEOPLE:
            in_another_task(self.task_id, person).execute(context)


class CallsEverybody(CallApiStartInformerCallOperator):
    """A start operator that executes itself once for each person."""

    def execute(self, context: Any) -> Any:
        for person in PEOPLE:
            self.contact = person
            super().execute(context)


def in_another_task(task_id: str, contact: str, kind: Any = CallApiStartInformerCallOperator) -> Any:
    return kind(task_id=task_id, virtual_phone_number=VNUMBER, contact=contact, contact_message=TTS)


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize(
    ("make", "rung", "error"),
    [
        (lambda: Loop(task_id="call"), [], "inside task call"),
        (lambda: in_another_task("call", CONTACT, CallsEverybody), PEOPLE[:1], "only one journal"),
    ],
)
def test_a_loop_over_people_in_one_task_rings_no_person_twice(
    desk: Desk, make: Any, rung: list[str], error: str, durable: bool
) -> None:
    task = Task(desk, make, more_context={"task": make()})
    task.state = task.state if durable else None

    with pytest.raises(CallApiFailure, match=error):
        task.run()
    if durable:
        with pytest.raises(CallApiFailure, match=error):
            task.retry()

    assert [call.contact for call in desk.exchange.calls] == rung


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"conn_type": "aws", "password": "a-secret-of-aws"}, "type"),
        ({"extra": {"dataapi": True}}, "data_api"),
        ({"extra": {"extra__callapi__dataapi": True}}, "data_api"),
    ],
    ids=["another type", "misspelt field", "misspelt field of an older form"],
)
def test_a_connection_of_another_type_or_with_a_misspelt_field_is_refused_before_dialling(
    desk: Desk, changes: dict[str, Any], said: str, deferrable: bool
) -> None:
    desk.connect(**changes)

    with pytest.raises(AirflowFailException, match=said) as refused:
        informer_task(desk, deferrable=deferrable).run()

    assert desk.exchange.journal == []
    assert "a-secret-of-aws" not in str(refused.value)


def test_a_field_with_the_prefix_of_an_older_form_is_read(desk: Desk) -> None:
    desk.connect(extra={"data_api": None, "extra__callapi__data_api": True})
    desk.exchange.script(CONTACT, Script.busy(3))

    result = informer_task(desk).run()

    assert (result["source"], result["answered"]) == ("data_api", False)


@pytest.mark.parametrize("value", [Param(CONTACT), Param(None, type=["null", "string"]), Path("contact.txt")])
@pytest.mark.parametrize(
    "name", ["contact", "external_id", "tags", "calling_hours", "contact_message", "timeout"]
)
def test_an_object_that_airflow_cannot_render_is_an_error_of_the_dag_file(name: str, value: Any) -> None:
    """Airflow's own error of a Param contains the whole context of the task, with the params of the form."""
    given = {"virtual_phone_number": VNUMBER, "contact": CONTACT, "contact_message": TTS}

    with pytest.raises(InvalidParameter, match=f"{name}: .*(a Param, instead of|of type PosixPath)"):
        CallApiStartInformerCallOperator(**{"task_id": "call", **given, name: value})
    with pytest.raises(InvalidParameter, match=r"contact_message\.value: "):
        CallApiStartInformerCallOperator(
            task_id="call", **{**given, "contact_message": {"type": "tts", "value": value}}
        )
