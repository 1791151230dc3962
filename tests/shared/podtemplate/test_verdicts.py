"""The rules give kube-apiserver's verdicts on random templates. Its answers are stored, so that no API server is needed.

`tests/e2e/real/test_pod_rules.py` asks a real kube-apiserver again.
"""

from pathlib import Path

from shared.podtemplate import check_template
from tests.shared.podtemplate.mutations import template

ANSWERS = (Path(__file__).parent / "answers.txt").read_text().split()


def accepted(seed: int) -> bool:
    """Whether kube-apiserver 1.36 accepts a pod of this template: a bit of a row of hexadecimal digits."""
    row, bit = divmod(seed, 256)
    return bool(int(ANSWERS[row], 16) >> bit & 1)


def test_every_verdict_is_kube_apiservers() -> None:
    seeds = range(len(ANSWERS) * 256)
    assert len(seeds) >= 2000
    assert [seed for seed in seeds if accepted(seed) == bool(check_template(template(seed), "T"))] == []


def test_many_templates_are_accepted_and_many_refused() -> None:
    share = sum(map(accepted, range(2000))) / 2000
    assert 0.2 < share < 0.8
