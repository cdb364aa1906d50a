"""The map indexes of a mapped campaign call each person of their lists once, in a real Airflow."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_callapi.calls.campaign.run import runner
from airflow_provider_callapi.emulator import Script

DAG = """
from airflow.sdk import DAG, task
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator

SIX = [f"7916000000{{number}}" for number in range(6)]
with DAG("mapped_campaigns", params={{"n": 2}}) as dag:
    @task
    def values(*values):
        return list(values)

    @task
    def value(value):
        return value

    campaign = CallApiCampaignOperator.partial(
        task_id="campaign",
        call={{
            "method": "start.informer_call",
            "virtual_phone_number": "74993720692",
            "contact_message": {{"type": "tts", "value": "Hello"}},
        }},
        calling_hours=None,
        poll_interval=0.1,
        {partial}
    )
    campaign.{expanded}
"""
CONTACTS = "contacts=SIX,"
ROWS = """[{"contacts": SIX[:3], "shard": "1/2"}, {"contacts": SIX[3:], "shard": "1/1"},
           {"contacts": SIX[:3], "shard": "2/2"}]"""


@pytest.fixture
def run(run_dag: Any, exchange: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs a mapped campaign, and returns states of its tasks and rings of phones."""
    monkeypatch.setattr(runner, "CAMPAIGN_REPORT_INTERVAL", 0.3)
    exchange.default_script = Script(rings=0.2, talks=0.3)

    def run_campaign(expanded: str, partial: str = CONTACTS) -> tuple[set[str], list[int]]:
        states = run_dag(DAG.format(expanded=expanded, partial=partial)).states
        rings = [exchange.rings(f"7916000000{number}") for number in range(6)]
        return {state for name, state in states.items() if name.startswith("campaign")}, rings

    return run_campaign


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize(
    "expanded",
    [
        'expand(shard=["1/1", "1/1"])',
        'expand(shard=["1/2", "1/3"])',
        'expand(shard=["2/2"])',
        'expand(shard=values("1/2", "1/2"))',
        'expand(shard=value.expand(value=["1/2", "3/3"]))',
        'expand_kwargs([{"shard": "1/2"}, {"shard": "1/2"}])',
        'expand_kwargs([value({"shard": "1/2"}), {"shard": "1/2"}])',
        'expand_kwargs([{"shard": "1/2"}, {"region": "RU"}])',
        'expand_kwargs(values("1/3", "2/3").map(lambda shard: {"shard": shard}))',
    ],
)
def test_no_map_index_calls_anyone_if_a_shard_is_missing_or_repeated(run: Any, expanded: str) -> None:
    assert run(expanded) == ({"failed"}, [0] * 6)


@pytest.mark.needs_airflow("3.3", "task state")
@pytest.mark.parametrize(
    ("expanded", "partial"),
    [
        ('expand(shard=values("2/2", "1/2"))', CONTACTS),
        ('expand(shard=["1/{{ params.n }}", "2/2"])', CONTACTS),
        ('expand(shard=["1/2", "2/2"], contacts=[SIX[:4], SIX[4:]])', ""),
        (f"expand_kwargs({ROWS})", ""),
        ("expand(contacts=[SIX[:3], SIX[3:]])", 'shard="1/1",'),
    ],
)
def test_the_shards_of_each_list_call_each_person_once(run: Any, expanded: str, partial: str) -> None:
    assert run(expanded, partial) == ({"success"}, [1] * 6)


@pytest.mark.needs_airflow("3.3", "task state")
def test_a_person_on_the_lists_of_two_map_indexes_is_called_at_most_once(run: Any) -> None:
    states, rings = run("expand(contacts=[SIX[:3], SIX[2:]])", "")

    assert "failed" in states
    assert max(rings) == 1


def test_the_ledger_decides_about_shards_that_share_a_database(run: Any, sqlite_ledger: None) -> None:
    assert run('expand(shard=["1/1", "1/1"])', f'{CONTACTS} ledger_conn_id="ledger",') == (
        {"success"},
        [1] * 6,
    )
