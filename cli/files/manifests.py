"""Reads manifests from files, folders and stdin: one Manifest for each object of any kind."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from cli.exits import CliError, Exit
from webhook.lint.manifests import Manifest, manifests
from webhook.lint.places import Broken

ENDINGS: Final = (".yaml", ".yml", ".json")
STDIN: Final = "-"


def files(names: Iterable[str]) -> Iterator[str]:
    """All manifest files of `names`; folders are searched recursively. Raises CliError."""
    for name in names:
        path = Path(name)
        if name == STDIN or path.is_file():
            yield name
        elif path.is_dir():
            found = sorted(str(each) for each in path.rglob("*") if each.suffix in ENDINGS and each.is_file())
            if not found:
                raise CliError(f"{name}: contains no file that ends in {', '.join(ENDINGS)}")
            yield from found
        else:
            raise CliError(f"{name}: no such file or folder")


def read(name: str) -> str:
    """The text of a file or of stdin. Raises CliError."""
    try:
        data = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CliError(f"{shown(name)}: not UTF-8 (byte {error.start})") from error
    except OSError as error:
        raise CliError(f"{shown(name)}: {error.strerror}") from error


def parse(file: str, text: str) -> Iterator[Manifest | Broken]:
    """The objects in a text; stops at a syntax error."""
    return manifests(shown(file), text)


def load(names: Iterable[str]) -> list[Manifest]:
    """All objects of all files. Raises CliError at the first error."""
    found = []
    for name in files(names):
        for each in parse(name, read(name)):
            if isinstance(each, Broken):
                raise CliError(f"{each.file}:{each.place.line}: {each.message}", Exit.USAGE)
            found.append(each)
    return found


def shown(file: str) -> str:
    return "stdin" if file == STDIN else file


def is_file(text: str) -> bool:
    """Whether an argument that may be a file or a name is a file."""
    return text == STDIN or text.endswith(ENDINGS) or Path(text).exists()
