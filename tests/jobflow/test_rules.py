"""Every rule of the webhook that a flow in Python can break reports the file and line that broke it."""

import runpy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

from jobflow import Approve, Flow, JobTemplate, Schedule, Template
from jobflow.manifests.placed import PlacedManifest
from shared import kinds
from tests.jobflow.python import flow_of, lines_of, marked, program
from webhook import rules
from webhook.lint.check import admit
from webhook.rules.cron import cron_job_flow
from webhook.subject.lookups import InMemoryLookups, OfflineLookups

KINDS = {each.kind: each for each in (kinds.JOBFLOW, kinds.JOBTEMPLATE, kinds.CRONJOBFLOW)}

# rule -> a program whose marked lines break it
FLOW: Final = {
    "flows_are_present": 'Job("z", image="i").finally_()  # flow',
    "flows_are_not_too_many": 'for n in range(1001): Template(f"s{n}", "t")  # flow',
    "step_names_are_labels": 'Job("A_b", image="i", template_name="t")  # !',
    "template_names_are_names": 'Template("a", "T!")  # !',
    "targets_exist": 'a = Template("a")\nTemplate("b").after(\n    a,\n    "deplyo")  # !',
    "no_cycle": 'a = Template("a")\nb = Template("b")\na >> b\nb >> a  # flow',
    "finally_waits_for_nothing": 'a = Template("a")\nz = Template("z").finally_()\na >> z  # !',
    "job_names_fit": f'Template("{"x" * 60}")  # !',
    "job_names_cannot_collide": 'Template("a").loop(["x"])\nTemplate("a-1")  # !',
    "pod_names_fit": f'Job("{"x" * 40}", tasks=[Task("{"t" * 30}", image="i")])  # !',
    "outputs_are_identifiers": 'Template(\n    "a",\n    outputs=[\n        "1st",  # !\n    ])',
    "switch_choices_exist": 'z = Template("z").finally_()\nTemplate("a")\nSwitch("s", f.params.p, {"1": z})  # !',
    "a_step_belongs_to_one_switch": (
        'a = Template("a")\nSwitch("s", f.params.p, {"1": a})\nSwitch("t", f.params.p, {"1": a})  # !'
    ),
    "switch_cases_differ": 'a = Template("a")\nSwitch("s", f.params.p, {("1", "1"): a})  # !',
    "switch_creates_no_job": ('a = Template("a")\nSwitch("s", f.params.p, {"1": a}).retry(2)  # !'),
    "finally_has_no_switch_or_daemon": 'Template("a")\nz = Template("z").finally_()\nz.daemon()  # !',
    "retries_can_be_counted_and_waited_for": 'a = Template("a")\na.retry(1000)  # !',
    "loop_has_one_source": 'a = Template("a")\na.loop([])  # !\na.fields["for"].pop("items")',
    "loop_keys_are_identifiers": 'a = Template("a")\na.loop([\n    {"a": "1"},\n    {"a-b": "1"},  # !\n])',
    "loop_matrix_has_values": 'a = Template("a")\na.loop({"a": [], "b": ["1"]})  # !',
    "loop_range_advances": 'a = Template("a")\na.loop(range(3))  # !\na.fields["for"]["range"]["step"] = 0',
    "loop_iterations_are_allowed": 'a = Template("a")\na.loop(range(101))  # !',
    "while_is_sequential": 'a = Template("a")\na.loop(\n    while_=index < 2,\n    parallelism=2)  # !',
    "loop_tolerance_is_a_number_or_a_share": 'a = Template("a")\na.loop(["x"], tolerate="some")  # !',
    "while_has_no_fields_of_items": 'a = Template("a")\na.loop(while_=index < 2, fail_fast=True)  # !',
    "jobs_are_not_too_many": ('for n in range(6): Template(f"s{n}").loop(range(2000), max_iterations=2000)  # flow'),
    "probe_needs_targets": ('Template("b").after(probe={"tcpSocketList": [{"taskName": "w", "port": 80}]})  # !'),
    "probe_looks_at_something": 'a = Template("a")\nb = Template("b")\nb.after(a, probe={})  # !',
    "probe_names_a_task": (
        'a = Template("a")\nb = Template("b")\nb.after(a, probe={"httpGetList": [\n    {"port": 80, "path": "/"},  # !\n]})'
    ),
    "probe_ports_are_ports": (
        'a = Template("a")\nb = Template("b")\nb.after(a, probe={"tcpSocketList": [\n    {"taskName": "w", "port": 0},  # !\n]})'
    ),
    "probe_requests_are_plain": (
        'a = Template("a")\nb = Template("b")\n'
        'b.after(a, probe={"httpGetList": [{"taskName": "w", "port": 80, "path": "x"}]})  # !'
    ),
    "probe_phases_are_pod_phases": (
        'a = Template("a")\nb = Template("b")\nb.after(a, probe={"taskStatusList": [{"taskName": "w", "phase": "Done"}]})  # !'
    ),
    "operations_have_a_value": 'a = Template("a")\na.patch(json_patch=[\n    {"op": "add", "path": "/queue"}])  # !',
    "operations_have_a_source": 'a = Template("a")\na.patch(json_patch=[{"op": "copy", "path": "/queue"}])  # !',
    "operations_point_somewhere": 'a = Template("a")\na.patch(json_patch=[{"op": "remove", "path": "queue"}])  # !',
    "operations_write_known_fields": (
        'a = Template("a")\na.patch(json_patch=[{"op": "add", "path": "/quue", "value": "x"}])  # !'
    ),
    "operations_spare_the_whole": 'a = Template("a")\na.patch(json_patch=[{"op": "remove", "path": ""}])  # !',
    "patched_plugins_are_known": 'a = Template("a")\na.patch({"plugins": {"horovod": []}})  # !',
    "patched_tasks_have_names": 'a = Template("a")\na.patch({"tasks": [{"replicas": 3}]})  # !',
    "references_stand_for_something": 'a = Template("a")\na.patch({"queue": "$(params.nope)"})  # !',
    "approval_creates_no_job": 'Approve("a").retry(2)  # !',
    "approval_is_not_in_finally": 'Template("b")\nApprove("a").finally_()  # !',
    "approval_timeout_is_a_duration": 'Approve("a",\n    timeout="soon")  # !',
    "sub_flow_has_one_source": 'SubFlow("a", "")  # !',
    "sub_flow_steps_make_no_jobs": 'SubFlow("a", "t").patch({"queue": "q"})  # !',
    "sub_flow_specs_match_the_schema": 'Template("a").extra({"flow": {"spec": {"flows": 3}}})  # !',
    "sub_flow_params_are_params": 'with Flow("inner") as inner: Template("x")\nSubFlow("a", inner,\n    params={"nope": 1})  # !',
    "sub_flow_outputs_exist": 'with Flow("inner") as inner: Template("x")\nSubFlow("a", inner,\n    outputs="nope")  # !',
    "sub_flows_end": (
        'spec = {"flows": [{"name": "x"}]}\nfor n in range(9): spec = {"flows": [{"name": "x", "flow": {"spec": spec}}]}\n'
        'Template("a").extra({"flow": {"spec": spec}})  # !'
    ),
    "inner_flows_are_flows": 'Template("a").extra({"flow": {"spec": {"flows": [{"name": "A_"}]}}})  # !',
    "resource_steps_make_no_jobs": 'Resource("a", OBJECT).patch({"queue": "q"})  # !',
    "resource_kinds_are_allowed": 'Resource("a", {"apiVersion": "v1",\n    "kind": "Secret"}, success="true", failure="false")  # !',
    "resource_manifests_say_what_they_may": 'Resource("a", OBJECT, stop=[\n    {"op": "remove", "path": "/metadata/labels"}])  # !',
    "resource_conditions_are_there_and_compile": 'Resource("a", OBJECT,\n    success="object.status ==")  # !',
    "resource_outputs_are_expressions": 'Resource("a", OBJECT, outputs={\n    "uri": "objct.status.uri"})  # !',
    "flow_outputs_compile": 'Template("a")\nf.output("x", "nope(")  # !',
    "flow_outputs_have_names": 'Template("a")\nf.output("1x", "flow.name")  # !',
    "placeholders_are_not_inside_references": (
        'a = Template("a")\na.patch({"tasks": [{"name": "w", "template": {"spec": {"containers": [\n'
        '    {"name": "c", "args": ["$(A$(params.p))"]}]}}}]})  # !'
    ),
    "expressions_compile": (
        'a = Template("a", outputs=["x"])\nb = Template("b")\na >> b\nb.when("steps.a.outputs.x > 3")  # !'
    ),
}
FLOW_WARNED: Final = {
    "inner_flows": 'Template("a").extra({"flow": {"spec": {"flows": [{"name": "s", "switch": {"value": "flow.name"}}]}}})  # !',
    "approvals_after_a_timeout": 'Approve("a", timeout="1h",\n    on_timeout="Approve")  # !',
    "daemons_without_dependents": 'Template("a").daemon()  # !',
    "switches_that_choose_nothing": 'Template("a")\nSwitch("s", f.params.p, {})  # !',
    "probes_of_unknown_tasks": (
        'a = Job("a", image="i")\nb = Template("b")\n'
        'b.after(a, probe={"taskStatusList": [{"taskName": "nope", "phase": "Running"}]})  # !'
    ),
    "patches_of_unknown_tasks": (
        'a = Job("a", image="i")\na.patch({"tasks": [\n    {"name": "nope", "replicas": 2}]})  # !'
    ),
    "patched_fields_that_no_pod_has": (
        'a = Template("a")\na.patch({"tasks": [{"name": "w", "template": {"spec": {"nope": 1}}}]})  # !'
    ),
    "literals_that_never_match": 'a = Template("a")\nb = Template("b")\na >> b\nb.when(a.phase == "Complete")  # !',
}
JOB: Final = {
    "tasks_are_not_too_many": 'Job("a", tasks=[Task(f"t{n}", image="i") for n in range(1001)])  # !',
    "task_names_are_labels": 'Job("a", tasks=[\n    Task("Worker_1", image="i"),  # !\n])',
    "task_names_are_unique": 'Job("a", tasks=[\n    Task("w", image="i"),\n    Task("w", image="i"),  # !\n])',
    "task_minimum_is_within_replicas": 'Job("a", tasks=[\n    Task(\n        "w", image="i",\n        min_available=3,  # !\n    )], min_available=1)',
    "job_minimum_is_within_replicas": 'Job(\n    "a",\n    image="i",\n    min_available=3,  # !\n)',
    "replicas_can_be_counted": 'Job("a", tasks=[  # !\n    Task("a", image="i", replicas=2**31 - 1), Task("b", image="i")], min_available=1)',
    "job_success_is_within_replicas": 'Job("a", image="i",\n    min_success=9)  # !',
    "topology_has_one_tier": (
        'Job("a", image="i", network_topology={"highestTierAllowed": 1,  # !\n    "highestTierName": "r"})  # !'
    ),
    "numa_policies_get_whole_cpus": 'Job("a", image="i", topology_policy="restricted",  # !\n    cpu="500m")  # !',
    "partitions_cover_the_replicas": (
        'Job("a", image="i", partition_policy={"totalPartitions": 2, "partitionSize": 2},\n    replicas=5)  # !'
    ),
    "minimum_is_whole_partitions": (
        'Job("a", tasks=[Task("w", image="i", replicas=6, partition_policy={"totalPartitions": 3, "partitionSize": 2,'
        ' "minPartitions": 2},\n    min_available=6)])  # !'
    ),
    "minimum_partitions_exist": (
        'Job("a", image="i", replicas=6, partition_policy={"totalPartitions": 3, "partitionSize": 2,\n'
        '    "minPartitions": 4})  # !'
    ),
    "policy_says_when": 'Job("a", image="i", policies=[{"action": "AbortJob"}])  # !',
    "policy_action_is_an_action": 'Job("a", image="i", policies={"PodFailed": "Restart"})  # !',
    "policy_action_has_a_target": 'Job("a", image="i", policies={"Unknown": "RestartPod"})  # !',
    "events_are_handled_once": (
        'Job("a", image="i", policies={"PodFailed": "RestartJob", ("PodFailed", "PodEvicted"): "AbortJob"})  # !'
    ),
    "any_event_stands_alone": 'Job("a", image="i", policies={"*": "RestartJob", "PodEvicted": "AbortJob"})  # !',
    "exit_codes_are_failures": 'Job("a", image="i", policies={0: "RestartJob"})  # !',
    "exit_codes_are_handled_once": (
        'Job("a", image="i", policies=[{"exitCode": 3, "action": "AbortJob"},\n    {"exitCode": 3, "action": "RestartJob"}])  # !'
    ),
    "exit_codes_are_codes_and_ranges": (
        'Job("a", image="i", policies=[{"exitCodes": {"values": ["x"]}, "action": "AbortJob"}])  # !'
    ),
    "pod_conditions_have_a_status": (
        'Job("a", image="i", policies=[{"podConditions": [{"type": "X", "status": "Maybe"}], "action": "AbortJob"}])  # !'
    ),
    "managed_by_is_a_path": 'Job("a", image="i",\n    job={"managedBy": "x"})  # !',
    "timeouts_are_positive_durations": (
        'Job("a", image="i", policies=[{"event": "PodFailed", "action": "AbortJob", "timeout": "10"}])  # !'
    ),
    "running_estimate_is_a_duration": 'Job("a", image="i",\n    running_estimate="-5m")  # !',
    "task_dependencies_exist": 'Job("a", tasks=[Task("w", image="i",\n    after=["ghost"])])  # !',
    "task_dependencies_are_named_once": 'Job("a", tasks=[Task("v", image="i"), Task("w", image="i", after=["v", "v"])])  # !',
    "task_iteration_is_known": (
        'Job("a", tasks=[Task("v", image="i"), Task("w", image="i", after=["v"],\n    after_iteration="ALL")])  # !'
    ),
    "task_dependencies_have_no_cycle": 'Job("a",\n    tasks=[Task("v", image="i", after=["v"])])  # !',
    "plugins_are_not_too_many": 'Job("a", image="i", plugins=[f"p{n}" for n in range(65)])  # !',
    "plugins_can_work": 'Job("a", image="i", plugins=[plugin("mpi", master="lead")])  # !',
    "volumes_name_one_claim": 'Job("a", image="i", volumes={"/x": ""})  # !',
    "volume_claim_names_are_names": 'Job("a", image="i", volumes={"/x": "C_"})  # !',
    "volume_claims_can_be_created": 'Job("a", image="i", volumes={"/x": {"accessModes": ["ReadWriteOnce"]}})  # !',
    "pod_templates_make_pods": 'Job("a",  # !\n    command=["x"])',
    "placeholders_are_not_inside_references": 'Job("a", image="i", args=["$(A$(params.p))"])  # !',
}
JOB_WARNED: Final = {
    "restart_policies_of_services": 'Job("a", image="i", restart_policy="Always")  # !',
    "no_pod_is_asked_for": 'Job("a", image="i", replicas=0)  # !',
    "pending_policies_without_timeout": 'Job("a", image="i", policies={"PodPending": "AbortJob"})  # !',
    "events_that_are_never_raised": 'Job("a", image="i", policies={"CommandIssued": "AbortJob"})  # !',
    "targeted_actions_on_job_events": 'Job("a", image="i", policies={("PodFailed", "Unknown"): "RestartTask"})  # !',
    "tasks_that_wait_for_servers": (
        'Job("a", tasks=[Task("v", image="i"),\n'
        '    Task("w", image="i", policies={"TaskCompleted": "CompleteJob"},\n        after=["v"])])  # !'
    ),
    "plugins_without_their_tasks": 'Job("a", image="i",\n    plugins=["pytorch"])  # !',
    "topology_that_needs_volcano": 'Job("a", image="i",\n    network_topology={"highestTierAllowed": 1})  # !',
    "fields_that_no_pod_has": 'Job("a", image="i",\n    pod={"nope": 1})  # !',
}
SCHEDULE: Final = {
    "schedules_are_schedules": 'made = Schedule(f,\n    "0 2 * *")  # !',
    "schedules_differ": 'made = Schedule(f, [\n    "@daily",\n    "@daily",  # !\n])',
    "cron_time_zone_exists": 'made = Schedule(f, "@daily",\n    time_zone="Berlin")  # !',
    "end_time_is_a_time": 'made = Schedule(f, "@daily",\n    end="tomorrow")  # !',
    "condition_compiles": 'made = Schedule(f, "@daily",\n    when="last.phase")  # !',
    "schedule_values_exist": 'made = Schedule(f, "@daily", params={\n    "p": "$(schedule.day)"})  # !',
}
SCHEDULE_WARNED: Final = {
    "condition_literals_that_never_match": """made = Schedule(f, "@daily",\n    when='last.phase == "Succeeded"')  # !""",
}
NAMED: Final = "the keys of a dict differ"
SCHEMA: Final = "the schema refuses it first"
OPERATOR: Final = "only where the operator's settings are known, so not offline"
UNBREAKABLE: Final = {
    "references_of_no_form": "refused as the `with` block ends",
    "step_names_are_unique": "the second step raises ValueError as it is made",
    "volumes_are_mounted_apart": NAMED,
    "tasks_are_present": SCHEMA,
    "volumes_have_a_mount_path": SCHEMA,
    "services_can_bear_the_name": "covered below: the flow's name is to blame",
    "params_are_identifiers": "covered below: params are the flow's",
    "plugins_are_enabled": OPERATOR,
    "schedulers_that_are_not_known": OPERATOR,
    "flow_templates_not_found_yet": "only in a cluster, where a missing JobFlowTemplate is known to be missing",
    "templates_not_found_yet": "only in a cluster, where a missing JobTemplate is known to be missing",
}
"""Rules whose fault Python prevents, or that judge what a flow in Python does not contain."""
UNBREAKABLE_BY_SCHEDULES: Final = {
    "params_are_given_once": NAMED,
    **dict.fromkeys(
        ("flow_has_one_source", "params_fit_the_template", "names_fit_the_template", "template_not_found_yet"),
        "a Schedule has its flow written out",
    ),
}
TABLES: Final = {"flow": FLOW, "flow warned": FLOW_WARNED, "job": JOB, "job warned": JOB_WARNED}
CASES: Final = [(table, rule) for table, cases in TABLES.items() for rule in cases if cases[rule]]


@pytest.mark.parametrize(("table", "rule"), CASES)
def test_a_broken_rule_is_reported_at_its_line(table: str, rule: str, tmp_path: Path) -> None:
    file = program(tmp_path, TABLES[table][rule])
    flow = flow_of(file)
    report = flow.lint()
    assert rule in _found_by(flow.manifests()), report
    assert report.faults if "warned" in table else report.errors
    assert set(lines_of(report, file)) == set(marked(file)), report


OF_FLOWS: Final = {
    "params_are_identifiers": 'with Flow("f",\n    params={\n        "a-b": "1"}) as f:  # !\n    Template("a")',
    "services_can_bear_the_name": 'with Flow("2f") as f:  # !\n    Job("a", image="i", plugins=["svc"])',
    "schema": 'with Flow("f", failure="Stopp") as f:  # !\n    Template("a")',
}


@pytest.mark.parametrize("rule", OF_FLOWS)
def test_a_fault_of_the_flow_itself_is_reported_at_its_line(rule: str, tmp_path: Path) -> None:
    file = program(tmp_path, OF_FLOWS[rule], inside=False)
    report = flow_of(file).lint()
    assert rule in _found_by(flow_of(file).manifests())
    assert set(lines_of(report.errors, file)) == set(marked(file)), report


@pytest.mark.parametrize("rule", [*SCHEDULE, *SCHEDULE_WARNED])
def test_a_fault_of_a_schedule_is_reported_at_its_line(rule: str, tmp_path: Path) -> None:
    file = program(tmp_path, f'Template("a")\n{(SCHEDULE | SCHEDULE_WARNED)[rule]}')
    made = runpy.run_path(str(file))["made"]
    assert isinstance(made, Schedule)
    report = made.lint()
    assert rule in _found_by(made.manifests()), report
    assert report.warnings if rule in SCHEDULE_WARNED else report.errors
    assert set(lines_of(report, file)) == set(marked(file)), report


def test_a_fault_of_a_scheduled_flow_is_reported_at_its_line(subtests: pytest.Subtests, tmp_path: Path) -> None:
    for rule, text in FLOW.items():
        with subtests.test(rule):
            file = program(tmp_path, text, name=f"{rule}.py")
            report = Schedule(flow_of(file), "@daily").lint()
            assert set(lines_of(report.errors, file)) == set(marked(file)), report


def test_every_rule_is_in_a_table_or_cannot_be_broken_in_python() -> None:
    for registered, table, unbreakable in (
        (rules.FLOW_RULES, FLOW, UNBREAKABLE),
        (rules.FLOW_WARNINGS, FLOW_WARNED, UNBREAKABLE),
        (rules.TEMPLATE_RULES, JOB, UNBREAKABLE),
        (rules.TEMPLATE_WARNINGS, JOB_WARNED, UNBREAKABLE),
        (_own(rules.CRONJOBFLOW_RULES), SCHEDULE, UNBREAKABLE_BY_SCHEDULES),
        (_own(rules.CRONJOBFLOW_WARNINGS), SCHEDULE_WARNED, UNBREAKABLE_BY_SCHEDULES),
    ):
        names = {rule.__name__ for rule in registered}
        assert names == table.keys() | (unbreakable.keys() & names)
        assert not table.keys() & unbreakable.keys()
    everything = {
        rule.__name__ for each in (rules.FLOW_RULES, rules.FLOW_WARNINGS, rules.TEMPLATE_RULES) for rule in each
    }
    assert UNBREAKABLE.keys() <= everything | {rule.__name__ for rule in rules.TEMPLATE_WARNINGS}
    assert UNBREAKABLE_BY_SCHEDULES.keys() <= {
        rule.__name__ for rule in (*rules.CRONJOBFLOW_RULES, *rules.CRONJOBFLOW_WARNINGS)
    }


def _own(registered: Sequence[Callable[..., object]]) -> list[Callable[..., object]]:
    """The rules of schedules themselves: those of their flows are in the tables of flows."""
    return [rule for rule in registered if rule.__module__ == cron_job_flow.__name__]


def _found_by(manifests: tuple[PlacedManifest, ...]) -> set[str]:
    """The rules that refuse or warn of the objects."""
    known = [
        (KINDS[each.kind], {**each.body, "metadata": {**each.body["metadata"], "namespace": "default"}})
        for each in manifests
    ]
    lookups = InMemoryLookups(known, below=OfflineLookups())
    verdicts = [admit(kind, body, lookups, "default") for kind, body in known]
    return {name for verdict in verdicts for name in (*verdict.rules, *verdict.warned_by)}


def test_a_template_is_not_judged_for_an_approval_of_the_same_name() -> None:
    with Flow("f") as flow:
        Template("each", JobTemplate("ship", image="img:$(item)")).loop(["1", "2"])
        Approve("ship")
    assert flow.lint().faults == ()
