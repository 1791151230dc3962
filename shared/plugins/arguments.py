"""Arguments of the Job plugins: names, defaults and limits, the plugins that each one needs, and the parser.

The syntax is that of Go's flag package (`-x=v`, `--x=v`, `--x v` as two list items, booleans `--x` or `--x=true`), which
Volcano's manifests use. Unlike in Volcano, an invalid argument is reported and does not affect the other arguments.
To add a plugin: define its arguments here, add an entry to `ARGUMENTS`, and add its module to controller/plugins.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Final, get_args

import msgspec
from msgspec import Meta

from shared.violation import Reason, Violation

Port = Annotated[int, Meta(ge=1, le=65535, description="must be a port, between 1 and 65535")]
TaskName = Annotated[str, Meta(min_length=1, description="must name a task")]
Words = Annotated[str, Meta(min_length=1, description="must not be empty")]
Seconds = Annotated[int, Meta(ge=0, description="must be a number of seconds, 0 or more")]
Count = Annotated[int, Meta(ge=1, description="must be 1 or more")]
Folder = Annotated[str, Meta(pattern="^/[^:]*$", description="must be an absolute path without ':'")]


class Arguments(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """Arguments of a plugin. A field is a flag with its default; Meta has the limits and their description."""


class EnvArguments(Arguments, frozen=True, kw_only=True, rename="kebab"):
    """`env` has no arguments."""


class SvcArguments(Arguments, frozen=True, kw_only=True, rename="kebab"):
    """`svc`: a headless Service, host lists and a NetworkPolicy."""

    publish_not_ready_addresses: bool = False
    disable_network_policy: bool = False
    inject_hosts_env: bool = True


class SshArguments(Arguments, frozen=True, kw_only=True, rename="kebab"):
    """`ssh`: one key pair for all pods. `ssh_private_key`: PEM; if it is empty, the controller creates one."""

    ssh_key_file_path: Folder = "/root/.ssh"
    ssh_private_key: str = ""
    ssh_public_key: str = ""
    ssh_port: Port = 22


class TensorflowArguments(Arguments, frozen=True, kw_only=True, rename="kebab"):
    """`tensorflow`: the task of each role in TF_CONFIG, and the port of every member."""

    ps: TaskName = "ps"
    worker: TaskName = "worker"
    chief: TaskName = "chief"
    evaluator: TaskName = "evaluator"
    port: Port = 2222


class PytorchArguments(Arguments, frozen=True, kw_only=True, rename="kebab"):
    """`pytorch`: the role tasks, the rendezvous port, and an init container that waits for the master."""

    master: TaskName = "master"
    worker: TaskName = "worker"
    port: Port = 23456
    wait_master_enabled: bool = False
    wait_master_timeout: Seconds = 300
    wait_master_image: Words = "busybox:1.36.1"


class MpiArguments(Arguments, frozen=True, kw_only=True, rename="kebab"):
    """`mpi`: the role tasks and the ssh port. `slots`: processes per worker pod in the host file (not in Volcano)."""

    master: TaskName = "master"
    worker: TaskName = "worker"
    port: Port = 22
    slots: Count = 1


class RayArguments(Arguments, frozen=True, kw_only=True, rename="camel"):
    """`ray`: the role tasks, their containers that run `ray start`, and the ports of the head."""

    head: TaskName = "head"
    head_container: Words = "head"
    worker: TaskName = "worker"
    worker_container: Words = "worker"
    port: Port = 6379
    dashboard_port: Port = 8265
    client_port: Port = 10001


class HcclrankArguments(Arguments, frozen=True, kw_only=True, rename="kebab"):
    """`hcclrank`: the role tasks over which Ascend ranks are numbered."""

    master: TaskName = "master"
    worker: TaskName = "worker"


ARGUMENTS: Final[dict[str, type[Arguments]]] = {
    "ssh": SshArguments,
    "svc": SvcArguments,
    "env": EnvArguments,
    "pytorch": PytorchArguments,
    "tensorflow": TensorflowArguments,
    "mpi": MpiArguments,
    "ray": RayArguments,
    "hcclrank": HcclrankArguments,
}
NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "tensorflow": ("svc",),
    "pytorch": ("svc",),
    "mpi": ("svc", "ssh"),
    "ray": ("svc",),
}
Plugins = Mapping[str, Sequence[str] | None]  # spec.plugins in the API: name -> argument list, or null


class Parsed(msgspec.Struct, frozen=True):
    """`arguments`: valid even if there were faults; `given`: Python names of the fields that are set -> list index."""

    arguments: Arguments
    given: Mapping[str, int]
    violations: tuple[Violation, ...] = ()


def required_plugins(plugins: Plugins) -> dict[str, tuple[str, ...]]:
    """`plugins` as tuples. The plugins that they need are added without arguments, as Volcano's webhook does."""
    needed = {need: () for name in plugins for need in NEEDS.get(name, ())}
    return {**needed, **{name: tuple(words or ()) for name, words in plugins.items()}}


def plugin_arguments(plugins: Plugins) -> dict[str, Parsed]:
    """Every known plugin of the Job, in the order of `ARGUMENTS`, with faults at `spec.plugins.NAME[i]`.

    mpi connects over ssh, so ssh listens on mpi's port unless `--ssh-port` is set.
    """
    wanted = required_plugins(plugins)
    parsed = {name: parse(name, wanted[name], f"spec.plugins.{name}") for name in ARGUMENTS if name in wanted}
    mpi, ssh = parsed.get("mpi"), parsed.get("ssh")
    if mpi and ssh and isinstance(mpi.arguments, MpiArguments) and "ssh_port" not in ssh.given:
        moved = msgspec.structs.replace(ssh.arguments, ssh_port=mpi.arguments.port)
        parsed["ssh"] = msgspec.structs.replace(ssh, arguments=moved)
    return parsed


def parse(plugin: str, words: Sequence[Any], path: str) -> Parsed:
    """Parses the argument list of a known plugin. Never raises: an invalid argument gives a Violation and its default."""
    flags = {field.encode_name: field for field in msgspec.structs.fields(ARGUMENTS[plugin])}
    values: dict[str, Any] = {}
    given: dict[str, int] = {}
    faults: list[Violation] = []
    index = 0
    while index < len(words):
        flag, text, used = _next(words, index, flags)
        where, word = f"{path}[{index}]", words[index]
        if flag is None or text is None:
            faults.append(Violation(where, _refusal(plugin, word, flag, flags), _shown(word), _reason(word, flag)))
        elif isinstance(value := _value(text, flag.type), _Bad):
            faults.append(Violation(where, f"flag --{flag.encode_name}: {value.why}", word))
        else:
            values[flag.name], given[flag.name] = value, index
        index += used
    return Parsed(ARGUMENTS[plugin](**values), given, tuple(faults))


def hint(word: str, known: Iterable[str], prefix: str = "") -> str:
    """`; did you mean "worker"?`, or '' if no known word is similar."""
    folded = {name.lower().replace("-", "").replace("_", ""): name for name in known}
    near = get_close_matches(word.lower().replace("-", "").replace("_", ""), folded, n=1)
    return f'; did you mean "{prefix}{folded[near[0]]}"?' if near else ""


class _Bad(msgspec.Struct, frozen=True):
    why: str


_FLAG: Final = re.compile(r"--?([^-=][^=]*)(?:=(.*))?", re.DOTALL)
_INTEGER: Final = re.compile(r"([+-]?)(?:0[oO]?([0-7_]+)|(0[xX][0-9a-fA-F_]+|0[bB][01_]+|[0-9][0-9_]*))", re.ASCII)
_BOOLEANS: Final = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}
_Flags = Mapping[str, msgspec.structs.FieldInfo]


def _next(words: Sequence[Any], index: int, flags: _Flags) -> tuple[msgspec.structs.FieldInfo | None, str | None, int]:
    """The flag at `index`, its value (None if it is missing), and the number of words that it takes."""
    match = _FLAG.fullmatch(words[index]) if isinstance(words[index], str) else None
    flag = flags.get(match[1]) if match else None
    if match is None or flag is None:
        return None, None, 1
    if match[2] is not None:
        return flag, match[2], 1
    if flag.type is bool:
        return flag, "true", 1
    if index + 1 < len(words) and isinstance(words[index + 1], str):
        return flag, words[index + 1], 2
    return flag, None, 1


def _value(text: str, type_: Any) -> Any:
    base, *limits = get_args(type_) or (type_,)
    if base is bool:
        return _BOOLEANS.get(text, _Bad("must be true or false"))
    value: Any = _integer(text) if base is int else text
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError:
        return _Bad(next((limit.description for limit in limits if limit.description), "is not valid"))


def _integer(text: str) -> int | None:
    """Reads what strconv.ParseInt reads with base 0: decimal, 0x, 0o, 0b, a leading 0 for octal, underscores."""
    match = _INTEGER.fullmatch(text) if len(text) < 40 else None
    if match is None:
        return None
    digits = f"0o{match[2].strip('_')}" if match[2] else match[3]
    try:
        return int(f"{match[1]}{digits}", 0)
    except ValueError:
        return None


def _refusal(plugin: str, word: Any, flag: msgspec.structs.FieldInfo | None, flags: _Flags) -> str:
    if flag is not None:
        return f"flag needs a value: write --{flag.encode_name}=VALUE"
    known = ", ".join(f"--{name}" for name in flags) or "none"
    match = _FLAG.fullmatch(word) if isinstance(word, str) else None
    if match is None:
        return f"not a flag: write --name=value (or --name for a boolean); plugin {plugin} takes: {known}"
    return f"plugin {plugin} has no such flag{hint(match[1], flags, prefix='--')}; it takes: {known}"


def _reason(word: Any, flag: msgspec.structs.FieldInfo | None) -> Reason:
    unknown = flag is None and isinstance(word, str) and _FLAG.fullmatch(word)
    return Reason.NOT_SUPPORTED if unknown else Reason.INVALID


def _shown(word: Any) -> Any:
    """The word without its value, because the value of a misspelt flag may be a private key."""
    return word.partition("=")[0] if isinstance(word, str) and word.startswith("-") else word
