"""What kubectl sends for YAML, beside what `jobflow lint` reads."""

import json

from tests.e2e.support.scenario import Scenario
from tests.webhook.test_yaml_scalars import SENT
from webhook.lint.yaml_lines import Document, documents

KEYS = ("1", "yes", "n", "0x10", "0777", "1.10", "1e3", "2026-01-01", "12:30")


def _number(text: str) -> int | float:
    """As the API server reads it: integers have 64 bits."""
    value = int(text)
    return value if -(2**63) <= value < 2**63 else float(text)


def test_lint_reads_scalars_and_keys_as_kubectl_sends_them(scenario: Scenario) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: scalars}\nvalues:\n"
    text += "".join(f"- {each}\n" for each in SENT) + "keys:\n" + "".join(f"  {each}: x{each}\n" for each in KEYS)
    done = scenario.cluster.kubectl(
        "create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-", stdin=text
    )
    sent = json.loads(done.stdout, parse_int=_number)
    (read,) = documents(text)
    assert isinstance(read, Document)
    assert read.body["keys"] == sent["keys"]
    assert read.body["values"] == sent["values"]
