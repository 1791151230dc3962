"""Verbs on Jobs, schedules, queues and templates."""

from argparse import ArgumentTypeError
from typing import Final

from cli.verbs.model import (
    ALL,
    BODY_FORMATS,
    FILES,
    JOBS,
    NO_WAIT,
    OBJECT_FORMATS,
    PARAM,
    QUEUES,
    SCHEDULES,
    SELECTOR,
    Verb,
    arg,
    not_empty,
    object_name,
)

MOST_TIMES: Final = 1000


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_TIMES:
        raise ArgumentTypeError(f"{text}: must be a number from 1 to {MOST_TIMES}")
    return int(text)


OBJECT_VERBS: Final[tuple[Verb, ...]] = (
    Verb(
        "job list",
        "jobs:list_jobs",
        "list Jobs with Volcano's columns",
        (
            ALL,
            SELECTOR,
            arg("-q", "--queue", default="", metavar="QUEUE", live="queue", help="only Jobs of this queue"),
            arg("-S", "--scheduler", default="", metavar="NAME", help="only Jobs of this scheduler"),
        ),
        OBJECT_FORMATS,
        examples=("jobflow job list -q research",),
    ),
    Verb(
        "job view",
        "jobs:view",
        "describe a Job: its tasks, pods with their Task status, conditions and events",
        (arg("name", type=object_name, metavar="NAME", live="job", help="the Job"),),
        BODY_FORMATS,
        examples=("jobflow job view train",),
    ),
    Verb("job suspend", "jobs:suspend", "stop the Job's pods but keep the Job (AbortJob)", (JOBS, NO_WAIT)),
    Verb("job resume", "jobs:resume", "resume suspended Jobs (ResumeJob)", (JOBS, NO_WAIT)),
    Verb(
        "job scale",
        "jobs:scale",
        "set the replicas of tasks; a minAvailable that was not set follows them",
        (
            arg("name", type=object_name, metavar="NAME", live="job", help="the Job"),
            arg("replicas", metavar="TASK=N", nargs="+", help="tasks and their new number of pods"),
        ),
        examples=("jobflow job scale train worker=8",),
    ),
    Verb("job delete", "jobs:delete", "delete Jobs and their pods", (JOBS,)),
    Verb(
        "job from-template",
        "convert:job_from_template",
        "print a Job built from a JobTemplate",
        (
            arg(
                "source",
                type=not_empty,
                metavar="FILE|NAME",
                live="manifest|jobtemplate",
                help="a manifest, - for stdin, or a JobTemplate",
            ),
            arg("--name", default="", metavar="NAME", help="name of the Job; default: that of the template"),
        ),
        ("yaml", "json"),
        examples=("jobflow job from-template train --name train-once | kubectl apply -f -",),
    ),
    Verb(
        "cron list",
        "cron:list_schedules",
        "list CronJobFlows and CronJobs with their next runs",
        (ALL,),
        BODY_FORMATS,
        examples=("jobflow cron list -A",),
    ),
    Verb(
        "cron next",
        "cron:next_times",
        "show the next due times of a schedule, or of a cron expression",
        (
            arg("name", type=not_empty, metavar="NAME", help="CronJobFlow, CronJob, or a cron expression in quotes"),
            arg("--count", type=_count, default=5, metavar="N", help="number of times, 1 to 1000; default: 5"),
            arg("--timezone", default="", metavar="ZONE", help="IANA time zone of a cron expression; default: UTC"),
        ),
        examples=("jobflow cron next nightly", 'jobflow cron next "0 2 * * 1-5" --timezone Europe/Berlin'),
    ),
    Verb(
        "cron run",
        "cron:run",
        "start a run of a schedule now",
        (arg("name", type=object_name, metavar="NAME", help="CronJobFlow or CronJob"), PARAM),
        examples=("jobflow cron run nightly -p day=2026-01-02",),
    ),
    Verb(
        "cron backfill",
        "cron:backfill",
        "run a CronJobFlow for times in the past",
        (
            arg("name", type=object_name, metavar="NAME", help="CronJobFlow"),
            arg("--from", dest="start", required=True, metavar="TIME", help="first time, RFC 3339"),
            arg("--to", dest="end", required=True, metavar="TIME", help="last time, RFC 3339"),
            arg(
                "--parallelism", type=int, default=1, metavar="N", help="maximum number of unfinished flows; default: 1"
            ),
            arg(
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
    Verb("cron suspend", "cron:suspend", "suspend schedules: start no more runs", (SCHEDULES,)),
    Verb("cron resume", "cron:resume", "resume suspended schedules", (SCHEDULES,)),
    Verb("queue list", "queues:list_queues", "list Queues with Volcano's columns", (), OBJECT_FORMATS),
    Verb("queue get", "queues:get", "show Queues", (QUEUES,), OBJECT_FORMATS),
    Verb("queue open", "queues:open_queue", "open Queues, so that they accept Jobs", (QUEUES, NO_WAIT)),
    Verb("queue close", "queues:close_queue", "close Queues, so that they accept no more Jobs", (QUEUES, NO_WAIT)),
    Verb(
        "template from-job",
        "convert:template_from_job",
        "print a JobTemplate built from a Job",
        (
            arg(
                "source",
                type=not_empty,
                metavar="FILE|NAME",
                live="manifest|job",
                help="a manifest, - for stdin, or a Job",
            ),
            arg("--name", default="", metavar="NAME", help="name of the JobTemplate; default: that of the Job"),
        ),
        ("yaml", "json"),
        examples=("jobflow template from-job train > train.yaml",),
    ),
    Verb(
        "policy test",
        "policy.cases:test",
        "judge the cases of PolicyTest files by their JobFlowPolicies, without a cluster",
        (
            arg("paths", metavar="PATH", nargs="+", live="manifest", help="files and folders with PolicyTests"),
            arg("-w", "--watch", action="store_true", help="judge again whenever a file changes"),
        ),
        ("text", "json", "junit", "sarif"),
        cluster=False,
        examples=("jobflow policy test policies/", "jobflow policy test policies/ -o junit > report.xml"),
    ),
    Verb(
        "policy explain",
        "policy.explain:explain",
        "show which policies apply to an object, which checks pass and fail, and which defaults they set",
        (
            arg(
                "object",
                metavar="FILE|KIND/NAME",
                live="manifest",
                help="a manifest, or a stored object: jobflow/nightly",
            ),
            arg(
                "--policy",
                action="append",
                default=[],
                metavar="FILE",
                live="manifest",
                help="explain these JobFlowPolicies (and JobFlowPolicyExceptions), not those of the cluster",
            ),
            arg("--user", default="", metavar="NAME", help="explain for this user"),
            arg("--group", action="append", default=[], metavar="NAME", help="and this group; may be repeated"),
            arg("--namespace-labels", metavar="KEY=VALUE,...", help="labels of the namespace, with FILE and --policy"),
        ),
        examples=("jobflow policy explain jobflow/nightly", "jobflow policy explain job.yaml --policy company.yaml"),
    ),
    Verb(
        "policy scan",
        "policy.scan:scan",
        "count the stored objects that violate JobFlowPolicies, before the policies are applied",
        (FILES,),
        ("text", "json"),
        examples=("jobflow policy scan company.yaml", "jobflow policy scan company.yaml -n team-a"),
    ),
)
