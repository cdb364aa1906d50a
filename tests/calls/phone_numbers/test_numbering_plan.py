"""The countries of phone numbers, and the lengths of their national numbers."""

from __future__ import annotations

import phonenumbers
import pytest

from airflow_provider_callapi.calls.phone_numbers.numbering_plan import NumberingPlan, regions_of


def test_the_countries_of_numbers_are_found_by_their_country_codes() -> None:
    assert regions_of(["79260000001", "14155552671", "sip25@x.ru", "", "380501234567"]) == {"RU", "US", "UA"}
    assert regions_of([]) == frozenset()


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_each_example_number_has_the_country_and_the_length_of_its_region(region: str) -> None:
    example = phonenumbers.example_number(region)
    assert example is not None
    national = phonenumbers.national_significant_number(example)
    (found,) = regions_of([f"{example.country_code}{national}"])
    assert phonenumbers.country_code_for_region(found) == example.country_code
    plan = NumberingPlan.of(region)
    assert plan.has_national_length(national)
    assert plan.has_national_length(plan.national_prefix + national)
