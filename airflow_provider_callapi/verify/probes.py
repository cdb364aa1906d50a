"""The table of the probes of ``airflow callapi verify``: the purpose and the cost of each probe."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from airflow_provider_callapi.verify import call_probes, quiet_probes
from airflow_provider_callapi.verify.bench import Bench

MOST_CALLS = 12
"""The largest number of calls that all runs with the same resume file place together."""


@dataclass(frozen=True)
class Probe:
    """One probe: an experiment of ``airflow callapi verify`` that finds out how the service behaves.

    :ivar name: the name of the probe, e.g. ``not_answered``.
    :ivar finds: what the probe finds out, in a few words for the user.
    :ivar calls: the number of calls that the probe places.
    :ivar points: about how many points (rate-limit units) the probe uses, at both services together.
    :ivar run: a function that carries out the probe, and adds what it finds to the findings in its argument.
    :ivar needs: the field of `Options` with the additional phone number, e.g. ``dead_operator``. None: no
        additional number is needed.
    :ivar only_on_request: True: the probe runs only if the option ``--only`` names it.
    :ivar warning: a warning for the user before the run. Empty: no warning.
    """

    name: str
    finds: str
    calls: int
    points: int
    run: Callable[[Bench], None]
    needs: str | None = None
    only_on_request: bool = False
    warning: str = ""


PROBES = (
    Probe("errors", "the form of an answer with an error", 0, 1, quiet_probes.probe_errors),
    Probe("login", "the answer to a login, and where its token is valid", 0, 2, quiet_probes.probe_login),
    Probe("points", "which methods are charged, and the limits", 0, 25, quiet_probes.probe_points),
    Probe("reports", "which fields, filters and dates the reports refuse", 0, 8, quiet_probes.probe_reports),
    Probe("heard", "a message that is heard to its end", 1, 35, call_probes.probe_heard),
    Probe("hung_up", "a message that the person cuts short", 1, 10, call_probes.probe_hung_up),
    Probe("released", "a call that the program ends", 1, 10, call_probes.probe_released),
    Probe("not_answered", "a call that rings and is not answered", 1, 10, call_probes.probe_not_answered),
    Probe(
        "dead_operator",
        "an answered call whose operator cannot be reached (--dead-operator)",
        2,
        20,
        call_probes.probe_dead_operator,
        needs="dead_operator",
    ),
    Probe(
        "talk",
        "a talk of two people, with a hold (--second-number)",
        1,
        35,
        call_probes.probe_talk,
        needs="second_number",
    ),
    Probe(
        "second_number",
        "a call that only the operator's phone answers (--second-number)",
        1,
        10,
        call_probes.probe_second_number,
        needs="second_number",
    ),
    Probe(
        "dates", "from what age a start of the reports' interval is refused", 0, 20, quiet_probes.probe_dates
    ),
    Probe(
        "limit_exceeded",
        "whether a start request without points left places a call",
        1,
        0,
        call_probes.probe_limit_exceeded,
        only_on_request=True,
        warning="uses up all points of the minute: every other program of the account fails meanwhile",
    ),
)
"""All probes of ``airflow callapi verify``, in the order in which the probes run."""


def select(only: Collection[str] = (), *, with_calls: bool = True) -> list[Probe]:
    """Return the probes (experiments) that a run of ``airflow callapi verify`` carries out.

    :param only: the names of the wanted probes. Empty: all probes except those with `Probe.only_on_request`.
    :param with_calls: False: leave out the probes that place calls, even if ``only`` names them.
    :return: the selected probes, in the order of `PROBES`.
    :raises ValueError: ``only`` contains an unknown name. The error message lists all names.
    """
    names = [probe.name for probe in PROBES]
    for name in only:
        if name not in names:
            raise ValueError(f"{name}: there is no such probe; use one of {', '.join(names)}")
    return [
        probe
        for probe in PROBES
        if (probe.name in only if only else not probe.only_on_request) and (with_calls or not probe.calls)
    ]
