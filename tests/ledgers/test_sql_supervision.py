"""Wishes and progress of campaigns in the databases that a SQL ledger can use."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy
from sqlalchemy.engine import Engine

from airflow_provider_callapi.calls.campaign.progress import CampaignProgress
from airflow_provider_callapi.calls.campaign.wishes import Wish, WishKind
from airflow_provider_callapi.exceptions import CallApiTrouble
from airflow_provider_callapi.ledgers import sql_supervision
from airflow_provider_callapi.ledgers.sql_supervision import SqlSupervision, _progress

PAUSE = Wish(WishKind.PAUSE, "anna", 1_760_000_000.25)
PROGRESS = CampaignProgress(
    campaign="spring",
    shard="",
    owner=("dag", "run", "call", "-1"),
    people=12,
    finished=3,
    active=1,
    waiting=8,
    doing="dialling",
    at=1_760_000_000.0,
    next_at=1_760_000_015.0,
    results={"answered": 3},
)


def test_a_wish_is_read_until_another_one_replaces_it(engine: Engine) -> None:
    supervision = SqlSupervision(engine)
    assert supervision.read_wish("spring") is None

    supervision.write_wish("spring", PAUSE)
    assert supervision.read_wish("spring") == PAUSE
    assert supervision.read_wish("autumn") is None

    stop = Wish(WishKind.STOP, "boris", 1_760_000_001.5)
    SqlSupervision(engine).write_wish("spring", stop)
    assert supervision.read_wish("spring") == stop


def test_the_newest_progress_of_each_task_is_listed_first(engine: Engine) -> None:
    supervision = SqlSupervision(engine)
    later = replace(PROGRESS, finished=4, at=PROGRESS.at + 15)
    shard = replace(PROGRESS, shard="2/4", owner=("dag", "run", "call", "1"), at=PROGRESS.at + 5)
    for progress in (PROGRESS, later, shard):
        supervision.publish(progress)

    assert supervision.list_progress() == [later, shard]


@pytest.mark.parametrize("shard", ["", "1/1", "2/4", "0000000000000002/4"])
def test_tasks_with_one_campaign_name_have_a_progress_each(engine: Engine, shard: str) -> None:
    supervision = SqlSupervision(engine)
    owners = [(dag, run, "call", index) for dag in "AB" for run in "12" for index in ("-1", "0", "1")]
    tasks = [replace(PROGRESS, shard=shard, owner=owner) for owner in owners]
    for progress in (*tasks, *tasks):
        supervision.publish(progress)

    assert sorted(supervision.list_progress(), key=lambda progress: progress.owner) == tasks


@pytest.mark.parametrize("name", [None, "spring"])
def test_many_finished_tasks_hide_no_unfinished_task(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, name: str | None
) -> None:
    monkeypatch.setattr(sql_supervision, "_LISTED", 3)
    supervision = SqlSupervision(engine)
    finished = [
        replace(PROGRESS, owner=("dag", str(run), "call", "-1"), doing="over", at=PROGRESS.at + 100 * run)
        for run in range(1, 5)
    ]
    for progress in (PROGRESS, *finished):
        supervision.publish(progress)

    assert supervision.list_progress(name) == [*finished[:1:-1], PROGRESS]


def test_the_tasks_of_one_campaign_are_found_among_many_others(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_supervision, "_LISTED", 3)
    supervision = SqlSupervision(engine)
    over = replace(PROGRESS, doing="over")
    supervision.publish(over)
    for run in range(4):
        supervision.publish(replace(PROGRESS, campaign="autumn", owner=("dag", str(run), "call", "-1")))

    assert supervision.list_progress("spring") == [over]


def test_rows_that_cannot_be_read_hide_no_other_row(engine: Engine) -> None:
    supervision = SqlSupervision(engine)
    supervision.publish(PROGRESS)
    supervision.publish(replace(PROGRESS, campaign="autumn", at=PROGRESS.at + 5))
    with engine.begin() as db:
        is_autumn = _progress.c.campaign == "autumn"
        db.execute(_progress.update().where(is_autumn).values(progress={"colour": "red"}))

    assert supervision.list_progress() == [PROGRESS]


def test_a_name_that_is_too_long_is_shortened(engine: Engine) -> None:
    supervision = SqlSupervision(engine)
    supervision.write_wish("spring", replace(PAUSE, by="a" * 300))
    assert supervision.read_wish("spring") == replace(PAUSE, by="a" * 250)


def test_several_users_may_ask_at_once(engine: Engine) -> None:
    controls = [SqlSupervision(engine) for _ in range(4)]
    begin = threading.Barrier(4)

    def ask(supervision: SqlSupervision) -> None:
        begin.wait(60)
        supervision.write_wish("spring", PAUSE)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, controls))

    assert controls[0].read_wish("spring") == PAUSE


def test_an_error_of_the_database_is_shown_without_its_statement(tmp_path) -> None:
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/missing/supervision.sqlite")
    with pytest.raises(CallApiTrouble, match="the ledger's database: OperationalError"):
        SqlSupervision(engine)
