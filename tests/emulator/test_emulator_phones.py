"""The numbers by which a test names phones."""

from __future__ import annotations

import pytest
from emulator_client import CONTACT
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.emulator import Exchange, Script
from airflow_provider_callapi.emulator.phones import read_phone

SPELLINGS = [CONTACT, f"+{CONTACT}", "+7 916 123-45-67", "+7 (916) 123-45-67"]
WRONG = ["8 916 123-45-67", "89161234567", "7 916 123-45-67", "+7.916.123.45.67", "", 79161234567, None]


@pytest.mark.parametrize("phone", SPELLINGS)
def test_every_spelling_with_a_plus_names_the_phone_that_rings(api, exchange, phone):
    exchange.expect_ring(phone, Script.busy(), times=0)
    api.start("start.informer_call")

    assert (exchange.rings(phone), exchange.calls[0].script) == (1, Script.busy())
    with pytest.raises(AssertionError, match=r"7916…4567 \(contact\) once. The test expects no ring"):
        exchange.check_rings()


@pytest.mark.parametrize("phone", WRONG)
@pytest.mark.parametrize(
    "name_phone",
    [
        lambda exchange, phone: exchange.expect_ring(phone, times=0),
        lambda exchange, phone: exchange.script(phone, Script()),
        Exchange.rings,
        Exchange.inbound,
    ],
    ids=["expect_ring", "script", "rings", "inbound"],
)
def test_a_number_that_can_never_ring_is_refused(exchange, phone, name_phone):
    with pytest.raises(ValueError, match="phone: digits only are needed") as caught:
        name_phone(exchange, phone)

    assert "916" not in str(caught.value).replace(CONTACT, "")


@given(st.text(alphabet="+78916 ()-./\u00a0", min_size=1, max_size=20))
def test_a_number_is_read_as_digits_or_refused(text):
    try:
        number = read_phone(text)
    except ValueError:
        return
    assert number.isascii()
    assert number.isdigit()
