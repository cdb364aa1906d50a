"""The rows of the page: masked numbers, links to tasks, and what is offered."""

from __future__ import annotations

from dataclasses import replace

import pytest
from campaigns_seen import PROGRESS

from airflow_provider_callapi.api.models import CallSession, Leg, Limits
from airflow_provider_callapi.calls.campaign.wishes import Wish, WishKind
from airflow_provider_callapi.plugin.connections import Look
from airflow_provider_callapi.plugin.page import (
    Bar,
    TaskLink,
    bars,
    call_rows,
    campaign_rows,
)
from airflow_provider_callapi.supervision.campaigns import SeenCampaign


def link(owner: tuple[str, ...]) -> TaskLink:
    return TaskLink.of(owner, "")


OWNER = ("dag", "manual__2025-10-09T08:53:20+00:00", "call", "-1")
CALL = CallSession(
    call_session_id=7,
    direction="out",
    start_time="2025-10-09 11:53:20",
    contact_phone_number="79161234567",
    external_id="order of 79161234567",
    legs=(Leg(leg_id=1, is_operator=False, state="Dial"), Leg(leg_id=2, is_operator=True, state="Talking")),
)
LOOK = Look(at=1_760_000_000.0, sessions=[CALL], timezone="Europe/Moscow")


def test_a_call_names_its_task_and_no_complete_number() -> None:
    (row,) = call_rows(LOOK, {7: OWNER}, [], lambda owner: TaskLink.of(owner, "/airflow"))

    assert "79161234567" not in str(row)
    assert (row.contact, row.external_id) == ("7916…4567", "order of 7916…4567")
    assert (row.since, row.legs) == (1_760_000_000.0, ["contact: Dial", "employee: Talking"])
    assert row.task is not None
    assert row.task.href == "/airflow/dags/dag/runs/manual__2025-10-09T08%3A53%3A20%2B00%3A00/tasks/call"


def test_each_text_of_the_service_is_shown_without_complete_numbers() -> None:
    number = "79161234567"
    leg = Leg(leg_id=1, is_operator=True, state=f"to {number}")
    call = CALL.model_copy(update={"direction": f"out {number}", "legs": (leg,)})

    (row,) = call_rows(replace(LOOK, sessions=[call]), {}, [], link)

    assert number not in str(row)
    assert (row.direction, row.legs) == ("out 7916…4567", ["employee: to 7916…4567"])


def test_a_call_of_a_campaign_names_the_campaign() -> None:
    seen = SeenCampaign(replace(PROGRESS, sessions=(7,)), None, "ledger")
    (row,) = call_rows(LOOK, {}, [seen], link)
    assert row.campaign == "spring"
    assert row.task == TaskLink.of(PROGRESS.owner, "")


def test_a_call_of_another_program_has_no_task() -> None:
    strange = CALL.model_copy(update={"start_time": "yesterday", "contact_phone_number": None})
    (row,) = call_rows(replace(LOOK, sessions=[strange]), {}, [], link)
    assert (row.task, row.since, row.contact) == (None, None, "")


def test_a_mapped_task_has_the_page_of_its_map_index() -> None:
    link = TaskLink.of(("a/b", "run", "call", "3"), "")
    assert link == TaskLink("a/b · call[3]", "run", "/dags/a%2Fb/runs/run/tasks/call/mapped/3")


def test_known_points_are_shown_as_bars() -> None:
    assert bars(None) == []
    limits = Limits(minute_limit=1000, minute_remaining=250, minute_reset=30, day_limit=5000)
    assert bars(limits) == [Bar("minute", 250, 1000, 30)]


@pytest.mark.parametrize(
    ("doing", "wish", "offered"),
    [
        ("dialling", None, ["pause", "stop"]),
        ("waiting", None, ["pause", "stop"]),
        ("paused", WishKind.PAUSE, ["resume", "stop"]),
        ("stopped", WishKind.STOP, []),
        ("over", None, []),
        ("over", WishKind.RESUME, []),
        ("over", WishKind.STOP, ["resume"]),
        ("something new", None, []),
    ],
)
def test_the_page_offers_only_the_possible_wishes(
    doing: str, wish: WishKind | None, offered: list[str]
) -> None:
    asked = None if wish is None else Wish(wish, "anna", PROGRESS.at - 1)
    (row,) = campaign_rows([SeenCampaign(replace(PROGRESS, doing=doing), asked, None)], PROGRESS.at, link)
    assert [kind.value for kind in row.offered] == offered
    assert row.wanted == ""


def test_a_wish_that_the_campaign_has_not_followed_is_shown() -> None:
    wish = Wish(WishKind.PAUSE, "anna", PROGRESS.at + 1)
    (row,) = campaign_rows([SeenCampaign(PROGRESS, wish, None)], PROGRESS.at, link)
    assert row.wanted == "anna asked to pause"


def test_a_campaign_without_new_progress_is_late_unless_it_is_deferred() -> None:
    seen = SeenCampaign(PROGRESS, None, None)
    deferred = SeenCampaign(replace(PROGRESS, next_at=PROGRESS.at + 3600), None, None)
    over = SeenCampaign(replace(PROGRESS, doing="over"), None, None)
    rows = campaign_rows([seen, deferred, over], PROGRESS.at + 600, link)
    assert [row.is_late for row in rows] == [True, False, False]


def test_a_campaign_that_ended_more_than_a_day_ago_is_not_shown() -> None:
    over = SeenCampaign(replace(PROGRESS, doing="over"), None, None)
    assert len(campaign_rows([over], PROGRESS.at + 86_000, link)) == 1
    assert campaign_rows([over], PROGRESS.at + 87_000, link) == []


def test_the_percentage_of_nothing_is_zero() -> None:
    counts = [(1, 3), (0, 0)]
    seen = [SeenCampaign(replace(PROGRESS, finished=n, people=of), None, None) for n, of in counts]
    assert [row.percent for row in campaign_rows(seen, PROGRESS.at, link)] == [33, 0]
