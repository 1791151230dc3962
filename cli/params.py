"""Sets the params of `-p NAME=VALUE` in a JobFlow. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from cli.exits import CliError
from shared.actions.reruns import with_values
from shared.model.types import Body
from webhook.hints.names import did_you_mean, quoted

PARAMS_HINT: Final = "set params with -p NAME=VALUE"


def pairs(texts: Sequence[str], flag: str) -> dict[str, str]:
    """The values by name. Raises CliError."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise CliError(f'{flag} {text}: must be NAME=VALUE, such as "{flag} day=2026-01-02"')
        found[name] = value
    return found


def with_params(flow: Body, values: Mapping[str, str]) -> Body:
    """A copy of the flow with these values. Raises CliError for a param that the flow does not declare."""
    spec = flow.get("spec") or {}
    declared = [str(param.get("name")) for param in spec.get("params") or ()]
    for name in values:
        if name not in declared:
            known = f"; declared: {quoted(declared)}" if declared else "; the flow declares none in spec.params"
            raise CliError(f'-p {name}: no param named "{name}"{did_you_mean(name, declared) or known}')
    return with_values(flow, values)
