"""`kubectl_complete-jobflow`: kubectl runs it to complete `kubectl jobflow ...`, by its convention for plugins."""

import io
import os
import shlex
import sys
from collections.abc import Sequence
from typing import Final

_NO_FILES: Final = ":4"  # cobra's directive ShellCompDirectiveNoFileComp: the shell adds no file names


def main() -> int:
    """Print one word per line with its description after a tab, then the directive."""
    print(*completions(sys.argv[1:] or [""]), _NO_FILES, sep="\n")
    return 0


def completions(words: Sequence[str]) -> list[str]:
    """The completions that the scripts of the shells would get.

    `words`: the words after `jobflow`; the last one is to be completed.
    """
    import argcomplete

    from cli.parser import build

    line = " ".join(("jobflow", *map(shlex.quote, words[:-1]), words[-1]))
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_DFS": "\t",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
    }
    os.environ.update(asked | {"COMP_LINE": line, "COMP_POINT": str(len(line.encode()))})
    found = io.StringIO()
    argcomplete.autocomplete(
        build("kubectl jobflow"), always_complete_options=False, exit_method=lambda code: None, output_stream=found
    )
    return [word.strip() for word in found.getvalue().splitlines() if word.strip()]


if __name__ == "__main__":
    sys.exit(main())
