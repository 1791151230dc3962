"""The objects of a case, whose simulated pods do what its scenario says."""

import json
import re
from collections.abc import Iterator
from typing import Any

from jobflow import Flow, Job, SubFlow
from jobflow.flow_builder import FlowBuilder
from shared.model.types import Body
from tests.e2e.support.simulated.case import SECONDS, SPEED, FlowCase


def behaving(case: FlowCase, flow: Flow) -> Iterator[Body]:
    """The JobTemplates of the flow, whose simulated pods do what the scenario says, then the JobFlow."""
    paths = _paths(flow)
    *templates, last = (each.body for each in flow.manifests())
    for body in templates:
        rules = [rule for path in paths[body["metadata"]["name"]] for rule in _rules(case, flow.name, path)]
        pod = body["spec"]["tasks"][0]["template"]
        annotations = {"jobflow.dev/behave": json.dumps(rules)}
        made = {**pod, "metadata": {**pod.get("metadata", {}), "annotations": annotations}}
        yield {**body, "spec": {**body["spec"], "tasks": [{**body["spec"]["tasks"][0], "template": made}]}}
    yield last


def _paths(flow: FlowBuilder, prefix: str = "") -> dict[str, list[str]]:
    """The steps that use each JobTemplate, as a scenario names them."""
    found: dict[str, list[str]] = {}
    for step in flow.steps.values():
        if isinstance(step, SubFlow) and isinstance(step.inner, FlowBuilder):
            for name, paths in _paths(step.inner, f"{prefix}{step.name}/").items():
                found.setdefault(name, []).extend(paths)
        elif isinstance(step, Job):
            found.setdefault(f"{flow.name}-{step.name}", []).append(f"{prefix}{step.name}")
    return found


def _rules(case: FlowCase, flow: str, path: str) -> Iterator[dict[str, Any]]:
    """The node takes the first rule whose pattern is found in the pod's name: the most specific come first."""
    selectors = [each for given in (case.fail, case.outputs, case.durations) for each in given]
    mine = [each for each in dict.fromkeys(selectors) if re.sub(r"\[\d+\]|:\d+", "", each) == path]
    for selector in sorted({*mine, path}, key=lambda each: (-each.count("["), -each.count(":"))):
        yield {"pod": _pattern(flow, selector), **_behaviour(case, selector, path)}


def _pattern(flow: str, selector: str) -> str:
    return f"^{flow}-{'-'.join(map(_names, selector.split('/')))}-main-0$"


def _names(part: str) -> str:
    """What a Job or a flow of the step is called, in the name of what is below it."""
    found = re.fullmatch(r"([^\[:]+)(?:\[(\d+)\])?(?::(\d+))?", part)
    assert found is not None
    step, place, number = found.groups()
    index_part = rf"-{place}" if place else r"(-\d+)?"
    attempts = r"(-r\d+)?" if number is None else "" if number == "1" else rf"-r{int(number) - 1}"
    return f"{step}{index_part}{attempts}"


def _behaviour(case: FlowCase, selector: str, path: str) -> dict[str, Any]:
    """What holds for the selector, or for the whole step where the selector does not say it."""
    seconds = case.durations.get(selector, case.durations.get(path, SECONDS))
    code = case.fail.get(selector, case.fail.get(path, 0))
    outputs = {**case.outputs.get(path, {}), **case.outputs.get(selector, {})}
    return {"runSeconds": seconds * SPEED, "exitCode": code, "terminationMessage": json.dumps(outputs)}
