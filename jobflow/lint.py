"""Checks the manifests of a flow: the webhook's rules, the schema, and references in the texts of its Jobs."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from jobflow.faults import LintFault, LintReport
from jobflow.manifests.placed import PlacedManifest
from shared import substitution
from shared.graphs import flow_graph
from shared.graphs.directed import Ancestors
from shared.kinds import JOBFLOW
from shared.model.flow import JobFlowSpec
from shared.model.step import Step
from shared.model.types import Body
from shared.substitution import Known


def lint(
    manifests: Sequence[PlacedManifest],
    policies: Sequence[Body] = (),
    namespace: str = "default",
    namespace_labels: Mapping[str, str] | None = None,
) -> LintReport:
    """All faults for which the cluster would refuse the flow or warn. `policies`: JobFlowPolicies to check against."""
    from webhook.lint.check import check  # loads CEL and the schemas, which building a flow does not need

    report = check(manifests, policies, namespace, namespace_labels)
    found = [
        LintFault(each.file, each.line, f"{each.kind} {each.name}", each.path, each.message, each.severity)
        for each in report.findings
    ]
    found += [fault for fault in reference_faults(manifests) if fault not in found]
    return LintReport(tuple(found), report.not_judged)


def reference_faults(manifests: Sequence[PlacedManifest]) -> Iterator[LintFault]:
    """Placeholders `$(...)` in the JobTemplates of a flow that have no value in the steps that use them."""
    templates = {each.name: each for each in manifests if each.kind == "JobTemplate"}
    for manifest in manifests:
        if manifest.kind != JOBFLOW.kind:
            continue
        try:
            spec = msgspec.convert(manifest.body["spec"], JobFlowSpec)
        except msgspec.ValidationError:
            continue  # reported as a fault of the schema
        names = frozenset(step.name for step in spec.flows)
        outputs = {step.name: tuple(each.name for each in step.outputs) for step in spec.flows}
        before = Ancestors(flow_graph.edges(spec))
        params = frozenset(param.name for param in spec.params)
        for step in (*spec.flows, *spec.finally_):
            template = templates.get(step.template_name)
            if template is not None and step.makes_jobs:
                upstream = (
                    names if step in spec.finally_ else frozenset(n for n in names if before.before(step.name, n))
                )
                known = Known(params, names, upstream, outputs, step.for_ is not None, _item_keys(step))
                yield from _faults_of(template, step, known)


def _faults_of(template: PlacedManifest, step: Step, known: Known) -> Iterator[LintFault]:
    found = substitution.references_in(template.body["spec"], "spec")
    for fault in substitution.check(found, known):
        file, line = template.written_at(fault.path)
        said = f"{fault.text}: {fault.message} (as step {step.name} uses it)"
        yield LintFault(file, line, f"JobTemplate {template.name}", fault.path, said)


def _item_keys(step: Step) -> frozenset[str] | None:
    loop = step.for_
    if loop is None or loop.expression is not None:
        return None
    if loop.matrix is not None:
        return frozenset(loop.matrix)
    keys = [frozenset(item) if isinstance(item, dict) else frozenset[str]() for item in loop.items or ()]
    return frozenset.intersection(*keys) if keys else frozenset()
