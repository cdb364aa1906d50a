"""Paths in Airflow's object storage."""

from __future__ import annotations

import traceback

import pytest

from airflow_provider_callapi.exceptions import CallApiFailure
from airflow_provider_callapi.operators._storage import open_path, prepare_output_path


@pytest.mark.parametrize("open_it", [open_path, prepare_output_path])
@pytest.mark.parametrize("scheme", ["s3", "sftp", "https", "file+unknown"])
@pytest.mark.parametrize("user", ["user:pa55word", ":pa55word", "user:pa/55word", "user:1234/pa55word"])
def test_an_error_about_a_path_with_a_password_names_the_parameter_but_not_the_password(
    open_it, scheme, user
) -> None:
    with pytest.raises(CallApiFailure, match="results: the path contains a password") as failure:
        open_it(f"{scheme}://{user}@host/people.csv", "results")

    assert "55word" not in "".join(traceback.format_exception(failure.value))


@pytest.mark.parametrize("path", ["unknown://my_conn@host/people.csv", "unknown://host:22/people.csv"])
def test_an_error_about_a_path_without_a_password_shows_the_path(path) -> None:
    with pytest.raises(CallApiFailure, match=f"contacts: {path} cannot be used"):
        open_path(path, "contacts")
