"""Server processes import aiohttp without the certificate authorities of the system."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

PROGRAM = """
import json, os, ssl, sys

seen = []
load = ssl.SSLContext.load_default_certs

def recorded(self, *arguments):
    seen.append([os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")])
    load(self, *arguments)

ssl.SSLContext.load_default_certs = recorded
from shared.kube.start import prepare_imports
prepare_imports()
after = [os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")]
print(json.dumps({"seen": seen, "after": after, "imported": "aiohttp" in sys.modules}))
"""


def outcome(**environment: str) -> Any:
    given = {name: value for name, value in os.environ.items() if not name.startswith("SSL_CERT_")}
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=given | environment
    )
    return json.loads(ran.stdout)


@pytest.mark.parametrize("environment", [{}, {"SSL_CERT_FILE": "/some/file"}])
def test_no_authorities_are_loaded_and_the_environment_stays(environment: dict[str, str]) -> None:
    found = outcome(**environment)
    assert found["imported"]
    assert found["seen"] == [[os.devnull, os.devnull]]
    assert found["after"] == [environment.get("SSL_CERT_FILE"), None]
