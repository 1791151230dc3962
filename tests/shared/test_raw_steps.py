"""Steps of stored flows, not parsed, are read as the model reads them."""

import msgspec
import pytest

from shared.model.step import Step, flow_template_of, job_template_of, makes_jobs
from shared.model.types import Body

MANIFEST: Body = {"apiVersion": "batch/v1", "kind": "Job"}
STEPS: dict[str, tuple[Body, str, str]] = {
    "the template of its name": ({}, "s", ""),
    "another template": ({"template": "work"}, "work", ""),
    "a loop": ({"for": {"items": ["x"]}}, "s", ""),
    "a switch": ({"switch": {"value": "'x'"}}, "", ""),
    "a flow": ({"flow": {"template": "inner"}}, "", "inner"),
    "a flow that is written out": ({"flow": {"spec": {"flows": [{"name": "a"}]}}}, "", ""),
    "an approval": ({"approve": {}}, "", ""),
    "an object of another kind": ({"resource": {"manifest": MANIFEST}}, "", ""),
    "no field is set": ({"switch": None, "flow": None, "approve": None, "resource": None}, "s", ""),
}


@pytest.mark.parametrize(("fields", "job_template", "flow_template"), STEPS.values(), ids=STEPS.keys())
def test_raw_steps_are_read_as_the_model_reads_them(fields: Body, job_template: str, flow_template: str) -> None:
    raw = {"name": "s", **fields}
    step = msgspec.convert(raw, Step)

    assert job_template_of(raw) == job_template == (step.template_name if step.makes_jobs else "")
    assert makes_jobs(raw) is step.makes_jobs
    assert flow_template_of(raw) == flow_template == (step.flow.template if step.flow else "")
