"""The argument parser, made of cli.verbs."""

import argparse
from collections.abc import Iterable
from typing import Any, Final

from cli.verbs import CLUSTER_FLAGS, GROUPS, VERBS, Argument, Verb, defaults_of

DESCRIPTION: Final = "Batch workflows on Kubernetes: check, run, watch and steer JobFlows."
_OUTPUT: Final = "what to print"


class _Help(argparse.RawDescriptionHelpFormatter):
    """Examples keep their lines."""


def build(prog: str = "jobflow") -> argparse.ArgumentParser:
    """The whole parser. Each verb sets `function`, `module:function` below cli.commands."""
    parser = argparse.ArgumentParser(prog=prog, description=DESCRIPTION, formatter_class=_Help, allow_abbrev=False)
    _add(parser, CLUSTER_FLAGS)
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    groups: dict[str, Any] = {}
    for verb in VERBS:
        group, _, name = verb.name.rpartition(" ")
        if group and group not in groups:
            made = verbs.add_parser(group, help=GROUPS[group], description=GROUPS[group])
            groups[group] = made.add_subparsers(title="verbs", metavar="VERB", required=True)
        _verb(groups[group] if group else verbs, name, verb)
    return parser


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
        # SUPPRESS: what was said before the verb is kept where nothing is said after it.
        _add(parser, (Argument(each.flags, {**each.options, "default": argparse.SUPPRESS}) for each in CLUSTER_FLAGS))


def _add(parser: argparse.ArgumentParser, arguments: Iterable[Argument]) -> None:
    for argument in arguments:
        action: Any = parser.add_argument(*argument.flags, **argument.options)
        if argument.live:
            action.completer = _completer(argument.live)


def _completer(kind: str) -> Any:
    def complete(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
        from cli.complete import names

        return names(kind, prefix, parsed_args)

    return complete
