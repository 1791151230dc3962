"""Text of users in the output of commands: control characters in it are spelled out, whatever the command."""

import unicodedata
from pathlib import Path

import pytest
import yaml

from shared.model.types import Body
from tests.cli.make import CliCommand
from tests.webhook.make import flow, step

RED = "\x1b[31mred\x9b0m"
SHOWN = "^[[31mred\\x9b0m"
FLOW = flow(step("a"), name="nightly")
SWITCH = flow(
    {"name": "pick", "switch": {"value": "'x'", "cases": [{"when": [RED], "run": ["a"]}]}}, step("a"), name="nightly"
)
POLICY: Body = {
    "apiVersion": "policy.jobflow.dev/v1alpha1",
    "kind": "JobFlowPolicy",
    "metadata": {"name": "small"},
    "spec": {"rules": [{"name": "none", "expression": "false", "message": RED}]},
}


def written(path: Path, body: Body) -> str:
    """With escaped control characters, because YAML has no others."""
    path.write_text(yaml.safe_dump(body))
    return str(path)


def policy_test(folder: Path) -> str:
    cases = [{"name": RED, "resource": "JobFlow/nightly", "expect": "allowed"}]
    body = {"kind": "PolicyTest", "policies": [POLICY], "resources": [FLOW], "cases": cases}
    return written(folder / "policy-test.yaml", body)


@pytest.mark.parametrize(
    "case", ["lint", "policy explain", "policy test", "graph ascii", "graph mermaid", "graph dot", "graph svg"]
)
def test_control_characters_are_spelled_out(case: str, command: CliCommand, tmp_path: Path) -> None:
    policy, plain, switch = (
        written(tmp_path / f"{name}.yaml", body)
        for name, body in (("policy", POLICY), ("flow", FLOW), ("switch", SWITCH))
    )
    ran = command(
        *{
            "lint": ("lint", plain, "--policy", policy),
            "policy explain": ("policy", "explain", plain, "--policy", policy),
            "policy test": ("policy", "test", policy_test(tmp_path)),
        }.get(case, ("graph", switch, "-o", case.rpartition(" ")[2]))
    )
    printed = ran.out + ran.err
    assert SHOWN in printed
    assert not [each for each in printed if unicodedata.category(each) == "Cc" and each not in "\t\n"]
