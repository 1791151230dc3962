"""Builders for admission tests: objects that are valid by default, reviews of them, and what else exists."""

import copy
import json
from typing import Any

from shared import kinds
from shared.kinds import Kind
from shared.model.types import Body
from webhook.envelope.patch import applied
from webhook.envelope.review import AdmissionReview, AdmissionVerdict, GroupKind, Operation
from webhook.lint.check import OURS
from webhook.subject.lookups import InMemoryLookups, Lookups
from webhook.verdict.admit import changed_subject, mutate, validate
from webhook.verdict.kind_admission import DEFAULT_OPTIONS, AdmissionOptions
from webhook.verdict.structure import has_broken_structure

KINDS = {kind.kind: kind for kind in (*OURS.values(), kinds.NAMESPACE, kinds.POD)}


def body(kind: Kind, name: str, spec: Any = None, **more: Any) -> Body:
    metadata = {"name": name} | ({"namespace": "ns1"} if kind.namespaced else {})
    made = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
    return made | ({} if spec is None else {"spec": spec}) | more


def step(name: str, *targets: str, **more: Any) -> Body:
    return {"name": name} | ({"dependsOn": {"targets": list(targets)}} if targets else {}) | more


def flow(*steps: Body, name: str = "f", **more: Any) -> Body:
    """A JobFlow of these steps, or of the seed's five."""
    given = steps or (step("a"), step("b", "a"), step("c", "b"), step("d", "b"), step("e", "c", "d"))
    return body(kinds.JOBFLOW, name, {"flows": list(given), **more})


def pod_template(**spec: Any) -> Body:
    containers = [{"name": "main", "image": "busybox"}]
    return {"spec": {"restartPolicy": "Never", "containers": containers, **spec}}


def task(name: str = "w", replicas: int = 2, **more: Any) -> Body:
    return {"name": name, "replicas": replicas, "template": pod_template()} | more


def job(*tasks: Body, name: str = "demo", **more: Any) -> Body:
    """The Job that test tables change: queue q1, one task `w` of two replicas."""
    spec = {"queue": "q1", "schedulerName": "volcano", "tasks": list(tasks or (task(),)), **more}
    return body(kinds.JOB, name, {key: value for key, value in spec.items() if value is not None})


def template(*tasks: Body, name: str = "a", **more: Any) -> Body:
    return body(kinds.JOBTEMPLATE, name, {"tasks": list(tasks or (task(),)), **more})


def queue(name: str = "q1", state: str | None = "Open", **spec: Any) -> Body:
    made = body(kinds.QUEUE, name, spec)
    return made | ({"status": {"state": state}} if state is not None else {})


def known(*bodies: Body) -> InMemoryLookups:
    """What exists; the queue q1 always does."""
    everything = (queue(), *bodies)
    return InMemoryLookups((KINDS[each["kind"]], each) for each in everything)


def review(new: Body | None, old: Body | None = None, operation: str = "") -> AdmissionReview:
    """A review of `new`: CREATE, or UPDATE when there is an `old`."""
    subject = new if new is not None else old
    assert subject is not None
    group, _, version = subject["apiVersion"].rpartition("/")
    return AdmissionReview(
        uid="u1",
        operation=Operation(operation or ("CREATE" if old is None else "UPDATE")),
        kind=GroupKind(group, version, subject["kind"]),
        name=subject["metadata"].get("name", ""),
        namespace=subject["metadata"].get("namespace", ""),
        object=copy.deepcopy(new),
        old_object=copy.deepcopy(old),
    )


def envelope(of: AdmissionReview) -> bytes:
    """`of` as the API server sends it."""
    request = {
        "uid": of.uid,
        "kind": {"group": of.kind.group, "version": of.kind.version, "kind": of.kind.kind},
        "resource": {"group": of.kind.group, "version": of.kind.version, "resource": of.kind.kind.lower() + "s"},
        "requestKind": None,
        "name": of.name,
        "namespace": of.namespace,
        "operation": of.operation.value,
        "userInfo": {"username": "kubernetes-admin", "groups": ["system:masters"]},
        "object": of.object,
        "oldObject": of.old_object,
        "dryRun": False,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
    }
    return json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}).encode()


def verdict(
    new: Body | None, old: Body | None = None, lookups: Lookups | None = None, operation: str = ""
) -> AdmissionVerdict:
    return validate(review(new, old, operation), known() if lookups is None else lookups)


def faults(new: Body | None, old: Body | None = None, lookups: Lookups | None = None, operation: str = "") -> list[str]:
    """The violations as people see them."""
    return [str(violation) for violation in verdict(new, old, lookups, operation).violations]


def breaks_structure(of: AdmissionReview) -> bool:
    """Whether the object has a fault of structure, which the mutating webhook refuses."""
    return has_broken_structure(of, changed_subject(of, known(), DEFAULT_OPTIONS))


def defaulted(new: Body, lookups: Lookups | None = None, schedulers: tuple[str, ...] = ("volcano",)) -> Body:
    """`new` as the mutating webhook makes it."""
    patch = mutate(review(new), known() if lookups is None else lookups, AdmissionOptions(schedulers)).patch
    return applied(new, patch)
