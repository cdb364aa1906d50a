"""The names of the files that a campaign writes."""

from __future__ import annotations

import logging

import pytest
from airflow_fakes import TTS, VNUMBER
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.campaign.contact_list.shard import Shard
from airflow_provider_callapi.exceptions import InvalidParameter
from airflow_provider_callapi.operators._campaign.output_files import OutputFiles, shard_path
from airflow_provider_callapi.operators.campaign import CallApiCampaignOperator


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


@given(st.integers(2, 30), st.sampled_from(["x.csv", "x", "x-1-of-2.csv", "11-of-12.jsonl", "21-of-210"]))
def test_no_two_shards_with_one_path_have_the_same_file(shards: int, path: str) -> None:
    paths = {shard_path(path, Shard(which, shards)) for which in range(1, shards + 1)}

    assert len(paths) == shards


@pytest.mark.parametrize("read", ["contacts", "do_not_call"])
def test_the_file_of_a_shard_does_not_overwrite_a_list_of_people(tmp_path, read) -> None:
    lists = {"contacts": tmp_path / "people.csv", "do_not_call": tmp_path / "stop.csv"}
    lists[read] = tmp_path / "list-1-of-2.csv"
    for path in lists.values():
        path.write_text("phone\n79260000001\n")
    files = {**{name: str(path) for name, path in lists.items()}, "results": str(tmp_path / "list.csv")}
    call = {"method": "start.informer_call", "virtual_phone_number": VNUMBER, "contact_message": TTS}
    operator = CallApiCampaignOperator(task_id="call", call=call, shard="1/2", **files)

    with pytest.raises(InvalidParameter, match=f"results: the file of {read} would be overwritten"):
        OutputFiles(operator._read_options(), logging.getLogger())
