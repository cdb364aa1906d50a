"""The notifier as Airflow's callers use it: callbacks of tasks, DAGs and deadlines."""

from __future__ import annotations

import asyncio

import pytest
import structlog
from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.utils.state import TaskInstanceState
from airflow_fakes import VNUMBER
from failing_callbacks import (
    ALL_CONTACTS,
    CONTEXTS,
    ON_DUTY,
    PATH,
    SECOND,
    SYNC_AND_ASYNC,
    Variables,
    notifier,
    of_dag,
    of_deadline,
    of_task,
    rung,
)

from airflow_provider_callapi.emulator import Fault, Script
from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.hooks.callapi import CallApiHook
from airflow_provider_callapi.notifications.callapi import CallApiNotifier

pytest_plugins = ["airflow_desk"]


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_single_contact_is_rung_without_a_wait_for_the_answer(desk, context):
    began = desk.clock()

    notifier()(context)

    assert rung(desk) == [ON_DUTY]
    assert desk.clock() - began <= 4.0  # settle: the only wait of a callback with one contact


@pytest.mark.parametrize("method", ["notify", "async_notify", "notify of a subclass"])
def test_a_function_of_an_author_may_call_the_methods_of_the_notifier(desk, spoken, method):
    """Airflow renders the templates only if it calls the notifier itself."""

    class OwnNotifier(CallApiNotifier):
        def render_template_fields(self, context, jinja_env=None):
            self.contact = self.contact.replace("{{ ti.task_id }}", context["ti"].task_id)

    subclass = OwnNotifier if method.endswith("subclass") else CallApiNotifier
    shared = subclass(contact="7916000000{{ ti.task_id }}", virtual_phone_number=VNUMBER, quiet_for=0)
    for task_id in ("1", "2"):
        if method == "async_notify":
            asyncio.run(shared.async_notify(of_task(task_id)))
        else:
            shared.notify(of_task(task_id))

    assert rung(desk) == [ON_DUTY, SECOND]


@pytest.mark.parametrize("fields", [("who", *CallApiNotifier.template_fields), ("message",)])
def test_a_subclass_with_other_template_fields_rings(desk, fields):
    class OwnNotifier(CallApiNotifier):
        template_fields = fields
        who = "{{ ti.task_id }}"

    OwnNotifier(contact=ON_DUTY, virtual_phone_number=VNUMBER)(of_task())

    assert rung(desk) == [ON_DUTY]


@pytest.mark.needs_airflow("3.2", "CallbackTrigger, which runs a deadline's callback")
def test_a_deadlines_async_callback_rings(desk):
    from airflow.triggers.callback import CallbackTrigger

    trigger = CallbackTrigger(
        PATH, {"contact": ON_DUTY, "virtual_phone_number": VNUMBER, "context": of_deadline()}
    )

    events = asyncio.run(all_of(trigger))

    assert rung(desk) == [ON_DUTY]
    assert events[-1]["state"] == "success"


@pytest.mark.needs_airflow("3.3", "deadline callbacks in the worker")
def test_a_deadlines_sync_callback_rings(desk):
    from airflow.sdk.execution_time.callback_supervisor import execute_callback

    kwargs = {"contact": ON_DUTY, "virtual_phone_number": VNUMBER, "context": of_deadline()}

    success, error = execute_callback(PATH, kwargs, "", None, structlog.get_logger())

    assert (success, error, rung(desk)) == (True, None, [ON_DUTY])


async def all_of(trigger):
    return [event.payload async for event in trigger.run()]


def test_a_notifier_of_many_tasks_renders_its_templates_for_each(desk):
    """Airflow renders templates in place, and default_args give all tasks one notifier."""
    shared = notifier("7916000000{{ ti.task_id }}", quiet_for=0)

    shared(of_task("1"))
    shared(of_task("2"))

    assert rung(desk) == [ON_DUTY, SECOND]


def test_an_external_id_that_would_be_the_same_in_each_run_is_an_error_of_the_dag_file(desk):
    with pytest.raises(InvalidParameter, match="external_id: a name is in single braces"):
        notifier(external_id="alert-{ run_id }")


def test_a_message_with_a_name_in_single_braces_rings(desk):
    """A function may insert the text of an exception."""
    notifier(message="KeyError: {order}")(of_task())

    assert rung(desk) == [ON_DUTY]


def test_a_function_gives_the_value_of_a_field_as_in_airflows_own_fields(desk, spoken):
    def text(context, jinja_env):
        return f"About {context['dag'].dag_id}"

    notifier(message=text, external_id=text)(of_task())

    assert spoken == ["About sales"]
    assert [call.external_id for call in desk.exchange.calls] == ["About sales-1"]


@pytest.mark.parametrize("name", CallApiNotifier.template_fields)
def test_each_template_field_can_be_a_function(desk, name):
    values = {
        "contact": [SECOND],
        "region": "RU",
        "virtual_phone_number": VNUMBER,
        "message": "Hello",
        "callapi_conn_id": "callapi_default",
        "external_id": "night",
        "dialing_timeout": 10,
    }
    notifier(**{"contact": SECOND, name: lambda context, jinja_env: values[name]})(of_task())

    assert rung(desk) == [SECOND]


@pytest.mark.parametrize("state", [TaskInstanceState.SUCCESS, TaskInstanceState.SKIPPED])
def test_a_call_about_a_task_that_has_not_failed_silences_no_failure(desk, state):
    """The same notifier or another one rings the person in on_success_callback or on_skipped_callback."""
    done = of_task("extract", exception=None)
    done["ti"].state = state
    failed = of_task("load")
    failed["ti"].state = TaskInstanceState.FAILED

    notifier(message="The task is over")(done)
    notifier()(failed)
    notifier()(of_task("report"))

    assert rung(desk) == [ON_DUTY, ON_DUTY], "one call about the failures of the run"


def test_a_call_about_a_retry_silences_no_call_about_the_final_failure(desk):
    """A person who hears that Airflow will retry the task waits for the end of the retries."""
    failed = of_task()
    for _ in range(3):
        failed["ti"].state = TaskInstanceState.UP_FOR_RETRY
        notifier()(failed)
    failed["ti"].state = TaskInstanceState.FAILED
    notifier()(failed)

    assert rung(desk) == [ON_DUTY, ON_DUTY], "one call about the retries, one about the failure"


def test_a_call_about_the_success_of_a_run_silences_no_failure(desk):
    notifier()(of_dag() | {"reason": "success"})
    notifier()(of_dag())

    assert rung(desk) == [ON_DUTY, ON_DUTY]


def test_the_context_of_the_caller_stays_unchanged(desk):
    context = of_task()
    notifier()(context)

    assert "contact" not in context


@pytest.mark.parametrize(
    "changes",
    [
        {"contact": "{{ nonsense( }}"},
        {"contact": "{{ 12 }}"},
        {"contact": "{{ None or '' }}"},
        {"virtual_phone_number": "{{ 1 }}"},
        {"callapi_conn_id": "not_there"},
    ],
    ids=lambda changes: next(iter(changes)),
)
@pytest.mark.parametrize("context", CONTEXTS)
@SYNC_AND_ASYNC
def test_a_callback_does_not_fail_and_the_log_shows_that_no_person_was_rung(
    desk, log, changes, context, ring
):
    ring(notifier(**changes), context)

    assert rung(desk) == []
    assert "No person was rung for" in log()
    assert "sales" in log()


@pytest.mark.parametrize("context", CONTEXTS)
@SYNC_AND_ASYNC
def test_an_alert_rings_although_its_connection_cannot_be_read_at_first(
    desk, monkeypatch, log, context, ring
):
    """Airflow does not repeat a callback, and says that the connection does not exist."""
    failures = iter([True, True])

    def fails_twice(read):
        def get(*args):
            if next(failures, False):
                raise AirflowNotFoundException("no connection, because the secrets backend is down")
            return read(*args)

        return classmethod(lambda hook, *args: get(*args))

    for name in ("get_connection", "aget_connection"):
        monkeypatch.setattr(CallApiHook, name, fails_twice(getattr(CallApiHook, name)))
    ring(notifier(), context)

    assert rung(desk) == [ON_DUTY]
    assert "Connection callapi_default cannot be read, and is read again in" in log()


@pytest.mark.needs_airflow("3.1", "deadlines")
@SYNC_AND_ASYNC
def test_a_callback_that_must_not_read_the_connection_says_so_at_once(desk, monkeypatch, log, ring):
    """Airflow 3.3 refuses connections in its database to a deadline's SyncCallback."""

    def refuse(hook, conn_id):
        raise PermissionError("Access denied for connection callapi_default")

    for name in ("get_connection", "aget_connection"):
        monkeypatch.setattr(CallApiHook, name, classmethod(refuse))
    began = desk.clock()
    ring(notifier(), of_deadline())

    assert rung(desk) == []
    assert desk.clock() == began
    assert "No person was rung for" in log()
    assert "use an AsyncCallback" in log()


def test_the_log_and_the_variables_hold_no_complete_phone_number(desk, log):
    desk.exchange.account.blacklist.add(ON_DUTY)
    desk.exchange.script(SECOND, Script.busy())
    desk.exchange.fault(Fault.DROP_BEFORE, method="start.informer_call")

    notifier(ALL_CONTACTS)(of_task())
    notifier([ON_DUTY])(of_task(run_id="another"))

    assert "7916…0002" in log()
    for number in (*ALL_CONTACTS, VNUMBER):
        assert number not in log()
    assert not any(number in value for number in ALL_CONTACTS for value in Variables.values.values())
