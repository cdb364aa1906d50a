"""The assumptions of the package about the service, and a table that shows which assumptions hold.

``airflow callapi verify`` prints the table at its end, with one row for each entry of `ASSUMPTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from airflow_provider_callapi.calls.watching.poll_interval import POLL_INTERVAL
from airflow_provider_callapi.verify.judgements import call_judgements, service_judgements
from airflow_provider_callapi.verify.judgements.judgement import (
    APPEAR_TIMEOUT,
    REPORT_TIMEOUT,
    Context,
    Judgement,
)

AssumptionVerdict = Literal["confirmed", "contradicted", "not known"]


@dataclass(frozen=True)
class Assumption:
    """One assumption of the package about the service.

    :ivar text: the assumption in one sentence, e.g. ``list.calls costs no points.``
    :ivar relies: what the package does because of the assumption.
    :ivar probes: the names of the probes (experiments) that show whether the assumption holds.
    :ivar judge: a function that takes the findings of the probes, and judges whether the assumption holds.
    """

    text: str
    relies: str
    probes: tuple[str, ...]
    judge: Callable[[Context], Judgement]


@dataclass(frozen=True)
class Row:
    """One row of the table that ``airflow callapi verify`` prints. No value contains a phone number.

    :ivar assumption: one assumption of the package about the service, as a sentence.
    :ivar relies: what the package does because of the assumption.
    :ivar seen: what the probes have seen, or why they found nothing out. If there is neither: the names of
        the probes to run.
    :ivar verdict: ``confirmed``: the assumption holds. ``contradicted``: it does not hold. ``not known``: the
        findings do not show whether it holds.
    :ivar settings: name of a setting → the advised value, e.g. ``{"appear_timeout": "90"}``. Empty: no
        advice.
    """

    assumption: str
    relies: str
    seen: str
    verdict: AssumptionVerdict
    settings: dict[str, str]


def table(context: Context) -> list[Row]:
    """Return the rows of the table that ``airflow callapi verify`` prints: one row for each assumption.

    :param context: the findings of the probes, and what the Airflow connection contains.
    """
    return [_row(assumption, context) for assumption in ASSUMPTIONS]


def _row(assumption: Assumption, context: Context) -> Row:
    judgement = assumption.judge(context)
    if judgement.holds is None:
        refusals = context.findings.refusals
        reasons = [f"{name}: {refusals[name]}" for name in assumption.probes if name in refusals]
        seen = "; ".join(filter(None, [judgement.seen, *reasons]))
        missing = f"run the probes {', '.join(assumption.probes)}"
        return Row(assumption.text, assumption.relies, seen or missing, "not known", judgement.settings)
    verdict: AssumptionVerdict = "confirmed" if judgement.holds else "contradicted"
    return Row(assumption.text, assumption.relies, judgement.seen, verdict, judgement.settings)


_CALLS = ("heard", "hung_up", "released", "not_answered")

ASSUMPTIONS = (
    Assumption(
        "list.calls shows a placed call soon.",
        f"A call that list.calls does not show within appear_timeout ({APPEAR_TIMEOUT:g} s) never appeared.",
        _CALLS,
        call_judgements.appears,
    ),
    Assumption(
        "list.calls shows an active call until its end.",
        f"Two polls in a row without the call (poll_interval {POLL_INTERVAL:g} s) prove its end.",
        _CALLS,
        call_judgements.stays,
    ),
    Assumption(
        "start_time in list.calls has a known form.",
        "Unconfirmed calls are recognised by their start.",
        _CALLS,
        call_judgements.start_time,
    ),
    Assumption(
        "The connection has the account's time zone.",
        "Reports are asked for in this zone, and calls get their start from it.",
        _CALLS,
        call_judgements.zone,
    ),
    Assumption(
        "list.calls contains the external_id.",
        "A call whose start request got no answer is searched by its external_id.",
        _CALLS,
        call_judgements.external_id,
    ),
    Assumption(
        "The contact's leg shows a state of talking from the answer on.",
        'until="answered" and tags on the answer read this state.',
        ("heard", "dead_operator", "talk"),
        call_judgements.talk_state,
    ),
    Assumption(
        "The states of legs have known names.",
        "An unknown state proves no answer.",
        _CALLS,
        call_judgements.state_names,
    ),
    Assumption(
        "A contact on hold has a known state.",
        "A contact on hold counts as answered.",
        ("talk",),
        call_judgements.hold,
    ),
    Assumption(
        "An operator who is no employee has is_operator.",
        "Only the contact's own leg proves an answer.",
        ("dead_operator", "talk", "second_number"),
        call_judgements.is_operator,
    ),
    Assumption(
        "The legs' report shows that the contact picked up, whatever the reason of the call is.",
        "A contact who picked up is not called again.",
        ("heard", "hung_up", "released", "dead_operator"),
        call_judgements.answered,
    ),
    Assumption(
        "The legs' report shows that the contact did not pick up.",
        "A contact who did not pick up is called again.",
        ("not_answered", "second_number"),
        call_judgements.not_answered,
    ),
    Assumption(
        "The call's finish_reason can be the reason of any leg.",
        "The finish_reason alone proves no answer, and seldom a missing one.",
        ("dead_operator", "second_number"),
        call_judgements.session_reason,
    ),
    Assumption(
        "The report contains a finished call soon.",
        f"A wait for the report ends after report_timeout ({REPORT_TIMEOUT:g} s).",
        _CALLS,
        service_judgements.report,
    ),
    Assumption(
        "The report with ongoing calls contains an active call soon.",
        "absence_proven_after: a call that neither service shows so long after its start was never placed.",
        ("heard", "talk"),
        service_judgements.ongoing,
    ),
    Assumption(
        "The reports show the answer of an active call.",
        "The Data API is the second witness of answers that list.calls does not show.",
        ("heard", "talk"),
        service_judgements.second_witness,
    ),
    Assumption(
        "The reports accept a date_from of a day ago.",
        "Every request for reports begins a day earlier.",
        ("dates",),
        service_judgements.dates,
    ),
    Assumption(
        "The reports accept all fields and filters that the package uses.",
        "A refused field or filter is left out, which makes requests larger.",
        ("reports",),
        service_judgements.refusals,
    ),
    Assumption(
        "The values in answers have the documented shapes.",
        "Other shapes are read as far as possible.",
        _CALLS,
        service_judgements.shapes,
    ),
    Assumption(
        "list.calls costs no points.",
        "Waits poll list.calls each poll_interval.",
        ("points",),
        service_judgements.free_polls,
    ),
    Assumption(
        "Every other request costs at most one point.",
        "The pacing of a campaign counts one point for each request.",
        ("points",),
        service_judgements.other_points,
    ),
    Assumption(
        "The answer to a login contains a token, and perhaps its end.",
        "Each service has its own login, and logs in again when the token ends.",
        ("login",),
        service_judgements.login,
    ),
    Assumption(
        "An error has a mnemonic, whatever its HTTP status is.",
        "The mnemonic decides what follows an error.",
        ("errors",),
        service_judgements.errors,
    ),
    Assumption(
        "A start request without points left places no call.",
        "Such a start request is repeated in the next minute.",
        ("limit_exceeded",),
        service_judgements.limit_exceeded,
    ),
)
"""All assumptions of the package about the service, in the order of the table in the output."""
