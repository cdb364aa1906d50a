"""A try learns from a few numbers of Airflow whether a user has cleared its task."""

from __future__ import annotations

from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.calls.clears import Clears

RETRIES = st.integers(0, 5)


@given(before=RETRIES, now=RETRIES, data=st.data())
def test_a_clear_is_noticed_with_any_retries_in_the_dag_file(before: int, now: int, data: st.DataObject):
    tries = data.draw(st.integers(1, before + 1), label="tries before the clear")
    # The DAG file may have changed between the creation of the DAG run and the first try.
    first = data.draw(st.sampled_from([before, now]), label="retries in the first try")
    earlier = Clears(before, first, 0, data.draw(st.integers(0, tries - 1), label="the try of the record"))

    cleared = Clears(tries + now, now, 1, tries)  # Airflow: max_tries = tries + retries of the DAG file
    assert cleared.since(earlier)
    assert Clears(tries + now, now, 1, tries + 1).since(earlier), "the try after the clear stored nothing"
    assert not Clears(tries + now, now, 2, tries + 1).since(cleared), "another task was cleared"


@given(generation=RETRIES, before=RETRIES, now=RETRIES, run_clears=st.integers(0, 5), tries=st.integers(1, 5))
def test_a_retry_is_no_clear_with_any_retries_in_the_dag_file(generation, before, now, run_clears, tries):
    earlier = Clears(generation, before, run_clears, tries - 1)

    assert not Clears(generation, now, run_clears, tries).since(earlier)


@given(before=RETRIES, more=st.integers(0, 5), tries=st.integers(1, 5), run_clears=st.integers(1, 5))
def test_a_retry_is_no_clear_if_the_dag_file_has_more_retries_and_another_task_was_cleared(
    before, more, tries, run_clears
):
    assert not Clears(before, before + more, run_clears, tries).since(Clears(before, before, 0, tries - 1))


@given(generation=RETRIES, now=RETRIES, run_clears=st.integers(0, 5))
def test_a_record_of_an_earlier_version_is_compared_by_the_generation_alone(generation, now, run_clears):
    assert not Clears(generation, now, run_clears).since(Clears(generation))
    assert Clears(generation + 1, now, run_clears).since(Clears(generation))


@given(st.builds(Clears, st.integers(), st.integers(), st.integers(), st.integers()))
def test_a_record_gives_back_the_numbers_that_it_has_stored(clears: Clears) -> None:
    assert Clears.of({**asdict(clears), "stage": "sending"}) == clears
    assert Clears.of({"generation": 3, "stage": "sending"}) == Clears(3)
