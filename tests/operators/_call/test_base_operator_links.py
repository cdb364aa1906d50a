"""The link to a call's recording in Airflow's UI exists only if the author asked for the recording."""

from __future__ import annotations

import copy

import pytest
from airflow.providers.common.compat.sdk import DAG
from airflow.serialization import serialized_objects
from airflow_fakes import CONTACT, TTS, VNUMBER

from airflow_provider_callapi.operators.start_call import CallApiStartInformerCallOperator

SERIALIZATION = (
    getattr(serialized_objects, "DagSerialization", None) or serialized_objects.SerializedDAG
)  # older
FIXED = {
    "task_id": "call",
    "virtual_phone_number": VNUMBER,
    "contact_message": TTS,
    "wait_for_completion": True,
}


@pytest.mark.parametrize(("options", "links"), [({}, set()), ({"recording_link": True}, {"Recording"})])
@pytest.mark.parametrize("mapped", [False, True], ids=["one task", "mapped task"])
def test_airflow_shows_the_link_only_if_the_author_asked_for_the_recording(options, links, mapped):
    with DAG("calls") as dag:
        if mapped:
            CallApiStartInformerCallOperator.partial(**FIXED, **options).expand(contact=[CONTACT])
        else:
            CallApiStartInformerCallOperator(**FIXED, **options, contact=CONTACT)

    (task,) = SERIALIZATION.to_dict(dag)["dag"]["tasks"]

    assert set(task["__var"].get("_operator_extra_links", {})) == links


@pytest.mark.parametrize("options", [{}, {"recording_link": True}])
def test_airflow_can_iterate_over_the_links_of_a_task_that_it_has_not_unmapped(options):
    # Otherwise, Airflow runs no callback of a mapped task whose map index fails before it is unmapped.
    with DAG("calls") as dag:
        CallApiStartInformerCallOperator.partial(**FIXED, **options).expand(contact=[CONTACT])

    assert list(dag.get_task("call").operator_extra_links) == []
    assert copy.deepcopy(dag.get_task("call").operator_extra_links) is not None


@pytest.mark.parametrize("asked", [False, True])
def test_a_task_stores_a_link_only_if_the_author_asked_for_the_recording(asked):
    task = CallApiStartInformerCallOperator(**FIXED, contact=CONTACT, recording_link=asked)

    assert [link.name for link in task.operator_extra_links] == (["Recording"] if asked else [])


@pytest.mark.parametrize(("url", "link"), [("https://records/1.mp3", "https://records/1.mp3"), (None, "")])
def test_the_link_leads_to_the_recording_that_the_try_has_found(url, link):
    task = CallApiStartInformerCallOperator(**FIXED, contact=CONTACT, recording_link=True)
    task.recording_url = url
    (recording,) = task.operator_extra_links

    assert recording.get_link(task, ti_key=None) == link
