"""Convert the plan and the final table of ``airflow callapi verify`` to text for the user's screen.

The plan lists the probes of a run. The table shows which of the package's assumptions about the service hold.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from airflow_provider_callapi.calls.texts.count_texts import count_text
from airflow_provider_callapi.verify.bench import Options
from airflow_provider_callapi.verify.judgements.assumptions import Row
from airflow_provider_callapi.verify.probes import MOST_CALLS, Probe

_SECONDS_FOR_A_CALL = 75
"""About how many seconds a call of a probe takes, with the wait for its report."""
_HEADINGS = ("verdict", "assumption", "what relies on it", "seen", "change")
_VERDICT, _CHANGE = 12, 22
"""The widths of the columns ``verdict`` and ``change``, in characters."""
_SHARES = (29, 29, 42)
"""The widths of the columns ``assumption``, ``what relies on it`` and ``seen``, in percent of their sum."""


def can_run(probe: Probe, options: Options) -> bool:
    """Return whether the user has given all phone numbers that a probe needs.

    :param options: the phone numbers that the user has given.
    """
    needed = (["contact", "virtual_number"] if probe.calls else []) + ([probe.needs] if probe.needs else [])
    return all(getattr(options, name) for name in needed)


def plan_text(probes: Sequence[Probe], options: Options, *, conn_id: str, finished: Sequence[str]) -> str:
    """Return the plan of a run of ``airflow callapi verify``, as text for the user.

    The plan lists the probes (experiments) that run and those that are left out. It states how many calls,
    points (rate-limit units) and minutes the run needs.

    :param probes: the probes that the user has selected.
    :param options: the phone numbers that the user has given. Probes that need another number are left out.
    :param conn_id: the id of the Airflow connection.
    :param finished: the names of the probes that an earlier run has finished. They do not run again.
    :return: lines of at most 100 characters. If no probe runs, the first line states it.
    """
    to_do = [probe for probe in probes if probe.name not in finished and can_run(probe, options)]
    left_out = _left_out(probes, options, finished)
    if not to_do:
        return _wrapped(["There is nothing left to do.", *left_out])
    calls, points = sum(probe.calls for probe in to_do), sum(probe.points for probe in to_do)
    minutes = 1 + calls * _SECONDS_FOR_A_CALL // 60
    lines = [f"With the connection {conn_id}, this command finds out:"]
    lines += [f"  {probe.name:<15}{_calls(probe.calls):<9}{probe.finds}" for probe in to_do]
    lines += [f"  Warning: {probe.name} {probe.warning}." for probe in to_do if probe.warning]
    if calls:
        lines.append(
            f"It places {_calls(calls)} to the phone that --contact names, and never more than {MOST_CALLS} "
            "in total. The calls cost what calls of the account cost."
        )
        lines.append("Take the phone in your hand. Before each call, a line of text states what to do.")
    else:
        lines.append("It places no call.")
    used = count_text(points, "point (rate-limit unit)", "points (rate-limit units)")
    lines.append(f"It uses about {used}, and takes about {count_text(minutes, 'minute')}.")
    return _wrapped([*lines, *left_out])


def _wrapped(lines: Sequence[str]) -> str:
    return "\n".join(textwrap.fill(line, 100, subsequent_indent="    ") for line in lines)


def _left_out(probes: Sequence[Probe], options: Options, finished: Sequence[str]) -> list[str]:
    missing = [probe for probe in probes if probe.name not in finished and not can_run(probe, options)]
    options_of = {probe.name: (probe.needs or "contact").replace("_", "-") for probe in missing}
    lines = [f"Left out: {name}, which needs --{option}." for name, option in options_of.items()]
    done = [probe.name for probe in probes if probe.name in finished]
    return lines + ([f"Already done: {', '.join(done)}."] if done else [])


def _calls(number: int) -> str:
    return count_text(number, "call") if number else ""


def table_text(rows: Sequence[Row], width: int) -> str:
    """Return the final table of ``airflow callapi verify`` as text.

    :param rows: the rows of the table, one for each assumption.
    :param width: the largest width of the table, in characters. A value below 110 counts as 110.
    """
    from tabulate import tabulate  # noqa: PLC0415 - most commands print no table

    left = max(60, width - 3 * len(_HEADINGS) - 1 - _VERDICT - _CHANGE)
    return str(
        tabulate(
            [
                [
                    row.verdict,
                    row.assumption,
                    row.relies,
                    row.seen,
                    "\n".join(f"{name}:\n{value}" for name, value in row.settings.items()),
                ]
                for row in rows
            ],
            _HEADINGS,
            tablefmt="grid",
            maxcolwidths=[_VERDICT, *(left * share // 100 for share in _SHARES), _CHANGE],
            disable_numparse=True,
        )
    )
