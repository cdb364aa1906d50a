"""The probes (experiments) of ``airflow callapi verify`` that place calls to the user's own phone."""

from __future__ import annotations

from typing import Any

from airflow_provider_callapi.verify.bench import Bench, NotPossible
from airflow_provider_callapi.verify.findings import LimitRefusal, Side
from airflow_provider_callapi.verify.gateway import LIMIT_EXCEEDED, Service
from airflow_provider_callapi.verify.own_call.call_run import CallPlan

_RELEASE_AFTER = 20.0
"""Seconds from the first poll that shows the call of `probe_released` until the program ends the call."""
_DIALING_TIMEOUT = 60
"""The longest time in seconds for which the user's phone rings, if the user is to pick up."""
_SHORT_DIALING_TIMEOUT = 20
"""The same if the user is not to pick up."""
_MOST_WASTED_REQUESTS = 2_000
"""How many polls `probe_limit_exceeded` sends at most to use up the points of a minute."""


def _speech(text: str) -> dict[str, str]:
    return {"type": "tts", "value": text}


def _numbers(bench: Bench) -> dict[str, Any]:
    options = bench.options
    if not options.contact or not options.virtual_number:
        raise NotPossible("the probe needs --contact and --virtual-number")
    return {"contact": options.contact, "virtual_phone_number": options.virtual_number, "direction": "out"}


def _informer(
    bench: Bench,
    name: str,
    instruction: str,
    speech: str,
    *,
    dialing_timeout: int = _DIALING_TIMEOUT,
    **plan: Any,
) -> None:
    """Place a call that plays a message, and store under ``name`` what was seen. ``plan``: of `CallPlan`."""
    numbers = _numbers(bench)
    parties: dict[Side, str] = {"contact": numbers["contact"]}
    params = {**numbers, "contact_message": _speech(speech), "dialing_timeout": dialing_timeout}
    bench.findings.calls[name] = bench.place(
        CallPlan("start.informer_call", params, instruction, parties, **plan)
    )


def _simple(bench: Bench, name: str, instruction: str, operator: str | None, first: str, **plan: Any) -> None:
    """Place a call to the user and an operator, and store under ``name`` what was seen.

    ``first``: whose phone rings first, ``contact`` or ``operator``. ``plan``: further fields of `CallPlan`.

    :raises NotPossible: ``operator`` is None, because the user has not given the number.
    """
    numbers = _numbers(bench)
    if operator is None:
        raise NotPossible("the probe needs --second-number or --dead-operator")
    parties: dict[Side, str] = {"contact": numbers["contact"], "operator": operator}
    params = {**numbers, "operator": operator, "first_call": first}
    bench.findings.calls[name] = bench.place(
        CallPlan("start.simple_call", params, instruction, parties, **plan)
    )


def probe_heard(bench: Bench) -> None:
    """Place a call that plays a message. The user listens to the whole message.

    The probe stores in `Findings.calls`, under ``heard``, what ``list.calls`` and the Data API's
    reports show of the call.

    :raises NotPossible: the option ``--contact`` or ``--virtual-number`` is missing, or the service did not
        place the call.
    """
    _informer(
        bench,
        "heard",
        "Your phone rings. Please pick up, and listen until the call ends.",
        "This is a test call of Airflow. Please listen to the end, and do not hang up. "
        "The program measures how the call is reported. It counts to ten. "
        "One. Two. Three. Four. Five. Six. Seven. Eight. Nine. Ten. Thank you. Goodbye.",
        measure_ongoing=True,
    )


def probe_hung_up(bench: Bench) -> None:
    """Place a call that plays a message. The user hangs up during the message.

    The probe stores in `Findings.calls`, under ``hung_up``, what ``list.calls`` and the Data API's
    reports show of the call.

    :raises NotPossible: the option ``--contact`` or ``--virtual-number`` is missing, or the service did not
        place the call.
    """
    _informer(
        bench,
        "hung_up",
        "Your phone rings. Please pick up, wait three seconds, and hang up.",
        "This is a test call of Airflow. Please hang up now. Please hang up now. Please hang up now. "
        "Please hang up now. Please hang up now. Please hang up now.",
    )


def probe_released(bench: Bench) -> None:
    """Place a call that plays a message, and release the call (end the call through the API).

    `Findings.calls` then contains, under ``released``, what ``list.calls`` and the Data API's reports show of
    the call, and how many points (rate-limit units) the release and one ``list.calls`` cost together.

    :raises NotPossible: the option ``--contact`` or ``--virtual-number`` is missing, or the service did not
        place the call.
    """
    _informer(
        bench,
        "released",
        "Your phone rings. Please pick up, and stay on the line. The program ends the call.",
        "This is a test call of Airflow. Please stay on the line. The program ends this call. " * 6,
        release_after=_RELEASE_AFTER,
    )


def probe_not_answered(bench: Bench) -> None:
    """Place a call to the user's phone. The user does not pick up.

    The probe stores in `Findings.calls`, under ``not_answered``, what ``list.calls`` and the Data API's
    reports show of the call.

    :raises NotPossible: the option ``--contact`` or ``--virtual-number`` is missing, or the service did not
        place the call.
    """
    _informer(
        bench,
        "not_answered",
        "Your phone rings. Please do not answer, and do not reject the call.",
        "This is a test call of Airflow. Please hang up now.",
        dialing_timeout=_SHORT_DIALING_TIMEOUT,
    )


def probe_dead_operator(bench: Bench) -> None:
    """Place two calls, each to the user's phone and to an operator whose phone is switched off.

    The user picks up. A call's finish reason is that of one of its two legs. Two equal calls show whether the
    service always chooses the same leg. The probe stores in `Findings.calls`, under ``dead_operator_1`` and
    ``dead_operator_2``, what ``list.calls`` and the Data API's reports show of the calls.

    :raises NotPossible: ``--contact``, ``--virtual-number`` or ``--dead-operator`` is missing, or the service
        did not place a call.
    """
    for name in ("dead_operator_1", "dead_operator_2"):
        _simple(
            bench,
            name,
            "Your phone rings. Please pick up, and stay on the line until the call ends.",
            bench.options.dead_operator,
            "contact",
        )


def probe_talk(bench: Bench) -> None:
    """Place a call between the user's two phones, put the contact on hold, and end the call.

    `Findings.calls` then contains, under ``talk``, what ``list.calls`` and the Data API's reports show. An
    example is the state of the contact's leg (line) during the hold.

    :raises NotPossible: ``--contact``, ``--virtual-number`` or ``--second-number`` is missing, or the service
        did not place the call.
    """
    _simple(
        bench,
        "talk",
        "Your phone rings, and then your second phone. Please pick up both, and stay on the line. "
        "The program puts you on hold and ends the call.",
        bench.options.second_number,
        "contact",
        holds=True,
        measure_ongoing=True,
    )


def probe_second_number(bench: Bench) -> None:
    """Place a call between two phones of the user, the operator's and the contact's. Only the first answers.

    The Data API's reports then show which leg (line) gives the whole call its finish reason. The probe stores
    in `Findings.calls`, under ``second_number``, what ``list.calls`` and the reports show of the call.

    :raises NotPossible: ``--contact``, ``--virtual-number`` or ``--second-number`` is missing, or the service
        did not place the call.
    """
    _simple(
        bench,
        "second_number",
        "Your second phone rings first. Please pick it up, and stay on the line. "
        "When your first phone rings, do not answer it.",
        bench.options.second_number,
        "operator",
    )


def probe_limit_exceeded(bench: Bench) -> None:
    """Find out whether a start request that fails with ``limit_exceeded`` places a call nevertheless.

    The probe uses up the points of the minute, and sends one start request. It stores the result in
    `Findings.limit_refusal`.

    :raises NotPossible: the option ``--contact`` or ``--virtual-number`` is missing, the points cannot be
        used up, the start request fails for another reason, or it is not known whether a call was placed.
    :raises CallApiError: the service refuses ``list.calls``, or gives no answer to ``list.calls``.
    """
    numbers = _numbers(bench)
    call_api = bench.gateway.call_api
    others = [call.call_session_id for call in call_api.send("list.calls").calls]
    _use_up_the_minute(call_api)
    plan = CallPlan(
        "start.informer_call",
        {**numbers, "contact_message": _speech("This is a test call of Airflow. Please hang up now.")},
        "The program has used up the points of this minute. Please watch whether your phone rings.",
        {"contact": numbers["contact"]},
        release_after=0.0,
        needs_points=False,
        others=others,
    )
    seen = bench.place(plan)
    if seen.refused not in (None, LIMIT_EXCEEDED):
        raise NotPossible(f"the start request failed: {seen.refused}")
    bench.findings.limit_refusal = LimitRefusal(
        was_refused=seen.refused is not None, was_placed=seen.appeared is not None
    )


def _use_up_the_minute(call_api: Service) -> None:
    """Use up this minute's points with ``list.calls``, which changes nothing.

    :raises NotPossible: the polls cannot use up the points.
    """
    left = None
    for _ in range(_MOST_WASTED_REQUESTS):
        answer = call_api.send_once("list.calls", {})
        before, left = left, answer.limits.get("minute_remaining")
        if answer.error == LIMIT_EXCEEDED or left == 0:
            return
        if left is None:
            raise NotPossible("the answers do not show how many points are left")
        if left == before:
            raise NotPossible("list.calls costs no points, so the points cannot be used up without harm")
    raise NotPossible(f"{_MOST_WASTED_REQUESTS} requests do not use up the points of a minute")
