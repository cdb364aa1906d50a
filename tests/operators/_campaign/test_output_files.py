"""The names of the files that a campaign writes."""

from __future__ import annotations

import pytest

from airflow_provider_callapi.calls.campaign.shard import Shard
from airflow_provider_callapi.operators._campaign.output_files import shard_path


@pytest.mark.parametrize(
    ("path", "shard", "own"),
    [
        ("file:///a.b/results.csv", (1, 1), "file:///a.b/results.csv"),
        ("file:///a.b/results.csv", (2, 4), "file:///a.b/results-2-of-4.csv"),
        ("s3://c@bucket/run/x-2-of-4.csv", (2, 4), "s3://c@bucket/run/x-2-of-4.csv"),
        ("results.jsonl", (12, 30), "results-12-of-30.jsonl"),
        ("/a.b/results", (2, 4), "/a.b/results-2-of-4"),
    ],
)
def test_each_shard_has_separate_files(path: str, shard: tuple[int, int], own: str) -> None:
    assert shard_path(path, Shard(*shard)) == own
