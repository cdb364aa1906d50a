"""Run the probes of ``airflow callapi verify`` in order, with at most `MOST_CALLS` calls.

A run releases (ends) its active call before the run itself ends. If the release fails, the run raises
`CallLeft`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from airflow_provider_callapi.api.errors import CallApiError
from airflow_provider_callapi.verify.bench import Bench, NotPossible, Options
from airflow_provider_callapi.verify.findings import CallSeen, Findings
from airflow_provider_callapi.verify.gateway import LIMIT_EXCEEDED, Gateway
from airflow_provider_callapi.verify.own_call.call_ending import CallEnding, NotProven
from airflow_provider_callapi.verify.own_call.call_run import CallPlan, CallRun
from airflow_provider_callapi.verify.probes import MOST_CALLS, Probe
from airflow_provider_callapi.verify.report_reader import ReportReader
from airflow_provider_callapi.verify.resume_file import ActiveCall, ResumeFile

_SECONDS_TO_READ = 5.0
"""The pause, in seconds, between an instruction to the user and the start request of a call."""


class CallLeft(Exception):
    """Raised if a call of the run may still be active, because the run could not release (end) the call.

    The error message names the call, and states what the user must do.

    :param active: the call that may be active.
    """

    def __init__(self, active: ActiveCall) -> None:
        session_id = active.session_id
        by_hand = (
            "hang up your phone"
            if session_id is None
            else f"end it with `airflow callapi release {session_id}`"
        )
        named = f"external_id {active.external_id}" if session_id is None else f"session {session_id}"
        super().__init__(f"call {named} may be active: {by_hand}, or start this command again")


class Run:
    """Runs the probes (experiments) of ``airflow callapi verify``, and places and ends their calls.

    :param gateway: the services, the clock, and the output to the user.
    :param options: the user's phone numbers, and the time zone of the Airflow connection.
    :param file: the resume file. The run saves the file before and after each start request, after each
        release, and after each probe.
    """

    def __init__(self, gateway: Gateway, options: Options, file: ResumeFile) -> None:
        self._gateway = gateway
        self._file = file
        findings = file.state.findings
        data_api, rules = gateway.data_api, findings.report_rules
        self._reader = None if data_api is None else ReportReader(data_api, gateway.clock, rules)
        numbers = (options.contact, options.second_number, options.dead_operator)
        self._ending = CallEnding(gateway, self._reader, [number for number in numbers if number])
        self._bench = Bench(gateway, options, findings, self._reader, self._place)

    def execute(self, probes: Iterable[Probe]) -> Findings:
        """Run the probes that no earlier run has finished, and return all findings.

        If an earlier run has left a call active, the method first releases (ends) this call. If the present
        run is interrupted, e.g. by KeyboardInterrupt, the method releases its own active call, and raises the
        exception again. If a further interruption also stops the release, the method raises `CallLeft`.

        :param probes: the probes to run, in order.
        :return: the findings of this run and of the earlier runs with the same resume file.
        :raises CallApiError: the first poll or the login failed. No probe has run.
        :raises CallLeft: a call could not be released. The next run tries again.
        """
        try:
            return self._execute(probes)
        except BaseException as error:  # also a second Ctrl-C, while the run releases its call
            if active := self._file.state.active:
                raise CallLeft(active) from error
            raise

    def _execute(self, probes: Iterable[Probe]) -> Findings:
        state = self._file.state
        self._release_active()
        self._gateway.call_api.send("list.calls").raise_for_error()
        try:
            for probe in probes:
                if probe.name in state.finished:
                    self._gateway.say(f"{probe.name}: already done")
                    continue
                self._gateway.say(f"{probe.name}: {probe.finds}")
                if self._run_probe(probe):
                    state.finished.append(probe.name)
                self._file.save()
        finally:
            self._release_active()
        return state.findings

    def _run_probe(self, probe: Probe) -> bool:
        """Run one probe, and return whether it succeeded. If the probe fails, end its active call.

        :raises CallLeft: the call could not be ended.
        """
        refusals = self._file.state.findings.refusals
        refusals.pop(probe.name, None)
        try:
            probe.run(self._bench)
        except (NotPossible, CallApiError) as problem:
            refusals[probe.name] = str(problem)
            self._gateway.say(f"{probe.name}: not known: {problem}")
            self._release_active()
            return False  # the next run repeats the probe
        return True

    def _place(self, plan: CallPlan) -> CallSeen:
        state = self._file.state
        if state.calls_placed >= MOST_CALLS:
            raise NotPossible(
                f"the runs with this resume file have placed {MOST_CALLS} calls, and may place no more; name "
                "another file with --resume-file"
            )
        self._gateway.say(plan.instruction)
        self._gateway.sleep(_SECONDS_TO_READ)
        external_id = f"verify-{uuid.uuid4().hex[:16]}"
        call = CallRun(plan, self._gateway, self._reader, external_id)
        others = call.prepare()
        active = state.active = ActiveCall(
            external_id=external_id, started_at=self._gateway.clock(), others=others
        )
        state.calls_placed += 1
        self._file.save()
        try:
            session_id = call.place()
        except CallApiError as error:
            return self._not_placed(plan, error, active)
        active.session_id, active.started_at = session_id, self._gateway.clock()
        self._file.save()
        seen = call.watch(session_id)
        if seen.report_after is not None:  # the report proves the end
            state.active = None
        self._release_active()
        return seen

    def _not_placed(self, plan: CallPlan, error: CallApiError, active: ActiveCall) -> CallSeen:
        """Decide what follows a start request that failed. The service may have placed the call nevertheless.

        Only a plan without `CallPlan.needs_points` measures such a call: it is found and ended.

        :return: how the service refused the request, and whether the call was found.
        :raises NotPossible: the plan has `CallPlan.needs_points`, or a search did not show whether the call
            was placed. A call that may be active stays in the resume file, and the run ends it later.
        :raises CallLeft: the call could not be ended.
        """
        mnemonic = getattr(error, "mnemonic", None)
        if plan.needs_points:
            if mnemonic not in (None, LIMIT_EXCEEDED) and not error.maybe_done:
                self._file.state.active = None
            raise NotPossible(f"the start request failed: {mnemonic or error}") from error
        try:
            active.session_id = self._ending.find(active)
        except NotProven as problem:
            raise NotPossible(f"whether the call was placed is not clear: {problem}") from error
        if active.session_id is None:
            self._file.state.active = None
        self._release_active()
        # The time 0 means: the search has found the call.
        return CallSeen(refused=mnemonic or "no answer", appeared=None if active.session_id is None else 0.0)

    def _release_active(self) -> None:
        """End the call that the resume file names as active, if any, and save the file.

        :raises CallLeft: the call could not be ended.
        """
        active = self._file.state.active
        if active is None:
            return
        is_ended = self._ending.end(active)
        if is_ended:
            self._file.state.active = None
        self._file.save()
        if not is_ended:
            raise CallLeft(active)
