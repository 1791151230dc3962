"""Builds, checks, simulates, draws and runs flows of Jobs on Kubernetes.

    from jobflow import Flow, Job

    with Flow("train", params={"day": "2026-01-01"}) as flow:
        prepare = Job("prepare", image="img", command=["prepare", flow.params.day], outputs=["rows"])
        train = Job("train", image="img", command="python train.py", gpus=1).retry(2)
        prepare >> train

Names are loaded when they are first used, so that importing the package is cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobflow.cluster.connection import ClusterAccess as Cluster
    from jobflow.cluster.connection import ClusterError
    from jobflow.cluster.flow_run import FlowFailed, FlowRun, find_run
    from jobflow.expressions.references import attempt, index, item, last, schedule, this
    from jobflow.faults import FlowError, LintFault, LintReport
    from jobflow.flow import Flow
    from jobflow.jobs.plugins import Plugin, plugin
    from jobflow.jobs.pods import config_map, secret
    from jobflow.jobs.presets import mpi, ray, tensorflow, torch
    from jobflow.jobs.task import TaskSetup as Task
    from jobflow.manifests.raw import raw_manifest as Manifest
    from jobflow.scheduled import FlowSchedule as Schedule
    from jobflow.simulation.result import SimulatedFlow, SimulatedStep
    from jobflow.simulation.scenario import ScenarioError
    from jobflow.steps.function import job
    from jobflow.steps.kinds import ApproveStep as Approve
    from jobflow.steps.kinds import JobBlueprint as JobTemplate
    from jobflow.steps.kinds import JobStep as Job
    from jobflow.steps.kinds import SubFlowStep as SubFlow
    from jobflow.steps.kinds import SwitchStep as Switch
    from jobflow.steps.kinds import TemplateStep as Template
    from jobflow.steps.resource import ResourceStep as Resource
    from jobflow.steps.step import FlowStep as Step
    from jobflow.to_yaml import to_yaml
    from shared.model.step import Output

_PLACES = {
    "Approve": ("steps.kinds", "ApproveStep"),
    "LintFault": ("faults", "LintFault"),
    "Cluster": ("cluster.connection", "ClusterAccess"),
    "ClusterError": ("cluster.connection", "ClusterError"),
    "Flow": ("flow", "Flow"),
    "FlowError": ("faults", "FlowError"),
    "FlowFailed": ("cluster.flow_run", "FlowFailed"),
    "FlowRun": ("cluster.flow_run", "FlowRun"),
    "Job": ("steps.kinds", "JobStep"),
    "JobTemplate": ("steps.kinds", "JobBlueprint"),
    "LintReport": ("faults", "LintReport"),
    "Manifest": ("manifests.raw", "raw_manifest"),
    "Output": ("steps.step", "Output"),
    "Plugin": ("jobs.plugins", "Plugin"),
    "Resource": ("steps.resource", "ResourceStep"),
    "Schedule": ("scheduled", "FlowSchedule"),
    "ScenarioError": ("simulation.scenario", "ScenarioError"),
    "SimulatedFlow": ("simulation.result", "SimulatedFlow"),
    "SimulatedStep": ("simulation.result", "SimulatedStep"),
    "Step": ("steps.step", "FlowStep"),
    "SubFlow": ("steps.kinds", "SubFlowStep"),
    "Switch": ("steps.kinds", "SwitchStep"),
    "Task": ("jobs.task", "TaskSetup"),
    "Template": ("steps.kinds", "TemplateStep"),
    "attempt": ("expressions.references", "attempt"),
    "config_map": ("jobs.pods", "config_map"),
    "find_run": ("cluster.flow_run", "find_run"),
    "index": ("expressions.references", "index"),
    "item": ("expressions.references", "item"),
    "job": ("steps.function", "job"),
    "last": ("expressions.references", "last"),
    "mpi": ("jobs.presets", "mpi"),
    "plugin": ("jobs.plugins", "plugin"),
    "ray": ("jobs.presets", "ray"),
    "schedule": ("expressions.references", "schedule"),
    "secret": ("jobs.pods", "secret"),
    "tensorflow": ("jobs.presets", "tensorflow"),
    "this": ("expressions.references", "this"),
    "to_yaml": ("to_yaml", "to_yaml"),
    "torch": ("jobs.presets", "torch"),
}
__all__ = [
    "Approve",
    "Cluster",
    "ClusterError",
    "Flow",
    "FlowError",
    "FlowFailed",
    "FlowRun",
    "Job",
    "JobTemplate",
    "LintFault",
    "LintReport",
    "Manifest",
    "Output",
    "Plugin",
    "Resource",
    "ScenarioError",
    "Schedule",
    "SimulatedFlow",
    "SimulatedStep",
    "Step",
    "SubFlow",
    "Switch",
    "Task",
    "Template",
    "attempt",
    "config_map",
    "find_run",
    "index",
    "item",
    "job",
    "last",
    "mpi",
    "plugin",
    "ray",
    "schedule",
    "secret",
    "tensorflow",
    "this",
    "to_yaml",
    "torch",
]


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PLACES[name]
    found: object = getattr(import_module(f"{__name__}.{module}"), attribute)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
