"""Why an alert rings, in words that a voice can speak."""

from __future__ import annotations

import pytest
from airflow.sdk.execution_time.context import set_current_context
from airflow.utils.state import TaskInstanceState
from failing_callbacks import DEADLINE, of_dag, of_task, waiting_for_a_decision

from airflow_provider_callapi.notifications._alert.alert_reason import AlertReason, speakable

pytest_plugins = ["airflow_desk"]

RUNNING = of_task("ring_everybody")
ASKING = waiting_for_a_decision("approve_prices")


def over(state, context=None):
    """Return the context of a callback after a task has got a state."""
    context = context or of_task("load", exception=RuntimeError("no") if state == "up_for_retry" else None)
    context["ti"].state = TaskInstanceState(state)
    return context


@pytest.mark.parametrize(
    ("context", "text"),
    [
        (
            of_task("load_orders.eu"),
            "Внимание! Ошибка в Airflow. Задача load orders eu, даг sales, "
            "запуск scheduled 23.11.2026 22:00.",
        ),
        (
            ASKING,
            "Внимание! Airflow ждёт решения человека. Задача approve prices, даг sales, "
            "запуск scheduled 23.11.2026 22:00.",
        ),
        (
            waiting_for_a_decision("approve", exception=RuntimeError("nobody decided")),
            "Внимание! Ошибка в Airflow. Задача approve, даг sales, запуск scheduled 23.11.2026 22:00.",
        ),
        (of_dag(), "Внимание! Ошибка в Airflow. Даг sales, запуск scheduled 23.11.2026 22:00."),
        (
            of_task(reason="task_failure"),
            "Внимание! Ошибка в Airflow. Даг sales, запуск scheduled 23.11.2026 22:00.",
        ),
        (RUNNING, "Внимание! Ошибка в Airflow. Даг sales, запуск scheduled 23.11.2026 22:00."),
        (DEADLINE, "Внимание! В Airflow просрочен даг sales, запуск scheduled 23.11.2026 22:00."),
    ],
    ids=["task", "decision", "no decision", "dag", "dag with its last task", "running task", "deadline"],
)
def test_the_default_text_names_what_failed(context, text):
    with set_current_context(ASKING if context is ASKING else RUNNING):
        assert AlertReason.from_context(context).text == text


@pytest.mark.parametrize(
    ("context", "text"),
    [
        (over("success"), "Задача в Airflow выполнена. Задача load, даг sales, "),
        (
            over("success", waiting_for_a_decision()),
            "Задача в Airflow выполнена. Задача approve, даг sales, ",
        ),
        (over("skipped"), "Задача в Airflow пропущена. Задача load, даг sales, "),
        (
            over("up_for_retry"),
            "Внимание! Ошибка в Airflow, задача будет повторена. Задача load, даг sales, ",
        ),
        (of_dag() | {"reason": "success"}, "Даг в Airflow выполнен. Даг sales, "),
    ],
    ids=["success", "success of a decision", "skipped", "retry", "success of a run"],
)
def test_the_default_text_of_a_call_that_is_about_no_final_failure_says_so(context, text):
    assert AlertReason.from_context(context).text == text + "запуск scheduled 23.11.2026 22:00."


def test_a_task_that_asks_a_person_and_whose_worker_dies_counts_as_failed():
    """The DAG processor then runs the failure callback, and does not know the exception."""
    assert AlertReason.from_context(waiting_for_a_decision()).kind == "task"


def test_a_task_in_state_running_whose_callback_runs_counts_as_failed():
    assert AlertReason.from_context(RUNNING).kind == "task"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("load_orders-v2", "load orders v2"),
        ("manual__2026-01-02T03:04:05.678+03:00_x7", "manual 02.01.2026 03:04 x7"),
        ("", ""),
        ("отчёт__за.день", "отчёт за день"),
    ],
)
def test_an_id_becomes_words_that_a_voice_can_speak(name, words):
    assert speakable(name) == words
