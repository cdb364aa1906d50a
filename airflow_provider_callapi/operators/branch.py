"""An Airflow operator that chooses the next tasks by the outcome of a call."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow.providers.common.compat.sdk import BaseBranchOperator, MappedOperator
from airflow.providers.common.compat.version_compat import AIRFLOW_V_3_2_PLUS

from airflow_provider_callapi.api.values.masking import mask_phones
from airflow_provider_callapi.calls.outcomes.marks import Mark, first_mark, may_have_mark, read_marks
from airflow_provider_callapi.calls.outcomes.outcome import Outcome
from airflow_provider_callapi.exceptions import CallApiFailure, InvalidParameter
from airflow_provider_callapi.operators._mapped_data import MappedDataIsNoTemplate, mapped_operator
from airflow_provider_callapi.operators._requests import parse_rendered
from airflow_provider_callapi.parameters.kind import mapping_of
from airflow_provider_callapi.parameters.kinds import TEXTS
from airflow_provider_callapi.parameters.rendering import TextStaysText
from airflow_provider_callapi.parameters.schema import Schema, as_invalid_parameter, read_parameters
from airflow_provider_callapi.parameters.templates import is_template

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

Route = Literal["answered", "not_answered", "our_side_did_not_answer", "refused", "unknown"]
Target = str | Sequence[str] | None
"""The id of a task or task group directly downstream, or a list of ids. None: skip all downstream tasks."""

_KINDS: Schema = {
    **{f"if_{route}": TEXTS.or_none("skip all tasks") for route in get_args(Route)},
    "if_our_side_did_not_answer": TEXTS.or_none("the tasks of if_not_answered"),
    "routes": mapping_of(TEXTS.or_none("skip all tasks")).or_none("no routes by mark"),
}
"""The parameters of the branch operator except ``call``."""

_ROUTES: dict[bool | None, Route] = {True: "answered", False: "not_answered", None: "unknown"}


class CallApiBranchOperator(MappedDataIsNoTemplate, TextStaysText, BaseBranchOperator):
    """Run the downstream tasks that the author has assigned to a call's outcome, and skip all others.

    The operator takes the first route that fits the call:

    - *refused*: the service refused to call this contact (blacklist, direction rules). No phone rang.
    - a mark in ``routes`` (a tag of the call, or a step of its scenario): the call has this mark. If it has
      several of these marks, the first in ``routes`` counts.
    - *unknown*, if the contact picked up, but it is not known whether the call has a mark in ``routes``. The
      operations of a call may be unknown, and its tags are unknown while no report has shown them.
    - *answered*: the contact picked up.
    - *our_side_did_not_answer*: the contact did not pick up, because no employee or operator was reached.
    - *not_answered*: the contact did not pick up for another reason.
    - *unknown*, if it is not known whether the contact picked up, or if there is no call.

    Only the Data API shows that a contact did not pick up. Without the Data API, the route of a call that the
    contact did not pick up is *unknown*.

    Airflow must be able to skip each task directly downstream. So the branch operator fails if one of the
    following conditions is not met:

    - If the branch is mapped with ``expand()``, these tasks must be mapped over the same list.
    - If the branch is in a mapped task group, these tasks must be in the same group, and Airflow must be
      older than 3.2.
    - In Airflow 3.0 and 3.1, a mapped task or group behind the branch must be mapped over the output of
      another task, and not over a constant list.

    After a failed start operator, the branch operator runs only with ``trigger_rule="all_done"``. The route
    is *unknown*, even if the phone rang.

    :param call: what a start operator or the sensor returned: ``start.output``, or the template
        ``{{ ti.xcom_pull(task_ids='start') }}``, with or without ``| tojson``. None: the route is *unknown*.
    :param routes: mark of the call → the tasks to run, e.g.
        ``{"operation:Confirmed": "confirmed", "tag:36": ["thank"]}``. A mark is ``tag:<id>``, or
        ``operation:<name>`` with a step of the scenario, e.g. the step that follows a phone key. An operation
        needs a start operator with ``operations=True``. None (default): no marks.
    :param if_answered: the tasks for the route *answered*: the id of a task or task group directly
        downstream, or a list of such ids. None (default): skip all downstream tasks.
    :param if_not_answered: the tasks for the route *not_answered*, in the form of ``if_answered``.
    :param if_our_side_did_not_answer: the tasks for the route *our_side_did_not_answer*. None (default): the
        tasks of ``if_not_answered``. An empty list: skip all downstream tasks.
    :param if_refused: the tasks for the route *refused*, in the form of ``if_answered``. Needs a start
        operator with ``refused_as_result=True``.
    :param if_unknown: the tasks for the route *unknown*, in the form of ``if_answered``.
    """

    template_fields: Sequence[str] = ("call",)
    object_fields = frozenset({"call"})
    ui_color = "#e6dcf5"

    def __init__(
        self,
        *,
        call: dict[str, Any] | str | None,
        routes: Mapping[str, Target] | None = None,
        if_answered: Target = None,
        if_not_answered: Target = None,
        if_our_side_did_not_answer: Target = None,
        if_refused: Target = None,
        if_unknown: Target = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.call = call
        self.routes = routes
        self.if_answered = if_answered
        self.if_not_answered = if_not_answered
        self.if_our_side_did_not_answer = if_our_side_did_not_answer
        self.if_refused = if_refused
        self.if_unknown = if_unknown

    def check_constants(self) -> None:
        super().check_constants()
        self._read_targets()
        if not is_template(self.call):
            route_of(self.call)

    def choose_branch(self, context: Context) -> list[str] | None:
        """Return the ids of the tasks to run after the call. None: skip all downstream tasks.

        :raises CallApiFailure: the value of ``call`` is neither a call nor None; or one of the operator's
            task ids is not directly downstream; or Airflow could not skip a downstream task.
        """
        targets = self._read_targets()
        self._check_targets(targets)
        self._refuse_unskippable(getattr(context.get("ti"), "map_index", None))
        route = route_of(self.call, [key for key in targets if isinstance(key, Mark)])
        outcome = f"mark {route}" if isinstance(route, Mark) else f"outcome {route}"
        self.log.info(
            "The call has the %s: %s", outcome, ", ".join(targets[route]) or "all tasks are skipped"
        )
        return targets[route] or None

    def _read_targets(self) -> dict[Route | Mark, list[str]]:
        """Return which tasks belong to each route and mark: route or mark → list of task ids.

        An empty list means: skip all downstream tasks.

        :raises InvalidParameter: a parameter cannot be used.
        """
        read = read_parameters(_KINDS, vars(self))
        if read["if_our_side_did_not_answer"] is None:
            read["if_our_side_did_not_answer"] = read["if_not_answered"]
        with as_invalid_parameter("routes"):
            marks = read_marks(read["routes"] or {})
        return {
            **{mark: ids or [] for mark, ids in marks.items()},  # []: skip all downstream tasks
            **{route: read[f"if_{route}"] or [] for route in get_args(Route)},
        }

    def _check_targets(self, targets: Mapping[Route | Mark, list[str]]) -> None:
        """Check the task ids of all routes and marks.

        :raises CallApiFailure: a task or task group is not directly downstream of this task.
        """
        # The check of all routes shows a wrong task id already in the first run of the DAG.
        downstream = self.downstream_task_ids
        groups = self.dag.task_group_dict if self.dag else {}
        for key, ids in targets.items():
            for name in ids:
                roots = {root.task_id for root in groups[name].roots} if name in groups else {name}
                if not roots <= downstream:
                    parameter = f"routes, {key}" if isinstance(key, Mark) else f"if_{key}"
                    raise CallApiFailure(
                        f"{parameter}: {mask_phones(repr(name))} is not directly downstream of this task"
                    )

    def _refuse_unskippable(self, map_index: int | None) -> None:
        """Check that Airflow is able to skip each task directly downstream of this branch.

        :param map_index: the map index of this task; None or -1: the task is not mapped.
        :raises CallApiFailure: Airflow would run a downstream task although the branch does not choose it.
        """
        if map_index is None or map_index < 0:
            self._refuse_expanded_tasks()
            return
        # Airflow 3.2 and 3.3 do not find the decision of a branch inside a mapped task group
        # (apache/airflow#67265), and no Airflow finds that of a mapped branch for a task that is not mapped.
        in_group = mapped_operator(self) is None
        for task in self.downstream_list:
            has_index = isinstance(task, MappedOperator) or task.get_closest_mapped_task_group() is not None
            if not has_index or (in_group and AIRFLOW_V_3_2_PLUS):
                raise CallApiFailure(
                    f"Airflow cannot skip task {task.task_id} for one map index of this branch. It would run "
                    "the task after any outcome of the call. Without a mapped task group, map this branch "
                    "and each task directly downstream with expand() over the same list"
                )

    def _refuse_expanded_tasks(self) -> None:
        # Airflow 3.0 and 3.1 cannot skip a task that is mapped over a list in the DAG file.
        # Airflow 3.0 and 3.1 find the decision of the branch only for a task without a map index.
        for task in () if AIRFLOW_V_3_2_PLUS else self.downstream_list:
            if _is_mapped_over_constants(task):
                raise CallApiFailure(
                    f"Airflow before 3.2 cannot skip task {task.task_id}, because its list is written in the "
                    "DAG file. It would run the task after any outcome of the call. Take the list from a task"
                )


def _is_mapped_over_constants(task: Any) -> bool:
    # The task, or its mapped task group, is mapped over a list in the DAG file, not over the output of a
    # task.
    try:
        task.get_parse_time_mapped_ti_count()
    except Exception:  # Airflow has no public class for: not mapped, or the list is not known yet
        return False
    return True


def route_of(call: Any, marks: Collection[Mark] = ()) -> Route | Mark:
    """Return the route that `CallApiBranchOperator` takes after a call, e.g. ``answered`` or a mark.

    :param call: what a start operator or the sensor returned, as a dict or as text. None: no call.
    :param marks: tags and operations of calls: the keys of the operator's parameter ``routes``, in their
        order.
    :return: the first of ``marks`` that the call has. Otherwise: ``answered``, ``not_answered``,
        ``our_side_did_not_answer``, ``refused`` or ``unknown`` (also for no call).
    :raises InvalidParameter: ``call`` is neither a call nor None.
    """
    call = parse_rendered(call) if isinstance(call, str) else call
    if call in (None, ""):
        return "unknown"
    try:
        if call["status"] == "refused":
            return "refused"
        outcome = Outcome.from_xcom(dict(call))
        by_outcome = "our_side_did_not_answer" if outcome.missed_our_side else _ROUTES[outcome.answered]
        mark = first_mark(marks, outcome)
    except (TypeError, KeyError, ValueError, OverflowError):
        raise InvalidParameter(
            "call: pass what one start operator or sensor returned. If that task is mapped, map this task too"
        ) from None
    if mark is not None:
        return mark
    return "unknown" if by_outcome == "answered" and may_have_mark(marks, outcome) else by_outcome
