"""Output that cannot be written: a full disk, a closed descriptor, a reader that ends."""

import subprocess
import sys

import pytest

# The redirections of a shell, the exit code, and what is on stderr.
CASES: dict[str, tuple[str, int, str]] = {
    "a full disk": ("lint examples > /dev/full", 2, "jobflow: the output cannot be written: No space left on device\n"),
    "a full disk for JSON": (
        "lint examples -o json > /dev/full",
        2,
        "jobflow: the output cannot be written: No space left on device\n",
    ),
    "a closed output": ("lint examples/first >&-", 0, ""),
    "a closed output of errors": ("lint nowhere 2>&-", 2, ""),
    "a full disk for errors": ("lint nowhere 2> /dev/full", 2, ""),
    "a reader that ends": ("lint examples | true; exit ${PIPESTATUS[0]}", 0, ""),
}


@pytest.mark.parametrize(("command", "code", "errors"), CASES.values(), ids=CASES.keys())
def test_output_that_cannot_be_written_ends_with_one_line_and_a_code(command: str, code: int, errors: str) -> None:
    program = "import sys; from cli.main import main; sys.exit(main())"
    shell = ["bash", "-c", f"{sys.executable} -c '{program}' {command}"]
    done = subprocess.run(shell, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, errors)
