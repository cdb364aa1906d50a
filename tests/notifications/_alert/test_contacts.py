"""The people whom an alert calls: read when the DAG is parsed, and one person only once."""

from __future__ import annotations

import pytest
from failing_callbacks import ON_DUTY, notifier, of_dag, rung

from airflow_provider_callapi.emulator import Script

pytest_plugins = ["airflow_desk"]


@pytest.mark.parametrize(
    "contact",
    [
        "8 916 000-00-01",
        "8\u2011916\u2011000\u201100\u201101",
        "8/916/000/00/01",
        "9160000001",
        "89160000001",
        89160000001.0,
    ],
)
def test_a_contact_is_rung_in_every_usual_spelling(desk, contact):
    notifier(contact, region="RU")(of_dag())

    assert rung(desk) == ["79160000001"]


@pytest.mark.parametrize(
    ("contact", "said"),
    [
        ("+79160000001 +79160000002", "number 1 of 1: several numbers"),
        (["79160000001", "8 916 000-00-0"], "number 2 of 2: "),
        ("7916000000179160000002", "more than 15 digits"),
        ("+8 (916) 000-00-01", "number 1 of 1: "),
        (["79160000001", "12"], "number 2 of 2: "),
        ([], "at least one"),
        (" , ", "at least one"),
    ],
)
def test_a_contact_that_cannot_be_rung_is_an_error_of_the_dag_file(contact, said):
    with pytest.raises(ValueError, match=f"contact: .*{said}") as caught:
        notifier(contact)

    assert "916" not in str(caught.value)


def test_a_region_must_be_known_or_a_template():
    notifier(region="{{ var.value.region }}")
    with pytest.raises(ValueError, match="region: 'Russia'"):
        notifier(region="Russia")


def test_a_person_with_two_spellings_is_called_once(desk):
    desk.exchange.default_script = Script.busy()

    notifier([ON_DUTY, f"+{ON_DUTY}", f"8{ON_DUTY[1:]}"])(of_dag())

    assert rung(desk) == [ON_DUTY]
