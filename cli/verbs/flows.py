"""Verbs on flows and manifests."""

from argparse import ArgumentTypeError
from typing import Final

from cli.verbs.model import (
    ALL,
    BODY_FORMATS,
    FILES,
    FLOW,
    FLOWS,
    NO_WAIT,
    OBJECT_FORMATS,
    PARAM,
    SELECTOR,
    WATCH,
    Argument,
    Verb,
    arg,
    not_empty,
)


def _tail(text: str) -> int | None:
    """Parse --tail as kubectl does: -1 means all lines."""
    if not text.removeprefix("-").isdecimal() or int(text) < -1:
        raise ArgumentTypeError(f"{text}: must be a number greater than or equal to -1")
    return None if int(text) == -1 else int(text)


def _command(action: str, help: str, *more: Argument, examples: tuple[str, ...] = ()) -> Verb:
    arguments = (FLOWS, *more, NO_WAIT)
    return Verb(action, f"steer:{action}", help, arguments, examples=examples or (f"jobflow {action} nightly",))


FLOW_VERBS: Final[tuple[Verb, ...]] = (
    Verb(
        "lint",
        "lint:run",
        "check manifests as the API server and the webhook would, without a cluster and with line numbers",
        (
            FILES,
            arg(
                "--policy",
                action="append",
                default=[],
                metavar="FILE",
                live="manifest",
                help="also check the manifests against the JobFlowPolicies in FILE",
            ),
            arg("-n", "--namespace", default="", metavar="NS", help="of objects that name none; default: default"),
            arg(
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
        "show the objects that a step would create, after template, patch and substitution, without a cluster",
        (
            FILES,
            arg(
                "--step",
                action="append",
                default=[],
                metavar="STEP",
                help="only this step; STEP/STEP: of the flow that a step runs; repeatable; default: all",
            ),
            arg("--flow", default="", metavar="NAME", help="the JobFlow, if the files contain several"),
            arg("--index", type=int, metavar="I", help="only this iteration of a `for`"),
            PARAM,
            arg(
                "--output-of",
                action="append",
                default=[],
                metavar="STEP.NAME=VALUE",
                help="value of an output of an earlier step; repeatable",
            ),
            arg("-n", "--namespace", default="", metavar="NS", help="of objects that name none; default: default"),
        ),
        ("yaml", "json", "name"),
        cluster=False,
        examples=("jobflow render flow.yaml templates.yaml --step train -p epochs=3",),
    ),
    Verb(
        "simulate",
        "offline.simulate:run",
        "simulate a flow with given results of its Jobs, by the controller's own decisions, without a cluster",
        (
            FILES,
            arg("--flow", default="", metavar="NAME", help="the JobFlow, if the files contain several"),
            PARAM,
            arg(
                "--fail",
                action="append",
                default=[],
                metavar="STEP[:ATTEMPT][=CODE]",
                help="attempts that fail: all of a step, its Nth (STEP:N), those of an iteration (STEP[I]), of a step of the "
                "flow that a step runs (STEP/STEP); repeatable",
            ),
            arg(
                "--output-of",
                action="append",
                default=[],
                metavar="STEP.NAME=VALUE",
                help="value of an output of a step, or of an iteration (STEP[I].NAME); repeatable",
            ),
            arg(
                "--duration",
                action="append",
                default=[],
                metavar="STEP=TIME",
                help="how long each Job of a step takes: 60, 90s, 1h30m; repeatable",
            ),
            arg(
                "--approval",
                action="append",
                default=[],
                metavar="STEP=ANSWER",
                help="what people answer for a step with approve: approved (the default), rejected or timeout; repeatable",
            ),
            arg("--seconds", default="10", metavar="TIME", help="how long all other Jobs take; default: 10"),
        ),
        ("text", "json"),
        cluster=False,
        examples=(
            "jobflow simulate flow.yaml --fail train:1 --output-of train.loss=0.05",
            "jobflow simulate flow.yaml --duration train=2h -o json",
        ),
    ),
    Verb(
        "export",
        "offline.export:run",
        "print manifests as Python that makes the same objects (docs/sdk.md)",
        (
            FILES,
            arg("--python", action="store_true", required=True, help="as a Python module"),
        ),
        cluster=False,
        examples=("jobflow export --python flow.yaml > flow.py",),
    ),
    Verb(
        "graph",
        "graph:run",
        "draw a flow from a file, or from the cluster with the phases of its steps",
        (
            arg(
                "flow",
                type=not_empty,
                metavar="FILE|NAME",
                live="manifest|jobflow",
                help="a manifest, - for stdin, or a JobFlow in the cluster",
            ),
            arg("--flow", dest="which", default="", metavar="NAME", help="the JobFlow, if the file contains several"),
            arg("--around", default="", metavar="STEP", help="only the steps near this one: two up and two down"),
            arg("--layers", action="store_true", help="a bar for each layer (the default of large flows)"),
            arg("--whole", action="store_true", help="every step, however many there are"),
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
            arg(
                "flow",
                metavar="FILE|NAME",
                nargs="?",
                default="",
                live="manifest|jobflow",
                help="a manifest, - for stdin, or a JobFlow in the cluster",
            ),
            arg(
                "--template", default="", metavar="NAME", help="a JobFlowTemplate in the cluster, instead of FILE|NAME"
            ),
            PARAM,
            arg("--name", default="", metavar="NAME", help="name of the new JobFlow"),
            WATCH,
        ),
        BODY_FORMATS,
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
        (FLOW, WATCH),
        BODY_FORMATS,
        examples=("jobflow status nightly", "jobflow status nightly --watch"),
    ),
    Verb("list", "flows:list_flows", "list JobFlows", (ALL, SELECTOR), OBJECT_FORMATS, examples=("jobflow list -A",)),
    Verb(
        "logs",
        "logs:run",
        "print the logs of the pods of a step's latest Job",
        (
            arg("step", metavar="NAME/STEP", live="step", help="the JobFlow and its step"),
            arg("-f", "--follow", action="store_true", help="follow the logs until the pods end"),
            arg("-c", "--container", default="", metavar="NAME", help="container; default: the first of each pod"),
            arg("--task", default="", metavar="NAME", help="only pods of this task"),
            arg("--tail", type=_tail, metavar="N", help="only the last N lines of each pod; -1: all"),
            arg("--job", default="", metavar="NAME", help="Job of an earlier attempt or another iteration of the step"),
        ),
        examples=("jobflow logs nightly/train -f",),
    ),
    _command("suspend", "suspend flows: start no new Jobs; running Jobs continue"),
    _command("resume", "resume suspended flows"),
    _command(
        "stop",
        "stop flows: terminate running Jobs, skip the remaining steps, run `finally`",
        arg(
            "--force",
            action="store_true",
            help="also end `finally`, here and in sub-flows: what of it has not ended is terminated or skipped",
        ),
        examples=("jobflow stop nightly", "jobflow stop nightly --force"),
    ),
    _command(
        "retry",
        "run failed and terminated steps, and steps skipped because of them, again; keep completed steps",
        arg(
            "--from",
            dest="start",
            default="",
            metavar="STEP",
            help="run this step and all steps after it, completed or not",
        ),
        arg("--step", default="", metavar="STEP", help="run this step alone, completed or not"),
        PARAM,
        arg(
            "--deadline",
            default="",
            metavar="DURATION",
            help="set the time that the flow may take from now, such as 2h",
        ),
        arg("--now", action="store_true", help="start next attempts at once, without their back-off"),
        examples=(
            "jobflow retry nightly",
            "jobflow retry nightly --from train -p epochs=3 --deadline 2h",
            "jobflow retry nightly --now",
        ),
    ),
    _command("restart", "run all steps again"),
    Verb(
        "approve",
        "steer:approve",
        "approve a step that waits for a person, or reject it",
        (
            FLOW,
            arg("step", metavar="STEP", help="the step with `approve`"),
            arg("--reject", action="store_true", help="reject instead: the step fails"),
            arg("-m", "--message", default="", metavar="TEXT", help="why, for the record"),
            NO_WAIT,
        ),
        examples=(
            'jobflow approve nightly release -m "checked the metrics"',
            "jobflow approve nightly release --reject",
        ),
    ),
    Verb(
        "delete",
        "flows:delete_flows",
        "delete JobFlows and their Jobs",
        (FLOWS,),
        examples=("jobflow delete nightly",),
    ),
)
