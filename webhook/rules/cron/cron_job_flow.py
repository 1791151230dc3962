"""Rules of CronJobFlow: schedules, the source of the flow, params and the condition."""

from collections.abc import Iterator

from shared.expressions import Program, ResultType, compile_expression, schedule_scope
from shared.params import param_faults
from shared.timestamp import epoch_or_none, is_date_time
from shared.violation import Reason, Violation
from webhook.rules.cron.schedules import forecast, names_too_long, schedule_faults, zone_faults
from webhook.subject.cron_subjects import PLACEHOLDER, SCHEDULE_VALUES, CronFlowSubject


def schedules_are_schedules(cron: CronFlowSubject) -> Iterator[Violation]:
    return schedule_faults([(f"spec.schedules[{index}]", text) for index, text in enumerate(cron.spec.schedules)])


def schedules_differ(cron: CronFlowSubject) -> Iterator[Violation]:
    for index, text in enumerate(cron.spec.schedules):
        if text in cron.spec.schedules[:index]:
            yield Violation(f"spec.schedules[{index}]", "listed twice", text, Reason.DUPLICATE)


def cron_time_zone_exists(cron: CronFlowSubject) -> Iterator[Violation]:
    return zone_faults("spec.timeZone", cron.spec.time_zone or None)


def end_time_is_a_time(cron: CronFlowSubject) -> Iterator[Violation]:
    end = cron.spec.end_time
    if end is not None and not is_date_time(end):
        yield Violation("spec.endTime", 'must be an RFC 3339 time such as "2027-12-31T00:00:00Z"', end)


def flow_has_one_source(cron: CronFlowSubject) -> Iterator[Violation]:
    if cron.spec.template is None and cron.spec.job_flow_template is None:
        yield Violation(
            "spec", "set template (the name of a JobFlowTemplate) or jobFlowTemplate (a flow)", None, Reason.REQUIRED
        )
    if cron.spec.template is not None and cron.spec.job_flow_template is not None:
        yield Violation("spec.jobFlowTemplate", "may not be set together with template", None, Reason.FORBIDDEN)


def condition_compiles(cron: CronFlowSubject) -> Iterator[Violation]:
    if cron.spec.when is None:
        return
    program = compile_expression(cron.spec.when, schedule_scope(), ResultType.BOOL)
    if not isinstance(program, Program):
        for fault in program:
            yield Violation("spec.when", str(fault), cron.spec.when)


def condition_literals_that_never_match(cron: CronFlowSubject) -> Iterator[str]:
    program = compile_expression(cron.spec.when or "", schedule_scope(), ResultType.BOOL)
    if isinstance(program, Program):
        yield from (f"spec.when: {doubt}" for doubt in program.doubts)


def params_are_given_once(cron: CronFlowSubject) -> Iterator[Violation]:
    seen: set[str] = set()
    for index, param in enumerate(cron.spec.params):
        if param.name in seen:
            yield Violation(f"spec.params[{index}].name", "given twice", param.name, Reason.DUPLICATE)
        seen.add(param.name)


def schedule_values_exist(cron: CronFlowSubject) -> Iterator[Violation]:
    """$(schedule.X) must be one of the four known placeholders."""
    for index, param in enumerate(cron.spec.params):
        for found in PLACEHOLDER.finditer(param.value):
            if found[1] not in SCHEDULE_VALUES:
                known = ", ".join(f"$(schedule.{name})" for name in SCHEDULE_VALUES)
                yield Violation(
                    f"spec.params[{index}].value", f"unknown placeholder {found[0]}; known: {known}", param.value
                )


def params_fit_the_template(cron: CronFlowSubject) -> Iterator[Violation]:
    """Values with placeholders are validated when a flow is created; a template that does not exist yet gives a
    warning.
    """
    if cron.template is None:
        return
    given = [(param.name, param.value) for param in cron.spec.params if not PLACEHOLDER.search(param.value)]
    open_names = {param.name for param in cron.spec.params if PLACEHOLDER.search(param.value)}
    places = {param.name: index for index, param in enumerate(cron.spec.params)}
    for name, fault in param_faults(cron.template.params, given):
        if name in open_names:
            continue
        where = f"spec.params[{places[name]}]" if name in places else "spec.params"
        yield Violation(where, f'param "{name}" {fault}', name)


def next_flows(cron: CronFlowSubject, now: float) -> Iterator[str]:
    """Shown when a schedule is new or has changed."""
    spec, old = cron.spec, cron.old_spec
    if not spec.suspend and (old is None or (old.schedules, old.time_zone) != (spec.schedules, spec.time_zone)):
        yield from forecast(spec.schedules, spec.time_zone, now, epoch_or_none(spec.end_time))


def names_fit_the_template(cron: CronFlowSubject) -> Iterator[Violation]:
    """The Jobs and pods of flows from a JobFlowTemplate have names that fit; for an inline flow its own rules say so."""
    if cron.creating and cron.spec.template is not None:
        yield from names_too_long(cron.name, cron.flow_of_template)


def template_not_found_yet(cron: CronFlowSubject) -> Iterator[str]:
    reference = cron.spec.template
    if reference is not None and cron.template is None and cron.lookups.complete:
        yield f'JobFlowTemplate "{reference.name}" does not exist yet; no flow is created until it exists'
