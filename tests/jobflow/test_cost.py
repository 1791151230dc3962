"""What the package costs: time and memory of the import, and what each use loads."""

import json
import subprocess
import sys
from typing import Any, Final

import pytest

BUILD: Final = """
from jobflow import Flow, Job
with Flow("f") as flow:
    a, b = Job("a", image="i", outputs=["x"]), Job("b", image="i")
    a >> b
    b.when(a.outputs["x"].as_int() > 1)
"""
USES: Final = {
    "import": "import jobflow",
    "build": f"{BUILD}flow.manifests()",
    "lint": f"{BUILD}assert flow.lint().ok",
    "simulate": f"{BUILD}assert flow.simulate(outputs={{'a': {{'x': 2}}}}).succeeded",
}
HEAVY: Final = (
    "aiohttp",
    "cel_expr_python",
    "cryptography",
    "jsonschema",
    "kubernetes",
    "kubernetes_validate",
    "lark",
    "rfc3987_syntax",
    "rich",
    "yaml",
)
LOADED: Final[dict[str, set[str]]] = {
    "import": set(),
    "build": set(),
    "lint": {"cel_expr_python", "jsonschema"},
    "simulate": {"cel_expr_python", "jsonschema"},
}
MEASURE: Final = """
import json, re, sys, time
started = time.process_time()
{use}
seconds = time.process_time() - started
found = [name for name in {heavy} if name in sys.modules]
peak = int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) / 1024
print(json.dumps([seconds, peak, found]))
"""


def measured(use: str) -> Any:
    """(CPU seconds, MiB, heavy packages) of a new process."""
    program = MEASURE.format(use=USES[use], heavy=HEAVY)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)


def test_the_import_takes_less_than_100_ms_and_25_mib() -> None:
    seconds, size, _ = measured("import")
    assert seconds < 0.1
    assert size < 25


@pytest.mark.parametrize("use", USES)
def test_each_use_loads_what_it_needs_and_no_more(use: str) -> None:
    assert set(measured(use)[2]) == LOADED[use]


def test_the_first_lint_takes_less_than_60_mib() -> None:
    seconds, size, _ = measured("lint")
    assert size < 60
    assert seconds < 1.5
