"""Every verb of the command as data. The parser, the reference page and the completion are generated from it."""

from argparse import ArgumentTypeError
from collections.abc import Sequence
from typing import Any, Final, NamedTuple


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


def _arg(*flags: str, live: str = "", **options: Any) -> Argument:
    return Argument(flags, options, live)


CLUSTER_FLAGS: Final = (
    _arg(
        "-n",
        "--namespace",
        default="",
        metavar="NS",
        live="namespace",
        help="namespace; default: that of the kubeconfig's context",
    ),
    _arg("--context", default="", metavar="NAME", live="context", help="context of the kubeconfig"),
    _arg(
        "--kubeconfig",
        default="",
        metavar="FILE",
        live="file",
        help="kubeconfig file; default: $KUBECONFIG, then ~/.kube/config",
    ),
)
_ALL: Final = _arg("-A", "--all-namespaces", action="store_true", help="objects of all namespaces")
_SELECTOR: Final = _arg("-l", "--selector", default="", metavar="LABELS", help="label selector: a=b,c!=d")
_FLOW: Final = _arg("name", metavar="NAME", live="jobflow", help="the JobFlow")
_FLOWS: Final = _arg("names", metavar="NAME", nargs="+", live="jobflow", help="JobFlows")
_JOBS: Final = _arg("names", metavar="NAME", nargs="+", live="job", help="Jobs")
_QUEUES: Final = _arg("names", metavar="NAME", nargs="+", live="queue", help="Queues")
_SCHEDULES: Final = _arg("names", metavar="NAME", nargs="+", help="CronJobFlows or CronJobs")
_FILES: Final = _arg("files", metavar="FILE", nargs="+", live="manifest", help="files, folders, or - for stdin")
_WATCH: Final = _arg("-w", "--watch", action="store_true", help="follow until the flow has ended")
_PARAM: Final = _arg(
    "-p", "--param", action="append", default=[], metavar="NAME=VALUE", help="set a param of the flow; repeatable"
)
_NO_WAIT: Final = _arg(
    "--no-wait", action="store_true", help="return once the API server has the Command; default: once it is carried out"
)
_OBJECT_FORMATS: Final = ("json", "yaml", "name", "wide")
_BODY_FORMATS: Final = ("json", "yaml", "name")


def _tail(text: str) -> int | None:
    """Parse --tail as kubectl does: -1 means all lines."""
    if not text.removeprefix("-").isdecimal() or int(text) < -1:
        raise ArgumentTypeError(f"{text}: must be a number greater than or equal to -1")
    return None if int(text) == -1 else int(text)


def _command(action: str, help: str, *more: Argument, examples: tuple[str, ...] = ()) -> Verb:
    arguments = (_FLOWS, *more, _NO_WAIT)
    return Verb(action, f"steer:{action}", help, arguments, examples=examples or (f"jobflow {action} nightly",))


_LOCAL_CLUSTER: Final = (
    _arg("--nodes", type=int, default=3, metavar="N", help="simulated nodes; default: 3"),
    _arg("--cpu", default="8", metavar="QUANTITY", help="allocatable CPU of each node; default: 8"),
    _arg("--memory", default="32Gi", metavar="QUANTITY", help="allocatable memory of each node; default: 32Gi"),
    _arg("--gpus", type=int, default=2, metavar="N", help="allocatable nvidia.com/gpu of each node; default: 2"),
    _arg("--run-commands", action="store_true", help="run the commands of containers as processes of this machine"),
    _arg(
        "--backend",
        choices=("embedded", "real", "kubeconfig"),
        help="API server: in memory (default), the binaries in $KUBEBUILDER_ASSETS, or that of --kubeconfig",
    ),
    _arg(
        "--kubeconfig",
        default="",
        metavar="FILE",
        live="file",
        help="kubeconfig of an existing cluster, to add nodes and JobFlow to",
    ),
    _arg("--port", type=int, default=0, metavar="PORT", help="port of the API server; default: any free port"),
)


def _local_speed(default: float) -> Argument:
    said = f"simulated seconds that pass on the nodes, and for schedules, in one real second; default: {default:g}"
    return _arg("--speed", type=float, default=default, metavar="FACTOR", help=said)


VERBS: Final[tuple[Verb, ...]] = (
    Verb(
        "lint",
        "lint:run",
        "check manifests as the API server and the webhook would, without a cluster and with line numbers",
        (
            _FILES,
            _arg(
                "--policy",
                action="append",
                default=[],
                metavar="FILE",
                live="manifest",
                help="also check the manifests against the JobFlowPolicies in FILE",
            ),
            _arg("-n", "--namespace", default="", metavar="NS", help="of objects that name none; default: default"),
            _arg(
                "--namespace-labels",
                metavar="KEY=VALUE,...",
                help="labels of the namespaces (a=b,c=d), for policies that read them; '' for none",
            ),
        ),
        ("text", "json", "sarif"),
        cluster=False,
        examples=(
            "jobflow lint flow.yaml",
            "jobflow lint manifests/ --policy company.yaml -o sarif",
            "helm template . | jobflow lint -",
        ),
    ),
    Verb(
        "render",
        "render:run",
        "show the Jobs that a step would create, after template, patch and substitution, without a cluster",
        (
            _FILES,
            _arg(
                "--step", action="append", default=[], metavar="STEP", help="only this step; repeatable; default: all"
            ),
            _arg("--flow", default="", metavar="NAME", help="the JobFlow, if the files contain several"),
            _arg("--index", type=int, metavar="I", help="only this iteration of a `for`"),
            _PARAM,
            _arg(
                "--output-of",
                action="append",
                default=[],
                metavar="STEP.NAME=VALUE",
                help="value of an output of an earlier step; repeatable",
            ),
            _arg("-n", "--namespace", default="", metavar="NS", help="of objects that name none; default: default"),
        ),
        ("yaml", "json", "name"),
        cluster=False,
        examples=("jobflow render flow.yaml templates.yaml --step train -p epochs=3",),
    ),
    Verb(
        "graph",
        "graph:run",
        "draw a flow from a file, or from the cluster with the phases of its steps",
        (
            _arg(
                "flow",
                metavar="FILE|NAME",
                live="manifest|jobflow",
                help="a manifest, - for stdin, or a JobFlow in the cluster",
            ),
            _arg("--flow", dest="which", default="", metavar="NAME", help="the JobFlow, if the file contains several"),
            _arg("--around", default="", metavar="STEP", help="only the steps near this one: two up and two down"),
            _arg("--layers", action="store_true", help="a bar for each layer (the default of large flows)"),
            _arg("--whole", action="store_true", help="every step, however many there are"),
        ),
        ("ascii", "mermaid", "dot", "svg"),
        examples=(
            "jobflow graph flow.yaml",
            "jobflow graph nightly -o svg > nightly.svg",
            "jobflow graph nightly --around train",
        ),
    ),
    Verb(
        "run",
        "run:run",
        "create a flow from a file or a JobFlowTemplate, or run an existing one again under a new name",
        (
            _arg(
                "flow",
                metavar="FILE|NAME",
                nargs="?",
                default="",
                live="manifest|jobflow",
                help="a manifest, - for stdin, or a JobFlow in the cluster",
            ),
            _arg(
                "--template", default="", metavar="NAME", help="a JobFlowTemplate in the cluster, instead of FILE|NAME"
            ),
            _PARAM,
            _arg("--name", default="", metavar="NAME", help="name of the new JobFlow"),
            _WATCH,
        ),
        _BODY_FORMATS,
        examples=(
            "jobflow run flow.yaml -p day=2026-01-02 --watch",
            "jobflow run --template nightly -p day=2026-01-02",
            "jobflow run nightly",
        ),
    ),
    Verb(
        "status",
        "status:run",
        "show a flow as a tree: phases, times, pods, and what each step waits for",
        (_FLOW, _WATCH),
        _BODY_FORMATS,
        examples=("jobflow status nightly", "jobflow status nightly --watch"),
    ),
    Verb(
        "list", "flows:list_flows", "list JobFlows", (_ALL, _SELECTOR), _OBJECT_FORMATS, examples=("jobflow list -A",)
    ),
    Verb(
        "logs",
        "logs:run",
        "print the logs of the pods of a step's latest Job",
        (
            _arg("step", metavar="NAME/STEP", live="step", help="the JobFlow and its step"),
            _arg("-f", "--follow", action="store_true", help="follow the logs until the pods end"),
            _arg("-c", "--container", default="", metavar="NAME", help="container; default: the first of each pod"),
            _arg("--task", default="", metavar="NAME", help="only pods of this task"),
            _arg("--tail", type=_tail, metavar="N", help="only the last N lines of each pod; -1: all"),
            _arg(
                "--job", default="", metavar="NAME", help="Job of an earlier attempt or another iteration of the step"
            ),
        ),
        examples=("jobflow logs nightly/train -f",),
    ),
    _command("suspend", "suspend flows: start no new Jobs; running Jobs continue"),
    _command("resume", "resume suspended flows"),
    _command(
        "stop",
        "stop flows: terminate running Jobs, skip the remaining steps, run `finally`",
        _arg(
            "--force", action="store_true", help="also end `finally`: what of it has not ended is terminated or skipped"
        ),
        examples=("jobflow stop nightly", "jobflow stop nightly --force"),
    ),
    _command(
        "retry",
        "run failed and terminated steps, and steps skipped because of them, again; keep completed steps",
        _arg(
            "--from",
            dest="start",
            default="",
            metavar="STEP",
            help="run this step and all steps after it, completed or not",
        ),
        _arg("--step", default="", metavar="STEP", help="run this step alone, completed or not"),
        _PARAM,
        _arg(
            "--deadline",
            default="",
            metavar="DURATION",
            help="set the time that the flow may take from now, such as 2h",
        ),
        _arg("--now", action="store_true", help="start next attempts at once, without their back-off"),
        examples=(
            "jobflow retry nightly",
            "jobflow retry nightly --from train -p epochs=3 --deadline 2h",
            "jobflow retry nightly --now",
        ),
    ),
    _command("restart", "run all steps again"),
    Verb(
        "delete",
        "flows:delete_flows",
        "delete JobFlows and their Jobs",
        (_FLOWS,),
        examples=("jobflow delete nightly",),
    ),
    Verb(
        "job list",
        "jobs:list_jobs",
        "list Jobs with Volcano's columns",
        (
            _ALL,
            _SELECTOR,
            _arg("-q", "--queue", default="", metavar="QUEUE", live="queue", help="only Jobs of this queue"),
            _arg("-S", "--scheduler", default="", metavar="NAME", help="only Jobs of this scheduler"),
        ),
        _OBJECT_FORMATS,
        examples=("jobflow job list -q research",),
    ),
    Verb(
        "job view",
        "jobs:view",
        "describe a Job: its tasks, pods with their Task status, conditions and events",
        (_arg("name", metavar="NAME", live="job", help="the Job"),),
        _BODY_FORMATS,
        examples=("jobflow job view train",),
    ),
    Verb("job suspend", "jobs:suspend", "stop the Job's pods but keep the Job (AbortJob)", (_JOBS,)),
    Verb("job resume", "jobs:resume", "resume suspended Jobs (ResumeJob)", (_JOBS,)),
    Verb(
        "job scale",
        "jobs:scale",
        "set the replicas of tasks; a minAvailable that was not set follows them",
        (
            _arg("name", metavar="NAME", live="job", help="the Job"),
            _arg("replicas", metavar="TASK=N", nargs="+", help="tasks and their new number of pods"),
        ),
        examples=("jobflow job scale train worker=8",),
    ),
    Verb("job delete", "jobs:delete", "delete Jobs and their pods", (_JOBS,)),
    Verb(
        "job from-template",
        "convert:job_from_template",
        "print a Job built from a JobTemplate",
        (
            _arg(
                "source",
                metavar="FILE|NAME",
                live="manifest|jobtemplate",
                help="a manifest, - for stdin, or a JobTemplate",
            ),
            _arg("--name", default="", metavar="NAME", help="name of the Job; default: that of the template"),
        ),
        ("yaml", "json"),
        examples=("jobflow job from-template train --name train-once | kubectl apply -f -",),
    ),
    Verb(
        "cron list",
        "cron:list_schedules",
        "list CronJobFlows and CronJobs with their next runs",
        (_ALL,),
        _BODY_FORMATS,
        examples=("jobflow cron list -A",),
    ),
    Verb(
        "cron next",
        "cron:next_times",
        "show the next due times of a schedule, or of a cron expression",
        (
            _arg("name", metavar="NAME", help="CronJobFlow, CronJob, or a cron expression in quotes"),
            _arg("--count", type=int, default=5, metavar="N", help="number of times; default: 5"),
            _arg("--timezone", default="", metavar="ZONE", help="IANA time zone of a cron expression; default: UTC"),
        ),
        examples=("jobflow cron next nightly", 'jobflow cron next "0 2 * * 1-5" --timezone Europe/Berlin'),
    ),
    Verb(
        "cron run",
        "cron:run",
        "start a run of a schedule now",
        (_arg("name", metavar="NAME", help="CronJobFlow or CronJob"), _PARAM),
        examples=("jobflow cron run nightly -p day=2026-01-02",),
    ),
    Verb(
        "cron backfill",
        "cron:backfill",
        "run a CronJobFlow for times in the past",
        (
            _arg("name", metavar="NAME", help="CronJobFlow"),
            _arg("--from", dest="start", required=True, metavar="TIME", help="first time, RFC 3339"),
            _arg("--to", dest="end", required=True, metavar="TIME", help="last time, RFC 3339"),
            _arg(
                "--parallelism", type=int, default=1, metavar="N", help="maximum number of unfinished flows; default: 1"
            ),
            _arg(
                "--reprocess",
                choices=("Never", "Failed", "All"),
                default="Never",
                help="which of the times that already have a flow to run again; default: Never",
            ),
        ),
        examples=(
            "jobflow cron backfill nightly --from 2026-01-01T00:00:00Z --to 2026-01-31T23:59:59Z --parallelism 3",
        ),
    ),
    Verb("cron suspend", "cron:suspend", "suspend schedules: start no more runs", (_SCHEDULES,)),
    Verb("cron resume", "cron:resume", "resume suspended schedules", (_SCHEDULES,)),
    Verb("queue list", "queues:list_queues", "list Queues with Volcano's columns", (), _OBJECT_FORMATS),
    Verb("queue get", "queues:get", "show Queues", (_QUEUES,), _OBJECT_FORMATS),
    Verb("queue open", "queues:open_queue", "open Queues, so that they accept Jobs", (_QUEUES,)),
    Verb("queue close", "queues:close_queue", "close Queues, so that they accept no more Jobs", (_QUEUES,)),
    Verb(
        "template from-job",
        "convert:template_from_job",
        "print a JobTemplate built from a Job",
        (
            _arg("source", metavar="FILE|NAME", live="manifest|job", help="a manifest, - for stdin, or a Job"),
            _arg("--name", default="", metavar="NAME", help="name of the JobTemplate; default: that of the Job"),
        ),
        ("yaml", "json"),
        examples=("jobflow template from-job train > train.yaml",),
    ),
    Verb(
        "local up",
        "local:up",
        "start a cluster on this machine with JobFlow in it, and print the line that sets KUBECONFIG",
        (
            *_LOCAL_CLUSTER,
            _local_speed(1.0),
            _arg("--foreground", action="store_true", help="stay in this terminal; Ctrl-C stops the cluster"),
        ),
        cluster=False,
        examples=('eval "$(jobflow local up)"', "jobflow local up --nodes 5 --gpus 8 --speed 10"),
    ),
    Verb(
        "local down",
        "local:down",
        "stop the local cluster",
        cluster=False,
        examples=("jobflow local down",),
    ),
    Verb(
        "local demo",
        "local:demo",
        "run an example flow on the local cluster; if none is running, start one and stop it afterwards",
        (
            *_LOCAL_CLUSTER,
            _local_speed(8.0),
            _arg("--keep", action="store_true", help="leave the cluster running"),
        ),
        cluster=False,
        examples=("jobflow local demo", "jobflow local demo --keep"),
    ),
    Verb(
        "local status",
        "local:status",
        "show the local cluster: its processes, its kubeconfig, versions and nodes",
        (),
        ("json",),
        cluster=False,
        examples=("jobflow local status",),
    ),
    Verb(
        "ui",
        "ui:run",
        "serve the web pages on this machine, with the kubeconfig's rights, and open the browser",
        (
            _arg("-A", "--all-namespaces", action="store_true", help="lists show all namespaces first"),
            _arg("--port", type=int, default=0, metavar="PORT", help="default: any free port"),
            _arg("--no-browser", action="store_true", help="only print the address"),
            _arg("--read-only", action="store_true", help="without the buttons that change something"),
            _arg("--offline", action="store_true", help="without a cluster: only the pages that need none"),
        ),
        examples=("jobflow ui", "jobflow ui --port 8080 --no-browser"),
    ),
    Verb("version", "about:version", "print the version", (), ("json",), cluster=False),
    Verb(
        "completion",
        "about:completion",
        "print the completion script of a shell",
        (_arg("shell", choices=("bash", "zsh", "fish"), help="the shell"),),
        cluster=False,
        examples=(
            "source <(jobflow completion bash)",
            "jobflow completion fish > ~/.config/fish/completions/jobflow.fish",
        ),
    ),
)
GROUPS: Final[dict[str, str]] = {
    "local": "a cluster on this machine: up, down, demo, status",
    "job": "Jobs: list, view, suspend, resume, scale, delete, from-template",
    "cron": "schedules: list, next, run, backfill, suspend, resume",
    "queue": "Queues: list, get, open, close",
    "template": "JobTemplates: from-job",
}


def defaults_of(formats: Sequence[str]) -> str:
    """The format without -o: a table if the verb prints objects, else the first of its formats."""
    return "" if not formats or formats[0] == "json" else formats[0]
