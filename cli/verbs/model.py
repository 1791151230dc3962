"""The verbs of the command as data: the types, and the arguments that several verbs have."""

from argparse import ArgumentTypeError
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

REQUEST_SECONDS: Final = 30.0
_DAY: Final = 86400.0  # no limit: sockets take no infinite one


class Argument(NamedTuple):
    """One argument or flag of argparse. `live`: the kind of completion, a name that cli.complete knows."""

    flags: tuple[str, ...]
    options: dict[str, Any]
    live: str = ""


class Verb(NamedTuple):
    """`name`: such as `job list`; `function`: `module:function` in cli.commands; `formats`: values of -o; `cluster`:
    whether it needs a cluster.
    """

    name: str
    function: str
    help: str
    arguments: tuple[Argument, ...] = ()
    formats: tuple[str, ...] = ()
    cluster: bool = True
    examples: tuple[str, ...] = ()


def arg(*flags: str, live: str = "", **options: Any) -> Argument:
    """An argument. `options`: those of argparse."""
    return Argument(flags, options, live)


def _limit(text: str) -> float:
    """Parse --request-timeout as kubectl does: a duration, or a number of seconds."""
    from shared import duration  # most commands get no such flag

    try:
        found = duration.seconds(f"{text}s" if text.isdecimal() else text)
    except duration.DurationError as error:
        raise ArgumentTypeError(f"{text}: must be a duration such as 5s or 2m, or 0 for no limit") from error
    if found < 0:
        raise ArgumentTypeError(f"{text}: must not be negative")
    return min(found, _DAY) or _DAY


def object_name(text: str) -> str:
    """A name that the API server cannot take for the list of all objects, or for a path."""
    if not_empty(text) in (".", "..") or "/" in text or "%" in text:
        raise ArgumentTypeError(f"{text}: a name must not be '.' or '..', or contain '/' or '%'")
    return text


def not_empty(text: str) -> str:
    """A file or a name."""
    if not text:
        raise ArgumentTypeError("a name must not be empty")
    return text


def _namespace(text: str) -> str:
    return object_name(text) if text else ""


CLUSTER_FLAGS: Final = (
    arg(
        "-n",
        "--namespace",
        type=_namespace,
        default="",
        metavar="NS",
        live="namespace",
        help="namespace; default: that of the kubeconfig's context",
    ),
    arg("--context", default="", metavar="NAME", live="context", help="context of the kubeconfig"),
    arg(
        "--kubeconfig",
        default="",
        metavar="FILE",
        live="file",
        help="kubeconfig file; default: $KUBECONFIG, then ~/.kube/config",
    ),
    arg(
        "--request-timeout",
        type=_limit,
        default=REQUEST_SECONDS,
        metavar="DURATION",
        help="how long the API server may take to answer a request, repetitions included, such as 5s or 2m, but not"
        f" how long a log that is followed may be silent; 0: no limit; default: {REQUEST_SECONDS:g}s",
    ),
)
ALL: Final = arg("-A", "--all-namespaces", action="store_true", help="objects of all namespaces")
SELECTOR: Final = arg("-l", "--selector", default="", metavar="LABELS", help="label selector: a=b,c!=d")
FLOW: Final = arg("name", type=object_name, metavar="NAME", live="jobflow", help="the JobFlow")
FLOWS: Final = arg("names", type=object_name, metavar="NAME", nargs="+", live="jobflow", help="JobFlows")
JOBS: Final = arg("names", type=object_name, metavar="NAME", nargs="+", live="job", help="Jobs")
QUEUES: Final = arg("names", type=object_name, metavar="NAME", nargs="+", live="queue", help="Queues")
SCHEDULES: Final = arg("names", type=object_name, metavar="NAME", nargs="+", help="CronJobFlows or CronJobs")
FILES: Final = arg("files", metavar="FILE", nargs="+", live="manifest", help="files, folders, or - for stdin")
WATCH: Final = arg("-w", "--watch", action="store_true", help="follow until the flow has ended")
PARAM: Final = arg(
    "-p", "--param", action="append", default=[], metavar="NAME=VALUE", help="set a param of the flow; repeatable"
)
NO_WAIT: Final = arg(
    "--no-wait", action="store_true", help="return once the API server has the Command; default: once it is carried out"
)
OBJECT_FORMATS: Final = ("json", "yaml", "name", "wide")
BODY_FORMATS: Final = ("json", "yaml", "name")


def defaults_of(formats: Sequence[str]) -> str:
    """The format without -o: a table if the verb prints objects, else the first of its formats."""
    return "" if not formats or formats[0] == "json" else formats[0]
