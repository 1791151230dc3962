"""Calls that the library handles badly give correct results."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.expressions import EvalError
from shared.quantity import NANO, QuantityError, quantity
from tests.shared.expressions.make import value

TEXTS = {
    "up to the end": ('"abc".substring(0, 3)', "abc"),
    "inside": ('"abc".substring(1, 2)', "b"),
    "nothing": ('"abc".substring(3, 3)', ""),
    "beyond ASCII": ('"héé".substring(1, 3)', "éé"),
    "twice": ('"abcd".substring(1, 4).substring(1, 3)', "cd"),
    "in its own argument": ('"abc".substring(size("abc".substring(1, 3)), 3)', "c"),
    "in a loop": ('["abc", "de"].map(s, s.substring(0, 2))', ["ab", "de"]),
    "variables of the template's names": ('[3].map(b, "abc".substring(0, b).substring(0, b))', ["abc"]),
    "both": ('quantity("500m".substring(0, 4))', 0.5),
    "many": ("[" + ", ".join(["quantity(item)"] * 40) + "].size()", 40),
}


@pytest.mark.parametrize(("text", "wanted"), TEXTS.values(), ids=TEXTS)
def test_a_rewritten_call_gives_the_result_of_the_specification(text: str, wanted: object) -> None:
    assert value(text, item="2Gi") == wanted


ERRORS = {
    "beyond the end": ('"abc".substring(0, 4)', "greater than <string>.size()"),
    "error in an argument": ('"abc".substring(1 / 0, 2)', "divide by zero"),
    "error in a quantity": ("quantity(string(1 / 0))", "divide by zero"),
    "no quantity": ("quantity(item)", "quantity('1Gu'): unable to parse quantity's suffix"),
    "no quantity, written out": ('quantity("1Gu")', "quantity('1Gu'): unable to parse quantity's suffix"),
}


@pytest.mark.parametrize(("text", "wanted"), ERRORS.values(), ids=ERRORS)
def test_a_rewritten_call_raises_the_same_errors(text: str, wanted: str) -> None:
    found = value(text, item="1Gu")
    assert isinstance(found, EvalError)
    assert wanted in found.message


_numbers = st.from_regex(r"[+-]?[0-9]{1,7}(\.[0-9]{1,4})?(m|Ki|Mi|Gi|Ti|k|M|G|T|n|u|P|e[0-9]|)", fullmatch=True)


@given(st.one_of(_numbers, st.text("0123456789.+-eEinumkKMGTP ", max_size=8)))
@settings(deadline=None)
def test_a_quantity_is_the_number_that_kubernetes_reads(text: str) -> None:
    assume(any(letter.isdigit() for letter in text))  # Kubernetes reads "." and "+" as zero; here they are errors
    found = value("quantity(item)", item=text)
    try:
        wanted = quantity(text).nanos / NANO
    except QuantityError:
        assert isinstance(found, EvalError)
    else:
        assert found == wanted
