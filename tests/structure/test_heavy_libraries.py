"""Large libraries, and parts of the process, that few clusters need are imported only when they are used."""

import subprocess
import sys

import pytest

JOB_PARTS = ("controller.job", "controller.gang", "controller.queue")
LOADED_WHEN_USED = {
    "controller.main": (
        "cel_expr_python",
        "google.protobuf",
        "cryptography",
        "kubernetes",
        "yaml",
        "jsonschema",
        *JOB_PARTS,
    ),
    "webhook.main": ("cel_expr_python", "google.protobuf", "cryptography", "kubernetes", "yaml", "jsonschema"),
    "shared.expressions": ("cel_expr_python", "google.protobuf"),
}


@pytest.mark.parametrize(("module", "libraries"), LOADED_WHEN_USED.items(), ids=LOADED_WHEN_USED.keys())
def test_importing_a_process_does_not_import_the_library(module: str, libraries: tuple[str, ...]) -> None:
    program = f"import sys, {module}; print([one for one in {libraries!r} if one in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("module", ["controller.__main__", "webhook.__main__", "web.__main__"])
def test_a_process_starts_without_the_systems_certificate_authorities_and_the_c_plus_plus_library(module: str) -> None:
    program = (
        f"import sys, {module}, aiohttp.connector as connector; "
        "print('frozenlist._frozenlist' in sys.modules, connector._SSL_CONTEXT_VERIFIED.get_ca_certs())"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False []"
