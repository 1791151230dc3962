"""Flows of Jobs on Kubernetes, in Python: built, judged, simulated, drawn and run.

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
    from jobflow.expressions.references import attempt, index, item, last, schedule, this
    from jobflow.faults import FlowError, LintFault, LintReport
    from jobflow.flow import Flow
    from jobflow.jobs.plugins import Plugin, plugin
    from jobflow.jobs.pods import config_map, secret
    from jobflow.jobs.task import TaskSetup as Task
    from jobflow.steps.kinds import JobBlueprint as JobTemplate
    from jobflow.steps.kinds import JobStep as Job
    from jobflow.steps.kinds import SwitchStep as Switch
    from jobflow.steps.kinds import TemplateStep as Template
    from jobflow.steps.step import FlowStep as Step
    from shared.model.step import Output

_PLACES = {
    "LintFault": ("faults", "LintFault"),
    "Flow": ("flow", "Flow"),
    "FlowError": ("faults", "FlowError"),
    "Job": ("steps.kinds", "JobStep"),
    "JobTemplate": ("steps.kinds", "JobBlueprint"),
    "LintReport": ("faults", "LintReport"),
    "Output": ("steps.step", "Output"),
    "Plugin": ("jobs.plugins", "Plugin"),
    "Step": ("steps.step", "FlowStep"),
    "Switch": ("steps.kinds", "SwitchStep"),
    "Task": ("jobs.task", "TaskSetup"),
    "Template": ("steps.kinds", "TemplateStep"),
    "attempt": ("expressions.references", "attempt"),
    "config_map": ("jobs.pods", "config_map"),
    "index": ("expressions.references", "index"),
    "item": ("expressions.references", "item"),
    "last": ("expressions.references", "last"),
    "plugin": ("jobs.plugins", "plugin"),
    "schedule": ("expressions.references", "schedule"),
    "secret": ("jobs.pods", "secret"),
    "this": ("expressions.references", "this"),
}
__all__ = [
    "Flow",
    "FlowError",
    "Job",
    "JobTemplate",
    "LintFault",
    "LintReport",
    "Output",
    "Plugin",
    "Step",
    "Switch",
    "Task",
    "Template",
    "attempt",
    "config_map",
    "index",
    "item",
    "last",
    "plugin",
    "schedule",
    "secret",
    "this",
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
