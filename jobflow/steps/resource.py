"""A step that creates an object of any kind that the operator allows."""

from collections.abc import Mapping, Sequence

from jobflow.manifests.json_values import Json, merged, without_none
from jobflow.manifests.placed import Origin
from jobflow.steps.step import FlowStep
from shared.model.step import Output
from shared.model.types import Body

_EXPRESSIONS = ("success", "failure", "message", "running")


class ResourceStep(FlowStep):
    """`Resource("train", {"apiVersion": "ray.io/v1", "kind": "RayJob", "spec": {...}})`: a step that creates this object.

    `manifest`: the object without a name; references can stand in its texts. `success`, `failure`: CEL over `object`, the
    object in the cluster; common kinds have a default. `message`: CEL, shown if it has failed; `running`: CEL, false while the
    step is Pending. `outputs`: CEL by name. `stop`: operations of RFC 6902 below /spec/ that stop the object; by default it is
    deleted.
    """

    def __init__(
        self,
        name: str,
        manifest: Mapping[str, Json],
        *,
        success: str | None = None,
        failure: str | None = None,
        message: str | None = None,
        running: str | None = None,
        outputs: Mapping[str, str] | None = None,
        stop: Sequence[Mapping[str, Json]] | None = None,
    ) -> None:
        given = dict(zip(_EXPRESSIONS, (success, failure, message, running), strict=True))
        super().__init__(name, [Output(name=key, expression=text) for key, text in (outputs or {}).items()])
        terminate: Body | None = None if stop is None else without_none(patch=stop)
        self.fields["resource"] = {"manifest": merged({}, manifest), **without_none(**given, terminate=terminate)}
        self.origins |= {
            "resource": Origin(self.spot),
            "resource.manifest": Origin(self.spot, "manifest:1"),
            "resource.terminate.patch": Origin(self.spot, "stop"),
            **{f"resource.{field}": Origin(self.spot, field) for field in given},
            **{f"outputs[{place}]": Origin(self.spot, "outputs", key) for place, key in enumerate(outputs or {})},
        }
