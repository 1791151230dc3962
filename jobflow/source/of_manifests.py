"""The program that makes the objects of a file again. Pure."""

from collections.abc import Sequence

from jobflow.source.job_templates import JobTemplates
from jobflow.source.of_flows import FlowWriter
from jobflow.source.of_jobs import job_options
from jobflow.source.script import Assign, Call, Name, SourceScript, Statement, Value
from jobflow.source.variables import Variables
from shared.kinds import JOB, JOBFLOW, JOBTEMPLATE
from shared.model.types import Body


def program_of(bodies: Sequence[Body]) -> SourceScript:
    """Raises KeyError, TypeError or ValueError for objects that break their schema."""
    return _Writer(bodies).program()


class _Writer:
    def __init__(self, bodies: Sequence[Body]) -> None:
        self._bodies = bodies
        flows = [each for each in bodies if _is(each, JOBFLOW.kind)]
        found = {_name(each): each for each in bodies if _is(each, JOBTEMPLATE.kind)}
        self._templates = JobTemplates(found, [flow.get("spec") or {} for flow in flows])
        self._variables = Variables()
        self._flows = FlowWriter(self._templates, self._variables)
        self._statements: list[Statement] = []
        self._objects: list[str] = []
        self._single = len(flows) == 1

    def program(self) -> SourceScript:
        for body in self._bodies:
            if _is(body, JOBTEMPLATE.kind) and not self._templates.owned(_name(body)):
                self._templates.shared[_name(body)] = self._add(_name(body), _blueprint(body))
        for body in self._bodies:
            if _is(body, JOBFLOW.kind):
                self._flow(body)
            elif not _is(body, JOBTEMPLATE.kind):
                self._other(body)
        return SourceScript(tuple(self._statements), tuple(self._objects))

    def _add(self, name: str, call: Call) -> Name:
        variable = self._variables.new(name)
        self._statements.append(Assign(variable.text, call))
        self._objects.append(variable.text)
        return variable

    def _other(self, body: Body) -> None:
        call = Call("Manifest", (body,))
        if _is(body, JOB.kind) and set(body) <= {"apiVersion", "kind", "metadata", "spec"}:
            made = _blueprint(body)
            call = Call(made.function, made.arguments, made.options, (Call("job"),))
        self._add(_name(body) or body["kind"], call)

    def _flow(self, body: Body) -> None:
        metadata = body["metadata"]
        options: dict[str, Value] = {} if "name" in metadata else {"generate_name": True}
        options |= {field: metadata[field] for field in ("namespace", "labels", "annotations") if metadata.get(field)}
        variable = Name("flow") if self._single else self._variables.new(_name(body))
        with self._variables.block():
            block = self._flows.block(variable, _name(body), body.get("spec") or {}, options)
        self._statements.append(block)
        self._objects.append(variable.text)


def _blueprint(body: Body) -> Call:
    metadata = {key: value for key, value in body["metadata"].items() if key not in ("name", "namespace") and value}
    options = job_options(body.get("spec") or {})
    if body["metadata"].get("namespace"):
        options["namespace"] = body["metadata"]["namespace"]
    if metadata:
        options["metadata"] = metadata
    return Call("JobTemplate", (_name(body),), options)


def _name(body: Body) -> str:
    metadata = body.get("metadata") or {}
    return str(metadata.get("name") or str(metadata.get("generateName") or "").removesuffix("-"))


def _is(body: Body, kind: str) -> bool:
    """Of this kind of ours: Kubernetes has a Job too."""
    return body.get("kind") == kind and "volcano.sh/" in str(body.get("apiVersion"))
