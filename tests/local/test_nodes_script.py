"""Commands that the node stand-in understands without running them."""

import math

import pytest

from local.nodes.kubelet.script import ScriptOutcome, foresee

PLAIN = {
    "the seed's own sleep": (["sh", "-c", "sleep 10s"], ScriptOutcome(seconds=10)),
    "sleep without a shell": (["sleep", "2"], ScriptOutcome(seconds=2)),
    "units and sums": (["/bin/sleep", "1m", "1.5"], ScriptOutcome(seconds=61.5)),
    "for ever": (["sleep", "infinity"], ScriptOutcome(seconds=math.inf)),
    "an exit code after a while": (["bash", "-ec", "sleep 1; exit 3"], ScriptOutcome(seconds=1, code=3)),
    "lines instead of semicolons": (["sh", "-c", "sleep 1\nsleep 2"], ScriptOutcome(seconds=3)),
    "output is kept": (["sh", "-c", "echo hello world && sleep 1"], ScriptOutcome(seconds=1, output="hello world\n")),
    "a termination message": (["sh", "-c", "echo -n A > /dev/termination-log"], ScriptOutcome(message="A")),
    "false stops the chain": (["sh", "-c", "false && sleep 9"], ScriptOutcome(code=1)),
    "false does not stop the script": (["sh", "-c", "false; sleep 9"], ScriptOutcome(seconds=9)),
    "exec is looked through": (["sh", "-c", "exec sleep 4"], ScriptOutcome(seconds=4)),
}


@pytest.mark.parametrize(("command", "wanted"), PLAIN.values(), ids=PLAIN)
def test_the_outcome_of_a_simple_command_is_known(command: list[str], wanted: ScriptOutcome) -> None:
    assert foresee(command) == wanted


OPAQUE = {
    "no command": [],
    "a program": ["python", "train.py"],
    "a variable": ["sh", "-c", "sleep $N"],
    "a pipe": ["sh", "-c", "echo a | cat"],
    "an alternative": ["sh", "-c", "false || sleep 1"],
    "the background": ["sh", "-c", "sleep 1 & sleep 2"],
    "a redirection elsewhere": ["sh", "-c", "echo a > /tmp/x"],
    "an open quotation": ["sh", "-c", "echo 'a"],
    "a shell with more arguments": ["sh", "-c", "sleep 1", "name"],
    "a duration that is none": ["sleep", "long"],
}


@pytest.mark.parametrize("command", OPAQUE.values(), ids=OPAQUE)
def test_other_commands_are_not_simulated(command: list[str]) -> None:
    assert foresee(command) is None
