"""Quantities read, count and print as Kubernetes' resource.Quantity does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.quantity import (
    NANO,
    WRONG_FORMAT,
    WRONG_NUMBER,
    WRONG_SUFFIX,
    Format,
    Quantity,
    QuantityError,
    fault,
    quantity,
)

CANONICAL = {
    "0": "0",
    "0Ki": "0",
    "100m": "100m",
    "0.1": "100m",
    "1000m": "1",
    "1500m": "1500m",
    "1.5": "1500m",
    "1024": "1024",
    "1024Ki": "1Mi",
    "1.5Gi": "1536Mi",
    "0.5Gi": "512Mi",
    "1Ki": "1Ki",
    "1023": "1023",
    "2000": "2k",
    "1e3": "1e3",
    "12E6": "12e6",
    "1E": "1E",
    "-500m": "-500m",
    "+3": "3",
    ".5": "500m",
    "5.": "5",
    "00500m": "500m",
    "0.1n": "1n",
    "1e-12": "1e-9",
    "1e-99999": "1e-9",
    "0.5Ki": "512",
    "0.0001Ki": "102400u",
    "100000000000000000000": "100E",
    "9Ei": "9223372036854775807",
}


@pytest.mark.parametrize(("text", "wanted"), CANONICAL.items(), ids=CANONICAL)
def test_a_quantity_prints_in_its_canonical_form(text: str, wanted: str) -> None:
    assert str(quantity(text)) == wanted


WRONG = {
    "": WRONG_FORMAT,
    "abc": WRONG_FORMAT,
    "1 Gi": WRONG_FORMAT,
    "1.2.3": WRONG_FORMAT,
    "4cores": WRONG_FORMAT,
    "10GB": WRONG_FORMAT,
    "1gi": WRONG_FORMAT,
    "1K": WRONG_SUFFIX,
    "1KiB": WRONG_FORMAT,
    "1mm": WRONG_SUFFIX,
    "1e": WRONG_SUFFIX,
    "1e999999999": WRONG_NUMBER,
    "9" * 5000: WRONG_NUMBER,
    "१": WRONG_FORMAT,
}


@pytest.mark.parametrize(("text", "wanted"), WRONG.items(), ids=[text[:12] or "empty" for text in WRONG])
def test_an_invalid_quantity_gives_the_message_of_kubernetes(text: str, wanted: str) -> None:
    assert fault(text) == wanted


def test_numbers_and_null_decode_as_kubernetes_decodes_them() -> None:
    assert str(quantity(4)) == "4"
    assert str(quantity(0.5)) == "500m"
    assert str(quantity(1e-7)) == "100e-9"
    assert quantity(None) == Quantity(0)
    with pytest.raises(QuantityError):
        quantity(True)
    with pytest.raises(QuantityError):
        quantity(["1"])


def test_whole_and_thousandths_round_away_from_zero() -> None:
    assert quantity("1500m").value == 2
    assert quantity("-1500m").value == -2
    assert quantity("1u").milli == 1
    assert quantity("2").milli == 2000
    assert quantity("2").is_integer
    assert not quantity("2500m").is_integer


def test_sums_keep_the_first_amounts_family_of_suffixes() -> None:
    assert str(quantity("1Gi") + quantity("1G")) == str(Quantity((2**30 + 10**9) * NANO, Format.BINARY_SI))
    assert str(quantity(None) + quantity("1Gi")) == "1Gi"
    assert str(quantity("50m") * 4) == "200m"
    assert quantity("1000m") <= quantity("1")


@given(st.integers(-(10**30), 10**30), st.sampled_from([Format.DECIMAL_SI, Format.DECIMAL_EXPONENT]))
def test_a_printed_quantity_reads_back_as_the_same_amount(nanos: int, form: Format) -> None:
    assert quantity(str(Quantity(nanos, form))).nanos == nanos


@given(st.integers(-(2**60), 2**60))
def test_binary_amounts_read_back_as_the_same_amount(units: int) -> None:
    assert quantity(str(Quantity(units * NANO, Format.BINARY_SI))).nanos == units * NANO


@given(st.text(max_size=12))
def test_any_text_is_a_quantity_or_a_known_fault(text: str) -> None:
    assert fault(text) in (None, WRONG_FORMAT, WRONG_NUMBER, WRONG_SUFFIX)
