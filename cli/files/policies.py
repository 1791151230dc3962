"""JobFlowPolicies and JobFlowPolicyExceptions of files."""

from typing import Any, Final

import msgspec

from cli.exits import CliError
from cli.files.manifests import load
from shared.kinds import JOBFLOWPOLICY, JOBFLOWPOLICYEXCEPTION
from shared.model.types import Body

_KINDS: Final = (JOBFLOWPOLICY.kind, JOBFLOWPOLICYEXCEPTION.kind)


class PolicyFiles(msgspec.Struct, frozen=True):
    """The policies and the exceptions of files."""

    policies: list[Body]
    exceptions: list[Body]


def policy_files(names: list[str]) -> PolicyFiles:
    """Raises CliError for anything else in the files, and for what is invalid."""
    found = PolicyFiles([], [])
    for manifest in load(names):
        kind = manifest.body.get("kind")
        if kind not in _KINDS:
            raise CliError(f"{manifest.file}: {kind} is not a {' or '.join(_KINDS)}")
        check_policy(manifest.body, manifest.file)
        (found.policies if kind == JOBFLOWPOLICY.kind else found.exceptions).append(manifest.body)
    return found


def check_policy(body: dict[str, Any], file: str) -> None:
    """Raises CliError for a policy or an exception that is invalid."""
    from shared.policy import CompiledPolicy, compile_policy
    from shared.policy.exceptions import read_exception

    if body.get("kind") == JOBFLOWPOLICYEXCEPTION.kind:
        if read_exception(body) is None:
            raise CliError(f"{file}: the exception is invalid: jobflow lint {file} says why")
        return
    made = compile_policy(body)
    if not isinstance(made, CompiledPolicy):
        raise CliError(f"{file}: the policy is invalid: " + "; ".join(str(fault) for fault in made))
