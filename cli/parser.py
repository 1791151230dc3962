"""The argument parser, built from cli.verbs."""

import argparse
import contextlib
import os
import re
import sys
from collections.abc import Iterable
from typing import Any, Final, NoReturn

from cli.exits import Exit
from cli.verbs import CLUSTER_FLAGS, GROUPS, VERBS, Argument, Verb, defaults_of

DESCRIPTION: Final = "Batch workflows on Kubernetes: check, run, watch and control JobFlows."
_OUTPUT: Final = "what to print"
_NO_TERMINAL: Final = 80
_CHOICE: Final = re.compile(r"invalid choice: '([^']*)' \(choose from (.*)\)")


class _Help(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of examples."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


def _columns() -> int:
    """The width of the terminal, as shutil has it. argparse asks for each argument, also if it prints no help, and the
    import of shutil with all compression formats takes longer than the parser."""
    with contextlib.suppress(ValueError):
        if (given := int(os.environ.get("COLUMNS", ""))) > 0:
            return given
    with contextlib.suppress(OSError):
        return os.get_terminal_size().columns or _NO_TERMINAL
    return _NO_TERMINAL


class _Parser(argparse.ArgumentParser):
    """Suggests similar verbs, and prints the help if no verb is given."""

    def error(self, message: str) -> NoReturn:
        if message.endswith("required: VERB"):
            self.print_help(sys.stderr)
            self.exit(Exit.USAGE)
        if found := _CHOICE.search(message):
            from webhook.hints.names import did_you_mean

            message = message.replace(" (choose", did_you_mean(found[1], re.findall(r"[\w-]+", found[2])) + " (choose")
        super().error(message)


def build(prog: str = "jobflow", word: str = "") -> argparse.ArgumentParser:
    """The whole parser, or only the verbs that begin with `word` if there are any: it takes a fifth of the time. Each
    verb sets `function`, `module:function` below cli.commands.
    """
    parser = _Parser(prog=prog, description=DESCRIPTION, formatter_class=_Help, allow_abbrev=False)
    parser.add_argument("--version", action=_Version, help="print the version")
    _add(parser, CLUSTER_FLAGS)
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    groups: dict[str, Any] = {}
    for verb in [verb for verb in VERBS if verb.name.partition(" ")[0] == word] or VERBS:
        group, _, name = verb.name.rpartition(" ")
        if group and group not in groups:
            made = verbs.add_parser(group, help=GROUPS[group], description=GROUPS[group], formatter_class=_Help)
            groups[group] = made.add_subparsers(title="verbs", metavar="VERB", required=True)
        _verb(groups[group] if group else verbs, name, verb)
    return parser


class _Version(argparse.Action):
    """Prints the version, which is read only when it is requested."""

    def __init__(self, option_strings: list[str], dest: str, help: str) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from cli.commands.about import version

        parser.exit(version(argparse.Namespace(output="")))


def _verb(verbs: Any, name: str, verb: Verb) -> None:
    description = verb.help[:1].upper() + verb.help[1:] + "."
    examples = "\n".join(("examples:", *(f"  {each}" for each in verb.examples))) if verb.examples else None
    parser = verbs.add_parser(
        name, help=verb.help, description=description, epilog=examples, formatter_class=_Help, allow_abbrev=False
    )
    parser.set_defaults(function=verb.function, output=defaults_of(verb.formats))
    _add(parser, verb.arguments)
    if verb.formats:
        default = defaults_of(verb.formats)
        said = f"{_OUTPUT}; default: {default or 'a table'}"
        parser.add_argument("-o", "--output", choices=verb.formats, default=default, help=said)
    if verb.cluster:
        # SUPPRESS: a flag given before the verb is kept unless it is repeated after the verb.
        _add(parser, (each._replace(options={**each.options, "default": argparse.SUPPRESS}) for each in CLUSTER_FLAGS))


def _add(parser: argparse.ArgumentParser, arguments: Iterable[Argument]) -> None:
    for argument in arguments:
        action: Any = parser.add_argument(*argument.flags, **argument.options)
        if argument.live:
            action.completer = _completer(argument.live)


def _completer(kind: str) -> Any:
    def complete(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
        from cli.complete import words

        return words(kind, prefix, parsed_args)

    return complete
