"""Any value of any parameter is refused by name before a request, or the task does what is documented.

``CALLAPI_SWEEP=all pytest -n 0 -s tests/parameters/test_schema_sweep.py`` plays all values of all
parameters, and prints how many were sent, refused with the parameter's name, or something else.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from typing import Any

import pytest
from airflow_fakes import Desk, installed_task_state
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parameter_sweep import NASTY, OTHER, SUBJECTS, Subject, play

pytest_plugins = ["airflow_desk"]

EVERYTHING = os.environ.get("CALLAPI_SWEEP") == "all"
PAIRS = [(subject, name) for subject in SUBJECTS for name in subject.own_parameters]
WAYS = pytest.mark.parametrize("way", ["constant", "templated", "mapped"])


@pytest.fixture
def sweep(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Desk:
    """Return the desk. Files that a value names are in ``tmp_path``."""
    monkeypatch.chdir(tmp_path)
    return desk


@WAYS
@settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(pair=st.sampled_from(PAIRS), value=st.sampled_from(NASTY), native=st.booleans())
def test_a_value_is_refused_by_name_or_has_its_documented_effect(
    sweep: Desk, way: str, pair: tuple[Subject, str], value: Any, native: bool
) -> None:
    subject, name = pair
    assert not play(sweep, subject, name, value, way, native=native).startswith(OTHER)


@pytest.mark.parametrize("way", ["constant", "templated"])
@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        *(
            ("Campaign", name, "79160000001")
            for name in ("shard", "region", "timezone", "block_on", "dry_run")
        ),
        ("Campaign", "redial", {"79160000001": 1}),
        ("Campaign", "call", {"method": "79160000001"}),
        *(("Branch", name, "79160000001") for name in ("if_answered", "if_unknown")),
        ("Branch", "routes", {"tag:79160000001x": "ring"}),
        ("CallsReport", "fields", ["79160000001"]),
        *(("StartInformerCall", name, "79160000001") for name in ("region", "timezone", "delivery", "tags")),
    ],
)
def test_a_phone_number_in_place_of_another_value_is_not_shown(
    sweep: Desk, kind: str, name: str, value: Any, way: str
) -> None:
    (subject,) = (one for one in SUBJECTS if one.kind.__name__ == f"CallApi{kind}Operator")

    assert not play(sweep, subject, name, value, way, native=True).startswith(OTHER)


@pytest.mark.skipif(not EVERYTHING, reason="takes minutes; set CALLAPI_SWEEP=all")
@WAYS
def test_every_value_of_every_parameter_is_refused_by_name_or_has_its_documented_effect(
    sweep: Desk, way: str
) -> None:
    results: Counter[str] = Counter()
    others = []
    for subject, name in PAIRS:
        for value in NASTY:
            result = play(sweep, subject, name, value, way, native=True)
            results[result.split(":")[0]] += 1
            if result.startswith(OTHER):
                others.append(f"{subject.kind.__name__}.{name} = {value!r:.40}: {result}")
    sys.stderr.write(f"\n{way}: {dict(results)}, task state: {installed_task_state() is not None}\n")
    assert others == []
