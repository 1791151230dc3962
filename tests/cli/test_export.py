"""`export`: manifests as Python."""

from pathlib import Path

from tests.cli.make import CliCommand, write
from tests.webhook.make import flow, step


def test_a_flow_becomes_a_python_module(command: CliCommand, tmp_path: Path) -> None:
    file = write(tmp_path / "flow.yaml", flow(step("a"), step("b", "a"), name="nightly"))
    ran = command("export", "--python", file)
    assert ran.code == 0
    assert 'with Flow("nightly"' in ran.out
    assert "    a >> b\n" in ran.out
    compile(ran.out, "nightly.py", "exec")


def test_a_file_that_breaks_the_schema_is_refused(command: CliCommand, tmp_path: Path) -> None:
    ran = command("export", "--python", write(tmp_path / "flow.yaml", flow({"nme": "a"})))
    assert ran.code == 2
    assert "do not match their schema" in ran.err
