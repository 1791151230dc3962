"""The controller's settings: command line, then JOBFLOW_* environment variables, then defaults."""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

import msgspec

from shared.duration import seconds
from shared.resource_steps.allowed import AllowedKind, InvalidKinds, parse_kinds

ENVIRONMENT_PREFIX: Final = "JOBFLOW_"
YES: Final = frozenset({"1", "true", "yes", "on"})
NO: Final = frozenset({"0", "false", "no", "off"})


class SettingsError(Exception):
    """An invalid setting; the message names it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds. `namespace`: that of the lease; `watch_namespaces`: empty for all."""

    kubeconfig: str = ""
    context: str = ""
    namespace: str = "default"
    leader_elect: bool = True
    lease_name: str = "jobflow-controller"
    health_host: str = ""
    health_port: int = 8080
    workers: int = 32
    job_controller: bool = True
    flow_controller: bool = True
    cron_controller: bool = True
    schedule_speed: float = 1.0
    gang_backend: str = "auto"
    gang_bind_timeout: float = 300.0
    gang_reserve_after: float = 60.0
    reclaim: bool = False
    pod_scheduler_name: str = "default-scheduler"
    scheduler_names: tuple[str, ...] = ("volcano",)
    depends_on_condition: str = "Completed"
    approval_policy: str = ""
    rights_policy: str = ""
    probe_concurrency: int = 64
    probe_allow_loopback: bool = False
    watch_namespaces: tuple[str, ...] = ()
    resource_kinds: tuple[AllowedKind, ...] = ()
    log_level: str = "info"
    qps: float = 0.0
    scan_interval: float = 900.0
    in_process_policies: bool = False
    in_process_rules: str = ""
    in_process_warn: bool = False
    excluded_namespaces: tuple[str, ...] = ()


def names(text: str) -> tuple[str, ...]:
    """A comma-separated list."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def allowed_kinds(text: str) -> tuple[AllowedKind, ...]:
    try:
        return parse_kinds(text)
    except InvalidKinds as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def at_least(kind: type[int] | type[float], least: float) -> Any:
    def number(text: str) -> float:
        value = kind(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{text} is less than {least:g}")
        return value

    number.__name__ = kind.__name__
    return number


def period(text: str) -> float:
    """Seconds, from a number or from a Go duration."""
    try:
        value = float(text)
    except ValueError:
        value = seconds(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a duration")
    return value


class Option(msgspec.Struct, frozen=True):
    """The command line option of one field of Settings. A field without `parse` is a switch."""

    help: str
    parse: Any = str
    choices: tuple[str, ...] | None = None


SWITCH: Final = None
OPTIONS: Final[Mapping[str, Option]] = {
    "kubeconfig": Option("kubeconfig file; default $KUBECONFIG, the Pod's service account, ~/.kube/config"),
    "context": Option("context of the kubeconfig"),
    "namespace": Option("namespace of the lease (default: $POD_NAMESPACE or default)"),
    "leader_elect": Option("run only while this process holds the lease", SWITCH),
    "lease_name": Option("name of the lease"),
    "health_host": Option("address of /healthz, /readyz and /metrics; empty for every address"),
    "health_port": Option("port of /healthz, /readyz and /metrics; 0 for any", at_least(int, 0)),
    "workers": Option("maximum number of concurrent reconciles of each controller", at_least(int, 1)),
    "job_controller": Option("reconcile Jobs, PodGroups, Queues and Commands", SWITCH),
    "flow_controller": Option("reconcile JobFlows and JobTemplates", SWITCH),
    "cron_controller": Option("reconcile CronJobs and CronJobFlows", SWITCH),
    "schedule_speed": Option(
        "how many times faster than real time schedules run, for demonstrations", at_least(float, 1)
    ),
    "gang_backend": Option("gang admission backend", str, ("auto", "volcano", "native", "gate")),
    "gang_bind_timeout": Option(
        "time in which an admitted group must be bound to nodes; after that it becomes Pending again (5m, or seconds)",
        period,
    ),
    "gang_reserve_after": Option(
        "time after which nodes are reserved for the first group of a queue (1m, or seconds)", period
    ),
    "reclaim": Option("evict whole groups of queues above their deserved share for queues below theirs", SWITCH),
    "pod_scheduler_name": Option("scheduler of pods whose Job says volcano, unless Volcano's scheduler is the backend"),
    "scheduler_names": Option("comma-separated schedulerName values of the Jobs to reconcile", names),
    "depends_on_condition": Option("default condition of a task's dependsOn", str, ("Completed", "Ready")),
    "approval_policy": Option(
        "name of the ValidatingAdmissionPolicy and its binding that compare who sends approvals; empty: not compared, so that"
        " anybody who may create Commands may approve"
    ),
    "rights_policy": Option(
        "name of the ValidatingAdmissionPolicy and its binding that compare the kinds that steps with `resource` create with"
        " the rights of who asks for them; empty: not compared"
    ),
    "probe_concurrency": Option("maximum number of concurrent HTTP and TCP probes", at_least(int, 1)),
    "probe_allow_loopback": Option("probe loopback addresses too: pods of a local cluster may have them", SWITCH),
    "resource_kinds": Option(
        "kinds that steps with `resource` may create: a JSON list of {apiVersion, kind, resource, namespaceSelector}",
        allowed_kinds,
    ),
    "watch_namespaces": Option("comma-separated namespaces to watch; empty for all", names),
    "log_level": Option("minimum level of log messages", str, ("debug", "info", "warning", "error")),
    "in_process_policies": Option(
        "the chart's ValidatingAdmissionPolicies for JobFlowPolicies are installed: state in the status of each policy what they"
        " enforce",
        SWITCH,
    ),
    "in_process_rules": Option(
        "prefix of the names of the ValidatingAdmissionPolicies that are made of the rules of JobFlowPolicies; empty: none"
    ),
    "in_process_warn": Option("those policies warn: no webhook does", SWITCH),
    "excluded_namespaces": Option("comma-separated namespaces in which those policies refuse nothing", names),
    "qps": Option("maximum requests per second to the API server; 0 for no limit", at_least(float, 0)),
    "scan_interval": Option(
        "seconds between reconciles of every object without a change; 0 for never", at_least(float, 0)
    ),
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SettingsError(message)


def parse(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Settings from arguments and environment. Raises SettingsError; `--help` prints and exits, as argparse does."""
    parser = _Parser(
        prog=f"python -m {__package__}",
        description="Controller of JobFlows, JobTemplates and Jobs.",
        allow_abbrev=False,
    )
    defaults = Settings(namespace=environ.get("POD_NAMESPACE") or "default")
    for name, option in OPTIONS.items():
        default = getattr(defaults, name)
        help_ = f"{option.help} [${variable(name)}]"
        if option.parse is None:
            parser.add_argument(flag(name), action=argparse.BooleanOptionalAction, default=default, help=help_)
        else:
            parser.add_argument(flag(name), type=option.parse, choices=option.choices, default=default, help=help_)
    return Settings(**vars(parser.parse_args([*from_environment(environ), *argv])))


def from_environment(environ: Mapping[str, str]) -> list[str]:
    """The arguments that are equivalent to the JOBFLOW_* variables."""
    arguments: list[str] = []
    for name, option in OPTIONS.items():
        value = environ.get(variable(name))
        if value is None:
            continue
        if option.parse is not None:
            arguments.append(f"{flag(name)}={value}")
        elif value.lower() in YES | NO:
            arguments.append(flag(name) if value.lower() in YES else "--no-" + flag(name)[2:])
        else:
            raise SettingsError(f"{variable(name)}: {value!r} must be true or false")
    return arguments


def flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def variable(name: str) -> str:
    return ENVIRONMENT_PREFIX + name.upper()
