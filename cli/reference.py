"""`python -m cli.reference` writes docs/command.md from the verbs; `--check` only checks that it is up to date."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from cli.exits import MEANINGS, Exit
from cli.parser import DESCRIPTION
from cli.verbs import CLUSTER_FLAGS, VERBS, Argument, Verb, defaults_of
from shared.crd import generated

PAGE: Final = Path("docs/command.md")
_HEAD: Final = f"""# The `jobflow` command

<!-- Generated from cli/verbs by `make generate`; do not edit. -->

{DESCRIPTION} It is also a plugin of kubectl: `kubectl jobflow list`.

Colours appear only on a terminal, and not if `NO_COLOR` is set. Progress and hints go to
stderr, so that stdout can be piped. `JOBFLOW_DEBUG=1` prints a traceback after an unexpected error.
"""


def render() -> str:
    """The whole page."""
    parts = [_HEAD, _contents(), _table("Flags of every verb that uses a cluster", CLUSTER_FLAGS)]
    parts += ["\n".join(_verb(verb)) for verb in VERBS]
    parts.append("\n".join(_exits()))
    return "\n".join(parts)


def _contents() -> str:
    rows = [f"| [`{verb.name}`](#jobflow-{verb.name.replace(' ', '-')}) | {verb.help} |" for verb in VERBS]
    return "\n".join(("| Verb | |", "|---|---|", *rows, ""))


def _verb(verb: Verb) -> Iterator[str]:
    yield f"## jobflow {verb.name}\n"
    yield f"{verb.help[:1].upper()}{verb.help[1:]}.\n"
    yield f"```\n{_usage(verb)}\n```\n"
    if verb.arguments or verb.formats:
        yield _rows((*verb.arguments, *_output(verb)))
    if verb.examples:
        yield "```sh\n" + "\n".join(verb.examples) + "\n```\n"


def _usage(verb: Verb) -> str:
    words = [f"jobflow {verb.name}"]
    words += [_word(argument) for argument in (*verb.arguments, *_output(verb))]
    return " ".join(words)


def _word(argument: Argument) -> str:
    options = argument.options
    shown = str(options.get("metavar") or "|".join(options.get("choices", ())))
    if argument.flags[0].startswith("-"):
        return f"[{argument.flags[0]}{f' {shown}' if shown else ''}]"
    return f"{shown} [{shown} ...]" if options.get("nargs") == "+" else shown


def _output(verb: Verb) -> Iterator[Argument]:
    if verb.formats:
        default = defaults_of(verb.formats) or "a table"
        flags = ("-o", "--output")
        yield Argument(flags, {"metavar": "|".join(verb.formats), "help": f"what to print; default: {default}"})


def _table(head: str, arguments: Iterable[Argument]) -> str:
    return f"## {head}\n\n{_rows(arguments)}"


def _rows(arguments: Iterable[Argument]) -> str:
    rows = ["| | |", "|---|---|"]
    for argument in arguments:
        options = argument.options
        names = ", ".join(argument.flags) if argument.flags[0].startswith("-") else ""
        shown = str(options.get("metavar") or "|".join(options.get("choices", ())))
        left = " ".join(part for part in (names, shown) if part).replace("|", "\\|")
        rows.append(f"| `{left}` | {str(options.get('help', '')).replace('|', chr(92) + '|')} |")
    return "\n".join((*rows, ""))


def _exits() -> Iterator[str]:
    yield "## Exit codes\n"
    yield "| Code | Meaning |\n|---|---|"
    for code in Exit:
        yield f"| {code.value} | {MEANINGS[code]} |"
    yield ""


def main(argv: list[str] | None = None) -> int:
    return generated.keep(f"{__package__}.reference", __doc__, PAGE, render, argv)


if __name__ == "__main__":
    sys.exit(main())
