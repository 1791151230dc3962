"""Outputs of a step that runs a flow: those of the flow, by the names that the step declares."""

from controller.jobflow.control.outputs import MissingOutput, size
from controller.jobflow.model.observed import ObservedChild
from shared.graphs.nesting import known_outputs
from shared.model.step import Step
from shared.names import MAX_FLOW_OUTPUT_BYTES


def flow_outputs(step: Step, child: ObservedChild, used: int) -> dict[str, str]:
    """The outputs of a flow that has succeeded. `used`: bytes of outputs so far. Raises MissingOutput."""
    keys = _keys(step)
    missing = [f'"{key}"' for key in keys.values() if key not in child.outputs]
    if missing:
        has = ", ".join(sorted(child.outputs)) or "none"
        raise MissingOutput(f"JobFlow {child.name} has no output {', '.join(missing)}; it has {has}")
    values = {name: child.outputs[key] for name, key in keys.items()}
    if used + size(values.values()) > MAX_FLOW_OUTPUT_BYTES:
        raise MissingOutput(f"the flow's outputs would take more than {MAX_FLOW_OUTPUT_BYTES} bytes")
    return values


def available_outputs(step: Step, child: ObservedChild, used: int) -> dict[str, str]:
    """The outputs that a flow has although it failed. Those that are missing or empty are left out."""
    values = {name: child.outputs[key] for name, key in _keys(step).items() if child.outputs.get(key)}
    return values if used + size(values.values()) <= MAX_FLOW_OUTPUT_BYTES else {}


def _keys(step: Step) -> dict[str, str]:
    """The flow's output for each output of the step."""
    given = {output.name: output.key or output.name for output in step.outputs}
    return {name: given.get(name, name) for name in known_outputs(step)}
