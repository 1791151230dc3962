"""Every module stands in a layer: the import contracts of pyproject.toml leave nothing out.

`make lint` checks that the contracts are kept. An exhaustive contract of import-linter covers the children of its
containers; these tests check that every package is a container of one, and that every top-level folder is known.
"""

import re
from typing import Any, Final

from shared.graphs import directed
from tests.structure.project import (
    DOCUMENTS,
    ROOT,
    WINGS,
    committed_files,
    imports,
    modules,
    product,
    pyproject,
    python_files,
)

LINTER: Final[dict[str, Any]] = pyproject()["tool"]["importlinter"]
LAYERS: Final = [contract for contract in LINTER["contracts"] if contract["type"] == "layers"]


def names(layers: list[str]) -> set[str]:
    return {name for layer in layers for name in re.split(r"\s*[|:]\s*", layer)}


def covered() -> set[str]:
    """The modules that some layers contract names: by itself, or as a child of an exhaustive container."""
    found: set[str] = set()
    for contract in LAYERS:
        if "containers" not in contract:
            found |= names(contract["layers"])
        elif contract.get("exhaustive"):
            found |= {
                f"{container}.{name}" for container in contract["containers"] for name in names(contract["layers"])
            }
    return found


def test_every_wing_is_under_contract() -> None:
    assert set(LINTER["root_packages"]) == set(WINGS)
    assert set(WINGS) <= covered(), "the first contract says in which order the wings import each other"


def test_every_top_level_folder_is_a_wing_or_holds_no_python() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in committed_files() if len(path.relative_to(ROOT).parts) > 1}
    with_python = {path.relative_to(ROOT).parts[0] for path in python_files()}
    assert {folder for folder in folders if not folder.startswith(".")} <= {*WINGS, *DOCUMENTS}
    assert with_python <= set(WINGS)


def test_no_module_of_the_product_and_the_benchmarks_is_outside_of_all_layers() -> None:
    layered = covered()
    assert [m.name for m in modules() if m.path.parts[0] != "tests" and m.name not in layered] == []


def test_every_folder_of_the_tests_is_in_a_layer() -> None:
    layered = covered()
    assert {".".join(m.name.split(".")[:2]) for m in modules() if m.path.parts[0] == "tests"} <= layered


def test_every_folder_with_python_files_is_a_package() -> None:
    folders = {path.parent for path in python_files()}
    assert {str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").is_file()} == set()


def test_no_modules_import_each_other_in_a_cycle_not_even_for_annotations() -> None:
    graph = {module.name: tuple(sorted(imports(module) - {module.name})) for module in product()}

    assert directed.cycle(graph) is None
