"""Every rule of a CronJob, in a table of changed manifests and expected violations."""

import json
from typing import Any

import pytest

from shared import kinds
from shared.model.types import Body
from shared.timestamp import epoch
from tests.webhook.make import body, faults, job, known, review, step, task, verdict
from webhook.envelope.review import Operation, answer
from webhook.verdict.admissions import ADMISSIONS
from webhook.verdict.admit import validate
from webhook.verdict.kind_admission import AdmissionOptions, KindAdmission


def cron_job(name: str = "nightly", template: Body | None = None, **spec: Any) -> Body:
    made = (template or job())["spec"]
    return body(kinds.CRONJOB, name, {"schedule": "0 2 * * *", "jobTemplate": {"spec": made}, **spec})


POD_NAME_FAULT = "spec.jobTemplate.spec.tasks[0].name: Invalid value"

REFUSED: dict[str, tuple[Body, list[str]]] = {
    "a schedule that is none": (
        cron_job(schedule="0 2 * *"),
        [
            (
                'spec.schedule: Invalid value: "0 2 * *": 4 fields, but 5 are expected '
                "(minute hour day-of-month month day-of-week)"
            )
        ],
    ),
    "an empty schedule": (
        cron_job(schedule=""),
        ['spec.schedule: Invalid value: "": 0 fields, but 5 are expected (minute hour day-of-month month day-of-week)'],
    ),
    "a zone in the schedule": (
        cron_job(schedule="TZ=UTC 0 2 * * *"),
        ['spec.schedule: Invalid value: "TZ=UTC 0 2 * * *": a schedule must not contain a time zone; use timeZone'],
    ),
    "an empty time zone": (
        cron_job(timeZone=""),
        ['spec.timeZone: Invalid value: "": must be an IANA time zone name such as "Europe/Berlin", or absent for UTC'],
    ),
    "the machine's own time zone": (
        cron_job(timeZone="Local"),
        ['spec.timeZone: Invalid value: "Local": not an IANA time zone name, such as "Europe/Berlin" or "UTC"'],
    ),
    "a name of 53 characters": (
        cron_job("n" * 53),
        [f'metadata.name: Invalid value: "{"n" * 53}": must be no more than 52 characters', POD_NAME_FAULT],
    ),
    "a name whose pods do not fit": (cron_job("n" * 51), [POD_NAME_FAULT]),
    "a template with a minimum above its replicas": (
        cron_job(template=job(task(replicas=1), minAvailable=5)),
        [
            (
                "spec.jobTemplate.spec.minAvailable: Invalid value: 5: job 'minAvailable' should not be greater than total "
                "replicas in tasks (1)"
            )
        ],
    ),
    "a template with two tasks of one name": (
        cron_job(template=job(task("w"), task("w"))),
        ['spec.jobTemplate.spec.tasks[1].name: Duplicate value: "w": duplicated task name w'],
    ),
    "all faults at once": (
        cron_job(schedule="x", timeZone="Local", template=job(tasks=None)),
        ["spec.schedule", "spec.timeZone", "spec.jobTemplate.spec.tasks"],
    ),
}


@pytest.mark.parametrize(("given", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_wrong_with_a_cron_job(given: Body, expected: list[str]) -> None:
    found = faults(given)

    assert len(found) == len(expected)
    assert all(text.startswith(start) for text, start in zip(found, expected, strict=True))


ACCEPTED = {
    "the plain one": cron_job(),
    "a zone": cron_job(timeZone="America/New_York"),
    "a macro": cron_job(schedule="@daily"),
    "an interval": cron_job(schedule="@every 1h30m"),
    "a name whose pods just fit": cron_job("n" * 50),
    "a queue that does not exist yet": cron_job(template=job(queue="later")),
}


@pytest.mark.parametrize("given", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_what_is_accepted(given: Body) -> None:
    assert verdict(given).allowed


def flow_template(*params: Body, steps: tuple[Body, ...] = (), **flow: Any) -> Body:
    return body(
        kinds.JOBFLOWTEMPLATE,
        "nightly",
        {"params": list(params), "flow": {"flows": list(steps or (step("a"),)), **flow}},
    )


def cron_job_flow(**spec: Any) -> Body:
    given = {"schedules": ["0 2 * * *"], "jobFlowTemplate": {"spec": {"flows": [step("a"), step("b", "a")]}}, **spec}
    return body(kinds.CRONJOBFLOW, "beat", {key: value for key, value in given.items() if value is not None})


FLOW_REFUSED: dict[str, tuple[Body, list[str]]] = {
    "one of two schedules is none": (
        cron_job_flow(schedules=["0 2 * * *", "60 * * * *"]),
        ['spec.schedules[1]: Invalid value: "60 * * * *": minute "60": 60 is not in 0 to 59'],
    ),
    "a schedule twice": (
        cron_job_flow(schedules=["@daily", "@daily"]),
        ['spec.schedules[1]: Duplicate value: "@daily": listed twice'],
    ),
    "no flow": (
        cron_job_flow(jobFlowTemplate=None),
        ["spec: Required value: set template (the name of a JobFlowTemplate) or jobFlowTemplate (a flow)"],
    ),
    "two sources of the flow": (
        cron_job_flow(template={"name": "nightly"}),
        ["spec.jobFlowTemplate: Forbidden: may not be set together with template"],
    ),
    "a condition that is none": (cron_job_flow(when="last.phase"), ['spec.when: Invalid value: "last.phase": ']),
    "an unknown value of the schedule": (
        cron_job_flow(params=[{"name": "x", "value": "$(schedule.day)"}]),
        [
            'spec.params[0].value: Invalid value: "$(schedule.day)": unknown placeholder $(schedule.day); known: $(schedule.date)'
        ],
    ),
    "an end that is no time": (
        cron_job_flow(endTime="tomorrow"),
        ['spec.endTime: Invalid value: "tomorrow": must be an RFC 3339 time'],
    ),
    "an end without a time of day": (
        cron_job_flow(endTime="2030-01-01"),
        ['spec.endTime: Invalid value: "2030-01-01": must be an RFC 3339 time'],
    ),
    "an end without a zone": (
        cron_job_flow(endTime="2030-01-01T00:00:00"),
        ['spec.endTime: Invalid value: "2030-01-01T00:00:00": must be an RFC 3339 time'],
    ),
    "a cycle in the flow": (
        cron_job_flow(jobFlowTemplate={"spec": {"flows": [step("a", "b"), step("b", "a")]}}),
        ["spec.jobFlowTemplate.spec.flows: Invalid value: cycle a -> b -> a"],
    ),
    "a template with a default that is not allowed": (
        flow_template({"name": "mode", "default": "x", "enum": ["fast", "slow"]}),
        ['spec.params[0].default: Invalid value: "x": must be one of fast, slow'],
    ),
    "a template with a pattern that is none": (
        flow_template({"name": "day", "pattern": "[0-9"}),
        ['spec.params[0].pattern: Invalid value: "[0-9": not an RE2 pattern'],
    ),
    "a template with a param twice": (
        flow_template({"name": "day"}, {"name": "day"}),
        ['spec.params[1].name: Duplicate value: "day": declared twice'],
    ),
    "a template whose flow uses a param that is not declared": (
        flow_template(steps=(step("a", **{"if": 'params.nope == "1"'}),)),
        ["spec.flow.flows[0].if: Invalid value"],
    ),
    "a template whose flow waits for a step that is not there": (
        flow_template(steps=(step("a", "zz"),)),
        ["spec.flow.flows[0].dependsOn.targets[0]"],
    ),
}


@pytest.mark.parametrize(("given", "expected"), FLOW_REFUSED.values(), ids=FLOW_REFUSED.keys())
def test_what_is_wrong_with_a_schedule_of_flows_or_a_template(given: Body, expected: list[str]) -> None:
    found = faults(given)

    assert len(found) == len(expected)
    assert all(text.startswith(start) for text, start in zip(found, expected, strict=True))


TEMPLATE = flow_template({"name": "day", "required": True}, {"name": "mode", "enum": ["fast", "slow"]})
PARAMS: dict[str, tuple[list[Body], list[str]]] = {
    "what is required is given": ([{"name": "day", "value": "$(schedule.date)"}], []),
    "what is required is missing": ([], ['spec.params: Invalid value: "day": param "day" is required by the template']),
    "an unknown param": (
        [{"name": "day", "value": "x"}, {"name": "mood", "value": "x"}],
        ['spec.params[1]: Invalid value: "mood": param "mood" is not a param of the template; it has day, mode'],
    ),
    "a value that is not allowed": (
        [{"name": "day", "value": "x"}, {"name": "mode", "value": "x"}],
        ['spec.params[1]: Invalid value: "mode": param "mode" must be one of fast, slow'],
    ),
}


@pytest.mark.parametrize(("params", "expected"), PARAMS.values(), ids=PARAMS.keys())
def test_params_are_judged_by_the_template_where_it_exists(params: list[Body], expected: list[str]) -> None:
    given = cron_job_flow(jobFlowTemplate=None, template={"name": "nightly"}, params=params)

    assert faults(given, lookups=known(TEMPLATE)) == expected


def test_a_template_that_does_not_exist_yet_is_a_warning() -> None:
    found = verdict(cron_job_flow(jobFlowTemplate=None, template={"name": "later"}), lookups=known())

    assert found.allowed
    assert found.warnings == ('JobFlowTemplate "later" does not exist yet; no flow is created until it exists',)


def test_a_condition_that_compares_to_no_phase_is_a_warning() -> None:
    found = verdict(cron_job_flow(when='last.phase != "Completed"'), lookups=known())

    assert found.allowed
    assert 'spec.when: 1:15: the phase of a flow is never "Completed"; did you mean "Succeed"?' in found.warnings


NOON = epoch("2026-03-27T12:00:00Z")  # a Friday, two days before clocks change in Berlin


def notices(new: Body, old: Body | None = None) -> tuple[str, ...]:
    return validate(review(new, old), known(), AdmissionOptions(now=NOON)).notices


def test_a_new_schedule_is_told_its_next_three_runs_in_its_zone() -> None:
    found = notices(cron_job(schedule="30 2 * * *", timeZone="Europe/Berlin"))

    assert found == ("next runs (Europe/Berlin): Sat 2026-03-28 02:30, Sun 2026-03-29 03:00, Mon 2026-03-30 02:30",)
    assert notices(cron_job_flow(schedules=["0 2 * * *", "@hourly"])) == (
        "next runs (UTC): Fri 2026-03-27 13:00, Fri 2026-03-27 14:00, Fri 2026-03-27 15:00",
    )


QUIET: dict[str, tuple[Body, Body | None]] = {
    "a suspended schedule": (cron_job(suspend=True), None),
    "an update that leaves the schedule": (cron_job(successfulJobsHistoryLimit=1), cron_job()),
    "a schedule with a fault": (cron_job(schedule="61 * * * *"), None),
    "a zone with a fault": (cron_job(timeZone="Mars"), None),
}


@pytest.mark.parametrize(("new", "old"), QUIET.values(), ids=QUIET)
def test_when_no_next_runs_are_told(new: Body, old: Body | None) -> None:
    assert notices(new, old) == ()


def test_a_changed_schedule_is_told_its_next_runs_and_a_due_date_that_is_far_away() -> None:
    assert notices(cron_job(schedule="@daily"), cron_job())[0].startswith("next runs (UTC): Sat 2026-03-28 00:00, ")
    assert notices(cron_job(schedule="0 0 29 2 *")) == (
        "next runs (UTC): Tue 2028-02-29 00:00, Sun 2032-02-29 00:00, Fri 2036-02-29 00:00",
    )


def test_no_runs_after_the_end_are_told() -> None:
    assert notices(cron_job_flow(schedules=["@daily"], endTime="2026-03-29T00:00:00Z")) == (
        "next runs (UTC): Sat 2026-03-28 00:00, Sun 2026-03-29 00:00",
    )
    assert notices(cron_job_flow(schedules=["@yearly"], endTime="2026-12-31T00:00:00Z")) == (
        "no run is due before spec.endTime",
    )


def test_next_runs_are_sent_as_a_warning_that_clients_show_whole() -> None:
    given = review(cron_job(timeZone="America/Argentina/ComodRivadavia"))
    verdict = validate(given, known(), AdmissionOptions(now=NOON))
    (sent,) = json.loads(answer(given, verdict))["response"]["warnings"]

    assert sent == verdict.notices[0]
    assert verdict.warnings == ()


def backfill(name: str) -> Body:
    spec = {"cronJobFlow": "beat", "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
    return body(kinds.CRONJOBFLOWBACKFILL, name, spec)


BY_NAME = cron_job_flow(jobFlowTemplate=None, template={"name": "nightly"})
STEPS = flow_template(steps=(step("collect"), step("publish-results", "collect")))
NAMES: dict[str, tuple[Body, bool]] = {
    "a schedule whose Jobs just fit": ({**BY_NAME, "metadata": {"name": "n" * 33, "namespace": "ns1"}}, True),
    "a schedule whose Jobs do not": ({**BY_NAME, "metadata": {"name": "n" * 34, "namespace": "ns1"}}, False),
    "a schedule whose flows have hashed names": (
        {**BY_NAME, "metadata": {"name": "n" * 60, "namespace": "ns1"}},
        False,
    ),
    "a backfill whose Jobs just fit": (backfill("n" * 32), True),
    "a backfill whose Jobs do not": (backfill("n" * 33), False),
}


@pytest.mark.parametrize(("given", "fits"), NAMES.values(), ids=NAMES)
def test_names_that_leave_no_room_for_the_jobs_of_the_steps_are_refused(given: Body, fits: bool) -> None:
    found = faults(given, lookups=known(STEPS, BY_NAME))

    assert (found == []) is fits
    assert all(text.startswith("metadata.name: Invalid value: ") for text in found)
    assert all(" of its flows: its Jobs may be named " in text for text in found)


def test_faults_of_several_rules_about_what_is_inside_are_all_reported() -> None:
    two = job(task(replicas=1, dependsOn={"name": ["gone"]}), minAvailable=5)
    template = body(kinds.JOBFLOWTEMPLATE, "t", {"flow": {"flows": [step("a", "z"), step("A"), step("A")]}})
    for given, places in (
        (
            cron_job(template=two),
            {"spec.jobTemplate.spec.minAvailable", "spec.jobTemplate.spec.tasks[0].dependsOn.name[0]"},
        ),
        (template, {"spec.flow.flows[0].dependsOn.targets[0]", "spec.flow.flows[1].name", "spec.flow.flows[2].name"}),
    ):
        assert {fault.path for fault in verdict(given).violations} >= places


def test_warnings_of_several_rules_about_what_is_inside_are_all_given_with_their_place() -> None:
    misspelt = task(replicas=0, template={"spec": {"nodeselector": {}, "containers": [{"name": "m", "image": "b"}]}})
    of_job = verdict(cron_job(template=job(misspelt, minAvailable=0))).warnings
    flow = {"flows": [step("a", template="gone"), step("b", "a", template="gone", **{"if": "steps.a.phase == 'Done'"})]}
    of_template = verdict(body(kinds.JOBFLOWTEMPLATE, "t", {"flow": flow}), lookups=known()).warnings

    assert any(text.startswith("spec.jobTemplate.spec.tasks[0].template.spec.nodeselector: ") for text in of_job)
    assert len(of_job) > 1
    assert any("JobTemplates not found yet" in text for text in of_template)
    assert any(text.startswith("spec.flow.flows[1].if: ") for text in of_template)


@pytest.mark.parametrize("admission", ADMISSIONS.values(), ids=lambda admission: admission.kind.kind)
def test_rules_have_names_of_their_own(admission: KindAdmission) -> None:
    """Faults are counted, logged and timed by the name of the rule."""
    for rules in (*map(admission.rules_of, Operation), *map(admission.warnings_of, Operation)):
        names = [rule.__name__ for rule in rules]
        assert sorted(set(names)) == sorted(names)
