"""Names mean one thing: public classes are unique, shared types are defined once, and no path of a machine is named."""

import ast
import re
import sys
from collections import defaultdict

from tests.structure.project import ROOT, committed_files, modules, public_classes


def test_public_class_names_are_unique_in_the_project() -> None:
    found = defaultdict(list)
    for module in modules():
        if module.path.parts[0] != "tests":
            for name in public_classes(module):
                found[name].append(module.name)
    assert {name: places for name, places in found.items() if len(places) > 1} == {}


def test_classes_of_the_tests_do_not_take_the_name_of_a_class_of_the_product() -> None:
    product = {name for module in modules() if module.path.parts[0] != "tests" for name in public_classes(module)}
    taken = {
        f"{module.name}.{name}"
        for module in modules()
        if module.path.parts[0] == "tests"
        for name in public_classes(module)
        if name in product
    }
    assert taken == set()


def test_the_type_of_a_body_is_defined_once() -> None:
    defined = [
        module.name
        for module in modules()
        for node in module.tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id == "Body"
    ]
    assert defined == ["shared.model.types"]


def test_no_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    own = re.compile("|".join(rf"{re.escape(path)}\b" for path in (str(ROOT), sys.prefix) if path.count("/") > 1))
    named = {
        str(path.relative_to(ROOT)): match.group()
        for path in committed_files()
        if (match := own.search(path.read_text(errors="ignore")))
    }
    assert named == {}
