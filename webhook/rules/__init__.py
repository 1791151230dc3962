"""The registry of all rules: which rules validate which kind and operation.

A rule is a function from a subject to violations; a warner yields warning texts. A rule must not assume that another rule
has passed. To add a rule, write the function and list it here; a test fails if a public rule is not listed.
"""

from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import Any, Final

from shared.violation import Violation
from webhook.rules import command, command_message, pod, podgroup, policy, policy_exception
from webhook.rules.cron import backfill, cron_job, cron_job_flow, flow_template
from webhook.rules.cron.embedded_flow import of_flow, of_inner_flows, warned_of_flow, warned_of_inner_flows
from webhook.rules.flow import approval as flow_approval
from webhook.rules.flow import control as flow_control
from webhook.rules.flow import deletion as flow_deletion
from webhook.rules.flow import expressions as flow_expressions
from webhook.rules.flow import flow_outputs
from webhook.rules.flow import graph as flow_graph
from webhook.rules.flow import loops as flow_loops
from webhook.rules.flow import names as flow_names
from webhook.rules.flow import patch as flow_patch
from webhook.rules.flow import probe as flow_probe
from webhook.rules.flow import references as flow_references
from webhook.rules.flow import resources as flow_resources
from webhook.rules.flow import sub_flows as flow_sub_flows
from webhook.rules.flow import templates as flow_templates
from webhook.rules.flow import updates as flow_updates
from webhook.rules.job import depends as job_depends
from webhook.rules.job import partition as job_partition
from webhook.rules.job import plugins as job_plugins
from webhook.rules.job import pods as job_pods
from webhook.rules.job import policies as job_policies
from webhook.rules.job import queue as job_queue
from webhook.rules.job import tasks as job_tasks
from webhook.rules.job import template as job_template
from webhook.rules.job import topology as job_topology
from webhook.rules.job import updates as job_updates
from webhook.rules.job import volumes as job_volumes
from webhook.rules.queue import resources as queue_resources
from webhook.rules.queue import tree as queue_tree

Rule = Callable[[Any], Iterator[Violation]]
Warner = Callable[[Any], Iterator[str]]
Notice = Callable[[Any, float], Iterator[str]]
"""From a subject and the time in epoch seconds to texts for the user, who has done nothing wrong."""


class _Judges(Enum):
    """In what a rule or a warner may find something. Special steps set more than name, template and targets."""

    EVERY_FLOW = auto()
    SPECIAL_STEPS = auto()


_OWN_FLOW_RULES: Final[dict[Rule, _Judges]] = {
    flow_graph.flows_are_present: _Judges.EVERY_FLOW,
    flow_graph.flows_are_not_too_many: _Judges.EVERY_FLOW,
    flow_names.step_names_are_labels: _Judges.EVERY_FLOW,
    flow_names.step_names_are_unique: _Judges.EVERY_FLOW,
    flow_names.template_names_are_names: _Judges.EVERY_FLOW,
    flow_graph.targets_exist: _Judges.EVERY_FLOW,
    flow_graph.finally_waits_for_nothing: _Judges.EVERY_FLOW,
    flow_graph.no_cycle: _Judges.EVERY_FLOW,
    flow_names.job_names_fit: _Judges.EVERY_FLOW,
    flow_names.pod_names_fit: _Judges.EVERY_FLOW,
    flow_names.services_can_bear_the_name: _Judges.EVERY_FLOW,
    flow_names.job_names_cannot_collide: _Judges.EVERY_FLOW,
    flow_names.params_are_identifiers: _Judges.EVERY_FLOW,
    flow_names.outputs_are_identifiers: _Judges.SPECIAL_STEPS,
    flow_control.switch_creates_no_job: _Judges.SPECIAL_STEPS,
    flow_control.switch_choices_exist: _Judges.SPECIAL_STEPS,
    flow_control.a_step_belongs_to_one_switch: _Judges.SPECIAL_STEPS,
    flow_control.switch_cases_differ: _Judges.SPECIAL_STEPS,
    flow_control.finally_has_no_switch_or_daemon: _Judges.SPECIAL_STEPS,
    flow_control.retries_can_be_counted_and_waited_for: _Judges.EVERY_FLOW,
    flow_loops.loop_has_one_source: _Judges.SPECIAL_STEPS,
    flow_loops.loop_keys_are_identifiers: _Judges.SPECIAL_STEPS,
    flow_loops.loop_matrix_has_values: _Judges.SPECIAL_STEPS,
    flow_loops.loop_range_advances: _Judges.SPECIAL_STEPS,
    flow_loops.loop_iterations_are_allowed: _Judges.SPECIAL_STEPS,
    flow_loops.while_is_sequential: _Judges.SPECIAL_STEPS,
    flow_loops.loop_tolerance_is_a_number_or_a_share: _Judges.SPECIAL_STEPS,
    flow_loops.while_has_no_fields_of_items: _Judges.SPECIAL_STEPS,
    flow_loops.jobs_are_not_too_many: _Judges.EVERY_FLOW,
    flow_probe.probe_needs_targets: _Judges.SPECIAL_STEPS,
    flow_probe.probe_looks_at_something: _Judges.SPECIAL_STEPS,
    flow_probe.probe_names_a_task: _Judges.SPECIAL_STEPS,
    flow_probe.probe_ports_are_ports: _Judges.SPECIAL_STEPS,
    flow_probe.probe_requests_are_plain: _Judges.SPECIAL_STEPS,
    flow_probe.probe_phases_are_pod_phases: _Judges.SPECIAL_STEPS,
    flow_patch.operations_have_a_value: _Judges.SPECIAL_STEPS,
    flow_patch.operations_have_a_source: _Judges.SPECIAL_STEPS,
    flow_patch.operations_point_somewhere: _Judges.SPECIAL_STEPS,
    flow_patch.operations_write_known_fields: _Judges.SPECIAL_STEPS,
    flow_patch.operations_spare_the_whole: _Judges.SPECIAL_STEPS,
    flow_patch.patched_plugins_are_known: _Judges.SPECIAL_STEPS,
    flow_patch.patched_tasks_have_names: _Judges.SPECIAL_STEPS,
    flow_references.references_stand_for_something: _Judges.SPECIAL_STEPS,
    flow_references.placeholders_are_not_inside_references: _Judges.SPECIAL_STEPS,
    flow_expressions.expressions_compile: _Judges.EVERY_FLOW,
    flow_approval.approval_creates_no_job: _Judges.SPECIAL_STEPS,
    flow_approval.approval_is_not_in_finally: _Judges.SPECIAL_STEPS,
    flow_approval.approval_timeout_is_a_duration: _Judges.SPECIAL_STEPS,
    flow_outputs.flow_outputs_have_names: _Judges.EVERY_FLOW,
    flow_outputs.flow_outputs_compile: _Judges.EVERY_FLOW,
    flow_sub_flows.sub_flow_has_one_source: _Judges.SPECIAL_STEPS,
    flow_sub_flows.sub_flow_steps_make_no_jobs: _Judges.SPECIAL_STEPS,
    flow_sub_flows.sub_flow_specs_match_the_schema: _Judges.SPECIAL_STEPS,
    flow_sub_flows.sub_flows_end: _Judges.SPECIAL_STEPS,
    flow_sub_flows.sub_flow_params_are_params: _Judges.SPECIAL_STEPS,
    flow_sub_flows.sub_flow_outputs_exist: _Judges.SPECIAL_STEPS,
    flow_resources.resource_steps_make_no_jobs: _Judges.SPECIAL_STEPS,
    flow_resources.resource_kinds_are_allowed: _Judges.SPECIAL_STEPS,
    flow_resources.resource_manifests_say_what_they_may: _Judges.SPECIAL_STEPS,
    flow_resources.resource_conditions_are_there_and_compile: _Judges.SPECIAL_STEPS,
    flow_resources.resource_outputs_are_expressions: _Judges.SPECIAL_STEPS,
}
FLOW_RULES: Final[tuple[Rule, ...]] = (*_OWN_FLOW_RULES, of_inner_flows(tuple(_OWN_FLOW_RULES)))
FLOW_STRUCTURE: Final[frozenset[Rule]] = frozenset(
    {
        flow_graph.flows_are_present,
        flow_graph.targets_exist,
        flow_graph.no_cycle,
        flow_names.step_names_are_labels,
        flow_names.step_names_are_unique,
    }
)
FLOW_UPDATE_RULES: Final[tuple[Rule, ...]] = (
    flow_updates.started_steps_are_frozen,
    flow_updates.params_are_frozen_once_a_step_started,
    flow_updates.new_values_of_params_fit_the_template,
    flow_updates.ended_flows_are_frozen,
)
_OWN_FLOW_WARNINGS: Final[dict[Warner, _Judges]] = {
    flow_templates.templates_not_found_yet: _Judges.EVERY_FLOW,
    flow_control.daemons_without_dependents: _Judges.SPECIAL_STEPS,
    flow_control.switches_that_choose_nothing: _Judges.SPECIAL_STEPS,
    flow_probe.probes_of_unknown_tasks: _Judges.SPECIAL_STEPS,
    flow_patch.patches_of_unknown_tasks: _Judges.SPECIAL_STEPS,
    flow_patch.patched_fields_that_no_pod_has: _Judges.SPECIAL_STEPS,
    flow_expressions.literals_that_never_match: _Judges.EVERY_FLOW,
    flow_sub_flows.flow_templates_not_found_yet: _Judges.SPECIAL_STEPS,
    flow_approval.approvals_after_a_timeout: _Judges.SPECIAL_STEPS,
}
FLOW_WARNINGS: Final[tuple[Warner, ...]] = (*_OWN_FLOW_WARNINGS, warned_of_inner_flows(tuple(_OWN_FLOW_WARNINGS)))
RULES_OF_SPECIAL_STEPS: Final[frozenset[Rule]] = frozenset(
    rule for rule in FLOW_RULES if _OWN_FLOW_RULES.get(rule) is not _Judges.EVERY_FLOW
)
"""The rules that find nothing in a flow whose steps set no more than name, template and targets."""
WARNINGS_OF_SPECIAL_STEPS: Final[frozenset[Warner]] = frozenset(
    warner for warner in FLOW_WARNINGS if _OWN_FLOW_WARNINGS.get(warner) is not _Judges.EVERY_FLOW
)

FLOW_DELETE_WARNINGS: Final[tuple[Warner, ...]] = (flow_deletion.jobs_that_go_with_the_flow,)

# Rules of the JobSpec, for JobTemplates and Jobs.
JOB_SPEC_RULES: Final[tuple[Rule, ...]] = (
    job_tasks.tasks_are_present,
    job_tasks.tasks_are_not_too_many,
    job_tasks.task_names_are_labels,
    job_tasks.task_names_are_unique,
    job_tasks.task_minimum_is_within_replicas,
    job_tasks.job_minimum_is_within_replicas,
    job_tasks.replicas_can_be_counted,
    job_tasks.job_success_is_within_replicas,
    job_tasks.managed_by_is_a_path,
    job_topology.topology_has_one_tier,
    job_topology.numa_policies_get_whole_cpus,
    job_partition.partitions_cover_the_replicas,
    job_partition.minimum_is_whole_partitions,
    job_partition.minimum_partitions_exist,
    job_policies.policy_says_when,
    job_policies.policy_action_is_an_action,
    job_policies.policy_action_has_a_target,
    job_policies.events_are_handled_once,
    job_policies.any_event_stands_alone,
    job_policies.exit_codes_are_failures,
    job_policies.exit_codes_are_handled_once,
    job_policies.exit_codes_are_codes_and_ranges,
    job_policies.pod_conditions_have_a_status,
    job_policies.timeouts_are_positive_durations,
    job_policies.running_estimate_is_a_duration,
    job_depends.task_dependencies_exist,
    job_depends.task_dependencies_are_named_once,
    job_depends.task_iteration_is_known,
    job_depends.task_dependencies_have_no_cycle,
    job_plugins.plugins_are_not_too_many,
    job_plugins.plugins_are_enabled,
    job_plugins.plugins_can_work,
    job_volumes.volumes_have_a_mount_path,
    job_volumes.volumes_are_mounted_apart,
    job_volumes.volumes_name_one_claim,
    job_volumes.volume_claim_names_are_names,
    job_volumes.volume_claims_can_be_created,
    job_pods.pod_templates_make_pods,
)
TEMPLATE_RULES: Final[tuple[Rule, ...]] = (*JOB_SPEC_RULES, job_template.placeholders_are_not_inside_references)
JOB_RULES: Final[tuple[Rule, ...]] = (
    *JOB_SPEC_RULES,
    job_tasks.job_name_is_a_name,
    job_tasks.pod_names_fit,
    job_queue.queue_takes_jobs,
)
# Most fields of a Job are immutable, so an update validates only what may change (docs/design/volcano-behaviour.md, 2.4).
JOB_UPDATE_RULES: Final[tuple[Rule, ...]] = (
    job_updates.tasks_are_neither_added_nor_removed,
    job_updates.job_fields_are_frozen,
    job_updates.task_fields_are_frozen,
    job_tasks.task_minimum_is_within_replicas,
    job_tasks.job_minimum_is_within_replicas,
    job_tasks.replicas_can_be_counted,
    job_tasks.pod_names_fit,
    job_topology.topology_has_one_tier,
    job_partition.partitions_cover_the_replicas,
    job_partition.minimum_is_whole_partitions,
)
JOB_STRUCTURE: Final[frozenset[Rule]] = frozenset(
    {
        job_tasks.tasks_are_present,
        job_tasks.task_names_are_labels,
        job_tasks.task_names_are_unique,
        job_tasks.task_minimum_is_within_replicas,
        job_tasks.job_minimum_is_within_replicas,
        job_depends.task_dependencies_exist,
        job_depends.task_dependencies_have_no_cycle,
    }
)
JOB_WARNINGS: Final[tuple[Warner, ...]] = (
    job_tasks.restart_policies_of_services,
    job_tasks.no_pod_is_asked_for,
    job_policies.pending_policies_without_timeout,
    job_policies.targeted_actions_on_job_events,
    job_policies.events_that_are_never_raised,
    job_depends.tasks_that_wait_for_servers,
    job_plugins.plugins_without_their_tasks,
    job_pods.fields_that_no_pod_has,
    job_pods.schedulers_that_are_not_known,
    job_topology.topology_that_needs_volcano,
)
TEMPLATE_WARNINGS: Final[tuple[Warner, ...]] = (*JOB_WARNINGS, job_template.references_of_no_form)
TEMPLATE_DELETE_WARNINGS: Final[tuple[Warner, ...]] = (job_template.flows_that_need_the_template,)

# A CronJob's template is validated as a Job. Whether its queue accepts Jobs is validated when a Job is created.
CRONJOB_RULES: Final[tuple[Rule, ...]] = (
    cron_job.schedule_is_a_schedule,
    cron_job.time_zone_exists,
    cron_job.job_names_fit_the_schedule,
    *(cron_job.of_template(rule) for rule in (*JOB_SPEC_RULES, job_tasks.pod_names_fit)),
)
CRONJOB_WARNINGS: Final[tuple[Warner, ...]] = tuple(cron_job.warned_of_template(warner) for warner in JOB_WARNINGS)
CRONJOB_NOTICES: Final[tuple[Notice, ...]] = (cron_job.next_jobs,)
CRONJOBFLOW_NOTICES: Final[tuple[Notice, ...]] = (cron_job_flow.next_flows,)
JOBFLOWTEMPLATE_RULES: Final[tuple[Rule, ...]] = (
    flow_template.template_params_are_declared_once,
    flow_template.template_patterns_are_patterns,
    flow_template.template_defaults_are_allowed,
    flow_template.required_params_have_no_default,
    flow_template.template_outputs_have_names,
    flow_template.template_outputs_compile,
    *(of_flow(rule) for rule in FLOW_RULES),
)
JOBFLOWTEMPLATE_WARNINGS: Final[tuple[Warner, ...]] = tuple(warned_of_flow(warner) for warner in FLOW_WARNINGS)
CRONJOBFLOW_RULES: Final[tuple[Rule, ...]] = (
    cron_job_flow.schedules_are_schedules,
    cron_job_flow.schedules_differ,
    cron_job_flow.cron_time_zone_exists,
    cron_job_flow.end_time_is_a_time,
    cron_job_flow.flow_has_one_source,
    cron_job_flow.condition_compiles,
    cron_job_flow.params_are_given_once,
    cron_job_flow.schedule_values_exist,
    cron_job_flow.params_fit_the_template,
    cron_job_flow.names_fit_the_template,
    *(of_flow(rule) for rule in FLOW_RULES),
)
CRONJOBFLOW_STRUCTURE: Final[frozenset[Rule]] = frozenset({cron_job_flow.end_time_is_a_time})
BACKFILL_RULES: Final[tuple[Rule, ...]] = (
    backfill.backfill_range_is_a_range,
    backfill.backfill_times_are_not_too_many,
    backfill.names_of_backfilled_flows_fit,
    backfill.backfill_spec_is_immutable,
)
BACKFILL_STRUCTURE: Final[frozenset[Rule]] = frozenset({backfill.backfill_range_is_a_range})
BACKFILL_WARNINGS: Final[tuple[Warner, ...]] = (backfill.schedule_of_backfill_not_found,)
CRONJOBFLOW_WARNINGS: Final[tuple[Warner, ...]] = (
    cron_job_flow.template_not_found_yet,
    cron_job_flow.condition_literals_that_never_match,
    *(warned_of_flow(warner) for warner in FLOW_WARNINGS),
)

QUEUE_RULES: Final[tuple[Rule, ...]] = (
    queue_resources.amounts_are_quantities,
    queue_resources.deserved_covers_guarantee,
    queue_resources.capability_covers_deserved,
    queue_resources.root_keeps_its_amounts,
    queue_tree.hierarchy_has_a_weight_a_level,
    queue_tree.hierarchy_ends_at_a_leaf,
    queue_tree.parent_exists,
    queue_tree.tree_is_not_too_deep,
    queue_tree.parent_runs_no_pods,
    queue_resources.queue_fits_its_ancestors,
    queue_resources.queue_covers_its_children,
)
QUEUE_DELETE_RULES: Final[tuple[Rule, ...]] = (
    queue_tree.built_in_queues_stay,
    queue_tree.parents_outlive_their_children,
)
PODGROUP_RULES: Final[tuple[Rule, ...]] = (podgroup.queue_is_open, podgroup.group_topology_has_one_tier)
COMMAND_RULES: Final[tuple[Rule, ...]] = (
    command.command_has_a_target,
    command.command_target_takes_commands,
    command.command_action_is_known,
    command_message.message_is_understood,
    command_message.message_names_steps_of_the_flow,
    command_message.message_names_params_of_the_flow,
)
POLICY_RULES: Final[tuple[Rule, ...]] = (policy.policy_can_work,)
POLICY_WARNINGS: Final[tuple[Warner, ...]] = (
    policy.stored_objects_violate_the_policy,
    policy.patterns_that_match_no_image,
)
EXCEPTION_RULES: Final[tuple[Rule, ...]] = (
    policy_exception.exception_fields_can_work,
    policy_exception.exception_ends_later,
    policy_exception.policies_allow_the_exception,
)
EXCEPTION_UPDATE_RULES: Final[tuple[Rule, ...]] = (policy_exception.exception_spec_is_immutable,)
POD_RULES: Final[tuple[Rule, ...]] = (pod.budgets_are_positive, pod.budgets_are_one)
