"""Expressions of policies that read a field which the webhook sets are left to the webhook: the list of these fields."""

import ast
from collections.abc import Iterator
from pathlib import Path

from shared.policy.admission.own_rules import SET_BY_WEBHOOK
from webhook import defaults

OTHER_KINDS = {"podgroup", "queue"}
"""Modules about kinds that policies do not judge."""


def set_fields(module: Path) -> Iterator[str]:
    """The fields of specs in the paths of the `Setting`s that a module makes."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Setting":
            path = node.args[0]
            assert isinstance(path, ast.Tuple), f"{module.name}, line {node.lineno}: write the path as a tuple"
            words = [each.value for each in path.elts if isinstance(each, ast.Constant)]
            if words[0] != "metadata":
                yield str(words[-1])


def test_the_list_has_the_fields_that_the_defaults_set_and_no_others() -> None:
    modules = [each for each in Path(defaults.__path__[0]).glob("*.py") if each.stem not in OTHER_KINDS]
    found = {field for module in modules for field in set_fields(module)}
    assert found - {"name"} == SET_BY_WEBHOOK, (
        "see shared.policy.admission.own_rules; `name` of tasks is dealt with there"
    )
