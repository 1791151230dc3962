"""jsonschema is imported without the grammars of a format that nothing here uses, and without harm to those who do."""

import os
import subprocess
import sys
from pathlib import Path

GRAMMARS = """
print("grammars are loaded")

def is_valid_syntax(term, value):
    return (term, value) == ("iri", "good")
"""
PROGRAM = """
import sys
from webhook.verdict.schema_faults import load_jsonschema
found = load_jsonschema()
import jsonschema
print(found is jsonschema, "rfc3987_syntax" in sys.modules)
formats = found.Draft202012Validator.FORMAT_CHECKER
print(formats.conforms("good", "iri"), formats.conforms("bad", "iri"), load_jsonschema() is found)
"""


def test_the_grammars_are_loaded_by_the_first_who_checks_the_format(tmp_path: Path) -> None:
    (tmp_path / "rfc3987_syntax.py").write_text(GRAMMARS)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment)
    assert ran.stdout.splitlines() == ["True False", "grammars are loaded", "True False True"]
