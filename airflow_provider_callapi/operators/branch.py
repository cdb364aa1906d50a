"""Choosing what comes next by what is known of a call, without a line of Python."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow.providers.common.compat.sdk import BaseBranchOperator

from airflow_provider_callapi.calls.outcome import Outcome
from airflow_provider_callapi.exceptions import CallApiFailure

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

Route = Literal["answered", "not_answered", "refused", "unknown"]
Target = str | Sequence[str] | None
"""A task or task group directly downstream, several of them, or nothing: all of them are skipped."""

_ROUTES: dict[bool | None, Route] = {True: "answered", False: "not_answered", None: "unknown"}


class CallApiBranchOperator(BaseBranchOperator):
    """Go on with the tasks that belong to what is known of a call; the others downstream are skipped.

    ============  ==================================================================================
    route         taken when
    ============  ==================================================================================
    answered      the contact picked up
    not_answered  the contact did not, which only the Data API can say
    refused       the service refused to call this contact (blacklist, direction rules): nothing rang.
                  Comes from a start operator with ``refused_as_result=True`` only
    unknown       anything else: over and not seen answered, still going on, or there is no call
    ============  ==================================================================================

    A start operator that fails returns nothing, and all that Airflow tells of it is that it failed: the
    call may be unresolved, and its phone may have rung. So a failure is never *refused*. With Airflow's
    own ``trigger_rule`` this task does not run after one; with ``trigger_rule="all_done"`` it takes the
    route *unknown*.

    Returns the ids it goes on with.

    :param call: what a start operator or the sensor returned: ``start.output``, or in a text the template
        ``{{ ti.xcom_pull(task_ids='start') }}``, with or without ``| tojson``. None: there is no call.
    :param if_answered: a task id, a task group's id, or a list of them, directly downstream; None skips
        all. So do the next three.
    :param if_not_answered: …
    :param if_refused: …
    :param if_unknown: …
    """

    template_fields: Sequence[str] = ("call",)
    ui_color = "#e6dcf5"

    def __init__(
        self,
        *,
        call: dict[str, Any] | str | None,
        if_answered: Target = None,
        if_not_answered: Target = None,
        if_refused: Target = None,
        if_unknown: Target = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.call = call
        self.if_answered = if_answered
        self.if_not_answered = if_not_answered
        self.if_refused = if_refused
        self.if_unknown = if_unknown

    def choose_branch(self, context: Context) -> list[str] | None:
        """The ids that belong to the call's route.

        :raises CallApiFailure: ``call`` is no call, or an id of any route is not directly downstream.
        """
        self._know_all_targets()
        route = route_of(self.call)
        self.log.info("The call is %s", route.replace("_", " "))
        return list(self._targets(route)) or None

    def _targets(self, route: Route) -> Iterator[str]:
        target: Target = getattr(self, f"if_{route}")
        yield from [target] if isinstance(target, str) else target or ()

    def _know_all_targets(self) -> None:
        """Every run checks every route: an id of a rare one must not be found wrong when it is needed."""
        downstream = self.downstream_task_ids
        groups = self.dag.task_group_dict if self.dag else {}
        for route in get_args(Route):
            for name in self._targets(route):
                roots = {root.task_id for root in groups[name].roots} if name in groups else {name}
                if not roots <= downstream:
                    raise CallApiFailure(f"if_{route}: {name!r} is not directly downstream of this task")


def route_of(call: Any) -> Route:
    """What is known of a call, as a route.

    :raises CallApiFailure: it is neither a call nor None.
    """
    call = _read(call) if isinstance(call, str) else call
    if call is None:
        return "unknown"
    try:
        if call["status"] == "refused":
            return "refused"
        return _ROUTES[Outcome.from_xcom(dict(call)).answered]
    except (TypeError, KeyError, ValueError):
        raise CallApiFailure(
            "call: what one start operator or sensor returned is needed; of mapped ones, expand this task too"
        ) from None


def _read(text: str) -> Mapping[str, Any] | str | None:
    """A rendered template: JSON, or what Python shows of a dict."""
    for read in (json.loads, ast.literal_eval):
        with suppress(ValueError, SyntaxError):
            value: Mapping[str, Any] | None = read(text)
            return value
    return text or None
