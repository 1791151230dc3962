"""Scalars of YAML, as kubectl 1.36 sends them. tests/e2e/flows/test_yaml.py compares the same texts with kubectl."""

from typing import Any, Final

import pytest

from webhook.lint.yaml_lines import Document, documents

SENT: Final[dict[str, Any]] = {
    "y": True,
    "N": False,
    "Yes": True,
    "off": False,
    "truE": "truE",
    "oN": "oN",
    "12:30": "12:30",
    "190:20:30": "190:20:30",
    "0o7": 7,
    "-0o7": -7,
    "0O7": 7,
    "0777": 511,
    "08": 8,
    "0x1F": 31,
    "0X1F": 31,
    "-0b1": -1,
    "0b2": "0b2",
    "0x": "0x",
    "0xFFFFFFFFFFFFFFFFFF": "0xFFFFFFFFFFFFFFFFFF",
    "1_000": 1000,
    "_1": "_1",
    "-_1": -1,
    "1e3": 1000,
    "12e03": 12000,
    "1e": "1e",
    "1.": 1,
    "1.0": 1,
    ".5": 0.5,
    "-.5": -0.5,
    ".1e3": 100,
    "1._5": 1.5,
    "1e-7": 1e-7,
    "1e400": "1e400",
    "1e18": 10**18,
    "9223372036854775807": 2**63 - 1,
    "9223372036854775808": float(2**63),
    "123456789012345678901234567890": 1.2345678901234568e29,
    "0x1p3": "0x1p3",
    "1.2.3": "1.2.3",
    "2026-01-01": "2026-01-01",
    "2001-12-14t21:59:43.10-05:00": "2001-12-14t21:59:43.10-05:00",
    "5m": "5m",
    "~": None,
    "NULL": None,
    "nUll": "nUll",
    "=": "=",
    '"yes"': "yes",
    "'5'": "5",
    "!!str 5": "5",
    "!!str y": "y",
    '!!int "5"': 5,
    "!!float 1": 1,
    '!!bool "yes"': True,
    "!!binary aGk=": "hi",
    "!!timestamp 2026-01-01": "2026-01-01",
}


@pytest.mark.parametrize("text", SENT)
def test_a_scalar_is_read_as_kubectl_reads_it(text: str) -> None:
    (found,) = documents(f"- {text}\n")
    assert isinstance(found, Document)
    (value,) = found.body
    assert (type(value), value) == (type(SENT[text]), SENT[text])
